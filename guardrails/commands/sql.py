"""SQL, cut into statements; what a transaction takes back in the end is left out.

A statement becomes a command whose name is its verb. Code inside strings (`EXECUTE '…'`, `DO $$…$$`) is read, too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from guardrails.commands.tree import UNKNOWN, Code, Command, Script, Word
from guardrails.commands.unfold import Unfolder
from guardrails.interface import Shell

if TYPE_CHECKING:
    from guardrails.commands.frame import Frame

_TOKEN = re.compile(
    r"(?P<gap>\s+|--[^\n]*|\#[^\n]*)"
    r"|/\*!\d*(?P<hint>.*?)\*/"  # MySQL runs what stands in such a comment
    r"|(?P<comment>/\*.*?(?:\*/|\Z))"
    r"|(?P<shell>\\!|\bsystem\s(?=\S))(?P<code>[^\n]*)"
    r"|(?P<dollar>\$\w*\$)(?P<body>.*?)(?P=dollar)"
    r"|[eEnNxXbB]?'(?P<string>(?:[^'\\]|''|\\.)*)(?:'|\Z)"
    r'|"(?P<quoted>[^"]*)"|`(?P<ticked>[^`]*)`|\[(?P<boxed>\w[^\]\n]*)\]'
    r"|(?P<word>[\w$.@:" + UNKNOWN + r"]+)|(?P<end>;|\\g\b|\\G\b|(?<=\n)\s*GO\b)|(?P<other>.)",
    re.DOTALL,
)
_BEGINS = frozenset({"begin", "start"})
_RUNS_TEXT = frozenset({"execute", "exec", "prepare", "sp_executesql", "do", "call", "perform"})


class _Token(NamedTuple):
    text: str
    start: int
    end: int
    kind: str


class _Statement(NamedTuple):
    tokens: list[_Token]

    @property
    def words(self) -> list[str]:
        return [t.text for t in self.tokens]


def read(text: str, frame: Frame) -> Script:
    """Reads SQL statements.

    Raises:
        BudgetExceeded: when the work budget is spent.
    """
    frame.budget.spend(1 + len(text) // 64)
    unfold, span = Unfolder(frame), frame.span
    for statement in _kept(_statements(text)):
        tokens = _main(statement.tokens)
        if not tokens:
            continue
        where = span if span is not None else (statement.tokens[0].start, statement.tokens[-1].end)
        words = tuple(
            Word(None if UNKNOWN in t.text else t.text, span if span is not None else (t.start, t.end), t.text)
            for t in tokens
        )
        if words[0].text is None:
            continue
        command = Command(words, (), where, Shell.SQL, frame.wrappers)
        unfold.emit(command)
        for token in tokens[1:]:
            if token.kind == "code":
                unfold.run(Code(token.text, "sql"), command)
            elif token.kind in ("string", "body") and words[0].text.lower() in _RUNS_TEXT:
                unfold.run(Code(token.text, "sql", shell=Shell.SQL), command)
    return Script(tuple(unfold.found), complete=True)


def _statements(text: str) -> list[_Statement]:
    found: list[_Statement] = []
    tokens: list[_Token] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind in ("gap", "comment"):
            continue
        if kind == "end":
            if tokens:
                found.append(_Statement(tokens))
            tokens = []
        elif kind == "hint":
            offset = match.start("hint")
            inner = [
                t._replace(start=t.start + offset, end=t.end + offset)
                for one in _statements(match["hint"])
                for t in one.tokens
            ]
            tokens += inner
        elif kind == "code":
            start, end = match.span()
            found.append(_Statement([_Token("\\!", start, end, "word"), _Token(match["code"], start, end, "code")]))
        else:
            tokens.append(_Token(match[kind], match.start(), match.end(), kind))
    if tokens:
        found.append(_Statement(tokens))
    return found


def _main(tokens: list[_Token]) -> list[_Token]:
    """A statement from its verb on: `WITH x AS (…) DELETE …` deletes, `EXPLAIN ANALYZE DELETE …` too."""
    first = tokens[0].text.lower()
    if first == "explain" and any(t.text.lower() == "analyze" for t in tokens[:4]):
        at = next((i for i, t in enumerate(tokens) if t.text.lower() in ("delete", "update")), 0)
        return tokens[at:]
    if first != "with":
        return tokens
    level = 0
    for at, token in enumerate(tokens):
        level += {"(": 1, ")": -1}.get(token.text, 0)
        if level == 0 and token.text.lower() in ("delete", "update", "insert", "select", "merge"):
            return tokens[at:]
    return tokens


def _kept(statements: list[_Statement]) -> list[_Statement]:
    """Statements whose effect stays: those between BEGIN and ROLLBACK do not."""
    kept: list[_Statement] = []
    opened: int | None = None
    for statement in statements:
        words = [w.lower() for w in statement.words[:3]]
        if words[0] in _BEGINS and (len(words) == 1 or words[1] in ("transaction", "work", "tran", "isolation")):
            opened = len(kept)
        elif words[0] in ("commit", "end"):
            opened = None
        elif words[0] == "rollback" and "to" not in words and opened is not None:
            kept = kept[:opened] + [s for s in kept[opened:] if s.tokens[0].text == "\\!"]
            opened = None
        kept.append(statement)
    return kept
