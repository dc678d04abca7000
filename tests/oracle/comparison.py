"""What bash executed beside what the tree says would run: agreement, unresolvable rows, wildcards.

An executed argument vector is predicted when a command of the tree has the same name and the same arguments. What only
the running shell knows (what a stub prints, `$RANDOM`, which files a pattern finds) stands in the tree as `UNKNOWN`, or
as a word marked `open`; it matches any text, and any number of words where it may be split.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardrails.commands.budget import BudgetExceeded
from guardrails.commands.readers import read
from guardrails.commands.scope import Scope
from guardrails.commands.tree import UNKNOWN
from oracle.root import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardrails.commands.tree import Command, Word
    from oracle.sandbox import Sandbox

_TILDE = re.compile(r"\\?~[\w\\-]*")  # whose home, only the system knows


@dataclass(frozen=True, slots=True)
class Row:
    """One text, judged against bash.

    Attributes:
        unresolvable: Whether the tree says that it cannot tell what would run.
        executed: How many different argument vectors bash executed, in both runs together.
        predicted: How many different ones the tree has.
        wild: How many of those executed were predicted only by means of a wildcard.
        surplus: How many of those predicted were never executed.
        missed: Executed vectors that the tree does not have.
    """

    text: str
    unresolvable: bool
    executed: int = 0
    predicted: int = 0
    wild: int = 0
    surplus: int = 0
    missed: tuple[tuple[str, ...], ...] = ()


def compare(text: str, sandbox: Sandbox, *, known: bool = False) -> Row:
    """Runs a text twice, its stubs succeeding and failing, and looks for all that ran in the tree of the text.

    Args:
        text: A script.
        sandbox: Where it runs.
        known: Whether the tree is told the environment that bash has; else `$HOME`, `$PWD` and unset names are
            known at run time only, as the guard reads them.
    """
    scope = Scope(environment=ENVIRONMENT) if known else Scope()
    try:
        script = read(text, scope=scope)
    except BudgetExceeded:
        return Row(text, unresolvable=True)
    if not script.complete or any(c.name == UNKNOWN for c in script.commands):
        return Row(text, unresolvable=True)
    calls = {call for fails in (False, True) for call in sandbox.run(text, fails=fails).calls}
    exact, wild = _predicted(script.commands)
    lines = {"\0".join(call): call for call in calls}
    rest = {line: call for line, call in lines.items() if line not in exact}
    used: set[re.Pattern[str]] = set()
    missed = []
    for line, call in rest.items():
        found = [pattern for pattern in wild.get(call[0], ()) if pattern.fullmatch(line)]
        used.update(found)
        if not found:
            missed.append(call)
    return Row(
        text,
        unresolvable=False,
        executed=len(lines),
        predicted=len(exact) + sum(map(len, wild.values())),
        wild=len(rest) - len(missed),
        surplus=len(exact - lines.keys()) + sum(map(len, wild.values())) - len(used),
        missed=tuple(missed),
    )


def _predicted(commands: Iterable[Command]) -> tuple[set[str], dict[str, list[re.Pattern[str]]]]:
    """Vectors known to the letter, and patterns for the others by name."""
    exact: set[str] = set()
    wild: dict[str, dict[str, re.Pattern[str]]] = {}
    for command in commands:
        if not command.argv or command.argv[0].text is None:
            continue
        name = command.argv[0].text.rpartition("/")[2]
        words = command.argv[1:]
        if all(w.text is not None and not w.glob and not w.open and "~" not in w.shape for w in words):
            exact.add("\0".join((name, *(w.shape for w in words))))
        else:
            pattern = re.escape(name) + "".join(map(_pattern, words))
            wild.setdefault(name, {})[pattern] = re.compile(pattern, re.DOTALL)
    return exact, {name: list(patterns.values()) for name, patterns in wild.items()}


def _pattern(word: Word) -> str:
    if word.open or word.shape == UNKNOWN:
        return r"(?:\0[^\0]*)*"
    parts = [re.escape(part) for part in word.shape.split(UNKNOWN)]
    literal = ".*".join(parts)
    tilde = _TILDE.match(literal)
    if tilde is not None:
        literal = rf"(?:{tilde.group()}|/[^\0/]+(?:/[^\0/]+)?){literal[tilde.end() :]}"
    if word.glob:
        literal = f"{literal}(?:\\0[^\\0]*)*|{_globbed(word.shape)}"
    return f"\0(?:{literal})"


def _globbed(shape: str) -> str:
    one = "".join(
        {"*": r"[^\0]*", UNKNOWN: r"[^\0]*", "?": r"[^\0]"}.get(c, r"[^\0]" if c in "[]" else re.escape(c))
        for c in shape
    )
    return f"{one}(?:\\0{one})*"
