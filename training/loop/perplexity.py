"""Perplexity on ordinary text: what was learned must not have cost the rest."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Literal

import yaml

from gateway.preferences.pairs import Message, Pair
from training.evidence import Perplexity
from training.noise import hush

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Arm = Literal["base", "before", "after"]
MAX_LENGTH = 1024
QUESTION = "Write a few sentences about {}."  # the texts are read as answers: a served model meets no others


def texts() -> dict[str, str]:
    """The named texts."""
    read: dict[str, str] = yaml.safe_load((files("training.loop") / "ordinary.yaml").read_bytes())
    return {name: " ".join(text.split()) for name, text in read.items()}


def perplexities(model: Path, adapters: Mapping[Arm, Path | None]) -> list[Perplexity]:
    """Each text's negative log-likelihood in nats, in float32, under each arm's adapter (None: the base alone)."""
    hush()
    import torch  # noqa: PLC0415  # seconds, which the loop's other parts need not wait for

    from training.policy import load_adapted, load_tokenizer  # noqa: PLC0415
    from training.scoring import in_float32, score_pairs  # noqa: PLC0415
    from training.tokens import encode_pairs  # noqa: PLC0415

    named = texts()
    asked = [Pair((Message("user", QUESTION.format(name)),), text) for name, text in named.items()]
    encoded = encode_pairs(load_tokenizer(str(model)), asked, MAX_LENGTH, for_sft=True).pairs
    rows: list[Perplexity] = []
    for arm, adapter in adapters.items():
        policy = load_adapted(str(model), None if adapter is None else str(adapter), torch.bfloat16)
        with in_float32(policy):
            sums = score_pairs(policy, encoded, torch.float32).answers[:, 0].tolist()
        rows += [
            Perplexity(arm, name, -total, len(pair.chosen))
            for name, total, pair in zip(named, sums, encoded, strict=True)
        ]
    return rows
