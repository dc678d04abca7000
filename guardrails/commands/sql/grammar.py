"""SQL statements as sqlglot's trees, in whichever dialect reads them, for a counted amount of work."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from guardrails.commands.budget import BudgetExceeded
from guardrails.commands.sql.dialects import grammars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.commands.budget import Budget
    from guardrails.commands.sql.dialects import Dialect
    from guardrails.commands.sql.tokens import Token

# It warns of each statement it does not know; ours are read by their words then, and the log is the gateway's.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

_TICKED = frozenset({"mysql", "bigquery", "clickhouse", "hive"})
_BACKSLASHED = frozenset({"mysql", "bigquery", "clickhouse", "hive", "snowflake"})
# What it raises on a text it does not read: errors of its own, and whatever a broken text makes of its trees.
_REFUSES = (SqlglotError, ValueError, AttributeError, TypeError, LookupError, AssertionError)
_DEEPEST = 40  # brackets within brackets; sqlglot takes a dozen frames of the stack for each
_STEPS_A_UNIT = 3
_LONGEST = 4000  # tokens of a statement beyond which its words alone are read


@lru_cache(maxsize=16)
def _parser(name: str) -> tuple[sqlglot.Dialect, type[Any]]:
    dialect = sqlglot.Dialect.get_or_raise(name)

    class Counted(dialect.parser_class):  # type: ignore[name-defined,misc] # a class only known now
        """The dialect's parser; every step it takes, forth or back, costs."""

        budget: Budget
        steps = 0

        def _advance(self, times: int = 1) -> None:
            self.steps += 1
            if self.steps >= _STEPS_A_UNIT:
                self.steps = 0
                self.budget.spend()
            super()._advance(times)

    return dialect, Counted


def tree(tokens: Sequence[Token], dialect: Dialect, budget: Budget) -> exp.Expr | None:
    """The statement's tree; None where it is too long, or none of the dialects it may be in reads it.

    Raises:
        BudgetExceeded: when the work budget is spent, or brackets stand in brackets deeper than anybody writes them.
    """
    if len(tokens) > _LONGEST:
        return None
    deepest = depth = 0
    for token in tokens:
        depth += (token.text in "([") - (token.text in ")]") if token.kind == "mark" else 0
        deepest = max(deepest, depth)
    if deepest > _DEEPEST:
        raise BudgetExceeded("the statement is nested deeper than anybody would write it")
    for name in grammars(dialect, written(tokens, "")):
        known, parser = _parser(name)
        text = written(tokens, name)
        budget.spend(2 + len(text) // 64)
        try:
            one = parser(dialect=known)
            one.budget = budget
            (root,) = one.parse(known.tokenize(text), text)
        except _REFUSES:
            continue
        except RecursionError as deep:
            raise BudgetExceeded("the statement is nested deeper than anybody would write it") from deep
        if root is not None and not isinstance(root, exp.Command):
            return root  # type: ignore[no-any-return] # the parser's class is only known at run time
    return None


def written(tokens: Sequence[Token], name: str) -> str:
    """The statement as text in the quotes of one dialect."""
    pieces = []
    for token in tokens:
        if not token.joined:
            pieces.append(" ")
        if token.kind in ("string", "body"):
            text = token.text.replace("'", "''")
            pieces.append(f"'{text.replace(chr(92), chr(92) * 2) if name in _BACKSLASHED else text}'")
        elif token.kind == "quoted":
            mark = "`" if name in _TICKED else '"'
            pieces.append(f"{mark}{token.text.replace(mark, mark * 2)}{mark}")
        else:
            pieces.append(token.text)
    return "".join(pieces)
