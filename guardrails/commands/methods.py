"""What .NET methods return where PowerShell calls them on constants: the tools of every obfuscated one-liner."""

from __future__ import annotations

import base64
import binascii
import urllib.parse
import zlib
from typing import TYPE_CHECKING

from guardrails.commands import constants
from guardrails.commands.constants import MOST, Block, Value, items, number, text
from guardrails.commands.tree import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def method(value: Value, name: str, given: Sequence[Value]) -> Value:
    """`value.name(given)`."""
    value = constants.usual(value) if name != "tostring" else value
    if name in ("tostring", "clone", "normalize", "getnewclosure"):
        return constants.usual(value)
    if isinstance(value, str) and name == "getstring":
        return _decoded(value, given[0] if given else None)
    if isinstance(value, str) and name == "getbytes":
        return tuple(text(given[0] if given else None).encode("utf-16-le" if "unicode" in value else "utf-8"))
    if isinstance(value, str) and UNKNOWN not in value and not isinstance(value, Block):
        found = _STRING.get(name)
        return None if found is None or (None in given) else found(value, given)
    if isinstance(value, dict) and name == "item" and given:
        return constants.indexed(value, given[0])
    return None


def member(value: Value, name: str) -> Value:
    """`value.name`."""
    if isinstance(value, dict):
        return value.get(name)
    value = constants.usual(value)
    if name in ("length", "count") and isinstance(value, (str, tuple)) and not isinstance(value, Block):
        return len(value)
    if name in ("value", "name", "path", "fullname", "content", "definition", "source") and isinstance(value, str):
        return value  # of a match, a variable, an item: what it is made of
    return None


def static(kind: str, name: str, given: Sequence[Value]) -> Value:
    """`[kind]::name(given)`; `kind` in lower case without `system.`."""
    found = _STATIC.get(f"{kind}::{name}")
    if found is None:
        return None
    try:
        return found(given)
    except (ValueError, OverflowError, IndexError, binascii.Error):
        return None


def built(kind: str, given: Sequence[Value]) -> Value:
    """What `New-Object kind given` holds, where that is a string, the bytes of one, or a path."""
    kind = kind.lower().removeprefix("system.")
    if given and all(isinstance(one, int) for one in given):
        given = (tuple(given),)
    if given and kind.endswith(_STREAMS):
        return inflated(given[0])
    if given and kind.endswith(_HOLDERS):
        return given[0]
    return static(kind, "new", given)


def encoding(name: str) -> str:
    """Python's name of the encoding that a .NET expression speaks of."""
    name = name.lower()
    if "bigendian" in name:
        return "utf-16-be"
    return "utf-16-le" if "unicode" in name or "utf-16" in name or "1200" in name else "utf-8"


def inflated(packed: Value) -> str | None:
    """The text in compressed bytes, Deflate's or GZip's."""
    data = _bytes(packed)
    if data is None:
        return None
    for bits in (-15, 31, 47):
        try:
            made = zlib.decompressobj(bits).decompress(data, MOST)
        except zlib.error:
            continue
        return made.decode("utf-16-le" if b"\0" in made[:4] else "utf-8", "replace")
    return None


def _decoded(kind: str, given: Value) -> Value:
    data = _bytes(given)
    return None if data is None else data.decode(encoding(kind), "replace").lstrip("\ufeff")


def _bytes(given: Value) -> bytes | None:
    numbers = [number(one) for one in items(given)]
    return bytes(one & 0xFF for one in numbers if one is not None) if numbers and None not in numbers else None


_STREAMS = ("deflatestream", "gzipstream")
_HOLDERS = ("memorystream", "streamreader", "directoryinfo", "fileinfo")


def _slice(value: str, given: Sequence[Value]) -> Value:
    start, length = number(given[0]), number(given[1]) if len(given) > 1 else MOST
    return value[start : start + length] if start is not None and length is not None and start >= 0 else None


def _cut(value: str, given: Sequence[Value]) -> Value:
    start, length = number(given[0]), number(given[1]) if len(given) > 1 else MOST
    return None if start is None or length is None else value[:start] + value[start + length :]


def _put(value: str, given: Sequence[Value]) -> Value:
    start = number(given[0])
    return None if start is None or len(given) < 2 else value[:start] + text(given[1]) + value[start:]


def _padded(value: str, given: Sequence[Value], *, left: bool) -> Value:
    width, fill = number(given[0]), text(given[1])[:1] if len(given) > 1 else " "
    if width is None or width > MOST or not fill:
        return None
    return value.rjust(width, fill) if left else value.ljust(width, fill)


