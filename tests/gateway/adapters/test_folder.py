"""Which adapters can be served: each reason to refuse one, by the words a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from made_adapters import BASE, PREFIX, RANK, safetensors, shapes, write

from gateway.adapters.digest import adapter_digest
from gateway.adapters.folder import AdapterRefused, check_folder, read_shapes
from gateway.engine.limits import Limits

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = Limits(rank=16, slots=4, modules=frozenset(("q_proj", "k_proj", "v_proj", "o_proj")))
HIGH = Limits(rank=1)


def test_a_good_adapter_is_known_by_rank_digest_and_base(tmp_path: Path) -> None:
    """What its maker wrote beside it counts before what PEFT's config says."""
    folder = write(tmp_path / "a", provenance={"base_model": "org/other", "base_digest": "b" * 64, "loss": "dpo"})
    checked = check_folder(folder, LIMITS, read_shapes(BASE))
    assert checked == (RANK, adapter_digest(folder), "org/other", "b" * 64, checked.provenance)
    assert b'"loss":"dpo"' in checked.provenance
    plain = check_folder(write(tmp_path / "b"), LIMITS, None)
    assert (plain.base_model, plain.base_digest, plain.provenance) == ("org/base-model", "", b"")


def test_half_a_rank_pattern_is_served_at_its_highest(tmp_path: Path) -> None:
    weights = safetensors(shapes(rank=5))
    folder = write(tmp_path, weights, rank_pattern={"q_proj": 5, "v_proj": 5})
    assert check_folder(folder, LIMITS, read_shapes(BASE)).rank == 5


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"peft_type": "IA3"}, "peft_type is 'IA3'"),
        ({"r": 0}, "r is 0, not a rank"),
        ({"r": "8"}, "r is '8', not a rank"),
        ({"lora_alpha": None}, "lora_alpha is None"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save is"),
        ({"bias": "all"}, "bias is 'all'"),
        ({"use_dora": True}, "use_dora is True"),
        ({"layer_replication": [[0, 2]]}, "layer_replication"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights is 'pissa'"),
        ({"r": 4}, "do not fit the base model at rank 4"),
    ],
)
def test_what_vllm_cannot_serve_is_refused_by_its_config(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(AdapterRefused, match=words):
        check_folder(write(tmp_path, **changes), LIMITS, read_shapes(BASE))


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({}, "holds no tensor"),
        (shapes() | {"base_model.model.lm_head.weight": [4, 4]}, "is no LoRA side"),
        (shapes() | {"base_model.model.model.embed_tokens.lora_embedding_A": [2, 4]}, "is no LoRA side"),
        (shapes(sides={"q_proj": (16, 8)}), "was it trained on another model"),
        (shapes(sides={"gate_proj": (16, 32)}), "the target module 'gate_proj' is not among"),
        (shapes(layers=3), "layers.2"),
        ({f"{PREFIX}.0.self_attn.q_proj.lora_A.weight": [2, 16]}, "do not fit"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_tensors(tmp_path: Path, named: dict[str, list[int]], words: str) -> None:
    with pytest.raises(AdapterRefused, match=words):
        check_folder(write(tmp_path, safetensors(named)), LIMITS, read_shapes(BASE))


def test_a_rank_above_the_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AdapterRefused, match="the rank 2 is above vLLM's limit of 1"):
        check_folder(write(tmp_path), HIGH, None)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("adapter_config.json", None, "adapter_config.json: is not there"),
        ("adapter_config.json", b"[]", "is no JSON object"),
        ("adapter_config.json", b"\xff{", "is no JSON object"),
        ("adapter_config.json", b" " * (1 << 20) + b"{}", "more than the 1048576"),
        ("adapter_model.safetensors", None, "adapter_model.safetensors: is not there"),
        ("adapter_model.safetensors", b"\x80\x04.", "renamed pickle"),
        ("adapter_model.bin", b"\x80\x04.", "a pickle can run code"),
        ("wardgate.json", b'{"adapter_digest": "0"}', "they changed"),
        ("wardgate.json", b"{", "wardgate.json: is no JSON object"),
    ],
)
def test_a_file_that_is_missing_broken_or_unsafe_is_named(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    folder = write(tmp_path)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(AdapterRefused, match=words):
        check_folder(folder, LIMITS, None)


def test_a_config_that_says_too_little_gives_no_shapes() -> None:
    assert read_shapes({"hidden_size": 16}) is None
    known = read_shapes(BASE)
    assert known is not None
    assert (known.layers, known.sides["v_proj"]) == (2, (16, 8))
