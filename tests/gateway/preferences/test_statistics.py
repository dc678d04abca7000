"""Statistics by hand: three pairs on two prompts."""

from __future__ import annotations

import re

import pytest
from pairs_made import pair

from gateway.preferences.objectives import Objective
from gateway.preferences.statistics import spread, statistics_of
from gateway.preferences.tables import print_statistics

THREE = [
    pair(1, chosen="one two", rejected="four", weight=0.5, objective=Objective.SAFETY, inferences=("i",)),
    pair(1, chosen="aaa", rejected="bbb ccc", weight=1.5, origin="thumbs"),
    pair(2, chosen="same", rejected="size", beta=0.7, origin="thumbs"),
]


def test_pairs_are_counted() -> None:
    found = statistics_of(THREE)
    assert (found["pairs"], found["duplicates"], found["lineage"]) == (3, 0, 0.3333)
    assert {name: part["pairs"] for name, part in found["objectives"].items()} == {"helpfulness": 2, "safety": 1}
    assert found["objectives"]["helpfulness"]["beta"] == {"0.1": 1, "0.7": 1}
    assert found["objectives"]["helpfulness"]["weight"] == 2.5
    assert {name: part["pairs"] for name, part in found["origins"].items()} == {"edit": 1, "thumbs": 2}
    assert found["length"]["characters"]["ratio"]["max"] == 1.75
    assert found["length"]["characters"]["ratio"]["min"] == 0.4286
    assert [found["length"]["words"][name] for name in ("chosen_longer", "equal", "chosen_shorter")] == [
        0.3333,
        0.3333,
        0.3333,
    ]
    assert found["prompts"] == {"distinct": 2, "pairs_each": spread([2, 1])}
    assert found["weights"]["total"] == 3.0


def test_the_same_answers_to_the_same_prompt_are_repeated() -> None:
    """Whatever their weight and objective."""
    assert statistics_of([pair(1), pair(1, weight=2.0, objective=Objective.TONE), pair(2)])["duplicates"] == 1


@pytest.mark.parametrize(
    ("values", "shown"),
    [([], None), ([2.0], 2.0), ([1.0, 3.0], 2.0), ([1, 2, 4], 2.0)],
)
def test_quantiles(values: list[float], shown: float | None) -> None:
    assert spread(values)["p50"] == shown


@pytest.mark.parametrize("made", [THREE, []])
def test_a_person_can_read_them(made: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    print_statistics(statistics_of(made), "incidents@1")  # type: ignore[arg-type]  # pairs, all of them
    page = capsys.readouterr().out
    assert re.search(rf"incidents@1: {len(made)} pairs", page)
    assert "objective" in page
    assert "chosen longer" in page
