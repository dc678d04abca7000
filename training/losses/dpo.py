"""Direct preference optimisation (Rafailov et al. 2023, eq. 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn.functional import logsigmoid

if TYPE_CHECKING:
    from torch import Tensor


def margin(policy: Tensor, reference: Tensor, beta: Tensor) -> Tensor:
    """β times how much further than the reference the policy tells the two answers apart, in nats.

    Args:
        policy: (pairs, 2) log-probabilities of the chosen and the rejected answer.
        reference: The same of the reference.
        beta: (pairs,).
    """
    gained = policy - reference
    return beta * (gained[:, 0] - gained[:, 1])


def dpo(policy: Tensor, reference: Tensor, beta: Tensor) -> Tensor:
    """(pairs,) losses; ln 2 each where policy and reference agree. Arguments as for `margin`."""
    return -logsigmoid(margin(policy, reference, beta))
