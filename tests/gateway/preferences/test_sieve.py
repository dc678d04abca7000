"""What is kept of the candidates: each pair once, no contradiction, no user heard more than others."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.preferences.objectives import Objective
from gateway.preferences.pairs import Message, write_pairs
from gateway.preferences.rules.interface import Candidate, Signal
from gateway.preferences.sieve import Sieve

if TYPE_CHECKING:
    from gateway.preferences.pairs import Pair


def candidate(chosen: str, rejected: str, **changes: Any) -> Candidate:
    fields = {
        "signal": Signal.EDIT,
        "prompt": (Message("user", "q"),),
        "objective": Objective.TONE,
        "weight": 0.5,
        "inferences": ("i1",),
        "feedback": ("f1",),
        "user": "",
        "at_us": 1,
    }
    return Candidate(chosen=chosen, rejected=rejected, **(fields | changes))


def sifted(candidates: list[Candidate], per_user: int = 100) -> tuple[list[Pair], dict[str, int]]:
    with Sieve() as sieve:
        for one in candidates:
            sieve.add(one)
        return list(sieve.pairs(per_user)), {name: count for name, count in sieve.dropped.items() if count}


def test_two_signals_that_say_the_same_are_one_pair() -> None:
    """The stronger signal's objective, the greater weight, and the ids of both."""
    thumb = candidate("a", "b", signal=Signal.THUMBS, objective=Objective.SAFETY, weight=0.8, inferences=("i2", "i1"))
    (pair,), dropped = sifted([thumb, candidate("a", "b", feedback=("f2",))])
    assert (pair.origin, pair.objective, pair.weight) == ("edit+thumbs", Objective.TONE, 0.8)
    assert (pair.inferences, pair.feedback) == (("i1", "i2"), ("f2", "f1"))
    assert dropped == {"said_again": 1}


def test_the_same_twice_from_one_signal_has_one_origin() -> None:
    (pair,), _ = sifted([candidate("a", "b"), candidate("a", "b", at_us=2, inferences=("i2",))])
    assert (pair.origin, pair.inferences) == ("edit", ("i1", "i2"))


def test_contradictions_are_dropped_and_counted() -> None:
    """Both ways round, however often; another prompt contradicts nobody."""
    other = candidate("b", "a", prompt=(Message("user", "other"),))
    pairs, dropped = sifted([candidate("a", "b"), candidate("a", "b"), candidate("b", "a"), other])
    assert [(pair.chosen, pair.rejected) for pair in pairs] == [("b", "a")]
    assert dropped == {"contradicted": 3}


def test_a_user_has_a_share() -> None:
    """The heaviest of each, the oldest of equals; nobody in particular is not one person."""
    made = [candidate(f"{number}", "b", user="u", at_us=number) for number in range(3)]
    made += [candidate("heavy", "b", user="u", at_us=9, weight=0.9)]
    made += [candidate(f"n{number}", "b", at_us=number) for number in range(3)]
    pairs, dropped = sifted(made, per_user=2)
    assert sorted(pair.chosen for pair in pairs) == ["0", "heavy", "n0", "n1", "n2"]
    assert dropped == {"more_than_one_users_share": 2}


def test_pairs_come_by_when_they_were_asked_for() -> None:
    pairs, _ = sifted([candidate("c", "x", at_us=3), candidate("a", "x", at_us=1), candidate("b", "x", at_us=2)])
    assert [pair.chosen for pair in pairs] == ["a", "b", "c"]


candidates = st.builds(
    candidate,
    st.sampled_from("abc"),
    st.sampled_from("def"),
    signal=st.sampled_from(Signal),
    weight=st.sampled_from([0.1, 0.5]),
    user=st.sampled_from(["", "u", "v"]),
    at_us=st.integers(1, 3),
    inferences=st.sampled_from([("i1",), ("i2",)]),
)


@given(made=st.lists(candidates, max_size=12), seed=st.integers(0, 99))
@settings(max_examples=100, deadline=None)
def test_the_order_of_arrival_changes_no_byte(made: list[Candidate], seed: int) -> None:
    shuffled = random.Random(seed).sample(made, len(made))
    assert write_pairs(sifted(made, 2)[0]) == write_pairs(sifted(shuffled, 2)[0])


@pytest.mark.parametrize(("most", "ids"), [(9, ["b", "a", "c"]), (1, ["b", "a"])])
def test_groups_are_prompts_voted_both_ways(most: int, ids: list[str]) -> None:
    """Oldest first, and at most so many each way."""
    with Sieve() as sieve:
        for key, at, id_, votes in [
            (b"p", 2, "a", 1), (b"p", 1, "b", -1), (b"p", 3, "c", 2), (b"q", 1, "d", 1), (b"r", 1, "e", -1),
        ]:  # fmt: skip
            sieve.vote(key, at, id_, votes)
        assert list(sieve.groups(most)) == [ids]
