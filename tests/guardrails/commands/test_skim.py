"""The skim passes over exactly what the words' reader would clear word by word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from guardrails.commands.heads import HeadReader, Standing
from guardrails.commands.judge import CommandJudge
from guardrails.commands.rules import load_rules
from guardrails.commands.runbooks import load_runbooks
from guardrails.commands.skim import Skim

JUDGE = CommandJudge(load_rules(), load_runbooks())
SKIM = Skim(JUDGE.heads, JUDGE.families)
READER = HeadReader(JUDGE.is_head, JUDGE.may_begin)
PROSE = "The nightly report ended after its third stage, and the page says so. Ask whose lock it needed and ended there"
PIECES = st.sampled_from(
    [
        "the",
        "log",
        "rm",
        "Rm",
        "kafka-topics",
        "rm.",
        "don't",
        "a.b",
        " ",
        ", ",
        ". ",
        "\n",
        "$x",
        "`",
        "(",
        "|",
        "é",
        "x" * 40,
    ]
)


def clear(text: str, start: int, end: int) -> bool:
    """Whether the reader finds nothing to look at between two places."""
    position = start
    while (position := READER.gap(text, position)) < end:
        if text[position] in "\n`~":
            return False
        read = READER.read(text, position, final=False)
        if read.standing is not Standing.CLEAR:
            return False
        position = READER.rest(text, read.end)
    return True


@given(st.lists(PIECES, max_size=60))
def test_what_is_passed_over_is_clear(pieces: list[str]) -> None:
    text = "".join(pieces)
    start = READER.gap(text, 0)
    end = SKIM.past(text, start)
    assert start <= end <= len(text)
    assert clear(text, start, end)


def test_prose_is_passed_over_up_to_its_last_word() -> None:
    assert PROSE[SKIM.past(PROSE, 0) :] == "there"


def test_it_stops_before_a_head() -> None:
    text = f"{PROSE} remove it with rm -rf /var/lib"
    assert text[SKIM.past(text, 0) :].strip().startswith("rm -rf")


def test_it_stops_at_the_beginning_of_a_word_that_is_written_in_disguise() -> None:
    text = f"{PROSE} remove it with r'm' -rf /var/lib"
    assert text[SKIM.past(text, 0) :].strip().startswith("r'm'")


def test_a_long_text_is_passed_over_in_windows() -> None:
    text = "word " * 5000
    assert SKIM.past(text, 0) == len(text)
