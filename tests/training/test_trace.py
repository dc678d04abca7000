"""Counted operations and bytes, against arithmetic on paper and against the same step on real tensors."""

from __future__ import annotations

import contextlib

import pytest
import torch

from training import trace
from training.shapes import SHAPES, Shape
from training.trace import Step, trace_step

TINY = Shape("tiny", hidden=64, intermediate=160, layers=3, heads=4, key_value_heads=2, vocabulary=300)
STEP = Step(pairs=2, prompt=20, chosen=7, rejected=9, rank=4)


def lora_flops(shape: Shape, step: Step) -> int:
    """Each of A and B: forward, its own gradient and its input's, but in the first layer q, k and v need no input's."""
    total = 0
    for layer in range(shape.layers):
        for name in step.targets:
            rows, columns = shape.matrices[name]
            first = layer == 0 and name != "o_proj"
            total += 2 * step.rank * step.tokens * (3 * rows + (2 if first else 3) * columns)
    return total


def test_operations_are_those_on_paper() -> None:
    """All there is: 2N forward, 2N back less the first layer's inputs, the head twice, LoRA, scores."""
    found = trace_step(TINY, STEP)
    width, shared = 36, TINY.matrices
    first = sum(shared[name][0] * shared[name][1] for name in ("q_proj", "k_proj", "v_proj"))
    scores = TINY.layers * STEP.pairs * width**2 * TINY.hidden
    by_hand = (
        4 * TINY.body * STEP.tokens
        - 2 * first * STEP.tokens
        + 4 * TINY.head * STEP.answer_tokens
        + lora_flops(TINY, STEP)
        + (2 * 2 + 5 * 2) * scores
    )
    assert found.attending == 14 * scores
    assert found.forward + found.backward == by_hand


def test_recomputing_costs_one_more_forward_pass_at_most() -> None:
    """What recomputing adds lies between nothing and the layers' forward pass."""
    kept, again = trace_step(TINY, STEP), trace_step(TINY, STEP._replace(recompute=True))
    assert again.forward == kept.forward
    assert 0 < again.backward - kept.backward <= kept.forward - 4 * TINY.head * STEP.answer_tokens


def test_recomputing_keeps_the_layers_inputs_only() -> None:
    """With recomputing, one more layer keeps its input in bf16 and nothing else."""
    step = STEP._replace(recompute=True)
    deeper = TINY._replace(layers=4)
    more = trace_step(deeper, step).activations - trace_step(TINY, step).activations
    assert more == 2 * step.tokens * TINY.hidden


@pytest.mark.parametrize("recompute", [False, True], ids=["kept", "recomputed"])
def test_fake_tensors_weigh_what_real_ones_do(recompute: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same step on tensors with content keeps the same bytes, and is as high at most."""
    step = STEP._replace(recompute=recompute)
    fake = trace_step(TINY, step)
    monkeypatch.setattr(trace, "FakeTensorMode", contextlib.nullcontext)
    real = trace_step(TINY, step)
    assert real[:5] == fake[:5]
    assert real.peak == pytest.approx(fake.peak, rel=0.01)


def test_real_step_has_gradients_where_the_adapter_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is traced is a whole step of learning: every matrix of the adapter gets a gradient, the base none."""
    monkeypatch.setattr(trace, "FakeTensorMode", contextlib.nullcontext)
    model = trace._skeleton(TINY, STEP, torch.bfloat16)
    trace._embody(model)
    trace._loss(model, trace._batch(STEP, torch.bfloat16)).backward()
    learned = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert learned == {name for name, _ in model.named_parameters() if "lora_" in name}
    assert len(learned) == 2 * 4 * TINY.layers


def test_eight_billion_are_traced_without_memory() -> None:
    """Two layers of 8B's width are counted, and 4N is the floor that it stands on."""
    shape = SHAPES["8b"]._replace(layers=2)
    step = Step()
    found = trace_step(shape, step)
    paper = 4 * (shape.body * step.tokens + shape.head * step.answer_tokens)
    assert (found.forward + found.backward - found.attending) / paper == pytest.approx(1, abs=0.02)
    assert found.head == 2 * step.answer_tokens * shape.hidden
