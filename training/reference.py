"""What the policy is held against: exactly the weights that training starts from, scored once, before the first step.

Before its first step the policy *is* the reference, so no second copy is ever in memory. What proves that a resumed
run still means the same one: the digest of base and continued adapter, and the log-probabilities of two pairs in
float32, where nothing depends on how a batch was laid out.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import torch

from gateway.adapters.digest import adapter_digest
from training.config import TrainConfig, TrainError
from training.scoring import in_float32, score_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from training.tokens import Encoded

PROBED = 2
TOLERANCE = 1e-3  # nats; float32 on another number of threads moves a sequence by some 1e-5


class Reference(msgspec.Struct):
    """Its identity, and its log-probabilities by pair id: of the chosen and the rejected answer, in nats."""

    digest: str
    probe: list[float]
    log_probs: dict[str, tuple[float, float]] = {}

    def of(self, pairs: Sequence[Encoded]) -> torch.Tensor:
        """(pairs, 2) log-probabilities."""
        return torch.tensor([self.log_probs[pair.pair.id] for pair in pairs])


def reference_digest(base: str, config: TrainConfig) -> str:
    """SHA-256, hex, of what training starts from: the base's weights and the continued adapter's, if any."""
    adapter = adapter_digest(Path(config.adapter)) if config.adapter else "-"
    return hashlib.sha256(f"{base}\n{adapter}\n{config.quantize or '-'}\n".encode()).hexdigest()


def identify(policy: Any, base: str, config: TrainConfig, pairs: Sequence[Encoded]) -> Reference:
    """The reference that the untrained policy is; its pairs are not scored yet."""
    shortest = sorted(pairs, key=lambda pair: (pair.tokens, pair.pair.id))[:PROBED]
    with in_float32(policy):
        probe = score_pairs(policy, shortest, torch.float32).answers.flatten().tolist()
    return Reference(reference_digest(base, config), probe)


def check_same(kept: Reference, found: Reference) -> None:
    """Whether a checkpoint's reference is the one that stands here.

    Raises:
        TrainError: It is not.
    """
    if kept.digest != found.digest:
        raise TrainError(
            f"--resume: the run began from weights {kept.digest[:12]}, and base and adapter here are "
            f"{found.digest[:12]}. Give the ones it began with, or start anew with another --out."
        )
    apart = max(abs(a - b) for a, b in zip(kept.probe, found.probe, strict=True))
    if not apart <= TOLERANCE:
        raise TrainError(
            f"--resume: the reference's log-probabilities differ by {apart:.4f} nats from the run's beginning, with "
            "the same weights. Another chat template or library came between: start anew with another --out."
        )


def score_reference(
    policy: Any,
    reference: Reference,
    batches: Iterable[Sequence[Encoded]],
    dtype: torch.dtype,
    tell: Callable[[int], None],
) -> None:
    """Score what is not scored yet, batch by batch as training will lay them out; `tell` hears of each batch's pairs.

    The same layout gives the same rounding, so that the first step's loss is ln 2 in bfloat16 too.
    """
    for batch in batches:
        if any(pair.pair.id not in reference.log_probs for pair in batch):
            found = score_pairs(policy, batch, dtype, tokens=1 << 30).answers.tolist()
            reference.log_probs |= {pair.pair.id: (a, b) for pair, (a, b) in zip(batch, found, strict=True)}
        tell(len(batch))
