"""An evaluation's folder: what is written is read again, and what is broken is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from training.evidence import (
    Evidence,
    EvidenceError,
    Generation,
    LogProb,
    Manifest,
    Perplexity,
    Token,
    Worked,
    by_arm,
    read_evidence,
    write_evidence,
)

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = Evidence(
    Manifest(title="T", base={"model": "m", "digest": "d"}, seeds={"sampling": 7}),
    [LogProb("before", "p", "safety", "chosen", -12.5, 9)],
    [Generation("after", "q", "disk", "Disk full", 3, "df -h", "df -h", "chatcmpl-1", "a@1", "allow")],
    [Perplexity("base", "walk", 31.0, 12)],
    Worked("p", "safety", "Disk full", (Token("df", -1.0, -0.5),), (Token("rm", -1.0, -9.0),), "typical"),
    [{"step": 1, "loss": 0.69}],
)


def test_reads_what_it_wrote(tmp_path: Path) -> None:
    """Everything in the folder comes back as it was, and no draft is left behind."""
    write_evidence(tmp_path / "run", WHOLE)
    assert read_evidence(tmp_path / "run") == WHOLE
    assert not [file for file in (tmp_path / "run").iterdir() if file.name.startswith(".")]


def test_manifest_is_enough(tmp_path: Path) -> None:
    """A file that is not there holds nothing."""
    write_evidence(tmp_path, Evidence(Manifest()))
    assert [file.name for file in tmp_path.iterdir()] == ["manifest.json"]
    assert read_evidence(tmp_path) == Evidence(Manifest())


def test_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    """A folder without a manifest is no evaluation, or one that was interrupted."""
    with pytest.raises(EvidenceError, match=r"has no manifest.json. Give the folder"):
        read_evidence(tmp_path)


@pytest.mark.parametrize(
    ("name", "line", "said"),
    [
        pytest.param("logprobs.jsonl", '{"arm": "later"}', r"logprobs.jsonl:2: .*later", id="arm"),
        pytest.param("generations.jsonl", '{"arm": "after"', r"generations.jsonl:2: .*truncated", id="cut"),
        pytest.param("perplexity.jsonl", '{"arm": "base", "text": 3}', r"perplexity.jsonl:2: .*\$.text", id="type"),
        pytest.param("metrics.jsonl", "[1]", r"metrics.jsonl:2: .*array", id="metrics"),
    ],
)
def test_broken_line_is_named(name: str, line: str, said: str, tmp_path: Path) -> None:
    """A line that cannot be read is named by file and number."""
    write_evidence(tmp_path, WHOLE)
    with (tmp_path / name).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(EvidenceError, match=said):
        read_evidence(tmp_path)


def test_interrupted_writing_leaves_no_manifest(tmp_path: Path) -> None:
    """The manifest is written last: a folder that holds one is whole."""
    write_evidence(tmp_path, WHOLE)
    (tmp_path / ".worked.json.draft").mkdir()  # where the last file before the manifest would be written
    with pytest.raises(IsADirectoryError):
        write_evidence(tmp_path, WHOLE)
    assert not (tmp_path / "manifest.json").exists()


def test_rows_are_told_apart_by_arm() -> None:
    """Each arm keeps its rows in their order."""
    rows = [Perplexity(arm, text, 1.0, 1) for text in "ab" for arm in ("before", "after")]
    assert [[row.text for row in arm] for arm in by_arm(rows, "after", "base")] == [["a", "b"], []]
