"""The everyday forms of DELETE and UPDATE, told from their tokens alone: no parser is needed for them, nor loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from guardrails.commands.sql.phrases import name_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from guardrails.commands.sql.tokens import Token

ALL, SOME, NONE = "--all-rows", "--some-rows", "--no-rows"
_INVOLVED = frozenset(
    {"or", "not", "between", "case", "exists", "select", "join", "using", "limit", "top", "with", "from", "end", "||"}
    | {"delete", "update", "merge", "overwrite", "is", "xor", "order", "returning", "output", "ignore", "only", "div"}
)
_NAMELESS = frozenset({"true", "false", "null", "current_date", "rownum", "unknown"})


class Change(NamedTuple):
    """A verb, the table it falls on and how many of its rows: `--all-rows`, `--some-rows`, `--no-rows`."""

    verb: str
    table: str
    breadth: str


def plain(tokens: Sequence[Token]) -> Change | None:
    """What `DELETE FROM t`, `DELETE FROM t WHERE a = 1 AND …`, `UPDATE t SET … WHERE a = 1` do; None where it is more.

    One condition `column = constant` among others joined by AND surely limits.
    """
    verb = tokens[0].lower
    start = 2 if verb == "delete" and len(tokens) > 2 and tokens[1].lower == "from" else 1
    if verb not in ("delete", "update") or (verb == "delete" and start == 1) or len(tokens) <= start:
        return None
    if not _INVOLVED.isdisjoint(t.lower for t in tokens[start:]) or tokens[start].kind not in ("word", "quoted"):
        return None
    table, at = name_at(tokens, start)
    where = next((i for i, t in enumerate(tokens) if t.lower == "where" and i >= at), None)
    before = tokens[at:where] if where is not None else tokens[at:]
    if (before[:1] and before[0].lower == "set") if verb == "update" else not before:
        if where is None:
            return Change(verb, table, ALL)
        if any(_limits(one) for one in _conjuncts(tokens[where + 1 :])):
            return Change(verb, table, SOME)
    return None


def _conjuncts(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    start = depth = 0
    for at, token in enumerate(tokens):
        depth += (token.text == "(") - (token.text == ")") if token.kind == "mark" else 0
        if token.lower == "and" and depth == 0:
            yield tokens[start:at]
            start = at + 1
    yield tokens[start:]


def _limits(tokens: Sequence[Token]) -> bool:
    """`column = constant`."""
    if len(tokens) < 3 or tokens[0].kind not in ("word", "quoted") or tokens[0].lower in _NAMELESS:
        return False
    name, at = name_at(tokens, 0)
    if len(tokens) != at + 2 or tokens[at].text != "=" or name[:1] in "@:?":
        return False
    last = tokens[at + 1]
    return last.kind in ("string", "number") or last.text[:1] in ("$", "@", ":", "?")
