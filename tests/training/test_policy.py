"""Models and adapters that cannot be trained are told of before anything is."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
import torch
from tiny_model import some_pairs

from training.config import TrainError
from training.policy import adapter_weights, build_policy, load_base, load_tokenizer
from training.trainer import train

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Configure


def test_only_the_adapter_learns_and_it_does_so_in_float32(configure: Configure) -> None:
    """The base is frozen in its own dtype; a new adapter changes nothing yet and depends on the seed alone."""
    policies = [build_policy(configure(dtype="bfloat16", seed=seed)) for seed in (1, 1, 2)]
    weights = [adapter_weights(policy) for policy in policies]
    assert {weight.dtype for weight in weights[0].values()} == {torch.float32}
    assert all("lora_" in name for name in weights[0])
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert not all(torch.equal(weights[0][name], weights[2][name]) for name in weights[0])
    assert all(not weight.any() for name, weight in weights[0].items() if "lora_B" in name)


def test_targets_that_the_model_does_not_have_are_refused(configure: Configure) -> None:
    """With the names that it has."""
    with pytest.raises(TrainError, match=r"--targets: 'qkv' is not in this model. It has: .*q_proj"):
        build_policy(configure(targets=("qkv",)))


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    """Tokenizer and weights, each by its name."""
    with pytest.raises(TrainError, match=r"--model: .* no usable tokenizer"):
        load_tokenizer(str(tmp_path))
    with pytest.raises(TrainError, match=r"--model: .* cannot be loaded"):
        load_base(str(tmp_path), torch.float32)


def test_an_adapter_that_does_not_fit_is_refused(configure: Configure, tmp_path: Path) -> None:
    """Nothing there, another kind, another base's shape, a file cut short: one line each."""
    first = configure(out=str(tmp_path / "first"))
    train(first, some_pairs(4))
    with pytest.raises(TrainError, match=r"--adapter: .*nowhere.* cannot be put on this base"):
        build_policy(configure(adapter=str(tmp_path / "nowhere")))
    other = tmp_path / "other"
    shutil.copytree(first.out, other)
    told = json.loads((other / "adapter_config.json").read_text())
    (other / "adapter_config.json").write_text(json.dumps(told | {"peft_type": "IA3"}))
    with pytest.raises(TrainError, match="is of type IA3"):
        build_policy(configure(adapter=str(other)))
    (other / "adapter_config.json").write_text(json.dumps(told | {"r": 3}))
    with pytest.raises(TrainError, match=r"--adapter: .* cannot be put on this base"):
        build_policy(configure(adapter=str(other)))
    (other / "adapter_config.json").write_text(json.dumps(told))
    (other / "adapter_model.safetensors").write_bytes(b"\x08\x00")
    with pytest.raises(TrainError, match=r"--adapter: .* cannot be put on this base"):
        build_policy(configure(adapter=str(other)))
