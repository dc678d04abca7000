r"""The escapes of `$'…'`, `echo -e` and `printf`: `\x72`, octal, `\u`, control letters."""

from __future__ import annotations

import re

_ANSI = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|c(.)|(.))", re.DOTALL
)
_ANSI_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}


def ansi(text: str) -> str:
    r"""Reads the escapes of `$'…'` and `echo -e`: `\x72`, octal, `\u`, control letters."""

    def one(found: re.Match[str]) -> str:
        x, u, big, octal, control, letter = found.groups()
        digits = x or u or big
        if digits:
            code = int(digits, 16)
            return chr(code) if code <= 0x10FFFF else found.group()
        if octal:
            return chr(int(octal, 8) & 0xFF)
        if control:
            return chr(ord(control) & 0x1F)
        return _ANSI_LETTERS.get(letter, letter if letter in "\\'\"?" else found.group())

    return _ANSI.sub(one, text)
