"""The model that learns: a frozen base and the adapter on it, new or continued."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
from transformers.utils import logging as transformers_logging

from training import attention
from training.config import TrainConfig, TrainError
from training.scoring import check_head

if TYPE_CHECKING:
    from collections.abc import Mapping

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}


def load_tokenizer(model: str) -> Any:
    """The model's tokenizer, from its folder.

    Raises:
        TrainError: There is none.
    """
    try:
        return AutoTokenizer.from_pretrained(model, local_files_only=True)
    except (OSError, ValueError) as error:
        raise TrainError(
            f"--model: {model!r} has no usable tokenizer: {_first_line(error)}. Give the folder of a whole checkpoint."
        ) from error


def load_base(model: str, dtype: torch.dtype, quantize: str | None = None) -> Any:
    """The frozen base on the GPU where there is one, attending as packed pairs need it (see `training.scoring`).

    Raises:
        TrainError: It cannot be loaded, or is of a kind that cannot be trained here.
    """
    attention.register()
    transformers_logging.disable_progress_bar()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    four_bits = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )
    try:
        base = AutoModelForCausalLM.from_pretrained(
            model,
            dtype=dtype,
            device_map={"": device},
            attn_implementation=attention.NAME,
            local_files_only=True,
            quantization_config=four_bits if quantize == "nf4" else None,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise TrainError(
            f"--model: {model!r} cannot be loaded: {_first_line(error)}. Give the folder of a whole checkpoint."
        ) from error
    if getattr(base.config, "sliding_window", None) and getattr(base.config, "use_sliding_window", True):
        raise TrainError(
            f"--model: {base.config.model_type!r} attends through a sliding window, which is not supported."
        )
    return base.requires_grad_(False)


def load_adapted(
    model: str, adapter: str | None, dtype: torch.dtype, *, quantize: str | None = None, trainable: bool = False
) -> Any:
    """The base with an adapter of a folder on it, or alone.

    Raises:
        TrainError: One of them cannot be loaded.
    """
    base = load_base(model, dtype, quantize)
    return base if adapter is None else _continued(base, adapter, trainable=trainable)


def build_policy(config: TrainConfig) -> Any:
    """What the run begins with: base and continued adapter, or base and a new one, which changes nothing yet.

    Raises:
        TrainError: Model, adapter or targets cannot be used.
    """
    base = load_base(config.model, DTYPES[config.dtype], config.quantize)
    check_head(base, config.targets)
    if config.adapter is not None:
        policy = _continued(base, config.adapter, trainable=True)
    else:
        torch.manual_seed(config.seed)
        try:
            policy = get_peft_model(base, _lora(config))
        except ValueError as error:
            names = sorted({name.rpartition(".")[2] for name, module in base.named_modules() if _linear(module)})
            raise TrainError(
                f"--targets: {','.join(config.targets)!r} is not in this model. It has: {', '.join(names)}."
            ) from error
    if config.recompute:
        policy.gradient_checkpointing_enable({"use_reentrant": False})
    return policy


def adapter_weights(policy: Any) -> Mapping[str, torch.Tensor]:
    """What learns, by the names of the model's parameters."""
    return {name: parameter for name, parameter in policy.named_parameters() if parameter.requires_grad}


def _lora(config: TrainConfig) -> LoraConfig:
    return LoraConfig(
        r=config.lora_r,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules=list(config.targets),
        task_type="CAUSAL_LM",
    )


def _continued(base: Any, adapter: str, *, trainable: bool) -> Any:
    try:
        kind = json.loads((Path(adapter) / "adapter_config.json").read_bytes())["peft_type"]
        if kind != "LORA":
            raise TrainError(f"--adapter: {adapter!r} is of type {kind}. Give a LoRA adapter.")
        policy = PeftModel.from_pretrained(base, adapter, is_trainable=trainable)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        if isinstance(error, TrainError):
            raise
        raise TrainError(
            f"--adapter: {adapter!r} cannot be put on this base: {_first_line(error)}. Give the folder of an adapter "
            "that was trained on it."
        ) from error
    return policy


def _linear(module: Any) -> bool:
    return isinstance(module, torch.nn.Linear)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300].rstrip(".")
