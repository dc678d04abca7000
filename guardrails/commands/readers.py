"""Chooses the reader of a language; those of Windows and SQL are loaded when first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.commands import bash, stores
from guardrails.commands.budget import Budget
from guardrails.commands.frame import Frame
from guardrails.commands.scope import Scope
from guardrails.interface import Shell

if TYPE_CHECKING:
    from guardrails.commands.tree import Script


def read(text: str, shell: Shell = Shell.BASH, scope: Scope | None = None, budget: Budget | None = None) -> Script:
    """Parses a script and everything it would run.

    Args:
        text: Source.
        shell: Its language.
        scope: Constants settled by earlier lines; what this text settles is added.
        budget: Work left; by default as much as a text of this length deserves.

    Raises:
        BudgetExceeded: when the work budget is spent.
    """
    budget = budget if budget is not None else Budget(bash.units(len(text)))
    return _read(text, shell, Frame(scope if scope is not None else Scope(), budget, _read))


def _read(text: str, shell: Shell, frame: Frame) -> Script:
    if shell is Shell.POWERSHELL:
        from guardrails.commands import powershell  # noqa: PLC0415 - its grammar is loaded only where it is needed

        return powershell.read(text, frame)
    if shell is Shell.CMD:
        from guardrails.commands import cmd  # noqa: PLC0415 - as above

        return cmd.read(text, frame)
    if shell is Shell.SQL:
        from guardrails.commands.sql import reader  # noqa: PLC0415 - as above

        return reader.read(text, frame)
    if stores.is_mongo(text):
        return stores.mongo(text, frame)
    return bash.read(text, frame)
