"""Values of bash's `$name` and `${…}` forms, as far as constants and common knowledge tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.commands.ansi import ansi
from guardrails.commands.arithmetic import evaluate
from guardrails.commands.globs import replaced, trimmed
from guardrails.commands.private import SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardrails.commands.scope import Scope

# Values every login shell has; the home directory keeps its short name so that targets can be told.
COMMON = {"HOME": "~", "IFS": " ", "PWD": ".", "TMPDIR": "/tmp", "OLDPWD": "..", "EUID": "0", "UID": "0"}  # noqa: S108 - a value to compare, no file is made
_ABSOLUTE = frozenset({"HOME", "PWD", "PATH", "SHELL", "BASH"})
_FORM = re.compile(r"\$\{(?P<mark>[!#]?)(?P<name>\w+|[@*#?$!-])(?P<index>\[[^\]]*\])?(?P<rest>.*)\}", re.DOTALL)
_POSITION = re.compile(r"[1-9][0-9]{0,8}")
_DEFAULT = re.compile(r":?[-=+?]")
_SLICE = re.compile(r":([^:]*)(?::([^:]*))?", re.DOTALL)
_INSIDE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_CASE: dict[str, Callable[[str], str]] = {
    "^^": str.upper,
    ",,": str.lower,
    "^": lambda s: s[:1].upper() + s[1:],
    ",": lambda s: s[:1].lower() + s[1:],
    "@U": str.upper,
    "@L": str.lower,
    "@u": lambda s: s[:1].upper() + s[1:],
    "@Q": lambda s: "'" + s.replace("'", "'\\''") + "'",
    "@E": ansi,
}
Values = list[str | None]


def expand(raw: str, scope: Scope) -> str | None:
    """The value of one `$name` or `${…}`; None where only the running shell knows it."""
    values = several(raw, scope)
    if values is None or None in values:
        return None
    return " ".join(one or "" for one in values)


def several(raw: str, scope: Scope) -> Values | None:
    """The values of `$@`, `${name[@]}` and their like, or the one value; None where not even their number is known."""
    found = _FORM.fullmatch(raw)
    if found is None:
        return None if raw.startswith("${") else _named(raw[1:], "", scope)
    mark, name, index, rest = found["mark"], found["name"], found["index"] or "", found["rest"]
    many = name in ("@", "*") or index in ("[@]", "[*]")
    if mark == "!":
        return _indirect(name, index, rest, scope)
    values = _named(name, index, scope)
    if values is None:
        return None
    if mark == "#":
        whole = None if None in values else "".join(one or "" for one in values)
        return [str(len(values)) if many else None if whole is None else str(len(whole))]
    if many and rest[:1] == ":" and rest[1:2] not in ("-", "=", "+", "?"):
        return _cut(values, rest, scope, positional=name in ("@", "*"))
    known = name in scope.variables or name in scope.arrays
    return values if not rest else [_shaped(name, one, rest, scope, known=known) for one in values or [""]]


def lookup(name: str, scope: Scope) -> str | None:
    """A variable's or parameter's value; `$@` and `$*` are empty where no arguments are known."""
    values = _named(name, "", scope)
    return None if values is None or None in values else " ".join(one or "" for one in values)


def _named(name: str, index: str, scope: Scope) -> Values | None:
    if name in ("@", "*", "#") or _POSITION.fullmatch(name):
        return _argument(name, scope)
    if index and (name in scope.arrays or index not in ("[@]", "[*]", "[0]")):
        return _element(name, index[1:-1], scope)
    if name in scope.variables:
        return [scope.variables[name]]
    if not name[:1].isalpha() and name[:1] != "_":
        return [None]
    return [COMMON.get(name) if scope.environment is None else scope.environment.get(name, "")]


def _argument(name: str, scope: Scope) -> Values:
    given = scope.positional
    if not _POSITION.fullmatch(name):
        return [str(len(given or ()))] if name == "#" else list(given or ())
    at = int(name) - 1
    unset = "" if scope.environment is not None else None
    return [unset if given is None else given[at] if at < len(given) else ""]


def _element(name: str, index: str, scope: Scope) -> Values | None:
    array = scope.arrays.get(name)
    if array is None:
        return None if index in ("@", "*") else [None]
    if index in ("@", "*"):
        return list(array.values())
    key = key_of(array, index, scope)
    return [None] if key is None else [array.get(key, "")]


def key_of(array: dict[str, str | None], index: str, scope: Scope) -> str | None:
    """An array's key for what stands between its brackets; None where only the running shell knows it."""
    text = inside(index, scope)
    if text is None:
        return None
    if text in array or not all(key.isdecimal() for key in array):
        return text
    number = evaluate(text, scope)
    if number is None:
        return text if not text.isdecimal() and not array else None
    return str(number if number >= 0 else max((int(key) for key in array), default=-1) + 1 + number)


