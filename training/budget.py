"""What a training step costs on a GPU that is not at hand: `python -m training.budget --shape 8b|70b`.

Operations and memory by part of one forward and backward pass of DPO, at the shapes of Llama-3-8B in bf16 and
Llama-3-70B in NF4, against one A100 with 80 GiB. Counted on tensors without content (`training.trace`); not measured.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from cyclopts import App

from training.shapes import SHAPES, nf4_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from training.shapes import Shape
    from training.trace import Step, Trace

GIB = 2**30
A100_BYTES = 80 * GIB
A100_FLOPS = 312e12  # dense bf16, NVIDIA's data sheet
USED = 0.4  # of them, where training is done well (torchtitan reports 33-39 % for 8B, Megatron-Core 47 % for 175B)
UNSEEN = 3 * GIB  # CUDA's context, kernels' workspaces, the allocator's gaps
app = App(name="python -m training.budget", help=__doc__)


class Memory(NamedTuple):
    """Bytes by part; their sum is what is alive at most."""

    weights: int
    adapter: int
    gradients: int
    optimiser: int
    activations: int
    head: int
    passing: int

    @property
    def total(self) -> int:
        return sum(self)

    @property
    def lasting(self) -> int:
        """What is there however few tokens go through."""
        return self.weights + self.adapter + self.gradients + self.optimiser

    def room(self, tokens: int, gpu: int = A100_BYTES) -> int:
        """Tokens that one pass may have beside what lasts, all parts growing with them; a lower bound."""
        return max(0, int(tokens * (gpu - UNSEEN - self.lasting) / (self.total - self.lasting)))


def weight_bytes(shape: Shape, quantize: str | None) -> int:
    """The frozen base: bf16, or NF4 in the layers and bf16 in embedding, norms and head."""
    layers = sum(nf4_bytes(numbers) for numbers in shape.quantized()) if quantize == "nf4" else 2 * shape.body
    return layers + 2 * (shape.head + shape.rest)


def memory(shape: Shape, step: Step, trace: Trace, quantize: str | None) -> Memory:
    """By part. The adapter learns in float32, and AdamW keeps two numbers for each of its own."""
    adapter = 4 * shape.adapted(step.rank, step.targets)
    # A layer's map is bf16 for as long as it is multiplied with.
    widened = 2 * max(shape.quantized()) if quantize == "nf4" else 0
    passing = max(0, trace.peak - trace.activations - trace.head - adapter) + widened
    weights = weight_bytes(shape, quantize)
    return Memory(weights, adapter, adapter, 2 * adapter, trace.activations, trace.head, passing)


def floor(shape: Shape, step: Step) -> int:
    """4N: forward and the way to the activations, 2 FLOPs a number each; the head on answer tokens only."""
    return 4 * (shape.body * step.tokens + shape.head * step.answer_tokens)


def two_rows(shape: Shape, step: Step) -> int:
    """The same pairs as rows of their own with recomputing and a reference scored along (TRL's defaults): 8N."""
    rows = step.pairs * (2 * step.prompt + step.chosen + step.rejected)
    return 8 * (shape.body * rows + shape.head * step.answer_tokens)


@app.default
def main(
    *,
    shape: Literal["135m", "8b", "70b"] = "8b",
    quantize: Literal["nf4", "none"] | None = None,
    pairs: int = 4,
    prompt: int = 512,
    answer: int = 128,
    json_: bool = False,
) -> int:
    """Print operations and memory of one pass, with and without recomputing activations.

    Example: python -m training.budget --shape 70b --pairs 1

    Parameters
    ----------
    shape
        The model's size.
    quantize
        What holds the base; NF4 for 70b, bf16 otherwise, unless said.
    pairs
        Pairs in one forward pass.
    prompt
        Tokens of each prompt.
    answer
        Tokens of each of the two answers.
    json_
        Print one line of JSON.
    """
    found = budget(shape, quantize or ("nf4" if shape == "70b" else "none"), pairs, prompt, answer)
    sys.stdout.write((json.dumps(found) if json_ else table(found)) + "\n")
    return 0


def budget(name: str, quantize: str, pairs: int, prompt: int, answer: int) -> dict[str, Any]:
    """Everything that is printed, as numbers."""
    from training.trace import Step, trace_step  # noqa: PLC0415  # torch, which --help can do without

    shape = SHAPES[name]
    passes = {}
    for label, recompute in (("kept", False), ("recomputed", True)):
        step = Step(pairs, prompt, answer, answer, recompute=recompute)
        trace = trace_step(shape, step)
        parts = memory(shape, step, trace, quantize)
        passes[label] = {
            "flops": trace.forward + trace.backward,
            "flops_attention": trace.attending,
            "flops_against_floor": (trace.forward + trace.backward - trace.attending) / floor(shape, step),
            "bytes": parts._asdict(),
            "bytes_total": parts.total,
            "tokens_that_fit": parts.room(step.tokens),
        }
    return {
        "shape": shape.name,
        "quantize": quantize,
        "tokens": step.tokens,
        "answer_tokens": step.answer_tokens,
        "floor": floor(shape, step),
        "two_rows": two_rows(shape, step),
        "logits_if_all_were_held": 4 * step.answer_tokens * shape.vocabulary,
        "passes": passes,
    }


def table(found: dict[str, Any]) -> str:
    """As a person reads it."""
    kept, again = found["passes"]["kept"], found["passes"]["recomputed"]
    held = "NF4" if found["quantize"] == "nf4" else "bf16"
    lines = [
        f"{found['shape']}, base in {held}: {found['tokens']:,} tokens a pass, {found['answer_tokens']:,} of answers",
        "",
        f"{'':44}{'kept':>12}{'recomputed':>12}",
    ]

    def add(label: str, form: str, of: Callable[[dict[str, Any]], float]) -> None:
        lines.append(f"{label:44}{of(kept):>12{form}}{of(again):>12{form}}")

    add("TFLOP, counted", ".1f", lambda each: each["flops"] / 1e12)
    add("  of which attention's scores", ".1f", lambda each: each["flops_attention"] / 1e12)
    add("  the rest against 4N", ".3f", lambda each: each["flops_against_floor"])
    add("  all against 8N on two rows a pair", ".3f", lambda each: each["flops"] / found["two_rows"])
    add("seconds at 40 % of 312 TFLOP/s (no measure)", ".2f", lambda each: each["flops"] / USED / A100_FLOPS)
    lines.append("")
    for part, label in (
        ("weights", "weights, GiB"),
        ("adapter", "adapter, float32"),
        ("gradients", "its gradients"),
        ("optimiser", "its optimiser"),
        ("activations", "activations kept for the way back"),
        ("head", "what the head keeps, answer tokens only"),
        ("passing", "highest passing above that"),
    ):
        add(label, ".2f", lambda each, part=part: each["bytes"][part] / GIB)  # type: ignore[misc]
    add("sum", ".2f", lambda each: each["bytes_total"] / GIB)
    lines.append(f"{'fits 80 GiB less 3 for what is not seen':44}{_fits(kept):>12}{_fits(again):>12}")
    add("tokens of one pass that would fit", ",", lambda each: each["tokens_that_fit"])
    lines.append(f"(logits of these answers, were they held: {found['logits_if_all_were_held'] / GIB:.2f} GiB a copy)")
    return "\n".join(lines)


def _fits(each: dict[str, Any]) -> str:
    return "yes" if each["bytes_total"] <= A100_BYTES - UNSEEN else "no"


if __name__ == "__main__":
    app()
