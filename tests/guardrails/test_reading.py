"""How a judged text was read."""

from __future__ import annotations

import pytest

from guardrails.guard import Guard
from guardrails.interface import Channel, Subject
from guardrails.policy import Policy
from guardrails.reading import told, tree

GUARD = Guard(Policy())


@pytest.mark.parametrize(
    ("text", "channel", "lines"),
    [
        ("sudo ls", Channel.COMMAND, ["sudo ls", "  ls"]),
        ("Run rm -rf /srv/x now.", Channel.OUTPUT, ["rm -rf /srv/x now"]),
        ("All is well.", Channel.OUTPUT, []),
        ("nginx; reboot", Channel.PARAMETER, ["nginx", "reboot"]),
    ],
)
def test_what_was_taken_for_a_command_is_shown(text: str, channel: Channel, lines: list[str]) -> None:
    """All of a command; of other texts what stands where something was found."""
    verdict = GUARD.examine(text, channel)
    assert told(GUARD, Subject(text, channel), verdict) == lines


def test_a_tree_s_places_are_those_of_the_text_and_of_the_list() -> None:
    """Several findings make one list; spans are offsets into the text as it was sent."""
    text = "First `echo / | xargs rm -rf` and then `find /etc -delete` please."
    verdict = GUARD.examine(text, Channel.OUTPUT)
    for one in tree(GUARD, Subject(text, Channel.OUTPUT), verdict):
        start, end = one["span"]
        assert 0 < start < end < len(text)
        assert all(at >= 0 for at in one["stdin"])
