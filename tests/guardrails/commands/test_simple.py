"""What is read without the parser is read as the parser reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.commands import bash
from guardrails.commands.readers import read

WORDS = st.sampled_from(
    [
        "ls",
        "rm",
        "-rf",
        "/tmp/x",
        "a=b",
        "'a b'",
        '"c d"',
        "*.log",
        "sudo",
        "xargs",
        "cd",
        "..",
        "if",
        "{a,b}",
        "$x",
        ">",
        "8",
        "echo",
        "~",
    ]
)
TEXTS = st.lists(
    st.tuples(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from([" ; ", " && ", "|", "\n"])),
    min_size=1,
    max_size=2,
)


def shown(text: str) -> list[tuple[tuple[str, ...], tuple[int, int], tuple[str, ...], list[str]]]:
    commands = read(text).commands
    return [(tuple(w.shape for w in c.argv), c.span, c.wrappers, [one.name for one in c.stdin]) for c in commands]


@given(TEXTS)
def test_both_ways_agree(parts: list[tuple[list[str], str]]) -> None:
    """Words, spans, wrappers and pipes are the same with the parser and without."""
    text = "".join(" ".join(words) + sign for words, sign in parts).rstrip(" ;&|\n")
    quick = shown(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bash, "simple", lambda *_: False)
        assert quick == shown(text)


def test_a_list_ends_a_pipe() -> None:
    """What follows `&&` reads no pipe."""
    assert [names for *_, names in shown("a | b | c x && d")] == [[], ["a"], ["b"], []]
