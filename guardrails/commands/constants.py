"""PowerShell's values as far as a text settles them: strings, numbers, lists, tables, blocks, and what they make."""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

import re2

from guardrails.commands.tree import UNKNOWN


class Block(NamedTuple):
    """A script block that nobody has run yet: its source without the braces."""

    text: str


Value: TypeAlias = "str | int | Block | tuple[Value, ...] | dict[str, Value] | None"
"""None is known only at run time, as is the part of a string where `UNKNOWN` stands; bytes are lists of numbers."""

MOST = 1 << 14
"""Characters a string, and members a list may grow to; what would be longer is not known."""

# What is the same on nearly every Windows: obfuscation picks the letters of cmdlets out of them.
_USUAL: dict[str, Value] = {
    "$pshome": r"C:\Windows\System32\WindowsPowerShell\v1.0",
    "$shellid": "Microsoft.PowerShell",
    "$verbosepreference": "SilentlyContinue",
    "$debugpreference": "SilentlyContinue",
    "$informationpreference": "SilentlyContinue",
    "$erroractionpreference": "Continue",
    "$warningpreference": "Continue",
    "$confirmpreference": "High",
    "$env:comspec": r"C:\WINDOWS\system32\cmd.exe",
    "$env:public": r"C:\Users\Public",
    "$env:windir": r"C:\WINDOWS",
    "$env:systemroot": r"C:\WINDOWS",
    "$env:systemdrive": "C:",
    "$env:programfiles": r"C:\Program Files",
    "$env:programdata": r"C:\ProgramData",
    "$env:allusersprofile": r"C:\ProgramData",
    "$env:commonprogramw6432": r"C:\Program Files\Common Files",
    "$env:os": "Windows_NT",
    "$ofs": " ",
}
_FIELD = re.compile(r"\{(\d{1,3})(?:,-?\d{1,4})?(?::\w{0,8})?\}|(\{\{|\}\})")
_SAFE_CAST = frozenset({"string", "string[]", "array", "object", "object[]", "psobject", "regex", "uri", "xml", "void"})
# In Windows PowerShell, which obfuscation is written for, `e is an e.
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_TICK = re.compile(r"`(u\{[0-9A-Fa-f]{1,6}\}|.)", re.DOTALL)


def unescaped(text: str) -> str:
    """A text with its backticks read."""

    def one(found: re.Match[str]) -> str:
        if len(found[1]) > 1:
            code = int(found[1][2:-1], 16)
            return chr(code) if code <= 0x10FFFF else found[0]
        return _ESCAPES.get(found[1], found[1])

    return _TICK.sub(one, text) if "`" in text else text


def usual(value: Value) -> Value:
    """What a variable of the system, standing for itself, nearly always holds."""
    return _USUAL.get(value.lower(), value) if isinstance(value, str) and value[:1] == "$" else value


def text(value: Value) -> str:
    """A value as a string holds it."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "$true" if value else "$false"
    if isinstance(value, Block):
        return value.text
    if isinstance(value, tuple):
        return " ".join(map(text, value))
    if isinstance(value, dict):
        return "@{" + ";".join(f"{key}={text(held)}" for key, held in value.items()) + "}"
    return str(value)


def items(value: Value) -> tuple[Value, ...]:
    """The members of a list; of anything else, itself."""
    return value if isinstance(value, tuple) else (value,)


def added(left: Value, right: Value) -> Value:
    """`left + right`."""
    if isinstance(left, int) and not isinstance(left, bool) and isinstance(right, int):
        return left + right if abs(left) + abs(right) < 1 << 40 else None
    if isinstance(left, dict) and isinstance(right, dict):
        return {**left, **right}
    if isinstance(left, tuple):
        grown = left + items(right)
        return grown if len(grown) <= MOST else None
    if (left is None and not isinstance(right, str)) or isinstance(left, dict):
        return None
    whole = text(left) + text(right)
    return whole if len(whole) <= MOST else None


def multiplied(left: Value, right: Value) -> Value:
    """`left * right`."""
    if not isinstance(right, int) or not 0 <= right <= MOST:
        return None
    if isinstance(left, int):
        return left * right if abs(left) < 1 << 32 else None
    if isinstance(left, (str, tuple)) and not isinstance(left, Block):
        return left * right if len(left) * right <= MOST else None
    return None


def spanned(first: Value, last: Value) -> Value:
    """`first..last`."""
    first, last = number(first), number(last)
    if first is None or last is None or abs(first - last) >= MOST:
        return None
    return tuple(range(first, last + 1) if first <= last else range(first, last - 1, -1))


def number(value: Value) -> int | None:
    """A value as a whole number."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"\s*(?:-?\d{1,12}|0x[0-9A-Fa-f]{1,8})\s*", value):
        return int(value.strip(), 0) if "x" in value.lower() else int(value)
    return None


