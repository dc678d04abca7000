"""Where a text that may still be arriving holds something encoded, so that it is read whole before any of it leaves.

Most words are told apart by their first characters: base64 of ASCII shows in its letters, hexadecimal in its digits.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from guardrails.confusables import SELECTORS, TAGS
from guardrails.text import canonical

SHORTEST = 12
"""Fewest characters of an encoded word; `guardrails.text.layers` decodes no shorter one."""
LONGEST = 4096
"""Characters of one encoded word that are held back; of a longer one the beginning is judged."""

_FIRST = "[CDI-Za-f]"
_SECOND = "[A-HQ-Xg-nw-z0-3]"
_THIRD = "[ABEFIJMNQRUVYZcdghklopstwx014589]"
_ANY = "[A-Za-z0-9+/_-]"
_BASE64 = re.compile(rf"(?:{_FIRST}{_SECOND}{_THIRD}{_ANY})*(?:{_FIRST}(?:{_SECOND}{_THIRD}?)?)?={{0,2}}")
# UTF-16 as PowerShell has it: every other byte is nothing.
_EVEN = r"[CDI-Za-f][AQgw][AB][A-Za-z0-9+/_-]"
_ODD = r"A[C-H][AEIMQUYcgkosw048]A"
_WIDE = re.compile(rf"(?:{_EVEN}{_ODD})*(?:{_EVEN})?(?:[CDI-Za-f]|A)?[A-Za-z0-9+/_-]{{0,2}}={{0,2}}")
_HEX = re.compile(r"(?:0[xX]?)?(?:[2-7][0-9A-Fa-f])*[2-7]?")
_BASE32 = re.compile(r"[A-Z2-7]*={0,6}")
_TOKEN = re.compile(r"[A-Za-z0-9+/_-]*={0,6}")
_LETTERS = frozenset("CDEFGHIJKLMNOPQRSTUVWXYZabcdef")
_DIGITS = frozenset("0123456789")
_NEXT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZghijklmnwxyz01234567")  # what may follow one of the letters

_CODE = r"(?:3[2-9]|[4-9]\d|1[01]\d|12[0-6]|10|9)"
_NUMBERS = (
    re.compile(rf"{_CODE}(?:[ ,]{{1,2}}{_CODE})*(?:[ ,]{{1,2}}\d{{0,3}})?"),
    re.compile(r"[2-7][0-9A-Fa-f](?:[ ,:]{1,2}[2-7][0-9A-Fa-f])*(?:[ ,:]{1,2}[2-7]?)?"),
    re.compile(r"[01]{8}(?:[ ,]{1,2}[01]{8})*(?:[ ,]{1,2}[01]{0,7})?"),
)
_DIGIT = re.compile(r"[0-9A-Fa-f]{1,8}")
_NUMBER = re.compile(r"[0-9A-Fa-f]{2,8}")
_QUOTED = re.compile(r"(?:=[0-9A-F]{2})*(?:=[0-9A-F]?)?")
_MAIL = re.compile(r"\+(?:A(?:[C-H][A-Za-z0-9+/]*-?)?)?")
_HIDDEN = re.compile(f"[{min(TAGS)}-{max(TAGS)}\U000e007f]+|[\ufe00-\ufe0f\U000e0100-\U000e01ef]+")
CUES = ("rot13", "rot-13", "caesar", "reversed", "backwards", "mirrored", "base85", "ascii85")
"""Words that say how what follows in their line is to be read (`guardrails.ciphers`)."""
_CUE = re.compile("|".join(CUES), re.IGNORECASE)
_PRINTABLE = re.compile(r"(?:=[0-9A-F]{2}){4}")
_FLAG = "\U0001f3f4"
_FEWEST = 4  # numbers that make a list of codes
_MORE = -1


class Reach(NamedTuple):
    """How far something that may be encoded reaches.

    Attributes:
        end: Its end; -1 where what comes next decides.
        hidden: Whether nobody sees it.
    """

    end: int
    hidden: bool = False


def reach(text: str, position: int, *, final: bool) -> Reach | None:
    """What may be encoded from `position` on, the beginning of a word; None where nothing is.

    Args:
        text: As far as it has arrived.
        position: Index in it.
        final: Nothing follows.
    """
    sign = text[position]
    if sign in _LETTERS:
        follows = text[position + 1 : position + 2]
        return _token(text, position, final=final) if not follows or follows in _NEXT else None
    if sign in _DIGITS:
        return _numbers(text, position, final=final) or _token(text, position, final=final)
    if sign in TAGS or sign in SELECTORS:
        return _hidden(text, position, final=final)
    return _token(text, position, final=final) if sign == "+" else None


def quoted_printable(text: str, position: int, *, final: bool) -> Reach | None:
    """As `reach`, for what begins with an equals sign."""
    match = _QUOTED.match(text, position)
    end = match.end() if match else position
    if end == len(text) and not final and end - position < LONGEST:
        return Reach(_MORE)
    return Reach(end) if end - position >= SHORTEST else None


def plausible(text: str) -> bool:
    """Whether a whole text has a long word that may be encoded, something invisible, or a list of codes."""
    if not text.isascii() and _HIDDEN.search(text):
        return True
    if _PRINTABLE.search(text) or _CUE.search(text):
        return True
    if not text.isascii():
        text = canonical(text).text
    return any(may_be(word) for word in text.split() if len(word) >= SHORTEST) or _listed(text)


def _listed(text: str) -> bool:
    start = len(text) - len(text.lstrip())
    return start < len(text) and text[start] in _DIGITS and _numbers(text, start, final=True) is not None


def _hidden(text: str, position: int, *, final: bool) -> Reach | None:
    match = _HIDDEN.match(text, position)
    end = match.end() if match else position + 1
    if end == len(text) and not final and end - position < LONGEST:
        return Reach(_MORE)
    one = text[position] in SELECTORS and end - position == 1  # the picture form of a sign
    return None if one or text[position - 1 : position] == _FLAG else Reach(end, hidden=True)


def _numbers(text: str, position: int, *, final: bool) -> Reach | None:
    """A list of codes: decimal, hexadecimal or binary."""
    end = max(match.end() if (match := one.match(text, position)) else position for one in _NUMBERS)
    word = _DIGIT.match(text, position)
    arriving = max(end, word.end() if word else position) == len(text)
    if arriving and not final and len(text) - position < LONGEST:
        return Reach(_MORE)
    many = len(_NUMBER.findall(text, position, end))
    return Reach(end) if many >= _FEWEST else None


def _token(text: str, position: int, *, final: bool) -> Reach | None:
    size = min(len(text), position + LONGEST)
    match = _TOKEN.match(text, position, size)
    end = match.end() if match else position
    if end - position < SHORTEST and (end < len(text) or final):
        return None  # it has ended
    word = text[position:end]
    if not may_be(word):
        return None
    if end == len(text) and not final and end - position < LONGEST:
        return Reach(_MORE)
    return Reach(end) if len(word) >= SHORTEST else None


def may_be(word: str) -> bool:
    """Whether a word may be, or become, encoded text."""
    patterns = (_BASE64, _WIDE, _HEX, _BASE32)
    return any(pattern.fullmatch(word) for pattern in patterns) or (
        word[:1] == "+" and _MAIL.fullmatch(word) is not None
    )
