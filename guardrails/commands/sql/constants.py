"""What a constant expression of SQL comes to."""

from __future__ import annotations

import math
import operator
import re
from typing import TYPE_CHECKING, Any

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Callable

OPEN = object()
"""The value of what only the rows decide."""

COMPARE: dict[type[exp.Expr], Callable[..., bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.NullSafeEQ: operator.eq,
}
_ARITHMETIC: dict[type[exp.Expr], Callable[..., float]] = {
    exp.Add: operator.add,
    exp.Sub: operator.sub,
    exp.Mul: operator.mul,
}
_TRUE = frozenset({"t", "true", "yes", "on", "y"})
_LEADING = re.compile(r"-?\d+(?:\.\d+)?")


def value(node: object) -> object:
    """What a constant expression comes to; `OPEN` where it is none."""
    if not isinstance(node, exp.Expr):
        return OPEN
    node = node.unnest()
    kind = type(node)
    if kind in COMPARE:
        return _compared(kind, value(node.this), value(node.args.get("expression")))
    if kind in _ARITHMETIC:
        left, right = number(value(node.this)), number(value(node.args.get("expression")))
        return OPEN if left is None or right is None else _ARITHMETIC[kind](left, right)
    read = _KINDS.get(kind)
    return OPEN if read is None else read(node)


def as_bool(found: object) -> bool:
    """A value in the place of a condition; nothing at all is not true."""
    if found is None:
        return False
    if isinstance(found, bool | int | float):
        return bool(found)
    text = str(found).strip().lower()
    leading = _LEADING.match(text)
    return text in _TRUE or (leading is not None and float(leading[0]) != 0)


def number(found: object) -> float | None:
    """A value as a number; None where it is none."""
    if isinstance(found, bool | int | float):
        return float(found)
    if not isinstance(found, str):
        return None
    try:
        made = float(found)
    except ValueError:
        return None
    return made if math.isfinite(made) else None


def _compared(kind: type[exp.Expr], left: Any, right: Any) -> object:
    if OPEN in (left, right):
        return OPEN
    if left is None or right is None:
        return None if kind is not exp.NullSafeEQ else left is right
    if isinstance(left, str) != isinstance(right, str):
        left, right = _leading(left), _leading(right)  # as MySQL does; elsewhere it is an error
    return COMPARE[kind](left, right)


def _leading(found: object) -> float:
    """The number that a text begins with; 0 where it begins with none."""
    made = number(found)
    leading = _LEADING.match(str(found).strip()) if made is None else None
    return made if made is not None else float(leading[0]) if leading is not None else 0.0


def _literal(node: exp.Expr) -> object:
    if node.args.get("is_string"):
        return node.this
    made = number(node.this)
    return OPEN if made is None else made


def _negative(node: exp.Expr) -> object:
    made = number(value(node.this))
    return OPEN if made is None else -made


def _is(node: exp.Expr) -> object:
    inner, wanted = value(node.this), value(node.args.get("expression"))
    if inner is OPEN:
        return OPEN
    holds = inner is None if wanted is None else as_bool(inner) == wanted
    return holds != bool(node.args.get("negate"))


def _length(node: exp.Expr) -> object:
    inner = value(node.this)
    return len(inner) if isinstance(inner, str) else OPEN


def _inner(node: exp.Expr) -> object:
    return value(node.this)


_KINDS: dict[type[exp.Expr], Callable[[Any], object]] = {
    exp.Literal: _literal,
    exp.Boolean: lambda node: bool(node.this),
    exp.Null: lambda _node: None,
    exp.Neg: _negative,
    exp.Is: _is,
    exp.Length: _length,
    exp.Cast: _inner,
    exp.TryCast: _inner,
    exp.Collate: _inner,
    exp.Coalesce: _inner,
}
