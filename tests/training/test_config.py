"""What a run may be told, and what it is told where it errs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from training.config import RUN, TrainConfig, TrainError, make_config, read_config

if TYPE_CHECKING:
    from pathlib import Path

TOLD = {"loss": "dpo", "model": "/models/Llama-3-8B", "out": "o"}


def test_the_defaults_are_the_recipe_for_large_models() -> None:
    """Rank 16 on all of attention, 4 by 8, 5e-6, gradients to 1; the embedded model has its own."""
    large = make_config(TOLD)
    assert (large.lora_r, large.lora_alpha, large.lora_dropout, large.gradient_norm) == (16, 32, 0.05, 1.0)
    assert (large.batch_size, large.accumulate, large.learning_rate) == (4, 8, 5e-6)
    assert large.targets == ("q_proj", "k_proj", "v_proj", "o_proj")
    small = make_config(TOLD | {"model": "/home/models/SmolLM2-135M-Instruct"})
    assert (small.lora_r, small.targets, small.learning_rate) == (8, ("q_proj", "v_proj"), 5e-4)


def test_a_flag_wins_over_the_preset_and_none_says_nothing() -> None:
    """What was not given comes from the preset."""
    config = make_config(TOLD | {"model": "SmolLM2-135M-Instruct", "lora_r": 4, "epochs": None})
    assert (config.lora_r, config.epochs, config.batch_size) == (4, 1, 16)


def test_a_run_reads_back_what_it_wrote(tmp_path: Path) -> None:
    """JSON there and back, nothing lost; what another version wrote is told of."""
    config = make_config(TOLD | {"beta": 0.3, "targets": ("q_proj",)})
    file = tmp_path / RUN
    file.write_bytes(config.to_json())
    assert read_config(file) == config
    file.write_bytes(config.to_json().replace(b'"seed"', b'"sead"'))
    with pytest.raises(TrainError, match="another version"):
        read_config(file)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"loss": "simpo"}, r"--loss: 'simpo' is not built yet. Take one of: dpo, sft"),
        ({"loss": "dop"}, r"--loss: 'dop' cannot be used. Take one of"),
        ({"epochs": 0}, r"--epochs: 0 cannot be used. Give a number from 1"),
        ({"learning_rate": -1.0}, r"--learning-rate: -1.0"),
        ({"learning_rate": float("nan")}, r"--learning-rate: nan"),
        ({"beta": 0.0}, r"--beta: 0.0"),
        ({"quantize": "int8"}, r"--quantize: 'int8' .* nf4"),
        ({"schedule": "cosine"}, r"--schedule: 'cosine'"),
        ({"lora_dropout": 1.0}, r"--lora-dropout: 1.0"),
        ({"targets": ()}, r"--targets: '' .* q_proj,v_proj"),
        ({"loss": "sft", "chosen_weight": 0.2}, r"--chosen-weight: 0.2 .* leave it out"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(given: dict[str, Any], message: str) -> None:
    """Flag, value and mend."""
    with pytest.raises(TrainError, match=message):
        TrainConfig(**(TOLD | given))
