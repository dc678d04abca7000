"""What is typed into the shells of data stores: lines of redis-cli, Redis scripts, mongosh's JavaScript."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from guardrails.commands.outputs import fed
from guardrails.commands.tree import Code, Command, Script, Tail, Word
from guardrails.interface import Shell

if TYPE_CHECKING:
    from guardrails.commands.frame import Frame
    from guardrails.commands.scope import Scope

REDIS = frozenset({"redis-cli", "valkey-cli", "keydb-cli", "dragonfly-cli", "iredis"})
_AWAITED = r"\s*(?:(?:await|return|(?:const|let|var)\s+\w+\s*=)\s+){0,3}"
_MONGO = re.compile(_AWAITED + r"(?:use\s+\w+\s*;?\s+)?(?:db|rs|sh)(?:\.\w+|\[[^\]\n]{1,80}\])+\s*\(")
_MONGO_IN_DB = re.compile(_AWAITED + r"(?:use\s+\w+\s*;?\s+)?db\.\w+\([^()\n]{0,80}\)\s*\.\w+\s*\(")
_LUA = re.compile(
    r"(?:redis|server)\.p?call\s*\(\s*(?:(['\"])(\w[\w ]*)\1((?:\s*,\s*[^,()]{1,80})*)|([^'\"]))", re.IGNORECASE
)
_LUA_ARGUMENT = re.compile(r"['\"]([^'\"]*)['\"]|[^,\s]+")
_MOST_LINES = 256


def redis(command: Command, scope: Scope) -> list[Tail | Code]:
    """Commands on redis-cli's standard input, and those that a script calls."""
    found: list[Tail | Code] = []
    text = fed(command) if command.stdin or command.redirects else None
    text = text or "".join(
        f"{scope.files[r.target.shape].text}\n" for r in command.redirects if r.target.shape in scope.files
    )
    for line in text.splitlines()[:_MOST_LINES]:
        try:
            words = shlex.split(line)
        except ValueError:
            words = line.split()
        found += [_line(words, command)] if words else []
        found += _scripted(words, command)
    return found + _scripted([w.shape for w in command.argv[1:]], command)


def _scripted(words: list[str], command: Command) -> list[Tail | Code]:
    at = next((i for i, w in enumerate(words) if w.lower() in ("eval", "eval_ro")), None)
    if at is None or at + 1 >= len(words):
        return []
    found: list[Tail | Code] = []
    for call in _LUA.finditer(words[at + 1]):
        if call[4]:
            found.append(Code(None, "eval"))
            continue
        arguments = [m[1] if m[1] is not None else "x" for m in _LUA_ARGUMENT.finditer(call[3] or "")]
        found.append(_line([*call[2].split(), *arguments], command))
    return found


def _line(words: list[str], command: Command) -> Tail:
    return Tail(tuple(Word(w, command.span, w) for w in ("redis", *words)), command.name)


def is_mongo(text: str) -> bool:
    """Whether a text is what people type into mongosh."""
    return _MONGO.match(text) is not None or _MONGO_IN_DB.match(text) is not None


def mongo(text: str, frame: Frame) -> Script:
    """A text of mongosh as the command that runs it.

    Raises:
        BudgetExceeded: when the work budget is spent.
    """
    frame.budget.spend(1 + len(text) // 64)
    span = frame.span or (len(text) - len(text.lstrip()), len(text.rstrip()))
    argv = tuple(Word(w, span, w) for w in ("mongosh", "--eval", text))
    return Script((Command(argv, (), span, Shell.BASH, frame.wrappers),), complete=True)
