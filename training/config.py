"""Everything a training run was told: frozen, and kept beside the adapter as `run.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from gateway.engine import embedded

LOSSES = ("dpo", "sft")
LATER = ("simpo", "orpo", "ipo", "hinge", "cdpo", "robust", "kto", "grpo", "ppo")
RUN = "run.json"
# What a model of 135M needs to learn anything at all in minutes: the recipe below is for 8B and up.
EMBEDDED = {
    "batch_size": 16,
    "accumulate": 1,
    "learning_rate": 5e-4,
    "lora_r": 8,
    "lora_alpha": 16,
    "lora_dropout": 0.0,
    "targets": ("q_proj", "v_proj"),
}


class TrainError(ValueError):
    """A run that cannot begin or go on; the message names the field, the value and the mend."""


class TrainConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run.

    Attributes:
        loss: Training formula, `dpo` or `sft`.
        model: Folder with the base model's checkpoint.
        out: Folder of the adapter; appears whole, or not at all.
        adapter: Folder of an adapter that is trained further; the reference is then base + that adapter.
        epochs: Times every pair is seen.
        batch_size: Pairs in one forward pass.
        accumulate: Forward passes in one optimiser step; pairs' weights are normalised over the whole step.
        learning_rate: Highest rate of AdamW.
        schedule: `linear` falls to 0 at the last step, `constant` stays.
        warmup: Share of the steps in which the rate rises to its highest.
        gradient_norm: Gradients are scaled down to this norm.
        beta: β of every pair; None takes each pair's own.
        balance: Scale each pair's loss by mean β ÷ its β, so that a low β is not a low learning rate.
        chosen_weight: DPO only: this many times the chosen answers' mean negative log-likelihood a token is added
            to the loss; 0 is plain DPO.
        max_length: Tokens of prompt and answer; a longer prompt loses its oldest text, answers are never cut.
        lora_r: Rank of a new adapter.
        lora_alpha: Its scale, times rank.
        lora_dropout: Share of its inputs left out in training.
        targets: Linear layers that get one, by the last part of their name.
        quantize: `nf4` holds the base in four bits.
        dtype: Of the base's weights in memory; the adapter learns in float32.
        recompute: Compute activations again on the way back: less memory, a third more time.
        save_dtype: Of the adapter's file.
        seed: Of the adapter's beginning, the order and the dropout.
        checkpoint_seconds: Time between checkpoints; one is always written when a run is interrupted.
    """

    loss: str
    model: str
    out: str
    adapter: str | None = None
    epochs: int = 1
    batch_size: int = 4
    accumulate: int = 8
    learning_rate: float = 5e-6
    schedule: str = "linear"
    warmup: float = 0.1
    gradient_norm: float = 1.0
    beta: float | None = None
    balance: bool = False
    chosen_weight: float = 0.0
    max_length: int = 1024
    lora_r: int = 16
    lora_alpha: int = 32
    lora_dropout: float = 0.05
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")
    quantize: str | None = None
    dtype: str = "bfloat16"
    recompute: bool = False
    save_dtype: str = "bfloat16"
    seed: int = 0
    checkpoint_seconds: float = 120.0

    def __post_init__(self) -> None:
        if self.loss in LATER:
            raise TrainError(f"--loss: {self.loss!r} is not built yet. Take one of: {', '.join(LOSSES)}.")
        for field, allowed in (
            ("loss", LOSSES),
            ("schedule", ("linear", "constant")),
            ("quantize", (None, "nf4")),
            ("dtype", ("bfloat16", "float32")),
            ("save_dtype", ("bfloat16", "float32")),
        ):
            if getattr(self, field) not in allowed:
                raise _unusable(field, getattr(self, field), f"Take one of: {', '.join(str(a) for a in allowed)}.")
        for field, least, most in (
            ("epochs", 1, 1000),
            ("batch_size", 1, 100_000),
            ("accumulate", 1, 100_000),
            ("learning_rate", 1e-12, 1.0),
            ("warmup", 0, 1),
            ("gradient_norm", 1e-6, 1e6),
            ("beta", 1e-6, 10),
            ("chosen_weight", 0, 1000),
            ("max_length", 16, 1_000_000),
            ("lora_r", 1, 512),
            ("lora_alpha", 1, 10_000),
            ("lora_dropout", 0, 0.99),
            ("checkpoint_seconds", 0, 1e9),
        ):
            value = getattr(self, field)
            if value is not None and not least <= value <= most:
                raise _unusable(field, value, f"Give a number from {least} to {most}.")
        if not self.targets:
            raise _unusable("targets", "", "Name at least one linear layer, like q_proj,v_proj.")
        if self.loss == "sft" and self.chosen_weight:
            raise _unusable("chosen_weight", self.chosen_weight, "SFT learns the chosen answers anyway: leave it out.")

    @property
    def pairs_a_step(self) -> int:
        return self.batch_size * self.accumulate

    def to_json(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def make_config(given: dict[str, Any]) -> TrainConfig:
    """A run as told; what is None was not, and comes from the model's preset.

    Raises:
        TrainError: A value cannot be used.
    """
    told = {name: value for name, value in given.items() if value is not None}
    preset: dict[str, Any] = EMBEDDED if Path(told["model"]).name == embedded.NAME else {}
    return TrainConfig(**(preset | told))


def read_config(file: Path) -> TrainConfig:
    """What `run.json` says.

    Raises:
        TrainError: It says something that cannot be used.
        OSError: It cannot be read.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=TrainConfig)
    except msgspec.MsgspecError as error:
        raise TrainError(
            f"{file}: {error}. It was written by another version; start anew with another --out."
        ) from error


def _unusable(field: str, value: object, mend: str) -> TrainError:
    return TrainError(f"--{field.replace('_', '-')}: {value!r} cannot be used. {mend}")
