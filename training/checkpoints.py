"""Where a run lives until its adapter is published: one hidden folder beside it, every file in it written whole."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import torch

from training.config import RUN, TrainConfig, TrainError, read_config
from training.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable

_CHECKPOINT = "checkpoint.pt"
_REFERENCE = "reference.json"


class Workplace:
    """The folder `.NAME.training` beside `--out`; held by one process at a time.

    Attributes:
        folder: Where it is.
        resumed: Whether an earlier run is gone on with.
    """

    def __init__(self, config: TrainConfig, pairs: str, *, resume: bool) -> None:
        """Begin, or go on where there is something: a Job says --resume from its first pod on.

        Args:
            config: The run.
            pairs: Digest of what it learns from.
            resume: Go on with a run that was begun.

        Raises:
            TrainError: Something would be lost, the run begun was another one, or another process is at work.
        """
        out = Path(config.out)
        self.folder = out.parent / f".{out.name}.training"
        self.resumed = resume and (self.folder / RUN).exists()
        if out.exists():
            raise TrainError(f"--out: {str(out)!r} exists. Adapters are never overwritten: name another folder.")
        if not resume and (self.folder / _CHECKPOINT).exists():
            raise TrainError(
                f"--out: an unfinished run for {str(out)!r} lies in {str(self.folder)!r}. Go on with --resume, or "
                "delete that folder."
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self.folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise TrainError(f"--out: another process is training {str(out)!r}. Wait for it, or end it.") from None
        self._agree(config, pairs)

    def _agree(self, config: TrainConfig, pairs: str) -> None:
        learned = self.folder / "pairs.sha256"
        if not self.resumed:
            (self.folder / _REFERENCE).unlink(missing_ok=True)  # of a run that ended before its first checkpoint
            write_whole(learned, pairs.encode())
            write_whole(self.folder / RUN, config.to_json())
            return
        if (began := learned.read_text()) != pairs:
            raise TrainError(
                f"--pairs: the pairs (digest {pairs[:12]}) are not those the run began with ({began[:12]}). Resume "
                "with the same ones, or start anew with another --out."
            )
        kept = read_config(self.folder / RUN)
        for field in config.__struct_fields__:
            was, now = getattr(kept, field), getattr(config, field)
            if was != now and field not in ("out", "checkpoint_seconds"):
                raise TrainError(
                    f"--{field.replace('_', '-')}: was {was!r} when the run began and is {now!r} now. Resume with the "
                    "same settings, or start anew with another --out."
                )

    def save(self, state: dict[str, Any]) -> None:
        """Put a checkpoint in the last one's place."""
        _write(self.folder / _CHECKPOINT, lambda file: torch.save(state, file))

    def load(self) -> dict[str, Any] | None:
        """The last checkpoint; None before the first."""
        file = self.folder / _CHECKPOINT
        if not file.exists():
            return None
        loaded: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        return loaded

    def save_reference(self, reference: Reference) -> None:
        write_whole(self.folder / _REFERENCE, msgspec.json.encode(reference))

    def load_reference(self) -> Reference | None:
        try:
            return msgspec.json.decode((self.folder / _REFERENCE).read_bytes(), type=Reference)
        except FileNotFoundError:
            return None

    def close(self) -> None:
        self._lock.close()


def random_state() -> list[torch.Tensor]:
    """Of the processor's generator and of each GPU's."""
    return [torch.get_rng_state(), *torch.cuda.get_rng_state_all()]


def set_random_state(state: list[torch.Tensor]) -> None:
    """As `random_state` told it, on a machine with as many GPUs."""
    torch.set_rng_state(state[0])
    torch.cuda.set_rng_state_all(state[1:])


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut."""
    _write(path, lambda file: file.write(content))


def _write(path: Path, fill: Callable[[Any], object]) -> None:
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        fill(file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
