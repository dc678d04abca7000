"""What SQL's functions on strings make of constants, in the names that several dialects give them."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from guardrails.commands.tree import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable

_FORMAT = re.compile(r"%(?:\d+\$)?-?\d*([sIL%])")
_MOST_REPEATS = 64
_MOST = 0x110000


def made(name: str, arguments: list[str]) -> str:
    """What a function makes of its arguments; `UNKNOWN` where, or in the place of what, only the server knows."""
    if not arguments:
        return UNKNOWN
    anyway = _WITH_UNKNOWN.get(name)
    if anyway is not None:
        return anyway(arguments)
    known = _OF_KNOWN.get(name)
    return UNKNOWN if known is None or any(UNKNOWN in one for one in arguments) else known(arguments)


def unhexed(text: str) -> str:
    """The text that hexadecimal digits stand for; sqlglot hands a hexadecimal number on in decimal digits."""
    text = text.removeprefix("0x").removeprefix("\\x")
    try:
        return bytes.fromhex(text).decode("utf-8", "replace")
    except ValueError:
        return UNKNOWN


def _formatted(arguments: list[str]) -> str:
    rest = iter(arguments[1:])
    return _FORMAT.sub(lambda m: "%" if m[1] == "%" else next(rest, UNKNOWN), arguments[0])


def _characters(arguments: list[str]) -> str:
    return "".join(chr(int(one)) if one.isdigit() and int(one) < _MOST else UNKNOWN for one in arguments)


def _replaced(arguments: list[str]) -> str:
    if len(arguments) < 2 or not arguments[1]:
        return arguments[0]
    return arguments[0].replace(arguments[1], arguments[2] if len(arguments) > 2 else "")


def _part(arguments: list[str]) -> str:
    if len(arguments) < 2 or not all(one.isdigit() for one in arguments[1:]):
        return UNKNOWN
    start = max(int(arguments[1]) - 1, 0)
    return arguments[0][start : start + int(arguments[2])] if len(arguments) > 2 else arguments[0][start:]


def _end(arguments: list[str], *, left: bool) -> str:
    if len(arguments) < 2 or not arguments[1].isdigit():
        return UNKNOWN
    count = int(arguments[1])
    return arguments[0][:count] if left else arguments[0][-count:] if count else ""


def _repeated(arguments: list[str]) -> str:
    if len(arguments) < 2 or not arguments[1].isdigit():
        return UNKNOWN
    return arguments[0] * min(int(arguments[1]), _MOST_REPEATS)


def _decoded(arguments: list[str]) -> str:
    form = arguments[1].lower() if len(arguments) > 1 else ""
    return {"base64": _base64, "hex": unhexed}.get(form, str)(arguments[0])


def _base64(text: str) -> str:
    try:
        return base64.b64decode(text, validate=False).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return UNKNOWN


def _first(arguments: list[str]) -> str:
    return arguments[0]


_WITH_UNKNOWN: dict[str, Callable[[list[str]], str]] = {
    "concat": "".join,
    "safe_concat": "".join,
    "concat_ws": lambda arguments: arguments[0].join(arguments[1:]),
    "format": _formatted,
    "printf": _formatted,
    "chr": _characters,
    "char": _characters,
    "nchar": _characters,
    "upper": lambda arguments: arguments[0].upper(),
    "lower": lambda arguments: arguments[0].lower(),
    **dict.fromkeys(("trim", "ltrim", "rtrim", "btrim"), lambda arguments: arguments[0].strip()),
    **dict.fromkeys(("quote_ident", "quotename", "coalesce", "isnull", "nvl", "ifnull", "quote_literal"), _first),
}
_OF_KNOWN: dict[str, Callable[[list[str]], str]] = {
    "replace": _replaced,
    "reverse": lambda arguments: arguments[0][::-1],
    "substring": _part,
    "substr": _part,
    "left": lambda arguments: _end(arguments, left=True),
    "right": lambda arguments: _end(arguments, left=False),
    "repeat": _repeated,
    "replicate": _repeated,
    "unhex": lambda arguments: unhexed(arguments[0]),
    "from_base64": lambda arguments: _base64(arguments[0]),
    **dict.fromkeys(("decode", "convert_from", "encode", "convert"), _decoded),
}
