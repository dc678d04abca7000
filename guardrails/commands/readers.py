"""Chooses the reader of a language; those of Windows and SQL are loaded when first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.interface import Shell

if TYPE_CHECKING:
    from guardrails.commands.budget import Budget
    from guardrails.commands.scope import Scope
    from guardrails.commands.tree import Script, Span


def read(
    text: str,
    shell: Shell,
    scope: Scope,
    budget: Budget,
    *,
    span: Span | None = None,
    depth: int = 0,
    wrappers: tuple[str, ...] = (),
) -> Script:
    """Parses `text` as a script of one language; see `bash.read` for the arguments.

    Raises:
        BudgetExceeded: when the work budget is spent.
    """
    if shell is Shell.POWERSHELL:
        from guardrails.commands import powershell  # noqa: PLC0415 - its grammar is loaded only where it is needed

        return powershell.read(text, scope, budget, span=span, depth=depth, wrappers=wrappers)
    if shell is Shell.CMD:
        from guardrails.commands import cmd  # noqa: PLC0415 - as above

        return cmd.read(text, scope, budget, span=span, depth=depth, wrappers=wrappers)
    if shell is Shell.SQL:
        from guardrails.commands import sql  # noqa: PLC0415 - as above

        return sql.read(text, scope, budget, span=span, depth=depth, wrappers=wrappers)
    from guardrails.commands import bash  # noqa: PLC0415 - bash's reader itself reaches this module

    return bash.read(text, scope, budget, span=span, depth=depth, wrappers=wrappers)
