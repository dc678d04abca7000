"""The answer that a person chose ≻ the one they did not."""

from __future__ import annotations

from typing import Any

import pytest
from pairs_made import blocked, exchange, outcome, says

from gateway.preferences.rules.comparison import Comparison
from gateway.store.records import Answer

OTHER = exchange(2, "bad")
CHOICES = (Answer(0, "good", "good", "stop"), Answer(1, "fine", "fine", "stop"))
COMPARES = says(1, "comparison", OTHER.id)


@pytest.mark.parametrize(
    ("made", "other", "expected"),
    [
        (exchange(1, "good"), OTHER, []),
        (exchange(1, "good", COMPARES), OTHER, [("good", "bad", "helpfulness", 1.0)]),
        (exchange(1, "good", COMPARES), exchange(2, (Answer(0, "bad", "bad", "length"),)),
         [("good", "bad", "helpfulness", 1.0)]),
        (exchange(1, "run `a`", COMPARES), OTHER, [("run `a`", "bad", "accuracy", 1.0)]),
        (exchange(1, "good", COMPARES), blocked(2, "bad", "No."), [("good", "bad", "safety", 1.0)]),
        (exchange(1, "good", COMPARES), exchange(2, "bad", escalation=b"{}"), [("good", "bad", "escalation", 1.0)]),
        (exchange(1, "good", COMPARES), exchange(2, "bad", says(9, "frustrated")), [("good", "bad", "tone", 1.0)]),
        (exchange(1, CHOICES, COMPARES), OTHER,
         [("good", "bad", "helpfulness", 0.5), ("fine", "bad", "helpfulness", 0.5)]),
        (exchange(1, "bad", COMPARES), OTHER, ["same_answers"]),
        (exchange(1, "good", COMPARES, prompt="p"), OTHER, ["different_prompts"]),
        (exchange(1, "good", (1, COMPARES[1] | {"project": "b"}), project="b"), OTHER, ["different_prompts"]),
        (exchange(1, "good", COMPARES), None, ["other_answer_unusable"]),
        (exchange(1, (Answer(0, "goo", "goo", "length"),), COMPARES), OTHER, ["truncated"]),
        (exchange(1, (Answer(0, "a key", "a ***", "stop"),), COMPARES), OTHER, ["rewritten"]),
        (blocked(1, "good", "No.", COMPARES), OTHER, ["stopped"]),
        (exchange(1, "good", COMPARES), exchange(2, (Answer(0, "", "", "tool_calls", b"[{}]"),)), ["tool_calls"]),
    ],
)  # fmt: skip
def test_a_comparison_makes_a_pair(made: Any, other: Any, expected: list[Any]) -> None:
    """Of the same prompt in the same project; what is learned must be whole and as it was sent."""
    others = {} if other is None else {other.id: other}
    assert outcome(Comparison().pairs(made, others)) == expected


def test_the_other_answer_is_asked_for() -> None:
    assert Comparison().needs(exchange(1, "good", COMPARES)) == (OTHER.id,)
    assert Comparison().needs(exchange(1, "good", says(1, "thumbs", 1))) == ()
