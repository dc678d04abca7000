"""A Llama small enough to train in a test: two layers, a byte for a token, the embedded model's turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from gateway.preferences.objectives import Objective
from gateway.preferences.pairs import Message, Pair

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ("<|pad|>", "<|im_start|>", "<|im_end|>")


def make_model(folder: Path, *, layers: int = 2, hidden: int = 32, seed: int = 7) -> Path:
    """Write the checkpoint; its weights depend on the seed alone."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {word: number for number, word in enumerate((*SPECIAL, *letters))}
    plain = Tokenizer(models.BPE(vocab=words, merges=[]))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    plain.decoder = decoders.ByteLevel()
    tokenizer: Any = PreTrainedTokenizerFast(
        tokenizer_object=plain,
        pad_token=SPECIAL[0],
        eos_token=SPECIAL[2],
        additional_special_tokens=list(SPECIAL[1:]),
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    model: Any = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(words),
            hidden_size=hidden,
            intermediate_size=2 * hidden,
            num_hidden_layers=layers,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=2048,
            initializer_range=0.2,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
            tie_word_embeddings=True,
        )
    )
    model.save_pretrained(folder)
    return folder


def some_pairs(count: int) -> list[Pair]:
    """Pairs of different lengths and objectives, the same ones every time."""
    objectives = list(Objective)
    return [
        Pair(
            prompt=(Message("user", f"disk {number} is full" + " again" * (number % 7)),),
            chosen=f"look at /var/log/{number}" + " first" * (number % 3),
            rejected=f"rm -rf /{number}" + " now" * (number % 4),
            objective=objectives[number % len(objectives)],
        )
        for number in range(count)
    ]
