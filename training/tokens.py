"""Text to token ids: the prompt as the server will render it, and each answer with its end-of-turn token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from training.config import TrainError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.preferences.pairs import Message, Pair

# An answer needs a question: a pair whose answers leave the prompt fewer tokens than this (or than it has) is left out.
LEAST_PROMPT = 32


class Encoded(NamedTuple):
    """One pair in token ids.

    Attributes:
        pair: What it was made of.
        prompt: Up to and with what opens the assistant's turn; never empty.
        chosen: The better answer and the end-of-turn token.
        rejected: The worse one, likewise; empty for SFT.
        cut: Tokens the prompt lost at its beginning.
    """

    pair: Pair
    prompt: tuple[int, ...]
    chosen: tuple[int, ...]
    rejected: tuple[int, ...]
    cut: int = 0

    @property
    def tokens(self) -> int:
        """Tokens that go through the model: the prompt counts once."""
        return len(self.prompt) + len(self.chosen) + len(self.rejected)


class Encoding(NamedTuple):
    """What became of a data set: the pairs that fit in order, how many prompts were cut, which pairs were left out."""

    pairs: list[Encoded]
    cut: int
    left_out: list[Pair]


def encode_pairs(tokenizer: Any, pairs: Iterable[Pair], max_length: int, *, for_sft: bool = False) -> Encoding:
    """Token ids of every pair that fits `max_length` with both its answers whole.

    Raises:
        TrainError: The tokenizer has no chat template, or no pair fits.
    """
    encoded: list[Encoded] = []
    left_out: list[Pair] = []
    for pair in pairs:
        found = _encode(tokenizer, pair, max_length, for_sft=for_sft)
        if found is None:
            left_out.append(pair)
        else:
            encoded.append(found)
    if not encoded:
        raise TrainError(
            f"--pairs: none of {len(left_out)} pairs has answers that fit --max-length {max_length}; answers are never "
            "cut. Raise --max-length, or give more pairs."
        )
    return Encoding(encoded, sum(1 for pair in encoded if pair.cut), left_out)


def encode_answer(tokenizer: Any, prompt: Sequence[Message], answer: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Ids of the prompt, opened for the assistant, and of the answer with its end-of-turn token.

    Each is tokenized for itself, as a server does: it sees the prompt alone and writes the answer behind it.

    Raises:
        TrainError: The tokenizer has no chat template, or it rewrites the prompt once it is answered.
    """
    turns = [{"role": turn.role, "content": turn.content} for turn in prompt]
    opened = render(tokenizer, turns, opened=True)
    answered = render(tokenizer, [*turns, {"role": "assistant", "content": answer}], opened=False)
    if not answered.startswith(opened):
        raise TrainError(
            "--model: its chat template writes the prompt differently once it is answered, so that no answer can be "
            "told from its prompt. Use a template without generation-only text."
        )
    ids = tokenizer(answered.removeprefix(opened), add_special_tokens=False)["input_ids"]
    # Templates put a line break or more behind the end of a turn; no server ever generates it.
    ends = [at for at, token in enumerate(ids) if token in tokenizer.all_special_ids]
    closed = ids[: ends[-1] + 1] if ends else [*ids, tokenizer.eos_token_id]
    return tuple(tokenizer(opened, add_special_tokens=False)["input_ids"]), tuple(closed)


def render(tokenizer: Any, turns: list[dict[str, str]], *, opened: bool) -> str:
    """The conversation as text, by the model's chat template."""
    if not tokenizer.chat_template:
        raise TrainError("--model: has no chat template, so prompts cannot be written as it will see them. Add one.")
    return str(tokenizer.apply_chat_template(turns, add_generation_prompt=opened, tokenize=False))


def _encode(tokenizer: Any, pair: Pair, max_length: int, *, for_sft: bool) -> Encoded | None:
    prompt, chosen = encode_answer(tokenizer, pair.prompt, pair.chosen)
    rejected = () if for_sft else encode_answer(tokenizer, pair.prompt, pair.rejected)[1]
    room = max_length - max(len(chosen), len(rejected))
    if room < min(len(prompt), LEAST_PROMPT):
        return None
    whole = len(prompt)
    turns = pair.prompt
    while len(prompt) > room and (fewer := _without_oldest(turns)):
        turns = fewer
        prompt = encode_answer(tokenizer, turns, pair.chosen)[0]
    kept = prompt[-room:]
    return Encoded(pair, kept, chosen, rejected, whole - len(kept))


def _without_oldest(turns: tuple[Message, ...]) -> tuple[Message, ...]:
    """Without its oldest exchange; system turns and the last question stay, and nothing is left if none can go."""
    first = next((at for at, turn in enumerate(turns) if turn.role != "system"), len(turns))
    later = next((at for at in range(first + 1, len(turns)) if turns[at].role == "user"), None)
    return () if later is None else turns[:first] + turns[later:]
