"""One training step on tensors that have shapes and no content: its operations and its memory, counted, not run.

The step is the trainer's own (its packing, attention, head and loss) on a model of transformers and peft, so what is
counted is what runs; only kernels' own workspaces and the allocator's rounding are not seen.
"""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from peft import LoraConfig, get_peft_model
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count
from transformers import AttentionInterface, LlamaConfig, LlamaForCausalLM

from gateway.preferences.pairs import Message, Pair
from training import attention
from training.batches import Batch, pack
from training.losses.dpo import dpo
from training.scoring import sequence_log_probs
from training.tokens import Encoded

if TYPE_CHECKING:
    from training.shapes import Shape

_FLASH = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu  # noqa: SLF001  # what a fake tensor attends by
_FLASH_BACK = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward  # noqa: SLF001

_FUSED = "wardgate_fused"  # attention as a GPU has it, though the tensors say that they are the CPU's


class Step(NamedTuple):
    """What one forward pass goes through: so many pairs, each of so many tokens.

    Attributes:
        pairs: In one forward and backward pass.
        prompt: Tokens of each prompt.
        chosen: Tokens of each chosen answer.
        rejected: Tokens of each rejected one.
        rank: Of the adapter.
        targets: What it adapts.
        dropout: Of its inputs.
        recompute: Whether activations are computed again on the way back.
    """

    pairs: int = 4
    prompt: int = 512
    chosen: int = 128
    rejected: int = 128
    rank: int = 16
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")
    dropout: float = 0.05
    recompute: bool = False

    @property
    def tokens(self) -> int:
        """Tokens that go through the model: a prompt counts once."""
        return self.pairs * (self.prompt + self.chosen + self.rejected)

    @property
    def answer_tokens(self) -> int:
        return self.pairs * (self.chosen + self.rejected)


class Trace(NamedTuple):
    """What was counted.

    Attributes:
        forward: FLOPs of the forward pass (a multiplication and an addition are two).
        backward: FLOPs of the way back, recomputing included.
        attending: Of both together, those of attention's scores.
        activations: Bytes that the layers keep for the way back.
        head: Bytes that the LM head keeps besides.
        peak: Highest sum of bytes that were alive beside the model at once.
    """

    forward: int
    backward: int
    attending: int
    activations: int
    head: int
    peak: int


def trace_step(shape: Shape, step: Step, dtype: torch.dtype = torch.bfloat16) -> Trace:
    """Count one step of DPO; takes seconds of one core at any shape."""
    model = _skeleton(shape, step, dtype)
    with FakeTensorMode():
        _embody(model)
        batch = _batch(step, dtype)
        counter = FlopCounterMode(display=False, custom_mapping={_FLASH: _attend, _FLASH_BACK: _attend_back})
        with counter:
            loss = _loss(model, batch)
            forward = counter.get_total_flops()
            loss.backward()
        model.zero_grad(set_to_none=True)
        # Apart: the counter's own hooks keep recomputed activations alive.
        ledger = _Ledger(model)
        with ledger:
            loss = _loss(model, batch)
            held = ledger.now
            loss.backward()
    counts = counter.get_flop_counts()["Global"]
    attending = counts.get(_FLASH, 0) + counts.get(_FLASH_BACK, 0)
    slopes = step.answer_tokens * shape.hidden * dtype.itemsize  # all that the head keeps, see `training.scoring`
    return Trace(forward, counter.get_total_flops() - forward, attending, held - slopes, slopes, ledger.peak)


def _loss(model: Any, batch: Batch) -> torch.Tensor:
    scores = sequence_log_probs(model, batch)
    return dpo(scores, torch.zeros_like(scores.detach()), torch.full((len(scores),), 0.1)).mean()


def _skeleton(shape: Shape, step: Step, dtype: torch.dtype) -> Any:
    AttentionInterface.register(_FUSED, partial(attention.packed_attention, fused=True))
    config = LlamaConfig(
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_value_heads,
        vocab_size=shape.vocabulary,
        tie_word_embeddings=shape.tied,
        attn_implementation=_FUSED,
    )
    lora = LoraConfig(r=step.rank, lora_dropout=step.dropout, target_modules=list(step.targets), task_type="CAUSAL_LM")
    with torch.device("meta"):
        base = LlamaForCausalLM(config).to(dtype).requires_grad_(requires_grad=False)
        model = get_peft_model(base, lora, low_cpu_mem_usage=True)
    if step.recompute:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    return model.train()


def _embody(model: Any) -> None:
    """Give every parameter a fake tensor in the place of its meta one, and dropout the kernel that a GPU has."""
    for module in model.modules():
        for name, parameter in module._parameters.items():  # noqa: SLF001  # torch has no public way to replace one
            if parameter is not None:
                fake = torch.empty(parameter.shape, dtype=parameter.dtype, device="cpu")
                module._parameters[name] = torch.nn.Parameter(fake, parameter.requires_grad)  # noqa: SLF001
        for name, buffer in module._buffers.items():  # noqa: SLF001
            if buffer is not None:
                module._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype, device="cpu")  # noqa: SLF001
        for name, child in module.named_children():
            if isinstance(child, torch.nn.Dropout):
                setattr(module, name, _FusedDropout(child.p))
    model.tie_weights()


def _batch(step: Step, dtype: torch.dtype) -> Batch:
    pair = Encoded(
        Pair((Message("user", "?"),), "a", "b"), (1,) * step.prompt, (1,) * step.chosen, (1,) * step.rejected
    )
    return pack([pair] * step.pairs, dtype)


def _attend(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return int(sdpa_flop_count(query, key, value))


def _attend_back(grown: Any, query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return int(sdpa_backward_flop_count(grown, query, key, value))


class _FusedDropout(torch.nn.Module):  # type: ignore[misc]  # as below
    """Dropout as CUDA has it: a byte a number is kept, where the CPU keeps a float."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        kept: torch.Tensor = torch.native_dropout(given, self.share, train=True)[0]
        return kept


class _Ledger(TorchDispatchMode):  # type: ignore[misc]  # torch is not read by mypy
    """Bytes of tensors that are alive beside the model's own, now and at most."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known: set[int] = set()
        for tensor in (*model.parameters(), *model.buffers()):
            self._known.add(tensor.untyped_storage()._cdata)  # noqa: SLF001  # a storage's identity

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(made):
            if isinstance(leaf, torch.Tensor):
                self._meet(leaf.untyped_storage())
        return made

    def _meet(self, storage: Any) -> None:
        if storage._cdata not in self._known:  # noqa: SLF001
            self._known.add(storage._cdata)  # noqa: SLF001
            self.now += storage.nbytes()
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._part, storage._cdata, storage.nbytes())  # noqa: SLF001

    def _part(self, identity: int, size: int) -> None:
        self._known.discard(identity)
        self.now -= size
