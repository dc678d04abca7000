"""Encodings over several words, and those that a text names itself."""

from __future__ import annotations

import pytest

from guardrails.ciphers import possible, spread
from guardrails.text import layers


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("run =72=6D=20=2D=72=66=20=2F now", "rm -rf /"),
        ("+AHIAbQAgAC0AcgBmACAALw-", "rm -rf /"),
        ("114 109 32 45 114 102 32 47", "rm -rf /"),
        ("codes: 114, 109, 32, 45, 114, 102, 32, 47.", "rm -rf /"),
        ("01110010 01101101 00100000 00101111", "rm /"),
        ("rot13: ez -es /", "rm -rf /"),
        ("Read this backwards: / fr- mr", "rm -rf /"),
        ("/ fr- mr (reversed)", "rm -rf /"),
        ("base85: a%FIDAYPeSAq", ""),
    ],
)
def test_what_it_stands_for_is_a_view(sent: str, read: str) -> None:
    assert any(read in view.text for view in layers(sent, 2))


@pytest.mark.parametrize(
    "text",
    ["The year 2024, 2025 and 2026", "x = 3 + 4", "ports 80, 443 and 8080", "a+b-c", "10 20 30 apples", "E=MC2"],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert spread(text) == []


def test_most_texts_are_told_apart_at_once() -> None:
    assert not possible("Please tell me which of our 14 services depend on the database; thanks.")


def test_a_span_speaks_of_what_was_sent() -> None:
    sent = "please run 114 109 32 45 114 102 now"
    view = next(view for view in layers(sent, 1) if "rm -rf" in view.text)
    start = view.text.index("rm -rf")
    assert sent[slice(*view.source_span(start, start + 6))] == "114 109 32 45 114 102"
