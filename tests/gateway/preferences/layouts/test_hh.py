"""Anthropic's HH layout: what the dialogues share is the prompt, their last turns are the answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from pairs_made import any_pair, pair

from gateway.preferences.layouts.hh import HumanAssistant
from gateway.preferences.layouts.interface import Odd
from gateway.preferences.layouts.registry import Reading, Tally, read_files
from gateway.preferences.pairs import Message, Pair, PairError

HH = HumanAssistant()
REAL = Path(__file__).parents[4].parent / "shared" / "data" / "hh_rlhf_harmless_test.jsonl.gz"


def row(chosen: str, rejected: str) -> bytes:
    return json.dumps({"chosen": chosen, "rejected": rejected}).encode()


def test_a_conversation_becomes_prompt_and_answers() -> None:
    """Earlier turns keep their order; one space behind the colon is the layout's, every other the text's."""
    head = "\n\nHuman: Hi\n\nAssistant: Yes?\n\nHuman: Two\nlines\n\nAssistant:"
    read = HH.read(row(head + "  no ", head + " yes: Human: x"), "x:1")
    turns = (Message("user", "Hi"), Message("assistant", "Yes?"), Message("user", "Two\nlines"))
    assert read == Pair(turns, " no ", "yes: Human: x", origin="hh")


@pytest.mark.parametrize(
    ("chosen", "rejected", "reason"),
    [
        ("\n\nHuman: a\n\nAssistant: b", "\n\nHuman: a\n\nAssistant: b", "equal_answers"),
        ("\n\nHuman: a\n\nAssistant:  ", "\n\nHuman: a\n\nAssistant: b", "empty_answer"),
        ("\n\nHuman: a\n\nAssistant: b", "\n\nHuman: a\n\nAssistant:", "empty_answer"),
        ("\n\nHuman: a\n\nAssistant: b\n\nHuman: c", "\n\nHuman: a\n\nAssistant: b", "ends_without_an_answer"),
        ("\n\nHuman: a\n\nAssistant: b", "\n\nHuman: A\n\nAssistant: c", "earlier_turns_differ"),
        ("\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: d", "\n\nHuman: a\n\nAssistant: e",
         "earlier_turns_differ"),
        ("\n\nAssistant: b", "\n\nAssistant: c", "no_prompt"),
        ("\n\nHuman: \n\nAssistant: b", "\n\nHuman: \n\nAssistant: c", "no_prompt"),
        ("\n\nHuman: a\n\nAssistant: b\n\nAssistant: c", "\n\nHuman: a\n\nAssistant: b\n\nAssistant: d",
         "prompt_ends_with_an_answer"),
        ("Human: a", "\n\nHuman: a\n\nAssistant: c", "no_dialogue"),
        ("", "\n\nHuman: a\n\nAssistant: c", "no_dialogue"),
    ],
)  # fmt: skip
def test_odd_rows_are_told_by_reason(chosen: str, rejected: str, reason: str) -> None:
    assert HH.read(row(chosen, rejected), "x:1") == Odd(reason)


@pytest.mark.parametrize(
    "line", [b"", b"[]", b'{"chosen": "a"}', b'{"chosen": "a", "rejected": 1}', b'{"chosen": "\xff"}']
)
def test_a_row_of_another_form_is_an_error(line: bytes) -> None:
    with pytest.raises(PairError, match=r"x:1: .*A row of the HH layout has"):
        HH.read(line, "x:1")


@given(made=any_pair)
@settings(max_examples=200, deadline=None)
def test_what_it_can_say_comes_back(made: Pair) -> None:
    """Texts to the character; the rest is not in the layout."""
    line = HH.write(made)
    assume(isinstance(line, bytes))
    assert isinstance(line, bytes)
    assert HH.read(line, "x:1") == Pair(made.prompt, made.chosen, made.rejected, origin="hh")


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (pair(prompt=(Message("system", "Be brief."), Message("user", "Hi"))), "system_turn"),
        (pair(chosen="a\n\nHuman: b"), "text_looks_like_a_turn"),
        (pair(prompt=(Message("user", "x\n\nAssistant: y"),)), "text_looks_like_a_turn"),
        (pair(rejected=""), "empty_answer"),
    ],
)
def test_what_it_cannot_say_is_told(made: Pair, reason: str) -> None:
    assert HH.write(made) == Odd(reason)


@pytest.mark.skipif(not REAL.exists(), reason="../shared/data is not there")
def test_every_real_row_is_accounted_for() -> None:
    """Of the 2,312 rows of harmless-base/test four have an empty answer and five part before their last turn."""
    tally = Tally()
    pairs = list(read_files([REAL], Reading(HH), tally))
    assert (tally.rows, len(pairs)) == (2312, 2303)
    assert tally.odd == {"empty_answer": 4, "earlier_turns_differ": 5}
    for made in pairs[:50]:
        line = HH.write(made)
        assert isinstance(line, bytes)
        assert HH.read(line, "x:1") == made
