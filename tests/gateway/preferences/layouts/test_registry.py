"""Files of any layout, compressed or not: every row is a pair, or counted by why it is none."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pairs_made import any_pair, pair

from gateway.preferences.datasets import Source
from gateway.preferences.layouts.interface import Odd
from gateway.preferences.layouts.registry import LAYOUTS, LayoutName, Reading, Tally, read_files, source, write_rows
from gateway.preferences.objectives import Objective
from gateway.preferences.pairs import PairError, write_pairs

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.preferences.pairs import Pair

JSONL = LAYOUTS[LayoutName.JSONL]


@given(made=any_pair)
@settings(max_examples=100, deadline=None)
def test_the_contracts_layout_says_everything(made: Pair) -> None:
    line = JSONL.write(made)
    assert isinstance(line, bytes)
    assert JSONL.read(line, "x:1") == made


@given(made=st.lists(any_pair, max_size=6), name=st.sampled_from(LayoutName))
@settings(max_examples=100, deadline=None)
def test_every_row_is_counted(made: list[Pair], name: LayoutName) -> None:
    """Rows are pairs and odd ones, and nothing else, both ways."""
    out = Tally()
    lines = list(write_rows(made, LAYOUTS[name], out))
    assert out.rows == len(made) == out.pairs + out.odd.total()
    read = [LAYOUTS[name].read(line, "x") for line in lines]
    assert len(read) == out.pairs
    assert not any(isinstance(one, Odd) for one in read)


def test_compressed_files_are_told_by_content_and_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_bytes(gzip.compress(write_pairs([pair(1)]) + b"\n"))
    (tmp_path / "two.gz").write_bytes(write_pairs([pair(2), pair(3, rejected=" ")]))
    tally = Tally()
    files = [tmp_path / "one.jsonl", tmp_path / "two.gz"]
    assert list(read_files(files, Reading(JSONL), tally)) == [pair(1), pair(2)]
    assert (tally.rows, tally.pairs, tally.odd) == (3, 2, {"empty_answer": 1})


def test_objective_origin_and_limit_are_given(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(write_pairs([pair(1), pair(2)]))
    reading = Reading(JSONL, objective=Objective.TONE, origin="team", limit=1)
    assert list(read_files([tmp_path / "a"], reading, Tally())) == [pair(1, objective=Objective.TONE, origin="team")]


def test_a_broken_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(write_pairs([pair(number) for number in range(99)]))[:-20])
    with pytest.raises(PairError, match=r"a\.gz: is compressed and broken"):
        list(read_files([tmp_path / "a.gz"], Reading(JSONL), Tally()))


def test_a_row_of_another_form_stops_the_reading(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(json.dumps({"prompt": "q", "chosen": "a", "rejected": "b", "weight": -1}))
    with pytest.raises(PairError, match=r"a:1: weight: -1\.0 is not above 0"):
        list(read_files([tmp_path / "a"], Reading(JSONL), Tally()))


def test_a_source_is_named_with_its_digest(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    assert source(tmp_path / "a") == Source(str(tmp_path / "a"), hashlib.sha256(b"x").hexdigest())


def test_what_cannot_be_said_is_counted() -> None:
    tally = Tally()
    assert list(write_rows([pair(rejected="")], LAYOUTS[LayoutName.TRL], tally)) == []
    assert tally.odd == {Odd("empty_answer").reason: 1}
