"""Bash, parsed by tree-sitter into the one command tree; wrappers, substitutions and known code are seen through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tree_sitter_bash
from tree_sitter import Language

from guardrails.commands.flow import apart
from guardrails.commands.grammar import Offsets, errors
from guardrails.commands.mending import mended
from guardrails.commands.portions import portions
from guardrails.commands.private import hidden
from guardrails.commands.simple import simple
from guardrails.commands.statements import Statements
from guardrails.commands.tree import Script
from guardrails.commands.unfold import Unfolder

if TYPE_CHECKING:
    from guardrails.commands.frame import Frame
    from guardrails.commands.tree import Span

_LANGUAGE = Language(tree_sitter_bash.language())


def units(length: int) -> int:
    """Work allowed for a text of so many characters: enough for any real script, too little for a crafted one."""
    return 700 + length // 11


def read(text: str, frame: Frame) -> Script:
    """Parses a bash script and everything it would run.

    Raises:
        BudgetExceeded: when the work budget is spent.
    """
    frame.budget.spend(1 + len(text) // 256)
    unfold = Unfolder(frame)
    if simple(text, frame, unfold):
        return Script(tuple(unfold.found), complete=True)
    wrong = _read(text, frame, unfold)
    if "\r" in text and frame.depth == 0:
        # Whoever pastes it sends a line with each carriage return; bash itself takes one for a part of a word.
        with apart(frame.scope):
            wrong += _read(text.replace("\r", hidden("\r")), frame, unfold)
    return Script(tuple(unfold.found), not wrong, tuple(wrong))


def _read(text: str, frame: Frame, unfold: Unfolder) -> list[Span]:
    """Lists what a text runs; returns where it is not bash."""
    source, cuts = mended(text)
    wrong: list[Span] = []
    for start, portion, root in portions(source, _LANGUAGE, frame.budget):
        offsets = Offsets(portion, cuts, frame.span, start)
        Statements(portion.encode("utf-8", "replace"), frame.scope, offsets.span, unfold).all(root)
        if root.has_error:
            wrong += map(offsets.span, errors(root))
    return wrong
