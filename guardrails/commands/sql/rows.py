"""What a query does to rows: which tables it deletes from or changes, and how much of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from guardrails.commands.sql.grammar import tree
from guardrails.commands.sql.plain import ALL, NONE, SOME, Change
from guardrails.commands.sql.truth import truth

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from guardrails.commands.budget import Budget
    from guardrails.commands.sql.dialects import Dialect
    from guardrails.commands.sql.tokens import Token

_FEW = 10_000  # rows a LIMIT may leave before it limits nothing


def changes(tokens: Sequence[Token], dialect: Dialect, budget: Budget) -> list[Change]:
    """What a statement deletes or changes, those in its common table expressions included.

    Raises:
        BudgetExceeded: when the work budget is spent.
    """
    tokens, few = _without_top(tokens)
    root = tree(tokens, dialect, budget)
    found = _of_tree(root) if root is not None else None
    if found is None:
        found = list(_worded(tokens))
    return [one._replace(breadth=SOME) if few and one.breadth == ALL else one for one in found]


def _without_top(tokens: Sequence[Token]) -> tuple[Sequence[Token], bool]:
    """A statement without T-SQL's `TOP (n)`, which sqlglot does not know there, and whether that leaves only a few."""
    if len(tokens) < 5 or tokens[0].lower not in ("delete", "update") or tokens[1].lower != "top":
        return tokens, False
    end = 5 if tokens[2].text == "(" else 3
    percent = tokens[end].lower == "percent"
    count = tokens[3 if end == 5 else 2].text
    few = count != "100" if percent else not count.isdigit() or int(count) < _FEW
    return [tokens[0], *tokens[end + percent :]], few


def _of_tree(root: exp.Expr) -> list[Change] | None:
    """What a tree says; None where it has a shape that nobody expects, for its grammar is another project's."""
    try:
        return _read(root)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None


def _read(root: exp.Expr) -> list[Change]:
    found: list[Change] = []
    for node in root.walk():
        if isinstance(node, exp.Delete):
            found += _deleted(node)
        elif isinstance(node, exp.Update) and isinstance(node.this, exp.Expr):
            found.append(_updated(node))
        elif isinstance(node, exp.Merge):
            found += _merged(node)
        elif isinstance(node, exp.Insert) and node.args.get("overwrite"):
            found.append(Change("overwrite", _name(node.this), ALL))
    return found


def _deleted(node: exp.Delete) -> Iterator[Change]:
    tables = node.args.get("tables") or [node.this]  # T-SQL's DELETE without FROM has only the former
    joins = [*_joins(node.this), *(node.args.get("joins") or [])]
    names = frozenset(t.name.lower() for t in node.find_all(exp.Table) if t.find_ancestor(exp.Select) is None)
    breadth = _breadth(node, joins, names)
    for table in tables:
        yield Change("delete", _name(_meant(table, node)), breadth)


def _updated(node: exp.Update) -> Change:
    joins = [*_joins(node.this), *(node.args.get("joins") or [])]
    return Change("update", _name(node.this), _breadth(node, joins, frozenset({node.this.name.lower()})))


def _breadth(node: exp.Expr, joins: list[exp.Join], names: frozenset[str]) -> str:
    limit = node.args.get("limit")
    if limit is not None and not _wide(limit):
        return SOME
    limits = truth(node.args.get("where"), names)
    if limits is False:
        return NONE
    if limits is None or any(_limits(join) for join in joins):
        return SOME
    return ALL


def _wide(limit: exp.Expr) -> bool:
    count = limit.args.get("expression") or limit.args.get("count") or limit.this
    if limit.args.get("percent") or "percent" in repr(limit).lower():
        return bool(count) and count.name == "100"
    return isinstance(count, exp.Literal) and count.is_int and int(count.this) >= _FEW


def _limits(join: exp.Join) -> bool:
    if join.side or join.kind == "CROSS":
        return False
    return bool(join.args.get("using")) or (join.args.get("on") is not None and truth(join.args["on"]) is not True)


def _joins(node: exp.Expr | None) -> list[exp.Join]:
    return list(node.args.get("joins") or []) if isinstance(node, exp.Expr) else []


def _merged(node: exp.Merge) -> Iterator[Change]:
    whens = node.args.get("whens")
    for when in whens.expressions if whens is not None else node.expressions:
        then, condition = when.args.get("then"), when.args.get("condition")
        if isinstance(then, exp.Var) and then.name.upper() == "DELETE":
            limited = truth(condition) is not True
            yield Change("delete", _name(node.this), SOME if limited else ALL)
        elif isinstance(then, exp.Update) and truth(node.args.get("on")) is True and truth(condition) is True:
            yield Change("update", _name(node.this), ALL)


def _meant(table: exp.Expr, node: exp.Delete) -> exp.Expr:
    """The table an alias stands for."""
    for one in node.find_all(exp.Table):
        if one.alias and one.alias == table.name:
            return one
    return table


def _name(node: exp.Expr | None) -> str:
    node = node.this if isinstance(node, exp.Schema) else node
    if not isinstance(node, exp.Table):
        return node.name if node is not None else ""
    return ".".join(part.name for part in node.parts) or node.name


def _worded(tokens: Sequence[Token]) -> Iterator[Change]:
    """As far as words alone tell, where no dialect reads the statement: a condition limits unless a constant is it."""
    words = [t.lower or t.text for t in tokens]
    for at, word in enumerate(words):
        if word not in ("delete", "update") or tokens[at].kind != "word":
            continue
        before = words[at - 1] if at else ""
        if before in ("on", "for", "do", "key", "of", "after", "before", "or", ",", "no", "then"):
            continue
        rest = at + 1
        while rest < len(words) and words[rest] in ("from", "only", "low_priority", "quick", "ignore", "table"):
            rest += 1
        if rest >= len(words) or (word == "update" and "set" not in words[rest:]):
            continue
        condition = words[words.index("where", rest) + 1 :] if "where" in words[rest:] else []
        limited = bool(condition) and not _constant(condition)
        end = rest + 1
        while end + 1 < len(words) and words[end] == ".":
            end += 2
        yield Change(word, "".join(words[rest:end]), SOME if limited or "limit" in words[rest:] else ALL)


def _constant(condition: list[str]) -> bool:
    """Whether nothing but constants stands in a condition up to the first word that could limit it, or behind an OR."""
    for at in [0, *(i + 1 for i, w in enumerate(condition) if w in ("or", "||"))]:
        piece = [w for w in condition[at : at + 4] if w not in ("(", ")")]
        if piece[:1] in (["true"], ["1"]) and piece[1:2] not in (["="], ["<"], [">"]):
            return True
        if len(piece) > 2 and piece[1] in ("=", "like", "<=", ">=") and piece[0] == piece[2]:
            return True
    return False
