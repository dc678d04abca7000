"""TRL's layouts: its three forms are read, and TRL itself reads what we write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from pairs_made import any_pair, pair

from gateway.preferences.layouts.interface import Odd
from gateway.preferences.layouts.trl import Trl
from gateway.preferences.objectives import Objective
from gateway.preferences.pairs import Message, Pair, PairError

if TYPE_CHECKING:
    from pathlib import Path

TRL = Trl()
USER, GOOD, BAD = (
    {"role": "user", "content": "q"},
    {"role": "assistant", "content": "a"},
    {"role": "assistant", "content": "b"},
)
SYSTEM = {"role": "system", "content": "s"}
PLAIN = Pair((Message("user", "q"),), "a", "b", origin="trl")


@pytest.mark.parametrize(
    ("row", "read"),
    [
        ({"prompt": "q", "chosen": "a", "rejected": "b"}, PLAIN),
        ({"prompt": [USER], "chosen": [GOOD], "rejected": [BAD]}, PLAIN),
        ({"chosen": [USER, GOOD], "rejected": [USER, BAD]}, PLAIN),
        ({"prompt": [SYSTEM, USER], "chosen": [GOOD], "rejected": [BAD]},
         Pair((Message("system", "s"), Message("user", "q")), "a", "b", origin="trl")),
        ({"prompt": [USER], "chosen": [GOOD, USER, GOOD], "rejected": [GOOD, USER, BAD]},
         Pair((Message("user", "q"), Message("assistant", "a"), Message("user", "q")), "a", "b", origin="trl")),
        ({"prompt": "q", "chosen": "a", "rejected": "b", "objective": "safety", "origin": "x", "score": 3},
         Pair((Message("user", "q"),), "a", "b", Objective.SAFETY, origin="x")),
        ({"chosen": "the sky is blue", "rejected": "the sky is green"}, Odd("plain_text_without_prompt")),
        ({"prompt": "q", "chosen": "a", "rejected": "a"}, Odd("equal_answers")),
        ({"prompt": "q", "chosen": "", "rejected": "a"}, Odd("empty_answer")),
        ({"chosen": [GOOD], "rejected": [BAD]}, Odd("no_prompt")),
        ({"chosen": [USER], "rejected": [USER, BAD]}, Odd("ends_without_an_answer")),
        ({"chosen": [], "rejected": [USER, BAD]}, Odd("no_dialogue")),
        ({"chosen": [USER, GOOD], "rejected": [SYSTEM, USER, BAD]}, Odd("earlier_turns_differ")),
    ],
)  # fmt: skip
def test_rows_are_read(row: dict[str, Any], read: Pair | Odd) -> None:
    assert TRL.read(json.dumps(row).encode(), "x:1") == read


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"chosen": "a"}, "missing required field `rejected`"),
        ({"prompt": 1, "chosen": "a", "rejected": "b"}, "prompt"),
        ({"prompt": "q", "chosen": [{"role": "tool", "content": "x"}], "rejected": "b"}, "Invalid enum value 'tool'"),
        ({"prompt": "q", "chosen": "a", "rejected": "b", "weight": 0}, "weight: 0"),
    ],
)
def test_a_row_of_another_form_is_an_error(row: dict[str, Any], said: str) -> None:
    with pytest.raises(PairError, match=rf"x:1: .*{said}"):
        TRL.read(json.dumps(row).encode(), "x:1")


@given(made=any_pair)
@settings(max_examples=200, deadline=None)
def test_everything_comes_back(made: Pair) -> None:
    """Texts, objective, β, weight, flip rate and lineage."""
    line = TRL.write(made)
    assert isinstance(line, bytes)
    assert TRL.read(line, "x:1") == made


def test_trl_reads_what_we_write(tmp_path: Path) -> None:
    """`datasets` loads the file, TRL calls it conversational, and its template makes prompt, chosen and rejected."""
    datasets = pytest.importorskip("datasets")
    data_utils = pytest.importorskip("trl.data_utils")
    made = [
        pair(1, inferences=("chatcmpl-1",), beta=0.3, chosen="ä\n“b”"),
        pair(
            2,
            prompt=(
                Message("system", "Be brief."),
                Message("user", "Hi"),
                Message("assistant", "Yes?"),
                Message("user", "Go"),
            ),
        ),
    ]
    file = tmp_path / "pairs.jsonl"
    file.write_bytes(b"".join(line + b"\n" for line in map(TRL.write, made) if isinstance(line, bytes)))
    loaded = datasets.load_dataset("json", data_files=str(file), split="train", cache_dir=str(tmp_path / "cache"))
    assert len(loaded) == 2
    for row, original in zip(loaded, made, strict=True):
        assert data_utils.is_conversational(row)
        assert data_utils.maybe_extract_prompt(row)["prompt"] == [
            {"role": turn.role, "content": turn.content} for turn in original.prompt
        ]
        assert (row["chosen"][0]["content"], row["rejected"][0]["content"]) == (original.chosen, original.rejected)
        implicit = {name: row["prompt"] + row[name] for name in ("chosen", "rejected")}
        assert data_utils.extract_prompt(implicit)["prompt"] == row["prompt"]
