"""Code that SQL keeps to run it later, or makes of strings: prepared statements, functions, blocks, dynamic SQL."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from guardrails.commands.sql.phrases import bare, listed, name_at, words
from guardrails.commands.sql.segments import segments
from guardrails.commands.tree import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.commands.sql.session import Session
    from guardrails.commands.sql.tokens import Token

_ROUTINES = frozenset({"function", "procedure", "proc", "trigger", "event", "package", "rule"})
_RUNNERS = frozenset({"sp_executesql", "sp_msforeachtable", "sp_msforeachdb"})
_MOST_CALLS = 64


class Routines:
    """What one session has prepared or defined."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._prepared: dict[str, Sequence[Token] | str] = {}
        self._bodies: dict[str, str | Sequence[Token]] = {}
        self._running: list[str] = []

    def take(self, tokens: Sequence[Token]) -> bool:
        """Whether a statement keeps or runs code; then that is done."""
        head, second = tokens[0].lower, tokens[1].lower if len(tokens) > 1 else ""
        if head == "do" and any(t.kind in ("body", "string") for t in tokens[1:5]):
            self._block(tokens)
        elif head == "prepare" and len(tokens) > 2:
            self._prepare(tokens)
        elif head in ("execute", "exec") and len(tokens) > 1:
            self._execute(tokens, second)
        elif head in ("return", "open", "for") and any(t.lower == "execute" for t in tokens):
            at = next(i for i, t in enumerate(tokens) if t.lower == "execute")
            self._dynamic(tokens[at + 1 :])
        elif head in ("create", "alter") and any(t.lower in _ROUTINES for t in tokens[1:10]):
            self._define(tokens)
        elif head == "call" and len(tokens) > 1:
            name = bare(name_at(tokens, 1)[0])
            self._session.flat(tokens)
            self._session.emit(name, words(tokens[2:]))
            self._session.called(name, tokens[2:])
        else:
            return False
        return True

    def call(self, name: str) -> None:
        """Runs what a routine was defined to do."""
        body = self._bodies.get(name)
        if body is None or name in self._running or len(self._running) > _MOST_CALLS:
            return
        self._running.append(name)
        if isinstance(body, str):
            self._session.run(body, f"{name}()")
        else:
            for part in segments(body):
                self._session.do(part)
        self._running.pop()

    def _block(self, tokens: Sequence[Token]) -> None:
        body = next(t for t in tokens if t.kind in ("body", "string"))
        language = next((b.text for a, b in pairwise(tokens) if a.lower == "language"), "plpgsql")
        self._session.emit("do", ("language", language))
        if language.lower() in ("plpgsql", "sql"):
            self._session.run(body.text, "do")

    def _prepare(self, tokens: Sequence[Token]) -> None:
        at = next((i for i, t in enumerate(tokens) if t.lower in ("as", "from")), None)
        if at is None or at + 1 >= len(tokens):
            return
        rest = tokens[at + 1 :]
        self._prepared[tokens[1].text.lower()] = self._session.fold(rest) if tokens[at].lower == "from" else rest

    def _execute(self, tokens: Sequence[Token], second: str) -> None:
        rest = tokens[1:]
        if second == "immediate":
            self._dynamic(rest[1:])
        elif rest[0].kind in ("string", "body"):
            self._dynamic(rest)
        elif rest[0].text == "(":
            self._dynamic(
                rest[1 : next((i for i, t in enumerate(rest) if t.text == ")" and i + 2 > len(rest) - 1), len(rest))]
            )
        elif rest[0].text[:1] == "@" and len(rest) > 1 and rest[1].text == "=":
            self._execute(rest[1:], "")
        else:
            self._named(rest, tokens[0].lower)

    def _named(self, rest: Sequence[Token], head: str) -> None:
        """`EXECUTE prepared`, `EXEC procedure arguments`, and a language's own `EXECUTE expression`."""
        session = self._session
        full, after = name_at(rest, 0)
        name = bare(full)
        prepared = self._prepared.get(full.lower())
        if prepared is not None:
            if isinstance(prepared, str):
                session.run(prepared, "execute")
            else:
                for part in segments(prepared):
                    session.do(part)
            return
        if full.lower() in session.values or full[:1] in "@:" or name in ("format", "concat", "quote_ident", "replace"):
            self._dynamic(rest)
            return
        concatenated = after < len(rest) and rest[after].text == "||"
        if concatenated or (session.inside and head == "execute"):
            self._dynamic(rest)
            return
        arguments = rest[after:]
        if name in _RUNNERS and arguments:
            self._dynamic(next(iter(listed(arguments))))
            return
        session.emit(name, words(arguments))
        session.called(name, arguments)

    def _dynamic(self, expression: Sequence[Token]) -> None:
        """Runs what a string comes to; its parameters, and where the result goes, are no part of it."""
        end = next((i for i, t in enumerate(expression) if t.lower in ("using", "into", "loop", "at")), len(expression))
        first = next(iter(listed(expression[:end])))
        if len(first) > 1 and first[0].text[:1] == "@" and first[1].text == "=":
            first = first[2:]
        self._session.run(self._session.fold(first) if first else UNKNOWN, "execute")

    def _define(self, tokens: Sequence[Token]) -> None:
        """Keeps a routine's body; a scheduled event's is as good as run."""
        session = self._session
        session.emit(tokens[0].lower, words(tokens[1:40]))
        at = next((i for i, t in enumerate(tokens) if t.lower in _ROUTINES), len(tokens) - 1)
        if at + 1 >= len(tokens):
            return
        name = bare(name_at(tokens, at + 1 + 3 * (tokens[at + 1].lower == "if"))[0]) if at + 4 < len(tokens) else ""
        body = next((t.text for t in reversed(tokens) if t.kind == "body"), None)
        as_ = next((i for i, t in enumerate(tokens) if t.lower in ("as", "is") and i > at), None)
        if body is None and as_ is not None and as_ + 1 < len(tokens) and tokens[as_ + 1].kind == "string":
            body = tokens[as_ + 1].text
        if body is not None:
            self._bodies[name] = body
            return
        begins = next((i for i, t in enumerate(tokens) if t.lower == "begin" and i > at), as_)
        if tokens[at].lower == "event":
            begins = next((i for i, t in enumerate(tokens) if t.lower == "do" and i > at), begins)
            for part in segments(tokens[begins + 1 :]) if begins is not None else []:
                session.do(part)
        elif begins is not None and begins + 1 < len(tokens):
            self._bodies[name] = tokens[begins + 1 :]
