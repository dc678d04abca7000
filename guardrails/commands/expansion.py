"""Values of bash's `$name` and `${…}` forms, as far as constants and common knowledge tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.commands.scope import Scope

# Values every login shell has; the home directory keeps its short name so that targets can be told.
_COMMON = {"HOME": "~", "IFS": " ", "PWD": ".", "TMPDIR": "/tmp", "OLDPWD": "..", "EUID": "0", "UID": "0"}  # noqa: S108 - a value to compare, no file is made
_ABSOLUTE = frozenset({"HOME", "PWD", "PATH", "SHELL", "BASH"})
_FORM = re.compile(r"\$\{(?P<mark>[!#]?)(?P<name>\w+|[@*#?$!-])(?P<index>\[[^\]]*\])?(?P<rest>.*)\}", re.DOTALL)
_DEFAULT = re.compile(r":?[-=+]")
_QUOTES = re.compile(r"[\\'\"]")
_SLICE = re.compile(r":\s*\(?\s*(-?\d{1,9})\s*\)?(?::\s*(-?\d{1,9}))?\s*", re.ASCII)
_POSITION = re.compile(r"[0-9]{1,9}")
_LONGEST = 1 << 16
_CASE: dict[str, Callable[[str], str]] = {
    "^^": str.upper,
    ",,": str.lower,
    "^": lambda s: s[:1].upper() + s[1:],
    ",": lambda s: s[:1].lower() + s[1:],
}


def expand(raw: str, scope: Scope) -> str | None:
    """The value of one `$name` or `${…}`; None where only the running shell knows it."""
    if not raw.startswith("${"):
        return lookup(raw[1:], scope)
    found = _FORM.fullmatch(raw)
    if found is None or found["index"] not in (None, "[@]", "[*]", "[0]"):
        return None
    value, rest = lookup(found["name"], scope), found["rest"]
    if found["mark"] == "!":
        return lookup(value, scope) if value and not rest else None
    if found["mark"] == "#":
        return None if value is None else str(len(value))
    return _shaped(found["name"], value, rest, scope) if rest else value


def lookup(name: str, scope: Scope) -> str | None:
    """A variable's or parameter's value; `$@` and `$*` are empty where no arguments are known."""
    if name in scope.variables:
        return scope.variables[name]
    numbered = _POSITION.fullmatch(name) is not None
    if name not in ("@", "*") and not numbered:
        return _COMMON.get(name) if scope.environment is None else scope.environment.get(name, "")
    given = scope.positional
    if numbered:
        at = int(name) - 1
        return None if given is None or at < 0 else given[at] if at < len(given) else ""
    return "" if given is None else None if None in given else " ".join(a or "" for a in given)


def _shaped(name: str, value: str | None, rest: str, scope: Scope) -> str | None:
    default = _DEFAULT.match(rest)
    if default is not None:
        return _defaulted(value, rest[default.end() :], default.group(), known=name in scope.variables)
    cut = _SLICE.fullmatch(rest)
    if cut is not None:
        start, length = int(cut.group(1)), cut.group(2)
        if name in _ABSOLUTE and name not in scope.variables:
            return "/" if start == 0 and length == "1" else None
        return None if value is None else value[start:][: None if length is None else int(length)]
    if value is None:
        return None
    if rest in _CASE:
        return _CASE[rest](value)
    return _replaced(value, rest) if rest[0] == "/" else _trimmed(value, rest)


def _defaulted(value: str | None, other: str, form: str, *, known: bool) -> str | None:
    if form[-1] == "+":
        return other if known else ""
    if known and (value is None or value or form[0] != ":"):
        return value
    return None if any(c in other for c in "$`\\'\"") else other


def _replaced(value: str, rest: str) -> str | None:
    every = rest.startswith("//")
    old, _, new = rest[2 if every else 1 :].partition("/")
    if not old or any(c in old + new for c in "*?[$`"):
        return None
    old, new = _QUOTES.sub("", old), _QUOTES.sub("", new)
    if not old or len(value) // len(old) * len(new) > _LONGEST:
        return None
    return value.replace(old, new) if every else value.replace(old, new, 1)


def _trimmed(value: str, rest: str) -> str | None:
    pattern = rest.lstrip("#%")
    if rest[0] not in "#%" or any(c in pattern for c in "*?[$`"):
        return None
    return value.removeprefix(pattern) if rest[0] == "#" else value.removesuffix(pattern)
