"""Adapters made of nothing but bytes, good and broken, for tests that need no model."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

# The base model they fit: four heads of four, two of them for keys and values.
BASE = {
    "hidden_size": 16,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
}
SIDES = {"q_proj": (16, 16), "v_proj": (16, 8)}
RANK = 2
PREFIX = "base_model.model.model.layers"
ONE = struct.pack("<f", 0.5)


def config(**changes: Any) -> dict[str, Any]:
    """What PEFT writes, as far as it matters."""
    plain: dict[str, Any] = {
        "peft_type": "LORA",
        "base_model_name_or_path": "org/base-model",
        "r": RANK,
        "lora_alpha": 4,
        "target_modules": sorted(SIDES),
        "bias": "none",
        "modules_to_save": None,
    }
    return plain | changes


def shapes(rank: int = RANK, layers: int = 1, sides: dict[str, tuple[int, int]] | None = None) -> dict[str, list[int]]:
    """The tensors' names and shapes."""
    named = {}
    for layer in range(layers):
        for module, (inputs, outputs) in (sides or SIDES).items():
            stem = f"{PREFIX}.{layer}.self_attn.{module}"
            named[f"{stem}.lora_A.weight"] = [rank, inputs]
            named[f"{stem}.lora_B.weight"] = [outputs, rank]
    return named


def safetensors(named: dict[str, list[int]], value: bytes = ONE, dtype: str = "F32") -> bytes:
    """A file in which every number is `value`."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, shape in named.items():
        count = 1
        for side in shape:
            count *= side
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + count * len(value)]}
        data += value * count
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def write(folder: Path, weights: bytes | None = None, provenance: dict[str, Any] | None = None, **changes: Any) -> Path:
    """A folder as PEFT's save_pretrained leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps(config(**changes)))
    (folder / "adapter_model.safetensors").write_bytes(safetensors(shapes()) if weights is None else weights)
    if provenance is not None:
        (folder / "wardgate.json").write_text(json.dumps(provenance))
    return folder
