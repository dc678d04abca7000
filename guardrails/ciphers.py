"""Encodings that spread over several words or that the text names itself: as edits, like `guardrails.encodings`.

Mail's quoted-printable and UTF-7, lists of character codes, bytes in binary digits, base85; and what a text calls
rot13 or reversed, which anybody can undo who is told so.
"""

from __future__ import annotations

import base64
import codecs
import re
from typing import TYPE_CHECKING

from guardrails.encodings import Edit
from guardrails.screens import Screen, Sign

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMED = r"rot-?13|caesar|revers|backward|mirrored|right[ -]to[ -]left"
_NAMES = ("rot13", "rot-13", "caesar", "revers", "backward", "mirrored", "right to left", "right-to-left")
_CODE = r"(?:3[2-9]|[4-9]\d|1[01]\d|12[0-6]|10|9)"
_SCREEN = Screen(
    re.compile(
        r"=[0-9A-F]{2}=[0-9A-F]{2}=|\+[A-Za-z0-9+/]{6,}-"
        rf"|\b{_CODE}[ ,]{{1,2}}{_CODE}[ ,]{{1,2}}{_CODE}[ ,]{{1,2}}{_CODE}\b|\b[01]{{8}}[ ,]{{1,2}}[01]{{8}}\b"
        rf"|(?:base|ascii|b|a)-?85|{_NAMED}",
        re.IGNORECASE,
    )
)
_PRINTABLE = re.compile(r"(?:=[0-9A-F]{2}){3,}")
_UTF7 = re.compile(r"\+([A-Za-z0-9+/]{6,})-")
_CODES = re.compile(rf"(?<![\d.]){_CODE}(?:[ ,]{{1,2}}{_CODE}){{3,}}(?!\d|\.\d)")
_BINARY = re.compile(r"(?<!\d)[01]{8}(?:[ ,]{1,2}[01]{8})+(?!\d)")
_BASE85 = re.compile(r"(?<!\S)(?=\S*[!#$%&()*+;<=>?@^_`{|}~-])[0-9A-Za-z!#$%&()*+;<=>?@^_`{|}~-]{12,}(?!\S)")
_CUE = re.compile(rf"(?:{_NAMED})\w*[ \t:,\"'`(]*", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
_TURNED = re.compile(r"rot|caesar", re.IGNORECASE)
_READABLE = re.compile(r"[\t\n\r\x20-\x7e]+")
_LETTERS = re.compile(r"[A-Za-z]{2}|[\\%&=]|[0-9A-Za-z]{6}|\d[ ,]+\d")  # or what stands for letters once more
_SHORTEST = 4


def possible(text: str) -> bool:
    """False only where `spread` finds nothing; a microsecond for a line."""
    return _SCREEN.possible(text)


def spread(text: str) -> list[Edit]:
    """Edits that decode what stands in such an encoding, in order."""
    if not possible(text):
        return []
    edits: list[Edit] = []
    for sign, screen, pattern, decode in _PATTERNS:
        if sign not in text or not screen.within(text):
            continue
        for match in pattern.finditer(text):
            read = decode(match[0])
            if read and _READABLE.fullmatch(read) and _LETTERS.search(read):
                edits.append(Edit(*match.span(), read))
    kept: list[Edit] = []
    for edit in sorted(edits):
        if not kept or edit.start >= kept[-1].end:
            kept.append(edit)
    return kept


def named(text: str) -> list[Edit]:
    """Edits that read what stands behind, else before, a word that says how to read it."""
    if not possible(text):
        return []
    lower = text.lower()
    if not any(name in lower for name in _NAMES):
        return []
    edits = []
    past = 0
    for cue in _CUE.finditer(text):
        if cue.start() < past:
            continue
        line = text.find("\n", cue.end())
        start, end = cue.end(), len(text) if line < 0 else line
        if end - start < _SHORTEST:
            start, end = text.rfind("\n", 0, cue.start()) + 1, cue.start()
        part = text[start:end]
        read = codecs.encode(part, "rot13") if _TURNED.match(cue[0]) else part[::-1]
        if read.strip() and start >= past:
            edits.append(Edit(start, end, read))
        past = max(end, cue.end())
    return edits


def _printable(found: str) -> str:
    return bytes.fromhex(found.replace("=", "")).decode("utf-8", "replace")


def _utf7(found: str) -> str:
    bare = found[1:-1]
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4)).decode("utf-16-be")
    except (ValueError, UnicodeDecodeError):
        return ""


def _codes(found: str) -> str:
    return "".join(chr(int(code)) for code in _NUMBER.findall(found))


def _binary(found: str) -> str:
    return "".join(chr(int(code, 2)) for code in _NUMBER.findall(found))


def _base85(found: str) -> str:
    for decode in (base64.b85decode, base64.a85decode):
        try:
            return decode(found).decode("ascii")
        except (ValueError, UnicodeDecodeError):
            continue
    return ""


# What a text has at least, the pattern, and how it is decoded; base85 is told by its name, for its alphabet is all.
_PATTERNS: tuple[tuple[str, Sign, re.Pattern[str], Callable[[str], str]], ...] = (
    ("=", Sign(r"(?:=[0-9A-F]{2}){3}"), _PRINTABLE, _printable),
    ("+A", Sign(r"\+[A-Za-z0-9+/]{6,}-"), _UTF7, _utf7),
    ("1", Sign(rf"{_CODE}[ ,]{{1,2}}{_CODE}[ ,]{{1,2}}{_CODE}[ ,]{{1,2}}{_CODE}"), _CODES, _codes),
    ("0", Sign(r"[01]{8}[ ,]{1,2}[01]{8}"), _BINARY, _binary),
    ("85", Sign(r"[0-9A-Za-z!#$%&()*+;<=>?@^_`{|}~-]{12}"), _BASE85, _base85),
)
