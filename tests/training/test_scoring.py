"""Scores of packed pairs against transformers' own forward pass, one answer at a time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from tiny_model import some_pairs

from training import scoring
from training.attention import packed_attention, pair_mask
from training.batches import pack
from training.config import TrainError
from training.policy import adapter_weights, build_policy, load_base, load_tokenizer
from training.scoring import check_head, in_float32, score_pairs, sequence_log_probs
from training.tokens import Encoded, encode_pairs

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Configure


def encoded(model: Path | str, count: int) -> list[Encoded]:
    return encode_pairs(load_tokenizer(str(model)), some_pairs(count), 1024).pairs


def plainly(model: Any, pair: Encoded, answer: tuple[int, ...]) -> torch.Tensor:
    """Log-probability of an answer the slow way: its own row, all logits."""
    ids = torch.tensor([[*pair.prompt, *answer]])
    logits = model(input_ids=ids).logits[0, len(pair.prompt) - 1 : -1].float()
    return logits.log_softmax(-1)[torch.arange(len(answer)), torch.tensor(answer)].sum()


def both(model: Any, pairs: list[Encoded]) -> torch.Tensor:
    return torch.stack([torch.stack([plainly(model, p, p.chosen), plainly(model, p, p.rejected)]) for p in pairs])


def in_rows(policy: Any) -> Any:
    """The same model as transformers attends by itself."""
    (policy.get_base_model() if hasattr(policy, "get_base_model") else policy).set_attn_implementation("sdpa")
    return policy


def test_packed_scores_are_those_of_each_answer_alone(tiny: Path) -> None:
    """Sharing the prompt and leaving out padding changes no log-probability."""
    pairs = encoded(tiny, 9)
    model = load_base(str(tiny), torch.float32)
    scored = score_pairs(model, pairs, torch.float32, tokens=200)
    assert torch.allclose(scored.answers, both(in_rows(model), pairs).detach(), atol=1e-4)


def test_a_sequence_is_the_sum_of_its_tokens(tiny: Path) -> None:
    """Token scores come in the answers' order, one for each token, the end of turn among them."""
    pairs = encoded(tiny, 5)
    scored = score_pairs(load_base(str(tiny), torch.float32), pairs, torch.float32)
    for pair, sums, (chosen, rejected) in zip(pairs, scored.answers.tolist(), scored.tokens, strict=True):
        assert (len(chosen), len(rejected)) == (len(pair.chosen), len(pair.rejected))
        assert [sum(chosen), sum(rejected)] == pytest.approx(sums, abs=1e-4)


def test_gradients_are_those_of_the_plain_forward_pass(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    """The head's own backward pass, split over several pieces, gives autograd's gradients."""
    monkeypatch.setattr(scoring, "HEAD_ROWS", 7)
    config = configure(targets=("q_proj", "v_proj", "down_proj"))
    policy = build_policy(config)
    for weight in adapter_weights(policy).values():
        torch.nn.init.normal_(weight, std=0.1)
    pairs = encoded(config.model, 4)
    share = torch.arange(1.0, 9.0).view(4, 2)
    (sequence_log_probs(policy, pack(pairs, torch.float32)) * share).sum().backward()
    ours = {name: weight.grad.clone() for name, weight in adapter_weights(policy).items() if weight.grad is not None}
    policy.zero_grad()
    (both(in_rows(policy), pairs) * share).sum().backward()
    assert len(ours) == 2 * 3 * 2
    for name, weight in adapter_weights(policy).items():
        assert weight.grad is not None
        assert torch.allclose(ours[name], weight.grad, rtol=1e-4, atol=1e-4), name


def test_bfloat16_weights_can_be_asked_in_float32(tiny: Path) -> None:
    """Each layer is widened only while it computes: the scores are the float32 model's, and bfloat16 comes back."""
    pairs = encoded(tiny, 3)
    narrow = load_base(str(tiny), torch.bfloat16)
    wide = load_base(str(tiny), torch.float32)
    for parameter in wide.parameters():
        parameter.data = parameter.data.bfloat16().float()
    with in_float32(narrow):
        found = score_pairs(narrow, pairs, torch.float32).answers
    assert torch.allclose(found, score_pairs(wide, pairs, torch.float32).answers, atol=1e-4)
    assert {parameter.dtype for parameter in narrow.parameters()} == {torch.bfloat16}


def test_dropout_is_off_while_scoring_and_on_again_behind_it(configure: Configure) -> None:
    """Scores do not depend on chance, and a policy in training stays in training."""
    config = configure(lora_dropout=0.5)
    policy = build_policy(config)
    for weight in adapter_weights(policy).values():
        torch.nn.init.normal_(weight, std=0.1)
    policy.train()
    pairs = encoded(config.model, 3)
    first, second = (score_pairs(policy, pairs, torch.float32).answers for _ in range(2))
    assert torch.equal(first, second)
    assert policy.training


def test_a_head_that_is_no_plain_matrix_is_refused(tiny: Path) -> None:
    """Soft caps, scales and adapters on the head would be left out silently."""
    model = load_base(str(tiny), torch.float32)
    check_head(model, ("q_proj",))
    with pytest.raises(TrainError, match="--targets: 'lm_head'"):
        check_head(model, ("lm_head",))
    model.config.final_logit_softcapping = 30.0
    with pytest.raises(TrainError, match="final_logit_softcapping"):
        check_head(model, ("q_proj",))


def test_attention_in_bfloat16_has_the_gradients_of_torchs_own() -> None:
    """The three products, written out, give output and slopes of torch's kernel as far as bfloat16 tells."""
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, heads, 19, 8).bfloat16().requires_grad_() for heads in (6, 2, 2))
    mask = pair_mask(9, 6, 4, torch.bfloat16)
    layer: Any = SimpleNamespace(num_key_value_groups=3, head_dim=8)
    found, _ = packed_attention(layer, query, key, value, None, layout=((19, mask),))
    found.float().pow(2).sum().backward()
    slopes = [tensor.grad.float() for tensor in (query, key, value) if tensor.grad is not None]
    wide = [tensor.detach().float().requires_grad_() for tensor in (query, key, value)]
    expected, _ = packed_attention(layer, *wide, None, layout=((19, mask.float()),))
    expected.pow(2).sum().backward()
    assert torch.allclose(found.float(), expected, atol=0.02)
    for slope, tensor in zip(slopes, wide, strict=True):
        assert tensor.grad is not None
        assert torch.allclose(slope, tensor.grad, atol=0.05)


def test_a_batch_of_others_changes_no_bit_of_a_score(tiny: Path) -> None:
    """Nothing is padded, so a pair's bfloat16 score is the same in whatever company: references can be kept."""
    pairs = encoded(tiny, 6)
    model = load_base(str(tiny), torch.bfloat16)
    together = score_pairs(model, pairs, torch.bfloat16).answers
    alone = torch.cat([score_pairs(model, [pair], torch.bfloat16).answers for pair in pairs])
    assert torch.equal(together, alone)
