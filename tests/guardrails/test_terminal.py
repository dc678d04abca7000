"""What a terminal or a bidirectional display makes of a text."""

from __future__ import annotations

import pytest

from guardrails.text import canonical, layers


@pytest.mark.parametrize(
    "sent",
    [
        "r\x1b[0mm -rf /",
        "\x1b]0;title\x07rm -rf /",
        "\x1b]8;;https://a.test\x1b\\rm -rf /\x1b]8;;\x1b\\",
        "r\x1b[1C\x1b[1Dm -rf /",
        "\x9b31mrm -rf /",
    ],
)
def test_escape_sequences_are_read_over(sent: str) -> None:
    assert canonical(sent).text == "rm -rf /"


@pytest.mark.parametrize("sent", ["rx\bm -rf /", "ab\b\brm -rf /", "\u202e/ fr- mr\u202c"])
def test_what_is_shown_is_a_view_beside_what_is_there(sent: str) -> None:
    assert "rm -rf /" in [view.text for view in layers(sent)]
    assert canonical(sent).text != "rm -rf /"


def test_a_span_behind_a_sequence_speaks_of_what_was_sent() -> None:
    view = canonical("\x1b[31mrm\x1b[0m -rf /")
    assert view.source_span(0, 2) == (5, 7)
