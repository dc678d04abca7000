"""What `--pairs` and `--model` may name."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from tiny_model import some_pairs

from gateway.preferences.datasets import Making, write_dataset
from gateway.preferences.pairs import write_pairs
from training.config import TrainError
from training.sources import Found, check_certain, find_adapter, find_model, find_pairs


def test_pairs_come_from_a_file_a_folder_or_a_name(tmp_path: Path) -> None:
    """A data set of the home goes by its name and version, the newest by its name alone."""
    pairs = some_pairs(3)
    made = write_dataset(tmp_path / "datasets", "incidents", None, pairs, Making(datetime.now(UTC)))
    folder = tmp_path / "datasets" / made.id
    file = tmp_path / "mine.jsonl"
    file.write_bytes(write_pairs(pairs))
    for given in (str(folder), "incidents@1", "incidents"):
        assert find_pairs(given, tmp_path, for_sft=False) == (pairs, "incidents", 1)
    assert find_pairs(str(file), tmp_path, for_sft=False) == (pairs, "mine", 0)


def test_what_is_no_data_set_is_told_of(tmp_path: Path) -> None:
    """Nothing there, nothing in it, a folder of something else, a line that is no pair."""
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n")
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"prompt": "a", "chosen": "b"}\n')
    for given, message in (
        ("incidents@1", "--pairs: dataset"),
        (str(empty), "holds no pairs"),
        (str(tmp_path), "--pairs: "),
        (str(broken), r"broken.jsonl:1: rejected: is empty"),
    ):
        with pytest.raises(TrainError, match=message):
            find_pairs(given, tmp_path, for_sft=False)
    assert len(find_pairs(str(broken), tmp_path, for_sft=True).pairs) == 1


def test_pairs_that_may_stand_the_wrong_way_round_are_not_taken_for_sure() -> None:
    """The first one is named, with its field, its value and the mend."""
    pairs = some_pairs(3)
    check_certain(Found(pairs, "mine", 0))
    pairs[1] = msgspec.structs.replace(pairs[1], flip_rate=0.1)
    with pytest.raises(
        TrainError, match=r"--pairs: mine: pair 2: flip_rate: 0\.1 cannot be used .* Leave such pairs out"
    ):
        check_certain(Found(pairs, "mine", 0))


def test_an_adapter_is_a_folder_or_a_registered_name(tmp_path: Path) -> None:
    """A folder comes before a name of the home; what is neither stays as it was given, to be told of."""
    kept, folder = tmp_path / "adapters" / "ops@3", tmp_path / "mine"
    kept.mkdir(parents=True)
    folder.mkdir()
    assert find_adapter(Path("ops@3"), tmp_path) == kept
    for given in (folder, Path("ops@4"), Path("x/ops@3")):
        assert find_adapter(given, tmp_path) == given


def test_a_model_is_a_folder_or_on_this_machine(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run fetches nothing from the hub."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert find_model(str(tiny), tmp_path, print) == tiny
    with pytest.raises(TrainError, match="not on this machine"):
        find_model("meta-llama/Meta-Llama-3-8B-Instruct", tmp_path, print)
    with pytest.raises(TrainError, match="--model"):
        find_model(str(tmp_path / "nowhere"), tmp_path, print)