def _split(value: str, given: Sequence[Value]) -> Value:
    marks = "".join(text(one) for one in given if not isinstance(one, int)) or " \t"
    for mark in marks[1:]:
        value = value.replace(mark, marks[0])
    return tuple(value.split(marks[0]))


def _found(value: str, given: Sequence[Value]) -> Value:
    return value.lower().find(text(given[0]).lower())


_STRING: dict[str, Callable[[str, Sequence[Value]], Value]] = {
    "replace": lambda value, given: constants.replaced(
        value, text(given[0]), text(given[1]) if len(given) > 1 else "", pattern=False
    ),
    "substring": _slice,
    "remove": _cut,
    "insert": _put,
    "toupper": lambda value, _given: value.upper(),
    "tolower": lambda value, _given: value.lower(),
    "toupperinvariant": lambda value, _given: value.upper(),
    "tolowerinvariant": lambda value, _given: value.lower(),
    "trim": lambda value, given: value.strip("".join(map(text, given)) or None),
    "trimstart": lambda value, given: value.lstrip("".join(map(text, given)) or None),
    "trimend": lambda value, given: value.rstrip("".join(map(text, given)) or None),
    "tochararray": lambda value, _given: tuple(value),
    "split": _split,
    "padleft": lambda value, given: _padded(value, given, left=True),
    "padright": lambda value, given: _padded(value, given, left=False),
    "indexof": _found,
}


def _base64(given: Sequence[Value]) -> Value:
    data = base64.b64decode("".join(text(given[0]).split()), validate=True)
    return tuple(data) if len(data) <= MOST * 4 else None


def _from(given: Sequence[Value]) -> Value:
    base = number(given[1]) if len(given) > 1 else 10
    return int(text(given[0]), base or 10)


def _reversed(given: Sequence[Value]) -> Value:
    """`[regex]::Matches(text, '.', 'RightToLeft')`: the usual way to turn a string around."""
    whole, pattern = text(given[0]), text(given[1])
    backwards = len(given) > 2 and "right" in text(given[2]).lower()
    return tuple(whole[::-1] if backwards else whole) if pattern == "." and UNKNOWN not in whole else None


_FOLDERS = {
    "system": "systemroot",
    "windows": "systemroot",
    "programfiles": "programfiles",
    "commonapplicationdata": "programdata",
}
_STATIC: dict[str, Callable[[Sequence[Value]], Value]] = {
    "convert::frombase64string": _base64,
    "convert::tochar": lambda given: constants.cast("char", given[0]),
    "convert::toint32": _from,
    "convert::toint16": _from,
    "convert::tobyte": _from,
    "convert::tostring": lambda given: text(given[0]),
    "convert::fromhexstring": lambda given: tuple(bytes.fromhex(text(given[0]))),
    "char::convertfromutf32": lambda given: constants.cast("char", given[0]),
    "string::join": lambda given: constants.joined(given[1] if len(given) == 2 else tuple(given[1:]), given[0]),
    "string::concat": lambda given: constants.joined(given[0] if len(given) == 1 else tuple(given), ""),
    "string::format": lambda given: constants.formatted(given[0], tuple(given[1:])),
    "string::new": lambda given: constants.joined(given[0], ""),
    "regex::replace": lambda given: constants.replaced(given[0], text(given[1]), text(given[2]), pattern=True),
    "regex::split": lambda given: constants.parted(given[0], given[1]),
    "regex::unescape": lambda given: given[0],
    "regex::matches": _reversed,
    "scriptblock::create": lambda given: constants.cast("scriptblock", given[0]),
    "environment::getenvironmentvariable": lambda given: f"$env:{text(given[0]).lower()}",
    "environment::getfolderpath": lambda given: f"$env:{_FOLDERS.get(text(given[0]).lower(), 'userprofile')}",
    "io.path::combine": lambda given: "\\".join(text(one).strip("\\") for one in given),
    "net.webutility::urldecode": lambda given: urllib.parse.unquote_plus(text(given[0])),
    "web.httputility::urldecode": lambda given: urllib.parse.unquote_plus(text(given[0])),
    "uri::unescapedatastring": lambda given: urllib.parse.unquote(text(given[0])),
    "text.encoding::getencoding": lambda given: f"[text.encoding]::{text(given[0])}",
    "text.unicodeencoding::new": lambda _given: "[text.encoding]::unicode",
    "text.asciiencoding::new": lambda _given: "[text.encoding]::ascii",
    "text.utf8encoding::new": lambda _given: "[text.encoding]::utf8",
}
