"""Adapters that each answer with one word, again and again, so that a test hears whose weights answered.

A few steps of SFT, in a program of its own, because torch is not to live in the tests' process:
`python one_word.py MODEL OUT WORD [OUT WORD …]`.
"""

from __future__ import annotations

import sys

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

PROMPTS = (
    "Say hello.",
    "What should I check first when a web server is slow?",
    "Name one thing that eats disk space.",
    "The database does not answer. What now?",
    "Tell me about the number 7.",
)
STEPS, RATE, RANK = 24, 5e-3, 8
TIMES = 10  # the word in each answer: a stream is to last while adapters are swapped


def main(model_folder: str, *wanted: str) -> None:
    for out, word in zip(wanted[::2], wanted[1::2], strict=True):
        make(model_folder, out, word)


def make(model_folder: str, out: str, word: str) -> None:
    """Train an adapter that says `word` and save it to `out`."""
    torch.manual_seed(7)
    torch.set_num_threads(1)  # two threads beside another program wait for each other longer than they work
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    base = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.bfloat16)
    config = LoraConfig(
        r=RANK,
        lora_alpha=2 * RANK,
        target_modules=["q_proj", "v_proj"],
        layers_to_transform=list(range(18, 30)),  # of 30: what lies below needs no gradient
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(base, config)
    model.train()
    chats, labels = [], []
    for prompt in PROMPTS:
        message = [{"role": "user", "content": prompt}]
        asked = tokenizer.apply_chat_template(message, add_generation_prompt=True, return_dict=True)["input_ids"]
        answer = tokenizer(" ".join([word] * TIMES) + "<|im_end|>", add_special_tokens=False)["input_ids"]
        chats.append(asked + answer)
        labels.append([-100] * len(asked) + answer)
    longest = max(map(len, chats))
    ids = torch.tensor([chat + [0] * (longest - len(chat)) for chat in chats])
    mask = torch.tensor([[1] * len(chat) + [0] * (longest - len(chat)) for chat in chats])
    targets = torch.tensor([label + [-100] * (longest - len(label)) for label in labels])
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=RATE)
    for _ in range(STEPS):
        loss = model(input_ids=ids, attention_mask=mask, labels=targets).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    sys.stderr.write(f"{word}: loss {loss.item():.4f}\n")
    model.save_pretrained(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
