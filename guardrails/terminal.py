"""What a terminal or a bidirectional display makes of a text, as edits: escape sequences, backspaces, overrides."""

from __future__ import annotations

import re

from guardrails.encodings import Edit

SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor moves, erasing
    # OSC and its like: titles, links
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-Z\\^-~]"
)
"""One escape sequence, in seven or eight bits (ECMA-48)."""

_BEGINS = re.compile("[\x1b\x90\x98\x9b\x9d-\x9f]")
_OVERRIDE = re.compile("[\u202e\u2067\u202b]([^\n\u202c\u2069]*)[\u202c\u2069]?")


def sequences(text: str) -> list[Edit]:
    """Edits that leave the escape sequences out."""
    if not _BEGINS.search(text):
        return []
    return [Edit(*match.span(), "") for match in SEQUENCE.finditer(text)]


def overstruck(text: str) -> list[Edit]:
    """Edits that leave out each backspace and the character that it takes back."""
    if "\b" not in text:
        return []
    edits: list[Edit] = []
    kept: list[int] = []
    for at, sign in enumerate(text):
        if sign != "\b":
            kept.append(at)
        else:
            edits.append(Edit(at, at + 1, ""))
            if kept and text[kept[-1]] != "\n":
                erased = kept.pop()
                edits.append(Edit(erased, erased + 1, ""))
    return sorted(edits)


def overridden(text: str) -> list[Edit]:
    """Edits that turn around what a right-to-left override or embedding shows in reverse."""
    if text.isascii():
        return []
    return [Edit(*match.span(), match[1][::-1]) for match in _OVERRIDE.finditer(text) if match[1]]
