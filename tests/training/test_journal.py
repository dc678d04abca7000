"""The rows that a run leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from training.journal import METRICS, Journal, Row, Standing

if TYPE_CHECKING:
    from pathlib import Path


def row(step: int) -> Row:
    standing = {"safety": Standing(pairs=4, margin=0.5, accuracy=0.75)}
    return Row(step, 1, 0.69, 1e-4, 1.0, 100, 2.0, chosen=0.1, rejected=-0.4, standing=standing)


def steps(folder: Path) -> list[int]:
    return [msgspec.json.decode(line, type=Row).step for line in (folder / METRICS).read_bytes().splitlines()]


def test_steps_that_are_taken_again_are_written_once(tmp_path: Path) -> None:
    """Behind a resumed checkpoint nothing stays, nor a line that a kill cut short."""
    journal = Journal(tmp_path, 0)
    for step in (1, 2, 3):
        journal.write(row(step))
    journal.close()
    with (tmp_path / METRICS).open("ab") as file:
        file.write(b'{"step":4,"lo')
    journal = Journal(tmp_path, 2)
    journal.write(row(3))
    journal.close()
    assert steps(tmp_path) == [1, 2, 3]


def test_a_row_says_how_each_objective_stands(tmp_path: Path) -> None:
    """And reads back as it was written; TensorBoard has its own file."""
    journal = Journal(tmp_path, 0)
    journal.write(row(1))
    journal.close()
    assert msgspec.json.decode((tmp_path / METRICS).read_bytes(), type=Row) == row(1)
    assert list((tmp_path / "tensorboard").glob("events.*"))
