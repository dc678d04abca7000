"""Strings that SQL puts together to run them: concatenation, `format`, `chr`, hexadecimal, as far as they are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from guardrails.commands.sql.functions import made, unhexed
from guardrails.commands.sql.grammar import tree
from guardrails.commands.sql.tokens import Token
from guardrails.commands.tree import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from guardrails.commands.budget import Budget
    from guardrails.commands.sql.dialects import Dialect

_SELECT = Token("word", "SELECT", 0, 0, "select", False)
_LONGEST = 65_536
_TRANSPARENT = (exp.Alias, exp.Cast, exp.TryCast, exp.Collate)
_NAMES = (exp.Column, exp.Parameter, exp.Var, exp.Identifier, exp.SessionParameter, exp.Placeholder)


def fold(tokens: Sequence[Token], values: Mapping[str, str], dialect: Dialect, budget: Budget) -> str:
    """The text an expression makes; `UNKNOWN` stands for each part that only the running server knows.

    Raises:
        BudgetExceeded: when the work budget is spent.
    """
    if len(tokens) == 1:
        return _alone(tokens[0], values)
    if not tokens:
        return UNKNOWN
    root = tree([_SELECT, tokens[0]._replace(joined=False), *tokens[1:]], dialect, budget)
    if not isinstance(root, exp.Select) or not root.expressions:
        return "".join(t.text for t in tokens if t.kind in ("string", "body")) or UNKNOWN
    try:
        return _text(root.expressions[0], values)[:_LONGEST]
    except (AttributeError, TypeError, ValueError, LookupError):
        return UNKNOWN  # a tree of a shape that nobody expects


def _alone(token: Token, values: Mapping[str, str]) -> str:
    if token.kind in ("string", "body"):
        return token.text
    return unhexed(token.lower) if token.lower.startswith("0x") else values.get(token.text.lower(), UNKNOWN)


def _text(node: object, values: Mapping[str, str]) -> str:
    if not isinstance(node, exp.Expr):
        return UNKNOWN
    node = node.unnest()
    if isinstance(node, exp.Literal):
        return str(node.this)
    if isinstance(node, _TRANSPARENT):
        return _text(node.this, values)
    if isinstance(node, _NAMES):
        name = node.sql().lower().strip('"`')
        return values.get(name, values.get("@" + name.lstrip("@:"), UNKNOWN))
    if isinstance(node, exp.DPipe | exp.Add):
        return _text(node.this, values) + _text(node.expression, values)
    return unhexed(str(node.this)) if isinstance(node, exp.HexString | exp.ByteString) else _made(node, values)


def _made(node: exp.Expr, values: Mapping[str, str]) -> str:
    """What a function makes of its arguments."""
    if isinstance(node, exp.Anonymous):
        name, arguments = str(node.this).lower(), list(node.expressions)
    elif isinstance(node, exp.Func | exp.Reverse):
        name = node.sql_name().lower()
        arguments = [node.this, *node.expressions]
        arguments += [a for key, a in node.args.items() if key not in ("this", "expressions")]
        arguments = [one for one in arguments if isinstance(one, exp.Expr)]
    else:
        return UNKNOWN
    return made(name, [_text(argument, values) for argument in arguments])
