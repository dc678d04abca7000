"""An answer with thumbs up ≻ one with thumbs down, where both answer the same prompt."""

from __future__ import annotations

from typing import Any

import pytest
from pairs_made import blocked, exchange, outcome, says

from gateway.preferences.rules.interface import Skipped
from gateway.preferences.rules.thumbs import Thumbs
from gateway.store.records import Answer

UP, DOWN = says(1, "thumbs", 1), says(2, "thumbs", -1)
PAIR = ("good", "bad", "helpfulness", 0.8)


def choices(*texts: str) -> tuple[Answer, ...]:
    return tuple(Answer(number, text, text, "stop") for number, text in enumerate(texts))


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ([exchange(1, "good", UP), exchange(2, "bad", DOWN)], [PAIR]),
        ([exchange(1, "bad", DOWN), exchange(2, "good", UP)], [PAIR]),
        ([exchange(1, "good", UP), exchange(2, "bad", DOWN), exchange(3, "good", UP)], [PAIR]),
        ([exchange(1, "same", UP), exchange(2, "same", DOWN)], ["as_many_up_as_down"]),
        ([exchange(1, "same", UP), exchange(2, "same", DOWN), exchange(3, "same", DOWN), exchange(4, "good", UP)],
         [("good", "same", "helpfulness", 0.8)]),
        ([exchange(1, choices("good", "fine"), UP), exchange(2, "bad", DOWN)],
         [("good", "bad", "helpfulness", 0.4), ("fine", "bad", "helpfulness", 0.4)]),
        ([exchange(1, choices("good", "bad"), UP), exchange(2, "bad", DOWN)], [("good", "bad", "helpfulness", 0.4)]),
        ([exchange(1, (Answer(0, "goo", "goo", "length"),), UP), exchange(2, "bad", DOWN)], ["truncated"]),
        ([exchange(1, "good", UP), exchange(2, (Answer(0, "ba", "ba", "length"),), DOWN)],
         [("good", "ba", "helpfulness", 0.8)]),
        ([exchange(n, f"good {n}", UP) for n in range(6)] + [exchange(7, "bad", DOWN)],
         ["enough_of_this_prompt"] * 2 + [(f"good {n}", "bad", "helpfulness", 0.8) for n in range(4)]),
    ],
)  # fmt: skip
def test_thumbs_are_held_against_each_other(group: list[Any], expected: list[Any]) -> None:
    """Votes are summed by text, several choices share one, and a hot prompt makes sixteen pairs at most."""
    assert outcome(Thumbs().pairs(group)) == expected


def test_a_pair_names_every_exchange_and_thumb() -> None:
    """One user's thumbs on both sides are both there."""
    up, down = exchange(1, "good", says(1, "thumbs", 1, user="a")), exchange(2, "bad", says(2, "thumbs", -1, user="a"))
    (pair,) = Thumbs().pairs([up, down])
    assert not isinstance(pair, Skipped)
    assert pair.inferences == (up.id, down.id)
    assert pair.feedback == (up.feedback[0].id, down.feedback[0].id)
    assert pair.user == "a"


@pytest.mark.parametrize(
    ("made", "votes"),
    [
        (exchange(1, "a"), 0),
        (exchange(1, "a", UP), 1),
        (exchange(1, "a", UP, says(3, "thumbs", 1)), 2),
        (exchange(1, "a", says(1, "thumbs", 1, user="x"), says(2, "thumbs", -1, user="x")), -1),
        (exchange(1, "a", DOWN, says(3, "edit", text="b")), -1),
    ],
)
def test_a_vote_is_the_last_word_of_each_user(made: Any, votes: int) -> None:
    assert Thumbs().vote(made) == votes


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (exchange(1, "a", UP, DOWN), "as_many_up_as_down"),
        (exchange(1, "a", UP, says(3, "edit", text="b")), "overruled"),
        (exchange(1, "a", UP, worse=True), "overruled"),
        (blocked(1, "a", "No.", DOWN), "stopped"),
    ],
)
def test_no_vote_is_told_by_reason(made: Any, reason: str) -> None:
    """A tie, praise for what was corrected, and a thumb on a refusal."""
    with pytest.raises(Skipped, match=f"^{reason}$"):
        Thumbs().vote(made)
