"""What lies beside an adapter, and that it can be used without us."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from peft import PeftModel
from safetensors.torch import load_file
from tiny_model import some_pairs
from transformers import AutoModelForCausalLM

from gateway.adapters.digest import adapter_digest
from gateway.engine.checkpoint import DigestCache, base_digest
from gateway.preferences.pairs import write_pairs
from training.config import read_config
from training.publish import code_version, read_provenance
from training.trainer import train

if TYPE_CHECKING:
    from conftest import Configure


def test_an_adapter_says_what_it_was_made_from(configure: Configure, tmp_path: Path) -> None:
    """Digests of base, data, reference and itself, seed, code and result; no path of the machine it was made on."""
    import hashlib  # noqa: PLC0415

    config = configure(seed=3)
    pairs = some_pairs(6)
    outcome = train(config, pairs, name="incidents", version=2)
    out = Path(config.out)
    found = read_provenance(out)
    assert found.base_digest == base_digest(Path(config.model), DigestCache(tmp_path / "digests"))
    assert found.adapter_digest == adapter_digest(out)
    assert (found.dataset.name, found.dataset.version, found.dataset.pairs) == ("incidents", 2, 6)
    assert found.dataset.digest == hashlib.sha256(write_pairs(pairs)).hexdigest()
    assert (found.loss, found.seed, found.code_version) == ("dpo", 3, code_version())
    assert len(found.reference_digest) == 64
    assert (found.metrics.steps, found.metrics.margin) == (outcome.steps, outcome.margin)
    assert read_config(out / "run.json").seed == 3
    card = (out / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: peft\n")
    assert "incidents@2" in card
    assert list((out / "tensorboard").iterdir())
    for file in ("wardgate.json", "run.json", "README.md", "adapter_config.json", "metrics.jsonl"):
        assert str(tmp_path) not in (out / file).read_text(), file


def test_an_adapter_is_in_peft_layout_and_small(configure: Configure) -> None:
    """PEFT loads it onto the base as it is; weights are bfloat16 unless asked for otherwise."""
    config = configure()
    train(config, some_pairs(4))
    weights = load_file(Path(config.out) / "adapter_model.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.bfloat16}
    told = json.loads((Path(config.out) / "adapter_config.json").read_text())
    assert (told["r"], told["target_modules"], told["inference_mode"]) == (4, ["q_proj", "v_proj"], True)
    base = AutoModelForCausalLM.from_pretrained(config.model, dtype=torch.float32)
    loaded = PeftModel.from_pretrained(base, config.out)
    assert loaded(input_ids=torch.tensor([[1, 2, 3]])).logits.isfinite().all()


def test_the_same_run_gives_the_same_bytes(configure: Configure, tmp_path: Path) -> None:
    """Weights and configuration alike, so that two runs can be compared by digest."""
    digests = []
    for name in ("one", "two"):
        config = configure(out=str(tmp_path / name), lora_dropout=0.1)
        train(config, some_pairs(8))
        digests.append(adapter_digest(Path(config.out)))
    assert digests[0] == digests[1]
