"""No answer is dear, and its cost is the same however it is cut."""

from __future__ import annotations

import pytest

from guardrails.guard import Guard
from guardrails.interface import Action, Channel, Unchecked
from guardrails.policy import load_policy

GUARD = Guard(load_policy(None))
DEAR = [">(" * 90_000, "```\n" + "$ ls\nfile\n" * 8000, "the rm command. " * 1900]
CHEAP = ["Look at who holds the lock before anything else. " * 4000, "Run `df -h` and look at it.\n" * 1500]


@pytest.mark.parametrize("text", DEAR, ids=["signs", "transcript", "names"])
def test_an_answer_that_costs_too_much_is_unchecked(text: str) -> None:
    """What is beyond the budget is never passed."""
    assert GUARD.examine(text, Channel.OUTPUT).unchecked == (Unchecked("commands", "budget"),)


@pytest.mark.parametrize("text", CHEAP, ids=["prose", "quotes"])
def test_a_long_ordinary_answer_is_judged(text: str) -> None:
    """Length alone is no reason to refuse."""
    assert GUARD.examine(text, Channel.OUTPUT).action is Action.ALLOW


@pytest.mark.parametrize("size", [7, 64, 4096])
@pytest.mark.parametrize("text", DEAR[1:], ids=["transcript", "names"])
def test_the_cost_does_not_depend_on_the_cuts(text: str, size: int) -> None:
    """Whole or in pieces, the budget ends at the same character."""
    whole = GUARD.stream()
    whole.feed(text)
    whole.finish()
    cut = GUARD.stream()
    sent = 0
    for at in range(0, len(text), size):
        sent = max(sent, cut.feed(text[at : at + size]))
    sent = max(sent, cut.finish())
    assert cut.verdict() == whole.verdict()
    assert sent < len(text)
