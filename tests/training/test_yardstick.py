"""The plain setting beside TRL's DPOTrainer: the same losses and the same gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from tiny_model import some_pairs

from training.batches import pack
from training.losses.step import StepLoss
from training.policy import adapter_weights, build_policy, load_tokenizer
from training.reference import Reference
from training.scoring import score_pairs, sequence_log_probs
from training.tokens import Encoded, encode_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conftest import Configure

    from gateway.preferences.pairs import Pair
    from training.config import TrainConfig

BETA = 0.1


def yardstick(config: TrainConfig, pairs: Sequence[Pair], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """TRL's trainer on the same model, data and adapter shape, in float32."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # it sends telemetry otherwise
    from datasets import Dataset  # noqa: PLC0415  # seconds to import
    from peft import LoraConfig  # noqa: PLC0415
    from transformers import AutoModelForCausalLM  # noqa: PLC0415
    from trl import DPOConfig, DPOTrainer  # noqa: PLC0415

    tokenizer = load_tokenizer(config.model)
    # No line break behind the end of a turn: TRL would train it, which no server ever generates.
    tokenizer.chat_template = tokenizer.chat_template.replace("<|im_end|>\n", "<|im_end|>")
    rows = [
        {
            "prompt": [{"role": turn.role, "content": turn.content} for turn in pair.prompt],
            "chosen": [{"role": "assistant", "content": pair.chosen}],
            "rejected": [{"role": "assistant", "content": pair.rejected}],
        }
        for pair in pairs
    ]
    told = DPOConfig(
        str(folder),
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        beta=BETA,
        per_device_train_batch_size=len(pairs),
        report_to="none",
    )
    lora = LoraConfig(
        r=config.lora_r,
        lora_alpha=config.lora_alpha,
        lora_dropout=0.0,
        target_modules=list(config.targets),
        task_type="CAUSAL_LM",
    )
    model = AutoModelForCausalLM.from_pretrained(config.model, dtype=torch.float32)
    return DPOTrainer(
        model, args=told, train_dataset=Dataset.from_list(rows), processing_class=tokenizer, peft_config=lora
    )


def test_losses_and_gradients_are_those_of_trl(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One β, no weights, float32: every loss and every gradient within 1e-5, from the start and from away of it."""
    pairs = some_pairs(8)
    config = configure(beta=BETA, targets=("q_proj", "k_proj", "v_proj", "o_proj"))
    trainer = yardstick(config, pairs, tmp_path / "trl", monkeypatch)
    policy = build_policy(config)
    tokenizer = load_tokenizer(config.model)
    tokenizer.chat_template = tokenizer.chat_template.replace("<|im_end|>\n", "<|im_end|>")
    encoded = encode_pairs(tokenizer, pairs, 1024).pairs
    scored = score_pairs(policy, encoded, torch.float32).answers.tolist()
    reference = Reference("", [], {p.pair.id: (a, b) for p, (a, b) in zip(encoded, scored, strict=True)})
    for spread in (0.0, 0.05, 0.2):
        torch.manual_seed(3)
        for (name, ours), (other, theirs) in zip(
            adapter_weights(policy).items(), adapter_weights(trainer.model).items(), strict=True
        ):
            assert name == other
            if spread:
                torch.nn.init.normal_(ours, std=spread)
            theirs.data.copy_(ours.data)
        expected, slopes = theirs_of(trainer, encoded)
        found, grads = ours_of(policy, config, encoded, reference)
        assert found == pytest.approx(expected, abs=1e-5)
        assert max((a - b).abs().max().item() for a, b in zip(grads, slopes, strict=True)) <= 1e-5
        assert spread == 0 or abs(found - 0.6931) > 0.01


def theirs_of(trainer: Any, encoded: list[Encoded]) -> tuple[float, list[torch.Tensor]]:
    examples = [trainer.train_dataset[number] for number in range(len(encoded))]
    for example, pair in zip(examples, encoded, strict=True):  # the same tokens were made of the same text
        assert tuple(example["prompt_ids"]) == pair.prompt
        assert tuple(example["chosen_ids"]) == pair.chosen
        assert tuple(example["rejected_ids"]) == pair.rejected
    trainer.model.train()
    trainer.model.zero_grad()
    loss = trainer.compute_loss(trainer.model, trainer.data_collator(examples))
    loss.backward()
    return loss.item(), [weight.grad for weight in adapter_weights(trainer.model).values()]


def ours_of(
    policy: Any, config: TrainConfig, encoded: list[Encoded], reference: Reference
) -> tuple[float, list[torch.Tensor]]:
    """In two forward passes, so that normalising over a step is compared too."""
    policy.train()
    policy.zero_grad()
    whole = StepLoss(config, encoded, BETA)
    total = 0.0
    for part in (encoded[:3], encoded[3:]):
        share = whole.share(part, sequence_log_probs(policy, pack(part, torch.float32)), reference.of(part))
        share.backward()
        total += share.item()
    return total, [weight.grad for weight in adapter_weights(policy).values()]
