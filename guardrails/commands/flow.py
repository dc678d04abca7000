"""What a script's constants are where its ways part and meet: branches, loops, subshells, other processes."""

from __future__ import annotations

import re
from contextlib import contextmanager
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.commands.scope import Scope

_CHANGED = re.compile(
    r"(?:^|[\s;&|(){}])(?:(?:for|select|read|mapfile|readarray|getopts|printf\s+-v|let|local|declare|export)\s+[^\n;|&]*"
    r"|(\w+)(?:\[[^\]\s]*\])?\+?=)|(\w+)\s*(?:\+\+|--|[-+*/%&|^]=)|(?:\+\+|--)(\w+)|\(\(\s*(\w+)\s*=|\$\{(\w+):?="
)
_NAMES = re.compile(r"[A-Za-z_]\w*")
_MOST_WAYS = 8


class State(NamedTuple):
    """The variables and arrays at one place."""

    variables: dict[str, str | None]
    arrays: dict[str, dict[str, str | None]]
    maybe: dict[str, tuple[str | None, ...]]


def state(scope: Scope) -> State:
    """A copy of what is known now."""
    return State(dict(scope.variables), {name: dict(array) for name, array in scope.arrays.items()}, dict(scope.maybe))


def restore(scope: Scope, known: State) -> None:
    """Goes back to what was known."""
    scope.variables = dict(known.variables)
    scope.arrays = {name: dict(array) for name, array in known.arrays.items()}
    scope.maybe = dict(known.maybe)


@contextmanager
def apart(scope: Scope) -> Iterator[None]:
    """A subshell or another process: what it assigns is gone behind it."""
    known = state(scope)
    yield
    restore(scope, known)


def meet(scope: Scope, ways: list[State]) -> None:
    """Where several ways come together: what they disagree about may be either."""
    merged: dict[str, str | None] = {}
    maybe: dict[str, tuple[str | None, ...]] = {}
    for name in dict.fromkeys(name for way in ways for name in way.variables):
        values: list[str | None] = []
        for way in ways:
            values += way.maybe.get(name) or (way.variables.get(name, unset(scope)),)
        distinct = tuple(dict.fromkeys(values))
        merged[name] = distinct[0] if len(distinct) == 1 else None
        if 1 < len(distinct) <= _MOST_WAYS:
            maybe[name] = distinct
    scope.variables, scope.maybe = merged, maybe
    names = dict.fromkeys(name for way in ways for name in way.arrays)
    scope.arrays = {}
    for name in names:
        arrays = [way.arrays.get(name) for way in ways]
        first = arrays[0]
        if first is not None and all(array == first for array in arrays):
            scope.arrays[name] = first
        else:
            scope.variables[name] = None


def unset(scope: Scope) -> str | None:
    """The value of a variable that the script has not set."""
    return "" if scope.environment is not None else None


def forget(scope: Scope, source: str) -> None:
    """What a loop changes is known in no turn but the first."""
    for found in _CHANGED.finditer(source):
        names = [name for name in found.groups() if name] or _NAMES.findall(found.group())
        for name in names:
            if name in scope.variables or name in scope.arrays or not found.group().lstrip().startswith("for"):
                scope.variables[name] = None
                scope.maybe.pop(name, None)
                scope.arrays.pop(name, None)


def alternatives(scope: Scope, source: str) -> Iterator[None]:
    """Settles, one after the other, each way that the variables in `source` may have been set."""
    named = [name for name in scope.maybe if name == "IFS" or name in source]
    ways = list(product(*(scope.maybe[name] for name in named)))
    if not named or len(ways) > _MOST_WAYS:
        yield
        return
    kept = {name: scope.maybe[name] for name in named}
    for way in ways:
        for name, value in zip(named, way, strict=True):
            scope.variables[name] = value
            scope.maybe.pop(name, None)
        yield
    for name in named:
        scope.variables[name] = None
    scope.maybe |= kept
