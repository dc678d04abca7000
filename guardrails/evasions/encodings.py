"""Encodings: something at the target decodes them, a program or the model itself."""

from __future__ import annotations

import base64
import codecs
import quopri
from typing import TYPE_CHECKING
from urllib.parse import quote

from guardrails.evasions.interface import EVERY, Evasion, Undone

if TYPE_CHECKING:
    from random import Random


def _percent(text: str, _: Random) -> str | None:
    return quote(text, safe="")


def _percent_all(text: str, _: Random) -> str | None:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def _entities(text: str, _: Random) -> str | None:
    return "".join(f"&#{ord(sign)};" for sign in text)


def _hex_entities(text: str, random: Random) -> str | None:
    return "".join(f"&#x{ord(sign):x}{random.choice(['', ';'])}" for sign in text)


def _named_entities(text: str, _: Random) -> str | None:
    names = {"&": "&amp;", ";": "&semi;", "|": "&vert;", "/": "&sol;", "-": "&#45;", "$": "&dollar;", " ": "&#32;"}
    read = "".join(names.get(sign, sign) for sign in text)
    return None if read == text else read


def _base64(text: str, _: Random) -> str | None:
    return base64.b64encode(text.encode()).decode()


def _base64_url(text: str, _: Random) -> str | None:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _utf16(text: str, _: Random) -> str | None:
    return base64.b64encode(text.encode("utf-16-le")).decode()


def _base32(text: str, _: Random) -> str | None:
    return base64.b32encode(text.encode()).decode()


def _base85(text: str, _: Random) -> str | None:
    return f"base85: {base64.b85encode(text.encode()).decode()}"


def _hex(text: str, _: Random) -> str | None:
    return text.encode().hex()


def _hex_spaced(text: str, _: Random) -> str | None:
    return text.encode().hex(" ")


def _hex_escapes(text: str, _: Random) -> str | None:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def _unicode_escapes(text: str, _: Random) -> str | None:
    return "".join(f"\\u{ord(sign):04x}" for sign in text) if max(text, default="") <= "\uffff" else None


def _some_escapes(text: str, random: Random) -> str | None:
    if max(text, default="") > "\uffff" or "\\" in text:
        return None
    return "".join(f"\\u{ord(sign):04x}" if random.random() < 0.4 else sign for sign in text)


def _octal(text: str, _: Random) -> str | None:
    return "".join(f"\\{byte:03o}" for byte in text.encode())


def _quoted_printable(text: str, _: Random) -> str | None:
    read = "".join(f"={byte:02X}" for byte in text.encode())
    return read if quopri.decodestring(read.encode()) == text.encode() else None


def _utf7(text: str, _: Random) -> str | None:
    return "+" + base64.b64encode(text.encode("utf-16-be")).decode().rstrip("=") + "-"


def _rot13(text: str, _: Random) -> str | None:
    return f"rot13: {codecs.encode(text, 'rot13')}"


def _backwards(text: str, _: Random) -> str | None:
    return f"reversed: {text[::-1]}"


def _codes(text: str, random: Random) -> str | None:
    return random.choice([" ", ", ", ","]).join(str(ord(sign)) for sign in text)


def _binary(text: str, _: Random) -> str | None:
    return " ".join(f"{byte:08b}" for byte in text.encode())


_TABLE = (
    ("percent", "URL escapes where a URL needs them", _percent),
    ("percent, every byte", "URL escapes for every byte", _percent_all),
    ("HTML decimal", "decimal character references", _entities),
    ("HTML hexadecimal", "hexadecimal character references, some without their semicolon", _hex_entities),
    ("HTML named", "named references for separators", _named_entities),
    ("base64", "base64", _base64),
    ("base64, URL-safe", "base64 with - and _, without padding", _base64_url),
    ("base64 of UTF-16", "as PowerShell's -EncodedCommand has it", _utf16),
    ("base32", "base32", _base32),
    ("base85", "base85, and said so", _base85),
    ("hex", "hexadecimal digits", _hex),
    ("hex, spaced", "hexadecimal bytes with blanks between", _hex_spaced),
    ("\\x escapes", "backslash-x escapes", _hex_escapes),
    ("\\u escapes", "JSON's and JavaScript's escapes", _unicode_escapes),
    ("some \\u escapes", "such escapes for some letters", _some_escapes),
    ("octal", "octal escapes", _octal),
    ("quoted-printable", "mail's =XX escapes", _quoted_printable),
    ("UTF-7", "mail's +…- escapes", _utf7),
    ("rot13", "letters turned by thirteen, and said so", _rot13),
    ("reversed", "letters in reverse order, and said so", _backwards),
    ("character codes", "decimal character codes", _codes),
    ("binary", "bytes in binary digits", _binary),
)
ENCODINGS = tuple(Evasion(name, about, Undone.DECODER, EVERY, apply) for name, about, apply in _TABLE)
