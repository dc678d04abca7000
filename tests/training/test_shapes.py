"""Sizes against published models and against what bitsandbytes really keeps."""

from __future__ import annotations

import pytest
import torch
from bitsandbytes.functional import quantize_4bit

from training.shapes import SHAPES, nf4_bytes


@pytest.mark.parametrize(
    ("name", "published"),
    [("135m", 134_515_008), ("8b", 8_030_261_248), ("70b", 70_553_706_496)],
)
def test_shape_has_the_published_number_of_parameters(name: str, published: int) -> None:
    """The parts add up to the number of parameters that the model's card names."""
    shape = SHAPES[name]
    assert shape.body + shape.head + shape.rest == published


def test_adapter_is_counted_by_hand() -> None:
    """Rank 16 on q, k, v and o of 8B: 32 layers of 16 numbers for each row and column."""
    targets = ("q_proj", "k_proj", "v_proj", "o_proj")
    assert SHAPES["8b"].adapted(16, targets) == 32 * 16 * (8192 + 5120 + 5120 + 8192) == 13_631_488


@pytest.mark.parametrize("size", [(64, 64), (512, 1024), (1000, 333), (96, 257)], ids=str)
def test_nf4_takes_what_bitsandbytes_keeps(size: tuple[int, int]) -> None:
    """The bytes of a matrix that bitsandbytes quantised are those of the formula, to the byte."""
    packed, state = quantize_4bit(torch.randn(size), quant_type="nf4", compress_statistics=True)
    inner = state.state2
    kept = (packed, state.absmax, state.code, state.offset, inner.absmax, inner.code)
    assert sum(tensor.numel() * tensor.element_size() for tensor in kept) == nf4_bytes(size[0] * size[1])


def test_nf4_of_70b_by_hand() -> None:
    """Half a byte, 1/64 and 1/4096 of one for each number, and 1,092 bytes of tables for each of 560 matrices."""
    body = 80 * (2 * 8192 * 8192 + 2 * 1024 * 8192 + 3 * 28_672 * 8192)
    by_hand = body // 2 + body // 64 + body // 4096 + 80 * 7 * (4 + 64 + 1024)
    assert sum(nf4_bytes(numbers) for numbers in SHAPES["70b"].quantized()) == by_hand
