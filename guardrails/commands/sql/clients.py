r"""Commands of the clients themselves: psql's `\!`, sqlite's `.shell`, mysql's `system`, and what they run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.commands.tree import UNKNOWN
from guardrails.interface import Shell

if TYPE_CHECKING:
    from guardrails.commands.sql.session import Session
    from guardrails.commands.sql.statements import Statement

_SHELLS = frozenset({"\\!", ".shell", ".system", "system", "!", "host"})
_PIPES = frozenset({"\\o", "\\out", "\\g", "\\w", "\\copy", ".output", ".once", ".import", ".read", "\\gx"})
_PIPED = re.compile(r"\|\s*([^'\"]+)")
_PROGRAM = re.compile(r"\bprogram\s+'((?:[^']|'')*)'", re.IGNORECASE)
_TICKS = re.compile(r"`([^`]*)`")
_SET = re.compile(r"(\w+)\s+(.*)", re.DOTALL)
_QUOTED = re.compile(r"'((?:[^']|'')*)'")


def told(session: Session, statement: Statement) -> None:
    """Does what a client is told."""
    name, rest = statement.tokens[0].lower, statement.tokens[1].text
    session.emit(name, rest.split()[:40])
    if name in _SHELLS:
        session.run(rest, name, Shell.BASH)
        return
    for found in (*_TICKS.finditer(rest), *_PROGRAM.finditer(rest)):
        session.run(found[1], name, Shell.BASH)
    if name in _PIPES and (piped := _PIPED.search(rest)):
        session.run(piped[1], name, Shell.BASH)
    if name == "\\gexec":
        _results(session, statement)
    elif name == "\\set" and (named := _SET.match(rest)):
        value = named[2].strip()
        session.values[named[1]] = _QUOTED.sub(lambda m: m[1].replace("''", "'"), value)
    elif name == "\\copy":
        session.flat([statement.tokens[0]._replace(text="copy", lower="copy"), statement.tokens[1]])


def _results(session: Session, statement: Statement) -> None:
    r"""`SELECT 'DROP TABLE ' || name FROM … \gexec`: every value that is selected is run."""
    query = statement.tokens[2:]
    if not query or query[0].lower != "select":
        return
    end = next((i for i, t in enumerate(query) if t.lower == "from"), len(query))
    made = session.fold(query[1:end])
    session.run(made if made.strip() else UNKNOWN, "\\gexec")
