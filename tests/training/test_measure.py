"""Scores of held-out pairs, against transformers' own log-softmax computed plainly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from peft import PeftModel
from tiny_model import some_pairs
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.measure import Setting, measure
from training.trainer import train

if TYPE_CHECKING:
    from conftest import Configure

    from training.config import TrainConfig
    from training.evidence import LogProb


@pytest.fixture
def trained(configure: Configure) -> TrainConfig:
    config = configure(epochs=2)
    train(config, some_pairs(8))
    return config


def plain(config: TrainConfig, adapter: str | None, prompt: str, answer: str) -> list[float]:
    """Each answer token's log-probability by one unpadded row through transformers and peft, in float32."""
    tokenizer: Any = AutoTokenizer.from_pretrained(config.model)
    model: Any = AutoModelForCausalLM.from_pretrained(config.model, dtype=torch.float32)
    if adapter:
        model = PeftModel.from_pretrained(model, adapter)
    opened = f"<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"
    asked = tokenizer(opened, add_special_tokens=False)["input_ids"]
    answered = tokenizer(f"{answer}<|im_end|>", add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        scores = model.eval()(torch.tensor([asked + answered])).logits[0].log_softmax(-1)
    return [float(scores[len(asked) - 1 + at, token]) for at, token in enumerate(answered)]


def test_scores_are_transformers_own(trained: TrainConfig) -> None:
    """Both arms of every pair are what a plain forward pass and log-softmax give, to a ten-thousandth of a nat."""
    pairs = some_pairs(12)[8:]
    found = measure(Setting(trained.model, None, trained.out, "float32"), pairs, lambda _: None)
    assert len(found.logprobs) == 16
    by_id = {pair.id: pair for pair in pairs}
    for row in found.logprobs:
        pair = by_id[row.pair]
        adapter = trained.out if row.arm == "after" else None
        expected = plain(trained, adapter, pair.prompt[0].content, getattr(pair, row.side))
        assert row.logprob == pytest.approx(sum(expected), abs=1e-4)
        assert row.tokens == len(expected)


def test_quantized_base_is_scored_in_float32(trained: TrainConfig) -> None:
    """Over a base in NF4 the numbers are those of what bitsandbytes widens, near the plain ones and not the same."""
    pairs = some_pairs(10)[8:]
    plain_rows, rows = (
        measure(Setting(trained.model, None, trained.out, "float32", kind), pairs, lambda _: None).logprobs
        for kind in (None, "nf4")
    )
    apart = [abs(a.logprob - b.logprob) / b.tokens for a, b in zip(rows, plain_rows, strict=True)]
    assert 1e-4 < max(apart) < 1


def test_worked_pair_adds_up(trained: TrainConfig) -> None:
    """The worked answers' tokens make up their text and their sums are the pair's own log-probabilities."""
    pairs = some_pairs(8)
    found = measure(Setting(trained.model, None, trained.out, "float32"), pairs, lambda _: None, pairs[5].id[:10])
    assert found.worked is not None
    assert found.worked.pair == pairs[5].id
    assert "".join(token.text for token in found.worked.rejected) == f"{pairs[5].rejected}<|im_end|>"
    rows = {(row.arm, row.side): row for row in found.logprobs if row.pair == pairs[5].id}
    for side in ("chosen", "rejected"):
        for arm in ("before", "after"):
            total = sum(getattr(token, arm) for token in getattr(found.worked, side))
            assert total == pytest.approx(rows[arm, side].logprob)


def test_typical_provocation_is_picked(trained: TrainConfig) -> None:
    """Without being told, it works the safety pair whose rejected answer lost the median."""
    found = measure(Setting(trained.model, None, trained.out, "float32"), some_pairs(15), lambda _: None)
    safety = sorted(_lost(row, found.logprobs) for row in found.logprobs if _is(row, "safety"))
    assert found.worked is not None
    assert found.worked.objective == "safety"
    worked = next(row for row in found.logprobs if row.pair == found.worked.pair and _is(row, "safety"))
    assert _lost(worked, found.logprobs) == safety[(len(safety) - 1) // 2]


def test_training_is_seen(trained: TrainConfig) -> None:
    """On the pairs that it was trained on, the rejected answers lost against the chosen ones."""
    found = measure(Setting(trained.model, None, trained.out, "float32"), some_pairs(8), lambda _: None)
    change = {"chosen": 0.0, "rejected": 0.0}
    for row in found.logprobs:
        change[row.side] += row.logprob if row.arm == "after" else -row.logprob
    assert change["rejected"] < change["chosen"] - 1


def _is(row: LogProb, objective: str) -> bool:
    return (row.arm, row.side, row.objective) == ("after", "rejected", objective)


def _lost(row: LogProb, rows: list[LogProb]) -> float:
    before = next(other for other in rows if (other.pair, other.side, other.arm) == (row.pair, row.side, "before"))
    return row.logprob - before.logprob
