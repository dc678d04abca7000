"""Encodings in which a text may carry another: what stands for what, as edits to the text.

Two families, because they overlap: `escapes` (URL, HTML and backslash escapes, spread through a text) and `tokens`
(base64, base32 and hex, whole words). A token is decoded only where the result is readable text.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from typing import NamedTuple

from guardrails.screens import Sign


class Edit(NamedTuple):
    """Read `text` instead of the characters from `start` to `end`."""

    start: int
    end: int
    text: str


_ESCAPE = re.compile(
    r"(?P<url>(?:%[0-9A-Fa-f]{2})+)"
    r"|%u(?P<wide>[0-9A-Fa-f]{4})"
    r"|(?P<html>&(?:\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?)"
    r"|(?P<bytes>(?:\\x[0-9A-Fa-f]{2})+)|(?P<octal>(?:\\[0-7]{2,3})+)"
    r"|\\(?:x\{(?P<brace>[0-9A-Fa-f]{1,6})\}|u(?P<short>[0-9A-Fa-f]{4})"
    r"|u\{(?P<curly>[0-9A-Fa-f]{1,6})\}|U(?P<long>[0-9A-Fa-f]{8})|(?P<control>[nrtve0fab]))"
)
_ESCAPE_SIGN = re.compile(r"[%&\\]")
_CONTROL = {"n": "\n", "r": "\n", "t": "\t", "v": "\n", "f": "\n", "e": "\x1b", "0": "\0", "a": "\a", "b": "\b"}
_URL_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")

# Base64 of ASCII text shows in its letters: of each group of four the first carries the high bits of a byte below 0x80
# and the third the top bit of another, so most words that merely use the alphabet are told apart before decoding.
_ASCII_GROUP = r"(?:[CDI-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-])"
_SPACED = re.compile(
    r"(?<!\w)(?P<spaced>(?:0x|\\x)?[0-7][0-9A-Fa-f](?:[ ,:]{1,2}(?:0x|\\x)?[0-9A-Fa-f]{2}){2,})(?![0-9A-Za-z])"
)
_MAY_BE_SPACED = Sign(r"[0-7][0-9A-Fa-f](?:[ ,:]{1,2}(?:0x|\\x)?[0-9A-Fa-f]{2}){2,}")
_TOKEN = re.compile(
    r"(?<![0-9A-Za-z+/_-])(?:"
    r"(?P<hex>(?:0[xX])?(?:[0-9a-f]{2}){3,}|(?:0[xX])?(?:[0-9A-F]{2}){3,})(?![0-9A-Za-z+/_-])"
    rf"|(?P<base64>{_ASCII_GROUP}+[A-Za-z0-9+/_-]{{0,3}}={{0,2}}|[CDI-Za-f][A-Za-z0-9+/_-]{{1,2}}={{1,2}})"
    r"(?![0-9A-Za-z+/_-])"
    r"|(?P<base32>[A-Z2-7]{8,}={0,6})(?![0-9A-Za-z+/_=-])"
    # Text beyond ASCII, or in UTF-16 as PowerShell has it, shows only once decoded; a word without a capital has none.
    r"|(?P<loose>(?=[a-z0-9+/_-]*[A-Z])[A-Za-z0-9+/_-]{6,}={0,2})(?![0-9A-Za-z+/_-]))"
    # A value that is nothing but the code of a separator.
    r"|\A(?P<short>[CDI-Za-f][A-Za-z0-9+/_-]{1,2})\Z"
    r"|\A(?P<pair>(?=[0-9A-F]*[A-F]|[0-9a-f]*[a-f])(?:[0-9A-Fa-f]{2}){1,2})\Z"
)
_HEX_NOISE = re.compile(r"0[xX]|\\x|[ ,:]")
_READABLE = re.compile(r"[\t\n\r\x20-\x7e\u00a0-\U0010ffff]+")


def escapes(text: str) -> list[Edit]:
    """Edits that take off one level of URL, HTML and backslash escapes."""
    if "%" not in text and "&" not in text and "\\" not in text:
        return []
    edits: list[Edit] = []
    past = 0
    for sign in _ESCAPE_SIGN.finditer(text):  # ten times faster than to try every way at every character
        if sign.start() >= past and (match := _ESCAPE.match(text, sign.start())):
            past = match.end()
            if edit := _escape(match):
                edits.append(edit)
    # A form's plus sign is a space only in a text that has the escapes of a form and no space of its own.
    if "+" in text and " " not in text and _URL_ESCAPE.search(text):
        edits += [Edit(at.start(), at.end(), " ") for at in re.finditer(r"\+", text)]
        edits.sort()
    return edits


def blank(edit: Edit) -> bool:
    """Whether an edit reads a blank, a line end or nothing for a backslash and a letter."""
    return edit.end - edit.start == 2 and edit.text in _CONTROL.values()


def _escape(match: re.Match[str]) -> Edit | None:
    kind = match.lastgroup
    found = match.group(kind) if kind else ""
    if kind in ("url", "bytes"):
        read = _text(bytes.fromhex(found.replace("%", "").replace("\\x", "")))
    elif kind == "octal":
        read = _text(bytes(int(code, 8) & 0xFF for code in found.split("\\")[1:]))
    elif kind == "html":
        read = html.unescape(found)
        if read == found:
            return None
    elif kind == "control":
        read = _CONTROL[found]
    else:
        point = int(found, 16)
        if point > 0x10FFFF or 0xD800 <= point < 0xE000:
            return None
        read = chr(point)
    return Edit(match.start(), match.end(), read)


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def tokens(text: str, shortest: int) -> list[Edit]:
    """Edits that decode every readable base64, base32 or hex token of at least `shortest` characters."""
    # Most texts are told apart by the length of their words, and by the digits that hex codes of letters begin with:
    # a search for either would cost ten times as much.
    edits: list[Edit] = []
    end = 0
    for word in text.split():
        if len(word) >= shortest:
            start = text.find(word, end)
            end = start + len(word)
            edits += [edit for match in _TOKEN.finditer(text, start, end) if (edit := _token(match, shortest))]
    if edits or not ("6" in text or "7" in text or "4" in text or "5" in text) or not _MAY_BE_SPACED.within(text):
        return edits
    return [edit for match in _SPACED.finditer(text) if (edit := _token(match, shortest))]


def _token(match: re.Match[str], shortest: int) -> Edit | None:
    token = match.group()
    if len(token) >= shortest and (read := _decode(match.lastgroup or "", token)):
        return Edit(match.start(), match.end(), read)
    return None


def _decode(kind: str, token: str) -> str | None:
    """What the token stands for, or None where that is no readable text."""
    try:
        if kind in ("hex", "spaced", "pair"):
            read = bytes.fromhex(_HEX_NOISE.sub("", token)).decode()
        elif kind == "base32":
            bare = token.rstrip("=")
            read = base64.b32decode(bare + "=" * (-len(bare) % 8)).decode()
        else:
            bare = token.rstrip("=").replace("-", "+").replace("_", "/")
            raw = binascii.a2b_base64(bare + "=" * (-len(bare) % 4))
            wide = len(raw) > 1 and 2 * raw[1::2].count(0) >= len(raw[1::2])
            read = raw.decode("utf-16-le" if wide else "utf-8")
    except (ValueError, UnicodeDecodeError):  # binascii.Error is a ValueError
        return None
    return read if _READABLE.fullmatch(read) else None
