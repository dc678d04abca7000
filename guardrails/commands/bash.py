"""Bash, parsed by tree-sitter into the one command tree; wrappers, substitutions and known code are seen through."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import tree_sitter_bash
from tree_sitter import Language

from guardrails.commands.fold import OPEN_BRACE
from guardrails.commands.grammar import Offsets, errors
from guardrails.commands.portions import portions
from guardrails.commands.statements import Statements
from guardrails.commands.tree import Script
from guardrails.commands.unfold import Unfolder

if TYPE_CHECKING:
    from guardrails.commands.frame import Frame
    from guardrails.commands.tree import Span

_LANGUAGE = Language(tree_sitter_bash.language())
_CONTINUED = re.compile(r"'[^']*'|\\(?:\r?\n|.)|\r", re.DOTALL)
_LEADING_BRACES = re.compile(r"(?:^|[;&|(\n]|\$\(|`)[ \t]*\{(?=[^\s{};]*,[^\s{};]*\}(?:[\s;&|)]|$))")


def units(length: int) -> int:
    """Work allowed for a text of so many characters: enough for any real script, too little for a crafted one."""
    return 600 + length // 16


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


def read(text: str, frame: Frame) -> Script:
    """Parses a bash script and everything it would run.

    Raises:
        BudgetExceeded: when the work budget is spent.
    """
    frame.budget.spend(1 + len(text) // 256)
    source, cuts = joined(text)
    if "{" in source:
        source = _LEADING_BRACES.sub(lambda m: m.group()[:-1] + OPEN_BRACE, source)
    unfold = Unfolder(frame)
    wrong: list[Span] = []
    for start, portion, root in portions(source, _LANGUAGE, frame.budget):
        offsets = Offsets(portion, cuts, frame.span, start)
        Statements(portion.encode("utf-8", "replace"), frame.scope, offsets.span, unfold).all(root)
        if root.has_error:
            wrong += map(offsets.span, errors(root))
    return Script(tuple(unfold.found), not wrong, tuple(wrong))
