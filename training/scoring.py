"""Log-probabilities of answers: one forward pass for both of a pair, the LM head on answer tokens only.

Trainer, reference, evaluation and loop all score here, so that a number means the same everywhere.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from training.batches import Batch, pack
from training.config import TrainError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from training.tokens import Encoded

HEAD_ROWS = 512  # answer tokens whose logits are held at a time: 100 MB in float32 at 49,152 words
SCORE_TOKENS = 4096  # tokens of a forward pass in `score_pairs`


class Scores(NamedTuple):
    """Of each pair, in nats: (pairs, 2) sums over the chosen and the rejected answer, and their tokens' own."""

    answers: Tensor
    tokens: list[tuple[list[float], list[float]]]


def sequence_log_probs(model: Any, batch: Batch) -> Tensor:
    """(pairs, 2) log-probabilities of the chosen and rejected answers, float32; 0 for an answer that is not there."""
    summed = torch.zeros(2 * len(batch.pairs), dtype=torch.float32, device=batch.ids.device)
    return summed.index_add(0, batch.owner, token_log_probs(model, batch)).view(-1, 2)


def token_log_probs(model: Any, batch: Batch) -> Tensor:
    """(answer tokens,) log-probabilities, float32, in the batch's order; differentiable."""
    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = causal.model(
        input_ids=batch.ids, position_ids=batch.positions, layout=batch.layout, use_cache=False
    ).last_hidden_state[0]
    found: Tensor = _Head.apply(hidden.index_select(0, batch.at), causal.get_output_embeddings().weight, batch.targets)
    return found


def score_pairs(model: Any, pairs: Sequence[Encoded], dtype: torch.dtype, tokens: int = SCORE_TOKENS) -> Scores:
    """Scores of any number of pairs without gradients, in their order; dropout is off.

    Args:
        model: From `training.policy`.
        pairs: Token ids.
        dtype: The model's computing type.
        tokens: At most so many in one forward pass (a longer pair goes alone).
    """
    answers: list[Tensor] = []
    single: list[tuple[list[float], list[float]]] = []
    was_training = model.training
    model.eval()
    for layer in _quantized(model):
        layer.training = True  # bitsandbytes packs layers for inference for good when it sees them evaluate on a CPU
    with torch.no_grad():
        for part in _parts(pairs, tokens):
            batch = pack(part, dtype, model.device)
            found = token_log_probs(model, batch)
            summed = torch.zeros(2 * len(part), device=found.device).index_add(0, batch.owner, found)
            answers.append(summed.view(-1, 2).cpu())
            split = iter(found.split([len(answer) for pair in part for answer in (pair.chosen, pair.rejected)]))
            single += [(chosen.tolist(), next(split).tolist()) for chosen in split]
    model.train(was_training)
    return Scores(torch.cat(answers) if answers else torch.zeros(0, 2), single)


@contextlib.contextmanager
def in_float32(model: Any) -> Iterator[None]:
    """Compute in float32 whatever the weights are, one layer's converted at a time: no second copy is ever whole."""
    hooks = []
    kept: dict[int, list[Tensor]] = {}

    def widen(module: Any, _: Any) -> None:
        own = list(module.parameters(recurse=False))
        kept[id(module)] = [parameter.data for parameter in own]
        for parameter in own:
            parameter.data = parameter.data.float()

    def restore(module: Any, *_: Any) -> None:
        for parameter, data in zip(module.parameters(recurse=False), kept.pop(id(module)), strict=True):
            parameter.data = data

    quantized = _quantized(model)
    computing = [module.compute_dtype for module in quantized]
    for module in quantized:
        module.compute_dtype = torch.float32
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        if own and all(parameter.is_floating_point() for parameter in own):
            hooks.append(module.register_forward_pre_hook(widen))
            hooks.append(module.register_forward_hook(restore, always_call=True))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for module, dtype in zip(quantized, computing, strict=True):
            module.compute_dtype = dtype


def _quantized(model: Any) -> list[Any]:
    return [module for module in model.modules() if hasattr(module, "compute_dtype")]


def _parts(pairs: Sequence[Encoded], tokens: int) -> Iterator[list[Encoded]]:
    part: list[Encoded] = []
    filled = 0
    for pair in pairs:
        if part and filled + pair.tokens > tokens:
            yield part
            part, filled = [], 0
        part.append(pair)
        filled += pair.tokens
    if part:
        yield part


def check_head(model: Any, targets: Sequence[str]) -> None:
    """Whether the head is the plain matrix that is applied here.

    Raises:
        TrainError: It is not, or the adapter would train it.
    """
    if "lm_head" in targets:
        raise TrainError("--targets: 'lm_head' cannot be trained: vLLM serves no adapter on it here. Leave it out.")
    text = model.config
    for name in ("final_logit_softcapping", "logit_scale", "logits_scaling", "attn_logit_softcapping"):
        if getattr(text, name, None) not in (None, 1, 1.0):
            raise TrainError(f"--model: {text.model_type!r} scales its scores ({name}), which is not supported.")
    if getattr(model.get_output_embeddings(), "bias", None) is not None:
        raise TrainError(f"--model: {text.model_type!r} has a biased LM head, which is not supported.")


class _Head(torch.autograd.Function):  # type: ignore[misc]  # mypy does not read torch
    """log softmax(hidden · Wᵀ) at the targets, and its gradient to hidden, both in the forward pass.

    The gradient of a token's log-probability is its scalar times W[target] - p·W: computed while the logits are
    there, so that of (tokens, words) numbers only `HEAD_ROWS` rows ever exist.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        found = []
        slopes = []
        wide = weight if weight.dtype == hidden.dtype else weight.to(hidden.dtype)
        for rows, wanted in zip(hidden.split(HEAD_ROWS), targets.split(HEAD_ROWS), strict=True):
            logits = (rows @ wide.T).float()
            log_sums = logits.logsumexp(-1)
            found.append(logits.gather(-1, wanted.unsqueeze(-1)).squeeze(-1) - log_sums)
            if ctx.needs_input_grad[0]:
                shares = logits.sub_(log_sums.unsqueeze(-1)).exp_().to(wide.dtype)
                slopes.append(wide[wanted] - shares @ wide)
        if slopes:
            ctx.save_for_backward(torch.cat(slopes))
        return torch.cat(found)

    @staticmethod
    def backward(ctx: Any, *grown: Tensor) -> tuple[Tensor, None, None]:
        (slopes,) = ctx.saved_tensors
        return slopes * grown[0].unsqueeze(-1).to(slopes.dtype), None, None