def cast(kind: str, value: Value) -> Value:
    """`[kind]value`."""
    kind = kind.lower().removeprefix("system.")
    if kind == "char":
        code = number(value) if not (isinstance(value, str) and len(value) == 1) else None
        return (chr(code) if 0 <= code <= 0xFFFF else None) if code is not None else value
    if kind in ("char[]", "byte[]", "int[]"):
        return _listed(kind[:-2], value)
    if kind in ("int", "int32", "int64", "long", "byte", "uint32", "int16"):
        return ord(value) if isinstance(value, str) and len(value) == 1 and not value.isdigit() else number(value)
    if kind in ("scriptblock", "management.automation.scriptblock"):
        return value if isinstance(value, Block) or value is None else Block(text(value))
    if kind == "string" and isinstance(value, tuple):
        return text(value)
    return value if kind in _SAFE_CAST or isinstance(value, (str, Block, dict, tuple)) else None


def _listed(kind: str, value: Value) -> Value:
    members = tuple(value) if isinstance(value, str) else items(value)
    if kind != "char":
        return tuple(cast("int", one) if isinstance(one, str) else one for one in members)
    made = tuple(cast("char", one) for one in members)
    return None if None in made else made


def indexed(value: Value, index: Value) -> Value:
    """`value[index]`, with several indexes a list."""
    value = usual(value)
    if isinstance(value, dict):
        return value.get(text(index).lower())
    if not isinstance(value, (str, tuple)) or isinstance(value, Block) or (isinstance(value, str) and UNKNOWN in value):
        return None
    if isinstance(index, tuple):
        return tuple(indexed(value, one) for one in index)
    at = number(index)
    return value[at] if at is not None and -len(value) <= at < len(value) else None


def formatted(form: Value, values: Value) -> Value:
    """`form -f values`."""
    if not isinstance(form, str):
        return None
    given = items(values)

    def one(found: re.Match[str]) -> str:
        if found[2]:
            return found[2][0]
        at = int(found[1])
        return text(given[at]) if at < len(given) else UNKNOWN

    made = _FIELD.sub(one, form)
    return made if len(made) <= MOST else None


def joined(value: Value, by: Value) -> Value:
    """`value -join by`."""
    return None if value is None else text(by).join(map(text, items(value)))[:MOST]


def replaced(value: Value, old: str, new: str, *, pattern: bool, cased: bool = False) -> Value:
    """`value -replace old, new`, and `.Replace()` where `old` is no pattern."""
    if isinstance(value, tuple):
        return tuple(replaced(one, old, new, pattern=pattern, cased=cased) for one in value)
    if not isinstance(value, str) or not old or UNKNOWN in old:
        return None
    if not pattern:
        return value.replace(old, new) if len(value) * (len(new) + 1) <= MOST * 4 else None
    found = _compiled(old, cased=cased)
    literal = re.sub(r"\$(\d)", r"\\\1", new.replace("\\", r"\\")).replace("$$", "$")
    if found is None or len(value) > MOST:
        return None
    try:
        return str(found.sub(literal, value))[:MOST]
    except (IndexError, re2.error, UnicodeError):  # the new text refers to a group that is not there; no UTF-8
        return None


def exchanged(value: Value, given: Value, *, cased: bool) -> Value:
    """`value -replace given`."""
    pair = items(given)
    new = text(pair[1]) if len(pair) > 1 else ""
    return replaced(value, text(pair[0]), new, pattern=True, cased=cased)


def parted(value: Value, by: Value) -> Value:
    """`value -split by`."""
    if isinstance(value, tuple):
        return tuple(part for one in value for part in items(parted(one, by)))
    pattern = text(items(by)[0])
    found = _compiled(pattern, cased=False) if isinstance(value, str) and pattern else None
    if found is None or not isinstance(value, str):
        return None
    try:
        return tuple(map(str, found.split(value)))
    except UnicodeError:
        return None


def _compiled(pattern: str, *, cased: bool) -> re2._Regexp | None:
    options = re2.Options()
    options.case_sensitive = cased
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(pattern, options) if len(pattern) <= 400 else None
    except (re2.error, UnicodeError):
        return None
