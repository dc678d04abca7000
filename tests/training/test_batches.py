"""Order and layout of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from tiny_model import some_pairs

from training.batches import pack, plan_epoch
from training.policy import load_tokenizer
from training.tokens import Encoded, encode_pairs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def pairs(tiny: Path) -> list[Encoded]:
    return encode_pairs(load_tokenizer(str(tiny)), some_pairs(21), 1024).pairs


def test_every_pair_stands_once_in_an_epoch(pairs: list[Encoded]) -> None:
    """Nothing is left out at its end, and nothing comes twice."""
    plan = plan_epoch(pairs, 4, 2, seed=1, epoch=0)
    assert sorted(index for step in plan for part in step for index in part) == list(range(21))
    assert [sum(map(len, step)) for step in plan] == [8, 8, 5]


def test_order_hangs_on_seed_and_epoch_alone(pairs: list[Encoded]) -> None:
    """The same seed gives the same order, another seed or epoch another one."""
    orders = [plan_epoch(pairs, 4, 2, seed, epoch) for seed, epoch in ((1, 0), (1, 0), (2, 0), (1, 1))]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    assert orders[0] != orders[3]


def test_a_step_holds_the_same_pairs_however_it_is_split(pairs: list[Encoded]) -> None:
    """1 by 8 and 4 by 2 are the same step."""

    def steps(batch_size: int, accumulate: int) -> list[set[int]]:
        plan = plan_epoch(pairs, batch_size, accumulate, seed=3, epoch=2)
        return [{index for part in step for index in part} for step in plan]

    assert steps(1, 8) == steps(4, 2) == steps(8, 1)


def test_a_forward_pass_holds_pairs_of_like_length(pairs: list[Encoded]) -> None:
    """Within a step the shortest go together."""
    for step in plan_epoch(pairs, 2, 4, seed=1, epoch=0):
        lengths = [pairs[index].tokens for part in step for index in part]
        assert lengths == sorted(lengths)


def test_a_pack_holds_the_prompt_once_and_no_padding(pairs: list[Encoded]) -> None:
    """Both answers go on from the prompt's positions, and each token's predictor stands right before it."""
    batch = pack(pairs[:3], torch.float32)
    assert batch.ids.shape[1] == sum(pair.tokens for pair in pairs[:3])
    at = iter(zip(batch.at.tolist(), batch.targets.tolist(), batch.owner.tolist(), strict=True))
    start = 0
    for number, pair in enumerate(pairs[:3]):
        row = batch.ids[0, start : start + pair.tokens].tolist()
        assert row == [*pair.prompt, *pair.chosen, *pair.rejected]
        positions = batch.positions[0, start : start + pair.tokens].tolist()
        opened, middle = len(pair.prompt), len(pair.prompt) + len(pair.chosen)
        assert positions[:middle] == list(range(middle))
        assert positions[middle:] == list(range(opened, opened + len(pair.rejected)))
        for side, answer in enumerate((pair.chosen, pair.rejected)):
            for place, token in enumerate(answer):
                predictor, target, owner = next(at)
                assert (target, owner) == (token, 2 * number + side)
                assert batch.positions[0, predictor] == opened + place - 1
        start += pair.tokens
    assert next(at, None) is None


def test_answers_of_a_pair_do_not_see_each_other(pairs: list[Encoded]) -> None:
    """The mask hides the chosen answer from the rejected one, and the future from everything."""
    pair = pairs[0]
    _, mask = pack([pair], torch.float32).layout[0]
    opened, middle = len(pair.prompt), len(pair.prompt) + len(pair.chosen)
    seen = mask == 0
    assert not seen[middle:, opened:middle].any()
    assert not seen.triu(1).any()
    assert seen[middle:, :opened].all()
    assert torch.equal(seen.sum(1)[:middle], torch.arange(1, middle + 1))
