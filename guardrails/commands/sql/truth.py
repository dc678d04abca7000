"""Whether a condition limits anything: what is true of every row, of none, or of some, as far as constants tell."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from guardrails.commands.sql.constants import COMPARE, OPEN, as_bool, number, value

if TYPE_CHECKING:
    from collections.abc import Callable

Names = frozenset[str]

_KEY = re.compile(r"(?:^|.*_)(?:id|pk|key|uuid|guid|no|oid)$|^(?:rowid|ctid|_rowid_|rownum|_id|.*Id)$", re.IGNORECASE)
_HUGE = 1_000_000  # a key beyond which no row is expected
_MOST_SIDES = 8  # of a condition that are compared with all others
_MIRRORED = {"gt": "lt", "gte": "lte", "lt": "gt", "lte": "gte"}
_ANYTHING = frozenset({".*", "^", "^.*", "^.*$", "$", "", "*"})


def truth(node: exp.Expr | None, same: Names = frozenset()) -> bool | None:
    """True where `node` holds for every row (or every but those without a value), False where for none.

    Args:
        node: A condition; none at all holds for every row.
        same: Names of the tables it is about, for a subquery over the same ones takes all of their rows.
    """
    if node is None:
        return True
    node = node.unnest()
    read = _KINDS.get(type(node))
    known = read(node, same) if read is not None else None
    if known is None and type(node) in COMPARE:
        known = _bound(node)
    if known is not None:
        return known
    found = value(node)
    return None if found is OPEN else as_bool(found)


def _inner(node: exp.Expr, same: Names) -> bool | None:
    return truth(node.this, same)


def _joined(node: exp.Expr, same: Names) -> bool | None:
    sides = [truth(side, same) for side in node.flatten()]
    decides = isinstance(node, exp.Or)
    if any(side is decides for side in sides):
        return decides
    if decides and _complementary(node):
        return True
    return None if None in sides else not decides


def _not(node: exp.Expr, same: Names) -> bool | None:
    inner = node.this.unnest()
    if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null) and _is_key(inner.this):
        return True
    known = truth(inner, same)
    return None if known is None else not known


def _reflexive(node: exp.Expr, _same: Names) -> bool | None:
    """`x = x`, `x >= x`: every row that has a value there."""
    left = node.this.unnest()
    right = node.args.get("expression")
    if not isinstance(left, exp.Column) or not isinstance(right, exp.Expr):
        return None
    return True if _alike(left, right.unnest()) else None


def _like(node: exp.Expr, same: Names) -> bool | None:
    pattern = value(node.args.get("expression"))
    anything = isinstance(pattern, str) and pattern != "" and not pattern.strip("%")
    return True if anything else _reflexive(node, same)


def _pattern(node: exp.Expr, _same: Names) -> bool | None:
    return True if value(node.args.get("expression")) in _ANYTHING else None


def _is(node: exp.Expr, _same: Names) -> bool | None:
    """A key that is not null."""
    if node.args.get("negate") and isinstance(node.args.get("expression"), exp.Null) and _is_key(node.this):
        return True
    return None


def _in(node: exp.Expr, same: Names) -> bool | None:
    query = node.args.get("query")
    if query is not None:
        return _all_of(query.unnest(), same) if _is_key(node.this) else None
    wanted, sides = value(node.this), [value(one) for one in node.expressions]
    return None if wanted is OPEN or OPEN in sides else wanted in sides


def _between(node: exp.Expr, _same: Names) -> bool | None:
    low, high = number(value(node.args.get("low"))), number(value(node.args.get("high")))
    if low is None or high is None or not _is_key(node.this):
        return None
    return True if low <= 1 and high >= _HUGE else None


def _exists(node: exp.Expr, _same: Names) -> bool | None:
    """Whether a subquery surely yields a row: one without a table, or a count."""
    query = node.this
    if not isinstance(query, exp.Select):
        return None
    if not _source(query):
        return truth(query.args.get("where"))
    only = query.expressions
    return True if len(only) == 1 and isinstance(only[0], exp.Count) and not query.args.get("group") else None


def _all_of(query: exp.Expr, same: Names) -> bool | None:
    """Whether a subquery yields every row of one of the tables in `same`."""
    source = _source(query) if isinstance(query, exp.Select) else None
    if source is None or query.args.get("joins") or query.args.get("limit") or query.args.get("group"):
        return None
    named = isinstance(source.this, exp.Table) and source.this.name.lower() in same
    return truth(query.args.get("where")) if named else None


def _source(query: exp.Expr) -> exp.Expr | None:
    source = query.args.get("from_")
    return source if isinstance(source, exp.Expr) else None


def _bound(node: exp.Expr) -> bool | None:
    """`id > 0`, `id <> -1`, `id < 1e9`, `length(x) >= 0`, `random() < 1`: no row is beyond."""
    left, right = node.this.unnest(), node.args["expression"].unnest()
    key = type(node).__name__.lower()
    if not _is_key(left) and _is_key(right):
        left, right, key = right, left, _MIRRORED.get(key, key)
    limit = number(value(right))
    if limit is None:
        return True if key == "neq" and _is_key(left) and value(right) == "" else None
    upwards, downwards = key in ("gt", "gte"), key in ("lt", "lte")
    if _is_key(left):
        beyond = limit <= (key == "gte") if upwards else limit >= _HUGE if downwards else key == "neq" and limit <= 0
        return True if beyond else None
    if isinstance(left, exp.Length | exp.Abs | exp.Rand | exp.Count) and upwards:
        return True if limit < 0 or (limit == 0 and key == "gte") else None
    return True if isinstance(left, exp.Rand) and downwards and limit >= 1 else None


def _complementary(node: exp.Expr) -> bool:
    """`x IS NULL OR x IS NOT NULL`, `a = 1 OR a <> 1`, `p OR NOT p`."""
    sides = [one.unnest() for one in islice(node.flatten(), 4 * _MOST_SIDES)]
    negated = [made for one in sides if (made := _denied(one)) is not None]
    return any(_alike(one, other) for one in sides for other in negated[:_MOST_SIDES])


def _denied(node: exp.Expr) -> exp.Expr | None:
    """What a condition denies."""
    if isinstance(node, exp.Not):
        inner = node.this.unnest()
        return inner if isinstance(inner, exp.Expr) else None
    if isinstance(node, exp.NEQ):
        return exp.EQ(this=node.this.copy(), expression=node.expression.copy())
    if isinstance(node, exp.Is) and node.args.get("negate"):
        return exp.Is(this=node.this.copy(), expression=node.expression.copy())
    return None


def _alike(one: exp.Expr, other: exp.Expr) -> bool:
    """Whether two expressions are the same; names have no case."""
    return repr(one).lower() == repr(other).lower()


def _is_key(node: object) -> bool:
    return isinstance(node, exp.Column) and _KEY.match(node.name) is not None


_KINDS: dict[type[exp.Expr], Callable[[Any, Names], bool | None]] = {
    exp.Where: _inner,
    exp.Having: _inner,
    exp.And: _joined,
    exp.Or: _joined,
    exp.Not: _not,
    exp.EQ: _reflexive,
    exp.GTE: _reflexive,
    exp.LTE: _reflexive,
    exp.NullSafeEQ: _reflexive,
    exp.Like: _like,
    exp.ILike: _like,
    exp.SimilarTo: _pattern,
    exp.RegexpLike: _pattern,
    exp.Glob: _pattern,
    exp.Is: _is,
    exp.In: _in,
    exp.Between: _between,
    exp.Exists: _exists,
}
