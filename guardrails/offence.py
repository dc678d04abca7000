"""What is wrong with a parameter's value, and the characters that no plain value may have."""

from __future__ import annotations

import re
from typing import NamedTuple


class Offence(NamedTuple):
    """What is wrong with a value, with its half-open offsets in it.

    Attributes:
        rule: Rule identifier, `pack.name`.
        message: One sentence for a person: what stands where, and what is expected.
    """

    start: int
    end: int
    rule: str
    message: str


SHELL = re.compile(
    r"[;|`$<>^\n\r\0]|&&|(?<![^\W_])&|&(?![^\W_])|%[0-9A-Fa-f]{2}|%\w+%|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|&#?\w+;"
)
"""What chains, substitutes, redirects or encodes in some shell; an ampersand inside a name (`R&D`) does not."""

_NAMES = {"\n": "a line feed", "\r": "a carriage return", "\t": "a tab", "\0": "a NUL", "\x1b": "an escape character"}
_CLIMB = re.compile(r"(?<![^\\/])\.\.(?=[\\/]|$)")


def refuse(pattern: re.Pattern[str], value: str, rule: str) -> Offence | None:
    """The first stretch of `value` that `pattern` matches, as an offence reaching to the value's end."""
    found = pattern.search(value)
    if found is None:
        return None
    sign = found.group()
    name = _NAMES.get(sign) or (repr(sign) if sign.isprintable() else f"U+{ord(sign[0]):04X}")
    message = f"{name} at offset {found.start()} has no place in such a value: it would be acted on, not read as text"
    return Offence(found.start(), max(found.end(), len(value.rstrip())), f"parameter.{rule}", message)


def misfit(value: str, kind: str, expected: str) -> Offence:
    """A value that is none of its type, with the likeliest cause first."""
    if value.startswith("-"):
        message = f"'-' at offset 0 would make it an option; expected {expected}"
        return Offence(0, len(value), "parameter.option", message)
    if climb := _CLIMB.search(value):
        message = f"'..' at offset {climb.start()} leaves its place; expected {expected}"
        return Offence(climb.start(), len(value), "parameter.traversal", message)
    return Offence(0, len(value), f"parameter.{kind}", f"is no {kind}: expected {expected}")
