"""Characters of the private-use area that stand, in a text made ready for the parser, for what it would misread."""

from __future__ import annotations

_BLANKS = "\x0b\x0c\x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000\ufeff"

HIDDEN = {code: 0xE000 + code for code in range(128)}
"""Quoted characters: what they would mean unquoted is gone, until a word is complete."""

FOREIGN_BLANKS = {ord(blank): 0xE200 + at for at, blank in enumerate(_BLANKS)}
"""Blanks that are ordinary characters to bash, and none to the parser."""

OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET = "\ue17b", "\ue17d", "\ue15b"
"""Braces and brackets that are a part of a word, expansion and pattern included."""

HEREDOC, HERESTRING = "\ue1f0", "\ue1f1"
"""Begin a redirection's target that is fed as text."""

NOTHING = "\ue1f2"
"""Keeps a word from being read as a keyword."""

LITERAL = {ord(OPEN_BRACE): "{", ord(CLOSE_BRACE): "}", ord(OPEN_BRACKET): "[", ord(NOTHING): None}
SHOWN: dict[int, int | str | None] = (
    {hidden: plain for plain, hidden in {**HIDDEN, **FOREIGN_BLANKS}.items()}
    | LITERAL
    | {ord(HEREDOC): None, ord(HERESTRING): None}
)
"""Back to what was written."""


def hidden(text: str) -> str:
    """The text with every character that could mean something hidden."""
    return text.translate(HIDDEN)
