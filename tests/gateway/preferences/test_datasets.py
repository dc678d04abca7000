"""Datasets are written once, whole, and say when they are no longer what was written."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pairs_made import any_pair, pair

from gateway.preferences.datasets import (
    MANIFEST,
    PAIRS,
    DatasetError,
    Making,
    Source,
    dataset_folder,
    parse_id,
    read_dataset,
    write_dataset,
)
from gateway.preferences.pairs import read_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.preferences.pairs import Pair

MAKING = Making(created=datetime(2026, 11, 25, 18, 0, tzinfo=UTC), sources=(Source("a.jsonl", "d" * 64),))


@given(made=st.lists(any_pair, min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_what_is_written_is_read(made: list[Pair]) -> None:
    """Any pairs come back as they were, in order, and the manifest counts them."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = write_dataset(Path(folder), "mined", None, made, MAKING)
        place = dataset_folder(Path(folder), "mined")
        assert read_dataset(place) == dataset
        assert read_pairs(place / PAIRS) == made
        assert dataset.count == len(made) == sum(dataset.objectives.values()) == sum(dataset.origins.values())
        assert dataset.digest == hashlib.sha256((place / PAIRS).read_bytes()).hexdigest()


def test_versions_count_up_and_the_same_pairs_are_no_new_version(tmp_path: Path) -> None:
    first = write_dataset(tmp_path, "mined", None, [pair(1)], MAKING)
    again = write_dataset(tmp_path, "mined", None, [pair(1)], Making(created=datetime.now(UTC)))
    second = write_dataset(tmp_path, "mined", None, [pair(1), pair(2)], MAKING)
    assert (first.id, again, second.id) == ("mined@1", first, "mined@2")
    assert dataset_folder(tmp_path, "mined").name == "mined@2"
    assert dataset_folder(tmp_path, "mined@1").name == "mined@1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mined@1", "mined@2"]


def test_a_version_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    """Other pairs are refused with the mend; the same pairs change nothing."""
    write_dataset(tmp_path, "mined", 3, [pair(1)], MAKING)
    before = (tmp_path / "mined@3" / MANIFEST).read_bytes()
    assert write_dataset(tmp_path, "mined", 3, [pair(1)], Making(created=datetime.now(UTC))).id == "mined@3"
    with pytest.raises(DatasetError, match=r"mined@3 is there with other pairs .* leave it out for the next one"):
        write_dataset(tmp_path, "mined", 3, [pair(2)], MAKING)
    assert (tmp_path / "mined@3" / MANIFEST).read_bytes() == before


def test_nothing_is_left_of_what_failed(tmp_path: Path) -> None:
    def broken() -> Iterator[Pair]:
        yield pair(1)
        raise RuntimeError("the store went away")

    with pytest.raises(RuntimeError):
        write_dataset(tmp_path, "mined", None, broken(), MAKING)
    with pytest.raises(DatasetError, match="no pairs"):
        write_dataset(tmp_path, "mined", None, [], MAKING)
    assert not list(tmp_path.iterdir())


def test_writers_at_the_same_moment_each_get_a_version(tmp_path: Path) -> None:
    got: list[str] = []

    def write(number: int) -> None:
        got.append(write_dataset(tmp_path, "mined", None, [pair(number)], MAKING).id)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [f"mined@{number}" for number in range(1, 7)]
    for number in range(1, 7):
        read_dataset(tmp_path / f"mined@{number}")


def _append(folder: Path) -> None:
    with (folder / PAIRS).open("ab") as file:
        file.write(b"{}\n")


def _forge(folder: Path) -> None:
    (folder / MANIFEST).write_bytes(b'{"name": "mined"}')


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_append, "its digest is .* the manifest says .* Restore it"),
        (_forge, "manifest.json: Object missing required field"),
        (lambda folder: (folder / PAIRS).unlink(), "No such file or directory: pairs.jsonl"),
        (lambda folder: (folder / MANIFEST).unlink(), "No such file or directory: manifest.json"),
    ],
)
def test_harm_is_told(tmp_path: Path, harm: object, said: str) -> None:
    write_dataset(tmp_path, "mined", 1, [pair(1)], MAKING)
    harm(tmp_path / "mined@1")  # type: ignore[operator]  # a function of the table
    with pytest.raises(DatasetError, match=said):
        read_dataset(tmp_path / "mined@1")


def test_a_renamed_folder_is_told(tmp_path: Path) -> None:
    write_dataset(tmp_path, "mined", 1, [pair(1)], MAKING)
    (tmp_path / "mined@1").rename(tmp_path / "mined@2")
    with pytest.raises(DatasetError, match=r"that of mined@1\. A dataset is not renamed"):
        read_dataset(tmp_path / "mined@2")


@pytest.mark.parametrize(("text", "parts"), [("a", ("a", None)), ("a-b.c_d@12", ("a-b.c_d", 12))])
def test_ids_are_read(text: str, parts: tuple[str, int | None]) -> None:
    assert parse_id(text) == parts


@pytest.mark.parametrize("text", ["", "@1", "A", "a@", "a@0", "a@01", "a@x", "a@1@2", "../a", "a/b", ".a", "-a"])
def test_other_ids_are_refused(text: str) -> None:
    with pytest.raises(DatasetError, match="is no NAME or NAME@VERSION"):
        parse_id(text)


def test_a_dataset_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    write_dataset(tmp_path, "mined", 1, [pair(1)], MAKING)
    with pytest.raises(DatasetError, match=r"there: mined@1"):
        dataset_folder(tmp_path, "mined@2")
    with pytest.raises(DatasetError, match=r"none of that name"):
        dataset_folder(tmp_path, "other")
