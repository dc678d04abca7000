"""Labelled rows are read strictly, and what their labels mean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.evaluation.rows import RowError, read
from guardrails.interface import Channel, Shell

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    file = folder / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


@pytest.mark.parametrize(
    ("label", "stop"),
    [
        *[(label, True) for label in ("destructive", "injection", "harmful", "attack")],
        *[("ordinary", False), ("benign", False), ("unclear", None)],
    ],
)
def test_a_label_says_whether_a_row_is_to_be_stopped(label: str, stop: bool | None, tmp_path: Path) -> None:
    rows, _ = read(written(tmp_path, {"text": "ls", "label": label}))
    assert rows[0].stop is stop


def test_a_row_names_channel_shell_type_and_where_it_is_from(tmp_path: Path) -> None:
    given = {"text": "x", "kind": "parameter", "shell": "cmd", "type": "service", "label": "attack", "source": "mine"}
    row = read(written(tmp_path, given | {"technique": "odd"}))[0][0]
    assert (row.channel, row.shell, row.type, row.source, row.technique) == (
        *(Channel.PARAMETER, Shell.CMD, "service", "mine", "odd"),
    )


def test_types_the_contract_does_not_know_are_free_text_and_prose_is_a_prompt(tmp_path: Path) -> None:
    rows, _ = read(written(tmp_path, {"text": "x", "kind": "prose", "type": "colour", "label": "benign"}))
    assert (rows[0].type, rows[0].channel) == ("free_text", Channel.PROMPT)
    rows, _ = read(written(tmp_path, {"text": "x", "kind": "prose", "label": "benign"}), Channel.OUTPUT)
    assert rows[0].channel is Channel.OUTPUT


def test_contested_rows_and_rows_without_a_text_are_in_no_rate(tmp_path: Path) -> None:
    rows, without = read(
        written(tmp_path, {"text": "x", "label": "injection", "contested": True}, {"messages": [], "label": "x"})
    )
    assert [row.stop for row in rows] == [None]
    assert without == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "1: is no JSON"),
        ("[]", "1: is no object"),
        ('{"text": "x"}', "1: label: is missing"),
        ('{"text": "x", "label": "ordinary", "kind": "odd"}', "1: kind: is 'odd'"),
    ],
)
def test_a_bad_line_is_named(line: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text(line)
    with pytest.raises(RowError, match=r"bad\.jsonl") as error:
        read(file)
    assert words in str(error.value)
