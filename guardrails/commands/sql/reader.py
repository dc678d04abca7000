"""SQL, read into the one command tree: each statement as its verb, what it falls on, and how far it reaches.

`DELETE FROM users WHERE 1=1` becomes `delete users --all-rows`, a call of a function a command of the function's name.
What a transaction takes back in the end is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.commands.sql.dialects import readings
from guardrails.commands.sql.session import Session
from guardrails.commands.sql.statements import statements
from guardrails.commands.sql.tokens import tokens
from guardrails.commands.tree import Script

if TYPE_CHECKING:
    from guardrails.commands.frame import Frame
    from guardrails.commands.tree import Command


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
        session = Session(frame, dialect, text)
        for statement in statements(text, tokens(text, dialect.lexis)):
            session.take(statement)
        complete = complete and session.complete
        for command in session.found():
            key = (command.span, command.shell, *(w.shape for w in command.argv))
            if key not in seen:
                seen.add(key)
                commands.append(command)
    return Script(tuple(commands), complete)
