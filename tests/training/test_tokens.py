"""What becomes of a pair's text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.preferences.pairs import Message, Pair
from training.config import TrainError
from training.policy import load_tokenizer
from training.tokens import encode_answer, encode_pairs

if TYPE_CHECKING:
    from pathlib import Path

ASKED = (Message("user", "why?"),)
OPENED = "<|im_start|>user\nwhy?<|im_end|>\n<|im_start|>assistant\n"


@pytest.fixture
def tokenizer(tiny: Path) -> Any:
    return load_tokenizer(str(tiny))


def test_a_prompt_is_what_the_server_sees_and_an_answer_ends_its_turn(tokenizer: Any) -> None:
    """The end-of-turn token is trained; the line break that the template puts behind it is not."""
    prompt, answer = encode_answer(tokenizer, ASKED, "because\n")
    assert tokenizer.decode(prompt) == OPENED
    assert tokenizer.decode(answer) == "because\n<|im_end|>"


def test_a_template_without_end_of_turn_gets_the_end_of_text(tokenizer: Any) -> None:
    """Something must tell the model to stop."""
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    prompt, answer = encode_answer(tokenizer, ASKED, "because")
    assert tokenizer.decode(prompt) == "user: why?\nassistant: "
    assert tokenizer.decode(answer) == "because\n<|im_end|>"
    assert answer[-1] == tokenizer.eos_token_id


def test_a_long_conversation_loses_its_oldest_exchange_first(tokenizer: Any) -> None:
    """System turns and the last question stay whole as long as they can."""
    turns = (
        Message("system", "be brief"),
        Message("user", "old " * 20),
        Message("assistant", "older answer"),
        Message("user", "and now?"),
    )
    pair = Pair(prompt=turns, chosen="yes", rejected="no")
    whole, short = (encode_pairs(tokenizer, [pair], length) for length in (1000, 130))
    assert whole.cut == 0
    assert short.cut == 1
    text = tokenizer.decode(short.pairs[0].prompt)
    assert text.startswith("<|im_start|>system\nbe brief<|im_end|>\n<|im_start|>user\nand now?")
    assert text.endswith("assistant\n")
    assert short.pairs[0].cut == len(whole.pairs[0].prompt) - len(short.pairs[0].prompt)


def test_a_long_question_loses_its_beginning(tokenizer: Any) -> None:
    """What opens the assistant's turn, and the answers, stay whole."""
    pair = Pair(prompt=(Message("user", "x" * 500),), chosen="yes", rejected="n" * 40)
    found = encode_pairs(tokenizer, [pair], 100).pairs[0]
    assert len(found.prompt) + len(found.rejected) == 100
    assert tokenizer.decode(found.prompt).endswith("x<|im_end|>\n<|im_start|>assistant\n")
    assert tokenizer.decode(found.rejected) == "n" * 40 + "<|im_end|>"
    assert tokenizer.decode(found.chosen) == "yes<|im_end|>"


def test_a_pair_whose_answer_leaves_no_room_is_left_out(tokenizer: Any) -> None:
    """Answers are never cut: the pair is told of instead, and the others are learned."""
    long = Pair(prompt=ASKED, chosen="y" * 200, rejected="no")
    fine = Pair(prompt=ASKED, chosen="yes", rejected="no")
    found = encode_pairs(tokenizer, [long, fine], 100)
    assert [pair.pair for pair in found.pairs] == [fine]
    assert found.left_out == [long]


def test_no_pair_that_fits_is_an_error(tokenizer: Any) -> None:
    """A run on nothing says what to raise."""
    with pytest.raises(TrainError, match=r"none of 1 pairs .* --max-length 64"):
        encode_pairs(tokenizer, [Pair(prompt=ASKED, chosen="y" * 200, rejected="no")], 64)


def test_sft_needs_no_worse_answer(tokenizer: Any) -> None:
    """Rows with a chosen answer alone are examples."""
    found = encode_pairs(tokenizer, [Pair(prompt=ASKED, chosen="yes")], 100, for_sft=True).pairs[0]
    assert found.rejected == ()


def test_a_tokenizer_without_chat_template_is_refused(tokenizer: Any) -> None:
    """Guessing how a prompt is written would train what is never served."""
    tokenizer.chat_template = None
    with pytest.raises(TrainError, match="no chat template"):
        encode_answer(tokenizer, ASKED, "yes")


def test_a_template_that_rewrites_the_prompt_is_refused(tokenizer: Any) -> None:
    """An answer must begin where the server lets it begin."""
    tokenizer.chat_template = "{{ messages | length }}{% for m in messages %}{{ m['content'] }}{% endfor %}"
    with pytest.raises(TrainError, match="writes the prompt differently"):
        encode_answer(tokenizer, ASKED, "yes")
