"""Screens say no only where the pattern says no."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails import intents
from guardrails.screens import Screen, Sign

PATTERNS = [intents._PHRASES, intents._FRUSTRATED, re.compile(r"\b(?:rm|dd)\s+-\w+|['\u2019]s\b")]
WORDS = st.sampled_from(
    [
        "human",
        "please",
        "!",
        "still",
        "not",
        "working",
        "escalate",
        "this",
        "again",
        "and",
        "don't",
        "\u2019",
        "é",
        "\n",
        "rm -rf",
    ]
)


@pytest.mark.parametrize("pattern", PATTERNS)
@given(words=st.lists(WORDS | st.text(max_size=4), max_size=12))
def test_a_screen_never_hides_a_match(pattern: re.Pattern[str], words: list[str]) -> None:
    """Whatever the text, what the pattern would find is not screened out."""
    text = " ".join(words)
    if pattern.search(text):
        assert Screen(pattern).possible(text)


def test_a_screen_tells_calm_text_apart() -> None:
    assert not Screen(intents._FRUSTRATED).possible("Which setting limits the number of connections?")


def test_a_text_beyond_ascii_is_never_screened_out() -> None:
    assert Screen(intents._PHRASES).possible("à bientôt")


WISHES = st.sampled_from(
    [
        "I",
        "want",
        "wnat",
        "need",
        "a",
        "an",
        "human",
        "humna",
        "agent",
        "manger",
        "please",
        "to",
        "talk",
        "tallk",
        "with",
        "me",
        "get",
    ]
)


@given(st.lists(WISHES, max_size=8))
def test_the_short_way_to_no_is_never_taken_where_the_long_way_says_yes(words: list[str]) -> None:
    """Looking the words up, slips included, misses no request that reading them one after another finds."""
    text = " ".join(words)
    lower = intents._WORD.findall(text)
    people = [(index, person) for index, word in enumerate(lower) if (person := intents._near(word, intents._PEOPLE))]
    if any(intents._wanted(text, lower, index, person) for index, person in people):
        assert intents._may_ask(text)


def test_a_sign_is_found_beside_what_cannot_be_encoded() -> None:
    """A lone surrogate hides nothing and breaks nothing."""
    assert Sign("rm").within("\ud800rm")
    assert Sign("RM", ignore_case=True).begins("rm\udfff")
    assert not Sign("rm").begins("\ud800rm")
