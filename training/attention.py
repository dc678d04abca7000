"""Attention for packed pairs: one row of tokens without padding, each pair's prompt once, its answers side by side.

A pair lies as prompt, chosen, rejected. Both answers see the prompt and themselves, never each other, and their
positions go on from the prompt's: the model computes what it would for two rows, for P + C + R tokens, not 2P + C + R.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

if TYPE_CHECKING:
    from torch import Tensor

NAME = "wardgate_packed"


def packed_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,  # noqa: ARG001  # transformers' signature; the layout says who sees whom
    *,
    layout: tuple[tuple[int, Tensor], ...],
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, None]:
    """As transformers calls it: (1, heads, tokens, width) → (1, tokens, heads, width).

    Args:
        module: The attention layer; asked for how many heads share a key.
        query: Of all pairs, one behind the other.
        key: Likewise.
        value: Likewise.
        attention_mask: Not used.
        layout: A pair's number of tokens and its (tokens, tokens) mask: 0 where one sees the other, else -inf.
        scaling: Of the scores.
        dropout: Of the attention's weights.
    """
    sizes = [size for size, _ in layout]
    groups = getattr(module, "num_key_value_groups", 1)
    if groups > 1:
        key = key.repeat_interleave(groups, dim=1)
        value = value.repeat_interleave(groups, dim=1)
    pieces = zip(query.split(sizes, 2), key.split(sizes, 2), value.split(sizes, 2), layout, strict=True)
    seen = [
        scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout, scale=scaling).transpose(1, 2)
        for q, k, v, (_, mask) in pieces
    ]
    return torch.cat(seen, dim=1), None


def pair_mask(prompt: int, chosen: int, rejected: int, dtype: torch.dtype) -> Tensor:
    """Who sees whom in one pair: 0 where the row's token sees the column's, -inf elsewhere."""
    size = prompt + chosen + rejected
    hidden = torch.ones(size, size, dtype=torch.bool).triu(1)
    hidden[prompt + chosen :, prompt : prompt + chosen] = True
    return torch.zeros(size, size, dtype=dtype).masked_fill_(hidden, float("-inf"))


def register() -> None:
    """Let transformers find it by its name; doing it again changes nothing."""
    AttentionInterface.register(NAME, packed_attention)
