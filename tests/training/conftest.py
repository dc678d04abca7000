"""The tiny model, once a session, and a run's configuration around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest
import torch
from tiny_model import make_model

from training.config import TrainConfig

if TYPE_CHECKING:
    from pathlib import Path

TINY = {
    "loss": "dpo",
    "batch_size": 4,
    "accumulate": 1,
    "learning_rate": 1e-2,
    "lora_r": 4,
    "lora_alpha": 8,
    "lora_dropout": 0.0,
    "targets": ("q_proj", "v_proj"),
    "dtype": "float32",
}


class Configure(Protocol):
    """Makes a run on the tiny model, in the test's own folder; what is given differs from `TINY`."""

    def __call__(self, **given: Any) -> TrainConfig: ...


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Two threads on matrices of 32 columns only wait for each other, on a busy machine for seconds."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def configure(tiny: Path, tmp_path: Path) -> Configure:
    def made(**given: Any) -> TrainConfig:
        return TrainConfig(**(TINY | {"model": str(tiny), "out": str(tmp_path / "adapter")} | given))

    return made