def inside(text: str, scope: Scope) -> str | None:
    """A text within an expansion, its variables put in and its quotes gone; None where it cannot be told."""
    unknown = False

    def put(found: re.Match[str]) -> str:
        nonlocal unknown
        value = lookup(found[1] or found[2], scope)
        unknown = unknown or value is None
        return value or ""

    made = _INSIDE.sub(put, text).replace('"', "").translate(SHOWN)
    return None if unknown or "$" in _INSIDE.sub("", text) else made


def _indirect(name: str, index: str, rest: str, scope: Scope) -> Values | None:
    if index in ("[@]", "[*]"):
        array = scope.arrays.get(name)
        return None if array is None else list(array)
    target = lookup(name, scope)
    if not target or rest in ("*", "@"):
        return [None]
    return several(f"${{{target}{rest}}}", scope)


def _cut(values: Values, rest: str, scope: Scope, *, positional: bool) -> Values | None:
    found = _SLICE.fullmatch(rest)
    start = evaluate(found.group(1), scope) if found else None
    length = evaluate(found.group(2), scope) if found and found.group(2) is not None else len(values)
    if start is None or length is None:
        return None
    values = [None, *values] if positional else values
    start = start if start >= 0 else max(0, len(values) + start)
    end = start + length if length >= 0 else len(values) + length
    return values[start:end]


def _shaped(name: str, value: str | None, rest: str, scope: Scope, *, known: bool) -> str | None:
    default = _DEFAULT.match(rest)
    if default is not None:
        return _defaulted(name, value, rest[default.end() :], default.group(), scope, known=known)
    if rest[0] == ":":
        return _sliced(name, value, rest, scope)
    act = _CASE.get(rest)
    if value is None or act is not None:
        return None if act is None or value is None else act(value)
    if rest[0] not in "#%":
        return _exchanged(value, rest, scope) if rest[0] == "/" else inside(value, scope) if rest == "@P" else None
    pattern = _pattern(rest[2:] if rest[:2] in ("##", "%%") else rest[1:], scope)
    return None if pattern is None else trimmed(value, pattern, end=rest[0] == "%", longest=rest[:2] in ("##", "%%"))


def _pattern(text: str, scope: Scope) -> str | None:
    """A pattern: quoted characters keep their private forms, so that they mean nothing in it."""
    if "$" not in text:
        return text.replace('"', "")
    return inside(text, scope)


def _exchanged(value: str, rest: str, scope: Scope) -> str | None:
    every = rest.startswith("//")
    old, _, new = rest[2 if every else 1 :].partition("/")
    pattern, by = _pattern(old, scope), inside(new, scope)
    if pattern is None or by is None:
        return None
    return replaced(value, pattern.translate(SHOWN) if not set(pattern) & set("*?[") else pattern, by, every=every)


def _sliced(name: str, value: str | None, rest: str, scope: Scope) -> str | None:
    found = _SLICE.fullmatch(rest)
    if found is None:
        return None
    start = evaluate(found.group(1), scope)
    length = None if found.group(2) is None else evaluate(found.group(2), scope)
    if start is None or (found.group(2) is not None and length is None):
        return None
    if name in _ABSOLUTE and name not in scope.variables and scope.environment is None:
        return "/" if start == 0 and length == 1 else None
    if value is None:
        return None
    if start < 0:
        start += len(value)
    if start < 0:
        return ""
    end = len(value) if length is None else start + length if length >= 0 else len(value) + length
    return value[start:end]


def _defaulted(name: str, value: str | None, other: str, form: str, scope: Scope, *, known: bool) -> str | None:
    unset = not known and (scope.environment is None or name not in scope.environment)
    text = inside(other, scope)
    if form[-1] == "+":
        return "" if unset else text if value or form[0] != ":" else "" if value == "" else None
    if not unset and (value is None or value or form[0] != ":"):
        return value
    if form[-1] == "=" and name.isidentifier():
        scope.assign(name, text)
    return text if form[-1] != "?" else None


def joined(values: Sequence[str | None]) -> str | None:
    """Values as one text; None where one of them is not known."""
    return None if None in values else " ".join(one or "" for one in values)
