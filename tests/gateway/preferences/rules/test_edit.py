"""What a person wrote instead ≻ what the model wrote."""

from __future__ import annotations

from typing import Any

import pytest
from pairs_made import blocked, exchange, outcome, says

from gateway.preferences.rules.edit import Edit, changed, size
from gateway.store.records import Answer

LONG = "one two three four five six seven eight nine ten"
CHOICES = (Answer(0, "alpha beta", "alpha beta", "stop"), Answer(1, "gamma delta", "gamma delta", "stop"))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (exchange(1, "bad"), []),
        (exchange(1, "bad", says(1, "edit", text="good")), [("good", "bad", "helpfulness", 0.9)]),
        (exchange(1, "bad", says(1, "edit", text=" good\n")), [("good", "bad", "helpfulness", 0.9)]),
        (exchange(1, "bad", says(1, "edit", text="older"), says(2, "edit", text="newer")),
         ["superseded", ("newer", "bad", "helpfulness", 0.9)]),
        (exchange(1, "bad", says(1, "edit", text=" bad ")), ["nothing_changed"]),
        (exchange(1, LONG, says(1, "edit", text=LONG.replace("ten", "zen"))),
         [(LONG.replace("ten", "zen"), LONG, "helpfulness", 0.45)]),
        (exchange(1, "run `df -h`", says(1, "edit", text="run `df -i`")),
         [("run `df -i`", "run `df -h`", "accuracy", 0.9)]),
        (exchange(1, "bad", says(1, "thumbs", 1), says(2, "edit", text="good")), [("good", "bad", "helpfulness", 0.9)]),
        (exchange(1, (Answer(0, "cut o", "cut o", "length"),), says(1, "edit", text="good")),
         [("good", "cut o", "helpfulness", 0.9)]),
        (blocked(1, "drop it", "No.", says(1, "edit", text="good")),
         [("good", "drop it", "safety", 0.9)]),
        (exchange(1, CHOICES, says(1, "edit", text="gamma epsilon")),
         [("gamma epsilon", "gamma delta", "helpfulness", 0.9)]),
        (exchange(1, (Answer(0, "", "", "tool_calls", b"[{}]"),), says(1, "edit", text="good")), ["tool_calls"]),
        (exchange(1, (Answer(0, " ", " ", "stop"),), says(1, "edit", text="good")), ["empty_answer"]),
        (exchange(1, "bad", says(1, "edit", text="DESTROY")), ["guard_stops_the_edit"]),
        (exchange(1, "bad", says(1, "edit", text="good", project="other")), []),
    ],
)  # fmt: skip
def test_an_edit_makes_a_pair(made: Any, expected: list[Any]) -> None:
    """The last edit counts; its size scales the weight unless a command changed; the guard reads it first."""
    assert outcome(Edit(lambda text: "DESTROY" in text).pairs(made, {})) == expected


def test_a_pair_carries_where_it_came_from() -> None:
    made = exchange(7, "bad", says(3, "edit", text="good", user="u1"))
    (pair,) = Edit(lambda _: False).pairs(made, {})
    assert (pair.inferences, pair.feedback, pair.user) == ((made.id,), (made.feedback[0].id,), "u1")


@pytest.mark.parametrize(
    ("before", "after", "share"),
    [("a b", "a b", 0), ("a b", "b a", 0), ("a b", "c d", 1), ("a b", "a c", 0.5), ("", "", 0), ("", "a", 1)],
)
def test_the_share_of_changed_words(before: str, after: str, share: float) -> None:
    assert changed(before, after) == share


@pytest.mark.parametrize(
    ("before", "after", "left"),
    [("a b", "b a", 0.2), ("a b", "c d", 1.0), (LONG, LONG + " x", 0.2381), ("use -x", "use -y", 1.0)],
)
def test_size_leaves_between_a_fifth_and_all(before: str, after: str, left: float) -> None:
    assert size(before, after) == pytest.approx(left, abs=1e-4)
