"""What a display shows otherwise than it is there, and what it does not show at all: nobody needs either in an answer.

Colours are let through: an escape sequence that only paints changes nothing of what is read.
"""

from __future__ import annotations

import re

from guardrails.interface import Finding, Severity
from guardrails.terminal import SEQUENCE

CONCEALED = "commands.concealed"
"""The rule for control characters by which a terminal or a bidirectional display shows another text."""
HIDDEN = "commands.hidden"
"""The rule for text in invisible characters."""

SIGNS = frozenset("\b\x1b\x9b\u202e")
_COLOUR = re.compile(r"(?:\x1b\[|\x9b)[0-9;:]*m")
_LONGEST = 64
_MORE = -1


def passes(text: str, position: int, *, final: bool) -> int | None:
    """The end of a colour at `position`, where one of `SIGNS` stands; -1 where what comes next decides.

    None where it is something else, or the beginning of something that a terminal would not paint.
    """
    sign = text[position]
    if sign in "\b\u202e":
        follows = text[position + 1 : position + 2]
        if not follows and not final:
            return _MORE
        return position + 1 if sign == "\u202e" and not follows.isascii() else None
    if colour := _COLOUR.match(text, position):
        return colour.end()
    sequence = SEQUENCE.match(text, position)
    if sequence is None:
        return _MORE if not final and len(text) - position < _LONGEST else position + 1
    return _MORE if sequence.end() == len(text) and not final else None


def concealed() -> Finding:
    """The finding on such a sign."""
    message = "carries control characters that make a display show something else than what would be run"
    return Finding("commands", CONCEALED, Severity.HIGH, (0, 1), message)


def hidden(length: int) -> Finding:
    """The finding on a run of `length` invisible characters."""
    return Finding("commands", HIDDEN, Severity.HIGH, (0, length), "carries text in characters that nobody sees")
