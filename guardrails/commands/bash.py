"""Bash, parsed by tree-sitter into the one command tree; wrappers, substitutions and known code are seen through."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

import tree_sitter_bash
from tree_sitter import Language, Parser

from guardrails.commands.budget import Budget, BudgetExceeded
from guardrails.commands.fold import OPEN_BRACE
from guardrails.commands.scope import Scope
from guardrails.commands.statements import Statements
from guardrails.commands.tree import Script
from guardrails.commands.unfold import Unfolder

if TYPE_CHECKING:
    from tree_sitter import Node

    from guardrails.commands.tree import Span

_LANGUAGE = Language(tree_sitter_bash.language())
_PARSER = Parser(_LANGUAGE)
_CONTINUED = re.compile(r"'[^']*'|\\(?:\r?\n|.)|\r", re.DOTALL)
_LEADING_BRACES = re.compile(r"(?:^|[;&|(\n]|\$\(|`)\s*\{(?=[^\s{};]*,[^\s{};]*\}(?:[\s;&|)]|$))")


def units(length: int) -> int:
    """Work allowed for a text of so many characters: enough for any real script, too little for a crafted one."""
    return 600 + length // 16


def parse(text: str, budget: Budget) -> Node:
    """The syntax tree of one text.

    Raises:
        BudgetExceeded: when the parser called back more often than the budget allows.
    """
    source = text.encode()

    def spent(_offset: int, _error: bool) -> bool:
        budget.left -= 1
        return budget.left < 0

    try:
        return _PARSER.parse(lambda offset, _point: source[offset : offset + 65536], progress_callback=spent).root_node
    except ValueError as stopped:
        _PARSER.reset()
        raise BudgetExceeded("the parser needs more work than the budget allows") from stopped


class Offsets:
    """Maps byte offsets of what was parsed to character offsets of the text that was given."""

    __slots__ = ("_ascii", "_fixed", "_gaps", "_starts", "_table")

    def __init__(self, parsed: str, cuts: list[tuple[int, int]], fixed: Span | None) -> None:
        self._fixed = fixed
        self._ascii = parsed.isascii()
        self._starts = [at for at, _ in cuts]
        self._gaps = [gap for _, gap in cuts]
        self._table: list[int] = []
        if not self._ascii and fixed is None:
            for index, character in enumerate(parsed):
                self._table += [index] * len(character.encode())
            self._table.append(len(parsed))

    def span(self, node: Node) -> Span:
        if self._fixed is not None:
            return self._fixed
        start, end = node.start_byte, node.end_byte
        if not self._ascii:
            start, end = self._table[start], self._table[end]
        return (self._back(start), self._back(end)) if self._starts else (start, end)

    def _back(self, at: int) -> int:
        found = bisect_right(self._starts, at)
        return at + self._gaps[found - 1] if found else at


def joined(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text with continued lines joined and carriage returns gone, and where how much was left out."""
    if "\\\n" not in text and "\r" not in text:
        return text, []
    pieces, cuts, at, gone = [], [], 0, 0
    for found in _CONTINUED.finditer(text):
        if found.group() not in ("\\\n", "\\\r\n", "\r"):
            continue
        pieces.append(text[at : found.start()])
        at = found.end()
        if found.group() == "\r" and text[at : at + 1] != "\n":
            pieces.append("\n")  # a lone carriage return ends a line for whoever pastes it
            continue
        gone += found.end() - found.start()
        cuts.append((at - gone, gone))
    pieces.append(text[at:])
    return "".join(pieces), cuts


def read(
    text: str,
    scope: Scope | None = None,
    budget: Budget | None = None,
    *,
    span: Span | None = None,
    depth: int = 0,
    wrappers: tuple[str, ...] = (),
) -> Script:
    """Parses a script and everything it would run.

    Args:
        text: Bash source.
        scope: Constants settled by earlier lines; what this text settles is added.
        budget: Work left; by default as much as a text of this length deserves.
        span: What every command's span shall be, where `text` was found inside of something else.
        depth: How many layers of code this text was found in.
        wrappers: What every command was seen through.

    Raises:
        BudgetExceeded: when the work budget is spent.
    """
    budget = budget if budget is not None else Budget(units(len(text)))
    budget.spend(1 + len(text) // 256)
    source, cuts = joined(text)
    if "{" in source:
        source = _LEADING_BRACES.sub(lambda m: m.group()[:-1] + OPEN_BRACE, source)
    root = parse(source, budget)
    offsets = Offsets(source, cuts, span)
    scope = scope if scope is not None else Scope()
    unfold = Unfolder(scope, budget, depth, wrappers)
    commands = Statements(source.encode(), scope, offsets.span, unfold).all(root)
    errors = tuple(offsets.span(node) for node in _errors(root)) if root.has_error else ()
    return Script(tuple(commands), not errors, errors)


def _errors(node: Node) -> list[Node]:
    if node.is_error or node.is_missing:
        return [node]
    return [found for child in node.children if child.has_error or child.is_missing for found in _errors(child)]
