"""`wardgate train` as a program."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import msgspec
from serving import WARDGATE
from tiny_model import some_pairs

from gateway.preferences.pairs import write_pairs
from training.cli import train

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_last_line_of_json_is_the_outcome(tiny: Path, tmp_path: Path) -> None:
    """With the contract's fields, in its order, and nothing else on standard output."""
    (tmp_path / "pairs.jsonl").write_bytes(write_pairs(some_pairs(6)))
    command = [WARDGATE, "train", "--loss", "dpo", "--model", tiny, "--pairs", tmp_path / "pairs.jsonl"]
    flags = ["--out", tmp_path / "made", "--targets", "q_proj, v_proj", "--lora-r", "2", "--balance", "--json"]
    environment = os.environ | {"WARDGATE_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*command, *flags], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found) == [
        "adapter", "pairs", "steps", "seconds", "peak_bytes", "tokens_per_second", "margin", "accuracy",
    ]  # fmt: skip
    assert (found["adapter"], found["pairs"], found["steps"]) == (str(tmp_path / "made"), 6, 1)
    assert found["peak_bytes"] > 10_000_000
    assert done.stderr == ""


def test_bad_use_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any model is loaded or made."""
    monkeypatch.setenv("WARDGATE_HOME", str(tmp_path))
    out = tmp_path / "made"
    unsure = tmp_path / "unsure.jsonl"
    unsure.write_bytes(write_pairs([msgspec.structs.replace(some_pairs(1)[0], flip_rate=0.2)]))
    for loss, pairs, message in (
        ("ppo", "x", "--loss: 'ppo' is not built yet"),
        ("dpo", None, "--pairs FILE or --store URL"),
        ("dpo", "nothing@9", "--pairs: dataset"),
        ("dpo", str(unsure), "--pairs: unsure: pair 1: flip_rate: 0.2 cannot be used by --loss dpo"),
    ):
        assert train(loss=loss, out=out, pairs=pairs) == 2
        said = capsys.readouterr().err
        assert said.startswith("wardgate train: ")
        assert message in said
        assert said.count("\n") == 1
    assert not out.exists()
