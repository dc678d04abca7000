"""SQL, read into the one command tree: each statement as its verb, what it falls on, and how far it reaches.

`DELETE FROM users WHERE 1=1` becomes `delete users --all-rows`, a call of a function a command of the function's name.
What a transaction takes back in the end is left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.commands.sql.dialects import readings
from guardrails.commands.sql.session import Session
from guardrails.commands.sql.statements import statements
from guardrails.commands.sql.tokens import tokens
from guardrails.commands.sql.vocabulary import STATEMENT
from guardrails.commands.tree import Script

if TYPE_CHECKING:
    from guardrails.commands.frame import Frame
    from guardrails.commands.sql.tokens import Token
    from guardrails.commands.tree import Command

_EARLY = re.compile(r"[\w\s.@%-]{0,64}(['\"])[\s)]*;")


def read(text: str, frame: Frame) -> Script:
    """Reads SQL in every dialect that it may be in.

    Raises:
        BudgetExceeded: when the work budget is spent.
    """
    commands: list[Command] = []
    seen = set()
    complete = True
    for dialect in readings(text, frame.wrappers):
        frame.budget.spend(1 + len(text) // 256)
        found = tokens(text, dialect.lexis)
        if not frame.wrappers and (at := _closing(text, found)) >= 0:
            found = tokens(f"{text[:at]};{text[at + 1 :]}", dialect.lexis)
        frame.budget.spend(len(found) // 14)
        session = Session(frame, dialect, text)
        for statement in statements(text, found):
            session.take(statement)
        complete = complete and session.complete
        for command in session.found():
            key = (command.span, command.shell, *(w.shape for w in command.argv))
            if key not in seen:
                seen.add(key)
                commands.append(command)
    return Script(tuple(commands), complete)


def _closing(text: str, found: list[Token]) -> int:
    """Where a quote closes a string that somebody else has opened, so that what follows is run; -1 without one."""
    early = _EARLY.match(text)
    if early is not None and STATEMENT.match(text) is None:
        return early.start(1)
    last = found[-1] if found else None
    if last is None or last.kind != "string" or text[last.start] != "'":
        return -1
    closed = last.end - last.start > 1 and text[last.end - 1] == "'"
    return -1 if closed else last.start
