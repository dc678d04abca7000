"""The loss of one optimiser step, in as many forward passes as it takes: weights are normalised over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from training.losses.dpo import dpo
from training.losses.sft import sft

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from training.config import TrainConfig
    from training.tokens import Encoded


def strengths(config: TrainConfig, pairs: Sequence[Encoded]) -> Tensor:
    """(pairs,) β of each: `--beta`, or the pair's own."""
    return torch.tensor([pair.pair.strength if config.beta is None else config.beta for pair in pairs])


def mean_strength(config: TrainConfig, pairs: Sequence[Encoded]) -> float:
    """Mean β of a data set, which `--balance` makes every pair's push; plain, whatever the pairs' weights."""
    return float(strengths(config, pairs).double().mean())


class StepLoss:
    """The loss of the pairs of one step.

    DPO: Σ w·s·loss ÷ Σ w, where s = mean β ÷ β with `--balance`, else 1. To it comes `--chosen-weight` times
    Σ w·NLL(chosen) ÷ Σ w·tokens(chosen): a mean over tokens, as in RPO and TRL's `sft` term, so that long answers do
    not outweigh the preference. SFT is that second term alone.
    """

    def __init__(self, config: TrainConfig, pairs: Sequence[Encoded], mean_beta: float) -> None:
        self._config = config
        self._mean_beta = mean_beta
        self._weight = sum(pair.pair.weight for pair in pairs)
        self._tokens = sum(pair.pair.weight * len(pair.chosen) for pair in pairs)

    def share(self, pairs: Sequence[Encoded], policy: Tensor, reference: Tensor | None) -> Tensor:
        """What some of the step's pairs add to its loss, scalar.

        Args:
            pairs: Those of one forward pass.
            policy: (pairs, 2) log-probabilities of chosen and rejected.
            reference: Likewise; None for SFT.
        """
        weight = torch.tensor([pair.pair.weight for pair in pairs], device=policy.device)
        likelihood = (weight * sft(policy[:, 0])).sum() / self._tokens
        if reference is None:
            return likelihood
        beta = strengths(self._config, pairs).to(policy.device)
        scale = self._mean_beta / beta if self._config.balance else torch.ones_like(beta)
        preference = (weight * scale * dpo(policy, reference, beta)).sum() / self._weight
        return preference + self._config.chosen_weight * likelihood if self._config.chosen_weight else preference
