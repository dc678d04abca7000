"""Losses against rows worked by hand, and what a step makes of them."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from gateway.preferences.objectives import Objective
from gateway.preferences.pairs import Message, Pair
from training.config import TrainConfig
from training.losses.dpo import dpo, margin
from training.losses.sft import sft
from training.losses.step import StepLoss, mean_strength
from training.tokens import Encoded

# policy chosen, policy rejected, reference chosen, reference rejected, β, margin, loss = ln(1 + e^-margin)
ROWS = (
    (-10.0, -12.0, -10.0, -12.0, 0.1, 0.0, 0.6931472),  # where training begins
    (-10.0, -10.0, -10.0, -10.0, 0.3, 0.0, 0.6931472),  # a tie in both
    (-9.0, -14.0, -10.0, -12.0, 0.1, 0.3, 0.5543552),
    (-12.0, -10.0, -10.0, -12.0, 0.1, -0.4, 0.9130153),
    (-9.0, -14.0, -10.0, -12.0, 0.05, 0.15, 0.6209573),
    (0.0, -2000.0, 0.0, 0.0, 0.3, 600.0, 0.0),  # no overflow either way
    (-2000.0, 0.0, 0.0, 0.0, 0.3, -600.0, 600.0),
)


def columns() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rows = torch.tensor(ROWS)
    return rows[:, 0:2], rows[:, 2:4], rows[:, 4]


def made(
    weight: float = 1.0, objective: Objective = Objective.TONE, tokens: int = 3, beta: float | None = None
) -> Encoded:
    pair = Pair((Message("user", "why?"),), "yes", "no", objective=objective, weight=weight, beta=beta)
    return Encoded(pair, (1, 2), tuple(range(tokens)), (5,))


def told(**given: Any) -> TrainConfig:
    return TrainConfig(**({"loss": "dpo", "model": "m", "out": "o"} | given))


def test_dpo_on_rows_worked_by_hand() -> None:
    """Margin and loss, ties and extremes included."""
    policy, reference, beta = columns()
    assert margin(policy, reference, beta).tolist() == pytest.approx([row[5] for row in ROWS], abs=1e-4)
    assert dpo(policy, reference, beta).tolist() == pytest.approx([row[6] for row in ROWS], abs=1e-5)


def test_the_gradient_of_dpo_begins_at_half_of_beta() -> None:
    """β·sigmoid(-margin) up for the chosen, down for the rejected: β/2 at the start."""
    policy, reference, beta = columns()
    policy.requires_grad_()
    dpo(policy, reference, beta).sum().backward()
    pushes = [row[4] / (1 + math.exp(row[5])) for row in ROWS]
    assert policy.grad is not None
    assert policy.grad[:, 0].tolist() == pytest.approx([-push for push in pushes], abs=1e-6)
    assert policy.grad[:, 1].tolist() == pytest.approx(pushes, abs=1e-6)
    assert policy.grad[0].tolist() == pytest.approx([-0.05, 0.05])


def test_sft_is_the_negative_log_likelihood() -> None:
    """In nats an answer."""
    assert sft(torch.tensor([-3.0, 0.0])).tolist() == [3.0, 0.0]


def test_weights_are_normalised_over_the_whole_step() -> None:
    """However the step is split: weights 1 and 3 make shares of a quarter and three quarters."""
    pairs = [made(1.0), made(3.0)]
    policy = torch.tensor([[-9.0, -14.0], [-12.0, -10.0]])
    reference = torch.tensor([[-10.0, -12.0], [-10.0, -12.0]])
    step = StepLoss(told(), pairs, 0.1)
    whole = step.share(pairs, policy, reference).item()
    halves = [step.share([pairs[at]], policy[at : at + 1], reference[at : at + 1]).item() for at in range(2)]
    assert whole == pytest.approx(0.25 * 0.5543552 + 0.75 * 0.9130153)
    assert sum(halves) == pytest.approx(whole)


def test_each_pair_has_its_own_beta_unless_one_is_told() -> None:
    """Safety .05 and accuracy .3 from the objective, a pair's own β before it, `--beta` before both."""
    pairs = [made(objective=Objective.SAFETY), made(objective=Objective.ACCURACY), made(beta=0.2)]
    policy = torch.tensor([[1.0, 0.0]] * 3)
    reference = torch.zeros(3, 2)
    expected = [math.log1p(math.exp(-beta)) for beta in (0.05, 0.3, 0.2)]
    found = StepLoss(told(), pairs, 0.1).share(pairs, policy, reference).item()
    assert found == pytest.approx(sum(expected) / 3)
    found = StepLoss(told(beta=0.5), pairs, 0.1).share(pairs, policy, reference).item()
    assert found == pytest.approx(math.log1p(math.exp(-0.5)))


def test_balance_gives_every_pair_the_same_push_at_the_start() -> None:
    """Scaled by mean β ÷ β, the gradient of a safety pair is that of an accuracy pair; unscaled it is a sixth."""
    pairs = [made(objective=Objective.SAFETY), made(objective=Objective.ACCURACY)]
    pushes = {}
    for balance in (False, True):
        config = told(balance=balance)
        policy = torch.zeros(2, 2, requires_grad=True)
        mean = mean_strength(config, pairs)
        StepLoss(config, pairs, mean).share(pairs, policy, torch.zeros(2, 2)).backward()
        assert policy.grad is not None
        pushes[balance] = policy.grad[:, 1].tolist()
    assert pushes[False][1] == pytest.approx(6 * pushes[False][0])
    assert pushes[True] == pytest.approx([0.175 / 4, 0.175 / 4])


def test_the_chosen_weight_adds_likelihood_a_token() -> None:
    """W times the weighted mean over the step's chosen tokens; 0 is plain DPO."""
    pairs = [made(1.0, tokens=2), made(2.0, tokens=4)]
    policy = torch.tensor([[-9.0, -14.0], [-12.0, -10.0]])
    plain, mixed = (
        StepLoss(told(chosen_weight=weight), pairs, 0.1).share(pairs, policy, policy).item() for weight in (0.0, 0.2)
    )
    assert plain == pytest.approx(math.log(2))
    assert mixed - plain == pytest.approx(0.2 * (9.0 + 2 * 12.0) / (2 + 2 * 4))


def test_sft_counts_every_token_alike() -> None:
    """The step's loss is nats a token, weighted."""
    pairs = [made(1.0, tokens=2), made(2.0, tokens=4)]
    policy = torch.tensor([[-9.0, 0.0], [-12.0, 0.0]])
    step = StepLoss(told(loss="sft"), pairs, 0.1)
    assert step.share(pairs, policy, None).item() == pytest.approx((9.0 + 2 * 12.0) / 10)
