"""Adapters that should be loaded are loaded, in a real vLLM."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save_file
from serving import serve

from gateway.adapters.digest import adapter_digest
from gateway.store.database import Store
from gateway.store.records import Adapter, AdapterState, By

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.vllm

HIDDEN, KEYS = 576, 192  # SmolLM2-135M: width of the model, and of its three key-value heads


def write_adapter(folder: Path) -> Path:
    """A LoRA of rank 1 on one layer that changes nothing."""
    folder.mkdir()
    prefix = "base_model.model.model.layers.0.self_attn"
    weights = {}
    for name, width in (("q_proj", HIDDEN), ("v_proj", KEYS)):
        weights[f"{prefix}.{name}.lora_A.weight"] = np.zeros((1, HIDDEN), np.float32)
        weights[f"{prefix}.{name}.lora_B.weight"] = np.zeros((width, 1), np.float32)
    save_file(weights, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": 1, "lora_alpha": 1, "target_modules": ["q_proj", "v_proj"], "bias": "none"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def test_a_registered_adapter_is_loaded_and_answers_under_its_version(tmp_path: Path, vllm_url: str) -> None:
    """A gateway that starts finds in its store what should be loaded, loads it, and serves alias and version."""
    home = tmp_path / "home"
    home.mkdir()
    path = write_adapter(tmp_path / "adapter")
    now, by = time.time_ns() // 1000, By("me")
    store = Store(f"sqlite:///{home}/store.sqlite3")
    store.adapters.register(Adapter("ops", "1", str(path), adapter_digest(path), "", 1, now), by)
    store.adapters.move("ops@1", AdapterState.LOADED, by)
    store.aliases.promote("aiops", "ops@1", by)
    store.close()
    gateway = serve(home, "--upstream", vllm_url, "--aligned", "none")
    try:
        gateway.wait_ready(60)
        for model in ("aiops", "ops@1"):
            chat = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4}
            status, answer = gateway.post("/v1/chat/completions", chat)
            assert (status, answer["wardgate"]["adapter"], answer["model"]) == (200, "ops@1", "ops@1")
        assert [item["id"] for item in gateway.get("/admin/adapters")[1]["data"]] == ["ops@1"]
        record = gateway.get(f"/admin/inferences/{answer['id']}")[1]
        assert (record["alias"], record["adapter"]) == ("ops@1", "ops@1")
    finally:
        assert gateway.stop() == 0
