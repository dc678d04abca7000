"""What a run says of itself, a row a step: JSON Lines to compute with, TensorBoard to look at."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import msgspec
from torch.utils.tensorboard import SummaryWriter

from training.checkpoints import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

METRICS = "metrics.jsonl"
BOARD = "tensorboard"


class Standing(msgspec.Struct, frozen=True):
    """How some pairs stand after a step: how many, mean β-scaled margin, share of margins above 0."""

    pairs: int
    margin: float
    accuracy: float


class Row(msgspec.Struct, frozen=True):
    """One optimiser step.

    Attributes:
        step: From 1.
        epoch: From 1.
        loss: Of the step's pairs before it.
        learning_rate: It was taken with.
        gradient_norm: Before it was scaled down.
        tokens: That went through the model in it; a pair's prompt counts once.
        seconds: Since the first batch.
        chosen: Mean log-probability of the chosen answers minus the reference's (SFT: itself), in nats.
        rejected: Likewise of the rejected ones; None for SFT.
        standing: By objective; empty for SFT.
    """

    step: int
    epoch: int
    loss: float
    learning_rate: float
    gradient_norm: float
    tokens: int
    seconds: float
    chosen: float = 0.0
    rejected: float | None = None
    standing: dict[str, Standing] = {}


class Journal:
    """Appends rows; after a resume, those of steps that are taken again are gone."""

    def __init__(self, folder: Path, taken: int) -> None:
        """Go on behind step `taken`."""
        self._path = folder / METRICS
        kept = [line for line in _lines(self._path) if msgspec.json.decode(line)["step"] <= taken]
        write_whole(self._path, b"".join(kept))
        self._file = self._path.open("ab")
        self._board = SummaryWriter(str(folder / BOARD), purge_step=taken + 1)

    def write(self, row: Row) -> None:
        self._file.write(msgspec.json.encode(row) + b"\n")
        self._file.flush()
        for name in ("loss", "learning_rate", "gradient_norm", "chosen", "rejected"):
            if (value := getattr(row, name)) is not None:
                self._board.add_scalar(f"train/{name}", value, row.step)
        for objective, standing in row.standing.items():
            self._board.add_scalar(f"margin/{objective}", standing.margin, row.step)
            self._board.add_scalar(f"accuracy/{objective}", standing.accuracy, row.step)

    def close(self) -> None:
        self._file.close()
        self._board.close()


def _lines(path: Path) -> Iterator[bytes]:
    """Whole lines; a kill may have cut the last."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        yield from (line for line in file if line.endswith(b"\n"))
