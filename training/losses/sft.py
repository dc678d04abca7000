"""Supervised fine-tuning: the chosen answer's negative log-likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def sft(chosen: Tensor) -> Tensor:
    """(answers,) losses from (answers,) log-probabilities, in nats an answer.

    The trainer divides their weighted sum by the weighted number of tokens of the whole step, so that every token
    counts alike, as in pre-training.
    """
    return -chosen
