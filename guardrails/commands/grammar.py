"""What the tree-sitter readers share: parsing within a budget, offsets back into the given text, errors."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from tree_sitter import Language, Parser

from guardrails.commands.budget import Budget, BudgetExceeded

if TYPE_CHECKING:
    from tree_sitter import Node

    from guardrails.commands.tree import Span


_FOREIGN = re.compile("[^\x00-\x7f\ud800-\udfff]+")  # half a surrogate pair is sent as one question mark
_PIECE = 4096  # bytes handed to the parser in one go
# Bytes it may ask for, for each byte of a text and besides. Ordinary scripts it reads up to ten times; where it finds
# no way through a crafted one it reads on to the end at every token, which takes the square of the length.
_READ_EACH = 64
_READ_BESIDES = 1 << 16


def parse(language: Language, text: str, budget: Budget) -> Node:
    """The syntax tree of one text.

    Raises:
        BudgetExceeded: when the parser called back, or read the text, more often than the budget allows.
    """
    source = text.encode("utf-8", "replace")

    unread = _READ_BESIDES + _READ_EACH * len(source)

    def read(offset: int, _point: object) -> bytes:
        nonlocal unread
        piece = source[offset : offset + _PIECE] if unread > 0 else b""
        unread -= len(piece)
        return piece

    def spent(_offset: int, _error: bool) -> bool:
        budget.left -= 1
        return budget.left < 0 or unread <= 0

    parser = Parser(language)  # made anew, for one parser must not be shared by threads
    try:
        tree = parser.parse(read, progress_callback=spent)
    except ValueError as stopped:
        raise BudgetExceeded("the parser needs more work than the budget allows") from stopped
    if unread <= 0:
        raise BudgetExceeded("the parser reads the text more often than the budget allows")
    return tree.root_node


def errors(node: Node) -> list[Node]:
    """The parts of a tree that are not of the language."""
    if node.is_error or node.is_missing:
        return [node]
    return [found for child in node.children if child.has_error or child.is_missing for found in errors(child)]


class Offsets:
    """Maps byte offsets of what was parsed to character offsets of the text that was given."""

    __slots__ = ("_base", "_ends", "_fixed", "_gaps", "_longer", "_starts")

    def __init__(self, parsed: str, cuts: list[tuple[int, int]], fixed: Span | None, base: int = 0) -> None:
        self._base = base
        self._fixed = fixed
        self._starts = [at for at, _ in cuts]
        self._gaps = [gap for _, gap in cuts]
        self._ends: list[int] = []  # in bytes, of each character of several
        self._longer: list[int] = []  # bytes more than characters, up to there
        if fixed is None and not parsed.isascii():
            longer = 0
            for found in _FOREIGN.finditer(parsed):
                at = found.start()
                for character in found.group():
                    at += 1
                    longer += 1 if character < "\u0800" else 2 if character < "\U00010000" else 3
                    self._ends.append(at + longer)
                    self._longer.append(longer)

    def span(self, node: Node) -> Span:
        """Where a node stands in the text that was given."""
        if self._fixed is not None:
            return self._fixed
        start, end = node.start_byte, node.end_byte
        if self._ends:
            start, end = self._character(start), self._character(end)
        start, end = start + self._base, end + self._base
        return (self._back(start), self._back(end)) if self._starts else (start, end)

    def _character(self, at: int) -> int:
        found = bisect_right(self._ends, at)
        return at - self._longer[found - 1] if found else at

    def _back(self, at: int) -> int:
        found = bisect_right(self._starts, at)
        return at + self._gaps[found - 1] if found else at
