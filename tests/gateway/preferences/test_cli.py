"""`wardgate pairs import | export | stats`: what they print, and how they say no."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from pairs_made import pair
from serving import WARDGATE

from gateway.preferences.pairs import read_pairs, write_pairs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def wardgate(tmp_path: Path) -> Any:
    """Runs `wardgate pairs` in a folder of its own, its home below it."""

    def run(*words: str, status: int = 0, sent: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": "/usr/bin:/bin", "WARDGATE_HOME": str(tmp_path / "var")}
        done = subprocess.run(
            [WARDGATE, "pairs", *words], cwd=tmp_path, env=environment, input=sent, capture_output=True, text=True,
            timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stderr + done.stdout
        return done

    return run


HH = [
    {"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant: c"},
    {"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant: b"},
]


def test_dialogues_become_a_dataset_that_goes_out_again(tmp_path: Path, wardgate: Any) -> None:
    """What was imported goes through: stats → export → import, and the pairs are the same."""
    (tmp_path / "hh.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, HH)).encode()))
    words = ("import", "--layout", "hh", "hh.gz", "--dataset", "harmless", "--objective", "safety")
    told = json.loads(wardgate(*words, "--json").stdout)
    assert told == {
        "dataset": "harmless@1",
        "digest": told["digest"],
        "rows": 2,
        "pairs": 1,
        "odd": {"equal_answers": 1},
    }
    assert "1 pair of 2 rows: harmless@1\n  left out, equal answers: 1" in wardgate(*words).stdout
    assert json.loads(wardgate("stats", "harmless@1", "--json").stdout)["objectives"]["safety"]["pairs"] == 1
    assert "safety" in wardgate("stats", "harmless").stdout
    for layout in ("jsonl", "trl", "hh"):
        wardgate("export", "harmless", "--layout", layout, "--out", f"{layout}.out")
        back = ("import", "--layout", layout, f"{layout}.out", "--out", f"{layout}.jsonl", "--objective", "safety")
        wardgate(*back)
        assert read_pairs(tmp_path / f"{layout}.jsonl") == read_pairs(tmp_path / "var/datasets/harmless@1/pairs.jsonl")
    manifest = json.loads((tmp_path / "var/datasets/harmless@1/manifest.json").read_text())
    assert manifest["sources"][0]["name"] == "hh.gz"
    assert manifest["skipped"] == {"equal_answers": 1}
    assert manifest["options"]["layout"] == "hh"


def test_pairs_go_to_standard_output(tmp_path: Path, wardgate: Any) -> None:
    """Only pairs are on it; what was done is on standard error."""
    (tmp_path / "a.jsonl").write_bytes(write_pairs([pair(1)]))
    done = wardgate("export", "a.jsonl", "--out", "-", "--json")
    assert done.stdout.encode() == write_pairs([pair(1)])
    assert json.loads(done.stderr)["pairs"] == 1
    assert wardgate("import", "a.jsonl", "--out", "-").stdout.encode() == write_pairs([pair(1)])


def test_no_pairs_is_exit_status_1_and_no_dataset(tmp_path: Path, wardgate: Any) -> None:
    (tmp_path / "hh").write_text(json.dumps(HH[1]))
    assert "nothing was written" in wardgate("import", "hh", "--layout", "hh", "--dataset", "x", status=1).stdout
    assert not list((tmp_path / "var/datasets").iterdir())
    (tmp_path / "empty").touch()
    wardgate("stats", "empty", status=1)
    wardgate("export", "empty", "--out", "-", status=1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "a.jsonl"), "--dataset NAME or --out FILE"),
        (("import", "--out", "x"), "name at least one FILE"),
        (("import", "a.jsonl", "--dataset", "A!"), "is no NAME or NAME@VERSION"),
        (("import", "gone.jsonl", "--out", "x"), "gone.jsonl: No such file"),
        (("import", "bad.jsonl", "--out", "x"), "bad.jsonl:1: chosen: is empty|bad.jsonl:1: .*missing required field"),
        (("stats", "nothing@1"), "'nothing@1' is not under"),
        (("stats", "gone.jsonl"), "gone.jsonl: is no file"),
        (("export", "a.jsonl"), "--out"),
        (("import", "a.jsonl", "--layout", "csv", "--out", "x"), "csv"),
    ],
)
def test_bad_use_is_exit_status_2(tmp_path: Path, wardgate: Any, words: tuple[str, ...], said: str) -> None:

    (tmp_path / "a.jsonl").write_bytes(write_pairs([pair(1)]))
    (tmp_path / "bad.jsonl").write_text('{"prompt": "q"}\n')
    done = wardgate(*words, status=2)
    assert re.search(said, done.stderr + done.stdout)
    assert not (tmp_path / "x").exists()


def test_a_dataset_that_was_changed_is_refused(tmp_path: Path, wardgate: Any) -> None:
    (tmp_path / "a.jsonl").write_bytes(write_pairs([pair(1)]))
    wardgate("import", "a.jsonl", "--dataset", "mine")
    with (tmp_path / "var/datasets/mine@1/pairs.jsonl").open("ab") as file:
        file.write(write_pairs([pair(2)]))
    assert "it was changed after it was made" in wardgate("stats", "mine", status=2).stderr


@pytest.mark.parametrize("command", ["import", "export", "stats"])
def test_every_command_has_help_with_an_example(wardgate: Any, command: str) -> None:
    assert "Example" in wardgate(command, "--help").stdout
