"""What may be encoded is held until it is whole, and ordinary words are not."""

from __future__ import annotations

import base64

import pytest

from guardrails.commands.encoded import plausible, reach

COMMAND = "rm -rf /srv/data"
ENCODED = [
    base64.b64encode(COMMAND.encode()).decode(),
    base64.urlsafe_b64encode(COMMAND.encode()).decode().rstrip("="),
    base64.b64encode(COMMAND.encode("utf-16-le")).decode(),
    base64.b64encode(base64.b64encode(COMMAND.encode())).decode(),
    base64.b32encode(COMMAND.encode()).decode(),
    COMMAND.encode().hex(),
    COMMAND.encode().hex(" "),
    " ".join(str(ord(sign)) for sign in COMMAND),
    " ".join(f"{ord(sign):08b}" for sign in COMMAND),
    "".join(chr(0xE0000 + ord(sign)) for sign in COMMAND),
]


@pytest.mark.parametrize("text", ENCODED)
def test_it_is_held_to_its_end_however_much_has_arrived(text: str) -> None:
    for arrived in range(1, len(text) + 1):
        found = reach(text[:arrived], 0, final=False)
        assert found is not None
        assert found.end == -1
    whole = reach(f"{text}\n", 0, final=False)
    assert whole is not None
    assert whole.end == len(text)
    assert plausible(text)


@pytest.mark.parametrize(
    "word",
    ["the", "configuration", "administrator", "Kubernetes", "deadbeef", "da39a3ee5e6b4b0d", "443", "README", "v1.2"],
)
def test_ordinary_words_are_none(word: str) -> None:
    assert reach(f"{word} ", 0, final=False) is None


@pytest.mark.parametrize("word", ["the", "configuration", "network", "http", "8.8.8.8x", "services"])
def test_most_words_are_told_by_their_beginning(word: str) -> None:
    assert reach(word[:3], 0, final=False) is None or word[0].isdigit()


@pytest.mark.parametrize("text", ["\u263a\ufe0f fine", "\U0001f3f4\U000e0067\U000e0062\U000e007f"])
def test_a_picture_s_form_and_a_flag_hide_nothing(text: str) -> None:
    assert reach(text, 1, final=True) is None
