"""The second answer, asked for instead of the first and kept ≻ the first."""

from __future__ import annotations

from typing import Any

import pytest
from pairs_made import exchange, outcome, says

from gateway.preferences.rules.regenerated import Regenerated
from gateway.store.records import Answer

SECOND = exchange(2, "good")
AGAIN = says(1, "regenerated", SECOND.id)
PAIR = [("good", "bad", "helpfulness", 0.6)]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (SECOND, PAIR),
        (exchange(2, "good", says(2, "thumbs", 1)), PAIR),
        (exchange(2, "good", says(2, "copied"), says(3, "rating", 4), says(4, "executed")), PAIR),
        (exchange(2, "good", says(2, "thumbs", -1)), ["second_not_kept"]),
        (exchange(2, "good", says(2, "thumbs", -1), says(3, "thumbs", 1)), PAIR),
        (exchange(2, "good", says(2, "thumbs", -1, user="a"), says(3, "thumbs", 1, user="a")), PAIR),
        (exchange(2, "good", says(2, "thumbs", 1, user="a"), says(3, "thumbs", -1, user="a")), ["second_not_kept"]),
        (exchange(2, "good", says(2, "regenerated", "x")), ["second_not_kept"]),
        (exchange(2, "good", says(2, "edit", text="x")), ["second_not_kept"]),
        (exchange(2, "good", says(2, "abandoned")), ["second_not_kept"]),
        (exchange(2, "good", says(2, "frustrated")), ["second_not_kept"]),
        (exchange(2, "good", says(2, "rolled_back")), ["second_not_kept"]),
        (exchange(2, "good", says(2, "escalated")), ["second_not_kept"]),
        (exchange(2, "good", says(2, "rating", 2)), ["second_not_kept"]),
        (exchange(2, "good", worse=True), ["second_not_kept"]),
        (exchange(2, (Answer(0, "goo", "goo", "length"),)), ["truncated"]),
        (exchange(2, "good", prompt="p"), ["different_prompts"]),
        (exchange(2, "bad"), ["same_answers"]),
        (None, ["other_answer_unusable"]),
    ],
)
def test_a_second_answer_that_was_kept_makes_a_pair(second: Any, expected: list[Any]) -> None:
    """Nothing may have been said or done against it."""
    others = {} if second is None else {second.id: second}
    assert outcome(Regenerated().pairs(exchange(1, "bad", AGAIN), others)) == expected


def test_a_first_answer_that_was_liked_is_not_worse() -> None:
    made = exchange(1, "bad", AGAIN, says(2, "thumbs", 1))
    assert outcome(Regenerated().pairs(made, {SECOND.id: SECOND})) == ["overruled"]
    assert Regenerated().needs(made) == (SECOND.id,)
    assert outcome(Regenerated().pairs(exchange(1, "bad"), {})) == []
