"""An answer that should not have been stopped ≻ the refusal that was sent instead."""

from __future__ import annotations

from typing import Any

import pytest
from pairs_made import blocked, exchange, outcome, says

from gateway.preferences.rules.false_block import FalseBlock
from gateway.store.records import Answer, Outcome

WRONG = says(1, "false_block")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (blocked(1, "fine", "No."), []),
        (blocked(1, "fine", "No.", WRONG), [("fine", "No.", "helpfulness", 0.8)]),
        (blocked(1, "fine", "No.", WRONG, says(2, "false_block")), [("fine", "No.", "helpfulness", 0.8)]),
        (blocked(1, "fine", "No.", WRONG, says(2, "edit", text="x")), ["overruled"]),
        (blocked(1, "fin", "fNo.", WRONG, streamed=True), ["cut_in_the_stream"]),
        (blocked(1, "", "No.", WRONG), ["model_never_answered"]),
        (blocked(1, "fine", "", WRONG), ["nothing_was_sent"]),
        (exchange(1, "fine", WRONG), ["nothing_was_blocked"]),
        (exchange(1, (Answer(0, "", "No.", "content_filter", b"[{}]"),), WRONG, outcome=Outcome.STOPPED),
         ["tool_calls"]),
        (exchange(1, (Answer(0, "a", "No.", "content_filter"), Answer(1, "b", "b", "stop")), WRONG,
                  outcome=Outcome.STOPPED), [("a", "No.", "helpfulness", 0.8)]),
    ],
)  # fmt: skip
def test_a_wrong_block_makes_an_over_refusal_pair(made: Any, expected: list[Any]) -> None:
    """Where the model answered, and its answer is there whole."""
    assert outcome(FalseBlock().pairs(made, {})) == expected


def test_every_false_block_is_named() -> None:
    made = blocked(1, "fine", "No.", WRONG, says(2, "false_block"))
    (pair,) = FalseBlock().pairs(made, {})
    assert pair.feedback == tuple(one.id for one in made.feedback)
