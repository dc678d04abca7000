# ruff: noqa: RUF001 - look-alike characters are this file's data
"""Spelling: another character for each, or characters in between that nobody sees. A reader undoes it."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from guardrails.evasions.interface import EVERY, Evasion, Undone

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

_LOOK_ALIKE = dict(zip("aeopcxyisjhdmkt", "аеорсхуіѕјһԁмкт", strict=True))
_GREEK = dict(zip("oavrnABEHIKMNOPTXZ", "οανгηΑΒΕΗΙΚΜΝΟΡΤΧΖ", strict=True))
_SEPARATORS = str.maketrans({";": "；", "|": "｜", "&": "＆", "$": "＄", "-": "－", "/": "／", ">": "＞", "`": "｀"})
_WIDE = {sign: chr(ord(sign) + 0xFEE0) for sign in map(chr, range(0x21, 0x7F))}
_BOLD = {letter: chr(0x1D41A + index) for index, letter in enumerate(string.ascii_lowercase)}
_CIRCLED = {letter: chr(0x24D0 + index) for index, letter in enumerate(string.ascii_lowercase)}
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e"
_BIDI = "\u200e\u200f\u202a\u202c\u2066\u2069"


def _spelled(table: dict[str, str]) -> Callable[[str, Random], str | None]:
    def apply(text: str, _: Random) -> str | None:
        read = "".join(table.get(sign, sign) for sign in text)
        return None if read == text else read

    return apply


def _separators(text: str, _: Random) -> str | None:
    read = text.translate(_SEPARATORS)
    return None if read == text else read


def _between(signs: str, share: float) -> Callable[[str, Random], str | None]:
    """Put invisible characters between the letters of words."""

    def apply(text: str, random: Random) -> str | None:
        pieces = []
        for at, sign in enumerate(text):
            pieces.append(sign)
            if sign.isalnum() and text[at + 1 : at + 2].isalnum() and random.random() < share:
                pieces.append(random.choice(signs))
        read = "".join(pieces)
        return None if read == text else read

    return apply


def _tags(text: str, _: Random) -> str | None:
    if not text.isascii():
        return None
    return "\U0001f60a" + "".join(chr(0xE0000 + ord(sign)) if sign >= " " else sign for sign in text)


def _selectors(text: str, _: Random) -> str | None:
    raw = text.encode()
    return "\U0001f60a" + "".join(chr(0xFE00 + byte) if byte < 16 else chr(0xE0100 + byte - 16) for byte in raw)


def _marks(text: str, _: Random) -> str | None:
    return "".join(sign + "\u0336" if sign.isalpha() else sign for sign in text)


def _override(text: str, _: Random) -> str | None:
    """Stored backwards and shown forwards."""
    return "\n".join(f"\u202e{line[::-1]}\u202c" if line else line for line in text.split("\n"))


def _overstruck(text: str, random: Random) -> str | None:
    """A wrong letter and a backspace before some right ones: a terminal shows the right ones alone."""
    read = "".join(
        f"{random.choice('qwzk')}\b{sign}" if sign.isalpha() and random.random() < 0.4 else sign for sign in text
    )
    return None if read == text else read


def _returned(text: str, _: Random) -> str | None:
    """A harmless line that a carriage return and the command overwrite on a terminal."""
    return None if "\n" in text else f"{'ls -l'.ljust(len(text))}\r{text}"


def _erased(text: str, random: Random) -> str | None:
    return None if "\n" in text else f"echo {random.choice(['ok', 'done'])}\x1b[2K\r{text}"


def _moved(text: str, _: Random) -> str | None:
    """Cursor moves inside the first word: shown where they belong, read in another order."""
    return None if len(text) < 4 or "\n" in text else f"{text[0]}\x1b[1C\x1b[1D{text[1:]}"


def _coloured(text: str, random: Random) -> str | None:
    read = "".join(f"{sign}\x1b[0m" if sign.isalpha() and random.random() < 0.5 else sign for sign in text)
    return None if read == text else read


def _hyperlinked(text: str, _: Random) -> str | None:
    return f"\x1b]8;;https://docs.example.com\x1b\\{text}\x1b]8;;\x1b\\"


def _titled(text: str, _: Random) -> str | None:
    return f"\x1b]0;ls -l\x07{text}"


def _spaced(text: str, random: Random) -> str | None:
    read = text.replace(" ", random.choice("\u00a0\u2003\u3000\u2009\u202f"))
    return None if read == text else read


def _lines(text: str, random: Random) -> str | None:
    return None if "\n" in text else random.choice("\u2028\x0b\x85").join(("ls -l", text))


READER = (
    ("look-alikes", "Cyrillic letters that look like Latin ones", _spelled(_LOOK_ALIKE)),
    ("look-alikes, greek", "Greek letters that look like Latin ones", _spelled(_GREEK)),
    ("full width", "every sign in its full-width form", _spelled(_WIDE)),
    ("full-width separators", "only what separates, in its full-width form", _separators),
    ("mathematical", "letters in mathematical bold", _spelled(_BOLD)),
    ("circled", "circled letters", _spelled(_CIRCLED)),
    ("zero width", "zero-width characters and soft hyphens inside words", _between(_ZERO_WIDTH, 0.5)),
    ("directional marks", "bidirectional controls inside words", _between(_BIDI, 0.5)),
    ("tag characters", "the text in invisible tag characters behind an emoji", _tags),
    ("emoji smuggling", "the text's bytes in variation selectors behind an emoji", _selectors),
    ("struck through", "a combining stroke on each letter", _marks),
    ("bidirectional override", "written backwards, shown forwards", _override),
    ("backspace", "wrong letters that a backspace takes back", _overstruck),
    ("carriage return", "a harmless line that the command overwrites", _returned),
    ("erase line", "a harmless line that is erased before the command", _erased),
    ("cursor moves", "the cursor goes ahead and back inside a word", _moved),
    ("colours", "escape sequences between letters", _coloured),
    ("hyperlink", "a terminal hyperlink around it", _hyperlinked),
    ("window title", "a window title before it", _titled),
    ("unusual blanks", "no-break, em and ideographic spaces", _spaced),
    ("unusual line ends", "a line separator that is no line feed, after a harmless line", _lines),
)
SPELLING = tuple(Evasion(name, about, Undone.READER, EVERY, apply) for name, about, apply in READER)
