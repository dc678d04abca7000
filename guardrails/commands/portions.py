"""Cuts a long script into portions that the parser reads one by one, so that no text costs the square of its length.

Where tree-sitter finds an error behind a row of pipes it goes through all ways to read the row, and copies each: time
and memory grow with the square of the pipes, between two of its callbacks, where nothing can stop it. So they are
counted before it starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.commands.grammar import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Language, Node

    from guardrails.commands.budget import Budget

_PORTION = 4096  # characters, and on to the end of the line
_LONGEST = 1 << 16  # from here on a portion may hold errors, if it does not end in one
_PIPES = 256  # pipes, squared, for one unit of work
_FEW = 128  # so many pipes cost nothing worth a count


def portions(text: str, language: Language, budget: Budget) -> Iterator[tuple[int, str, Node]]:
    """Where each portion begins, its text and its syntax tree.

    A portion ends where a line and all statements in it do: one with an error in it, an open quote or block say, is
    read again with more lines.

    Raises:
        BudgetExceeded: when the work budget is spent.
    """
    start, size = 0, _PORTION
    while True:
        end = text.find("\n", start + size) + 1 or len(text)
        portion = text[start:end] if start or end < len(text) else text
        pipes = portion.count("|")
        if pipes > _FEW:
            budget.spend(pipes * pipes // _PIPES)
        root = parse(language, portion, budget)
        if end < len(text) and root.has_error and (size < _LONGEST or _open(root)):
            size *= 4
            continue
        yield start, portion, root
        if end == len(text):
            return
        start, size = end, _PORTION


def _open(root: Node) -> bool:
    """Whether a tree ends in something that is not complete."""
    last = root.child(root.child_count - 1) if root.child_count else None
    return last is not None and (last.has_error or last.is_missing)
