"""Which pairs make a step and a forward pass, in which order, and how they lie in memory."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

import torch

from training.attention import pair_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from training.tokens import Encoded


class Batch(NamedTuple):
    """Pairs packed into one row of tokens, nothing padded.

    Attributes:
        pairs: What they were made of, in order.
        ids: (1, tokens) token ids.
        positions: (1, tokens) places within each pair; both answers go on from the prompt's.
        layout: Each pair's size and mask, for `training.attention`.
        at: (answer tokens,) where in the row the token before each answer token stands: what predicts it.
        targets: (answer tokens,) the answer tokens' ids.
        owner: (answer tokens,) 2 * pair for the chosen answer's, 2 * pair + 1 for the rejected one's.
    """

    pairs: tuple[Encoded, ...]
    ids: Tensor
    positions: Tensor
    layout: tuple[tuple[int, Tensor], ...]
    at: Tensor
    targets: Tensor
    owner: Tensor


def pack(pairs: Sequence[Encoded], dtype: torch.dtype, device: torch.device | str = "cpu") -> Batch:
    """Lay pairs out for one forward pass; `dtype` is the model's, for the masks."""
    ids: list[int] = []
    positions: list[int] = []
    at: list[int] = []
    owner: list[int] = []
    targets: list[int] = []
    layout = []
    for number, pair in enumerate(pairs):
        start, last = len(ids), len(ids) + len(pair.prompt) - 1
        ids += (*pair.prompt, *pair.chosen, *pair.rejected)
        positions += range(len(pair.prompt))
        begin = start + len(pair.prompt)
        for side, answer in enumerate((pair.chosen, pair.rejected)):
            positions += range(len(pair.prompt), len(pair.prompt) + len(answer))
            at += (last, *range(begin, begin + len(answer) - 1)) if answer else ()
            targets += answer
            owner += [2 * number + side] * len(answer)
            begin += len(answer)
        mask = pair_mask(len(pair.prompt), len(pair.chosen), len(pair.rejected), dtype).to(device)
        layout.append((pair.tokens, mask))
    row = torch.tensor([ids, positions], device=device).unsqueeze(1)
    ends = torch.tensor([at, targets, owner], device=device)
    return Batch(tuple(pairs), row[0], row[1], tuple(layout), ends[0], ends[1], ends[2])


def plan_epoch(
    pairs: Sequence[Encoded], batch_size: int, accumulate: int, seed: int, epoch: int
) -> list[list[list[int]]]:
    """The epoch's optimiser steps, each a list of forward passes, each a list of indices into `pairs`.

    Every pair stands in it once, in an order that only seed and epoch decide. Which pairs make a step does not depend
    on how it is split, so 1 by 8 and 4 by 2 are the same step; within it, forward passes hold pairs of like length.
    """
    order = list(range(len(pairs)))
    random.Random(f"{seed}:{epoch}").shuffle(order)  # noqa: S311  # an order, not a secret
    size = batch_size * accumulate
    steps = [order[at : at + size] for at in range(0, len(order), size)]
    return [_split(pairs, step, batch_size) for step in steps]


def _split(pairs: Sequence[Encoded], step: list[int], batch_size: int) -> list[list[int]]:
    alike = sorted(step, key=lambda index: pairs[index].tokens)
    return [alike[at : at + batch_size] for at in range(0, len(alike), batch_size)]
