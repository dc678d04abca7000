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
    fused: bool = False,
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
        fused: Take torch's kernel, as on a GPU, whatever the device.
    """
    scale = module.head_dim**-0.5 if scaling is None else scaling
    explicit = not fused and query.device.type == "cpu" and query.dtype == torch.bfloat16 and not dropout
    groups = getattr(module, "num_key_value_groups", 1)
    if groups > 1 and not explicit:
        key = key.repeat_interleave(groups, dim=1)
        value = value.repeat_interleave(groups, dim=1)
    sizes, masks = zip(*layout, strict=True)
    seen = []
    for q, k, v, mask in zip(query.split(sizes, 2), key.split(sizes, 2), value.split(sizes, 2), masks, strict=True):
        if explicit:
            found = _Explicit.apply(q, k, v, mask, scale)
        else:
            found = scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout, scale=scale)
        seen.append(found.transpose(1, 2))
    return torch.cat(seen, dim=1), None


class _Explicit(torch.autograd.Function):  # type: ignore[misc]  # mypy does not read torch
    """softmax(q·kᵀ)·v as three products: a third of the time that torch's CPU kernel takes with a mask in bfloat16.

    Keys are shared by groups of heads without being repeated, and the (tokens, tokens) shares are computed again on
    the way back, so that nothing of that size outlives its layer.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, scale: float) -> Tensor:  # noqa: PLR0917
        ctx.save_for_backward(query, key, value, mask)
        ctx.scale = scale
        return torch.bmm(_shares(query, key, mask, scale), value[0]).view(query.shape)

    @staticmethod
    def backward(ctx: Any, *grown: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        query, key, value, mask = ctx.saved_tensors
        groups, _, width = key.shape[1:]
        shares = _shares(query, key, mask, ctx.scale)
        slope = grown[0].reshape(groups, -1, width)
        by_value = torch.bmm(shares.transpose(1, 2), slope)
        by_score = torch._softmax_backward_data(  # noqa: SLF001  # what autograd itself calls
            torch.bmm(slope, value[0].transpose(1, 2)), shares, -1, shares.dtype
        ).mul_(ctx.scale)
        by_query = torch.bmm(by_score, key[0]).view(query.shape)
        by_key = torch.bmm(by_score.transpose(1, 2), query.reshape(groups, -1, width))
        return by_query, by_key.unsqueeze(0), by_value.unsqueeze(0), None, None


def _shares(query: Tensor, key: Tensor, mask: Tensor, scale: float) -> Tensor:
    """(groups, heads of a group by tokens, tokens) softmax of the scores."""
    groups, tokens, width = key.shape[1:]
    scores = torch.bmm(query.reshape(groups, -1, width) * scale, key[0].transpose(1, 2))
    scores.view(-1, tokens, tokens).add_(mask)
    return scores.softmax(-1)


def pair_mask(prompt: int, chosen: int, rejected: int, dtype: torch.dtype) -> Tensor:
    """Who sees whom in one pair: 0 where the row's token sees the column's, -inf elsewhere."""
    size = prompt + chosen + rejected
    hidden = torch.ones(size, size, dtype=torch.bool).triu(1)
    hidden[prompt + chosen :, prompt : prompt + chosen] = True
    return torch.zeros(size, size, dtype=dtype).masked_fill_(hidden, float("-inf"))


def register() -> None:
    """Let transformers find it by its name; doing it again changes nothing."""
    AttentionInterface.register(NAME, packed_attention)
