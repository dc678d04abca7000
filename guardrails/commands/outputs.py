"""What simple text commands print, where that is a constant: how `echo … | base64 -d | sh` hides its code."""

from __future__ import annotations

import base64
import binascii
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from guardrails.commands.ansi import ansi
from guardrails.commands.filters import FILTERS, PRINTERS
from guardrails.commands.tree import SUBSTITUTED

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.commands.tree import Command

DOWNLOADERS = frozenset({"curl", "wget", "aria2c", "fetch", "axel"})
_ZEROED = re.compile(r"\\0([0-7]{1,3})")  # `echo` wants a zero before an octal number
_FORMAT = re.compile(r"%(?:%|([-0-9.]{0,3})([A-Za-z]?))")


def fed(command: Command) -> str | None:
    """What a command reads on its standard input; None where that is not constant, "" where it reads nothing."""
    for redirect in reversed(command.redirects):
        if redirect.operator == "<<":
            return redirect.target.text
        if redirect.operator == "<<<":
            return None if redirect.target.text is None else redirect.target.text + "\n"
        if redirect.operator == "<":
            made = redirect.target.commands
            return output(made[-1]) if made and redirect.target.shape.startswith(SUBSTITUTED) else None
    pieces = [output(one) for one in command.stdin]
    return None if None in pieces else "".join(p for p in pieces if p is not None)


def output(command: Command) -> str | None:
    """What a command prints, where that is constant."""
    words = [w.text for w in command.argv]
    if not words or None in words:
        return None
    arguments = [w for w in words[1:] if w is not None]
    name = command.name
    if name == "echo":
        return _echo(arguments)
    if name == "printf":
        return _printf(arguments)
    printer = PRINTERS.get(name)
    if printer is not None:
        return printer(arguments)
    filter_ = _FILTERS.get(name)
    if filter_ is None:
        return None
    text = fed(command)
    return None if text is None else filter_(arguments, text)


def saved(command: Command) -> list[str]:
    """Paths a downloader saves to, as far as its words tell."""
    words = [w.shape for w in command.argv[1:]]
    found = [value for option, value in pairwise(words) if option in _SAVES]
    found += [w[2:] for w in words if w.startswith(("-o", "-O")) and len(w) > 2 and command.name in ("curl", "wget")]
    if command.name != "curl" or any(w.startswith("-") and w.endswith("O") for w in words):
        found += [w.rpartition("/")[2].partition("?")[0] for w in words if "/" in w and not w.startswith("-")]
    return [path for path in found if path]


def _echo(arguments: list[str]) -> str:
    escapes, newline = False, True
    while arguments and re.fullmatch(r"-[neE]+", arguments[0]):
        escapes = "e" in arguments[0] or (escapes and "E" not in arguments[0])
        newline = newline and "n" not in arguments[0]
        arguments = arguments[1:]
    text = " ".join(arguments)
    if escapes:
        text = ansi(_ZEROED.sub(r"\\\1", text).partition("\\c")[0])
    return text + ("\n" if newline else "")


def _printf(arguments: list[str]) -> str | None:
    if arguments[:1] == ["--"]:
        arguments = arguments[1:]
    if not arguments or arguments[0].startswith("-v"):
        return None
    form, values = ansi(arguments[0]), list(arguments[1:])
    if any(found[2] is not None and found[2] not in _KINDS for found in _FORMAT.finditer(form)):
        return None
    pieces: list[str] = []
    while True:
        before = len(values)
        pieces.append(_FORMAT.sub(lambda m: "%" if m[2] is None else _formatted(m[2], m[1], values), form))
        if not values or len(values) == before or len(pieces) > 64:
            return "".join(pieces)


def _formatted(kind: str, flags: str, values: list[str]) -> str:
    value = values.pop(0) if values else ""
    if kind == "d":
        return f"%{flags}d" % int(value) if re.fullmatch(r"-?[0-9]{1,18}", value) else value or "0"
    return f"%{flags}s" % (ansi(value) if kind == "b" else value[:1] if kind == "c" else value)


def _cat(arguments: list[str], text: str) -> str | None:
    return text if all(a in ("-", "-u") for a in arguments) else None


def _base64(arguments: list[str], text: str) -> str | None:
    if any(not a.startswith("-") and a != "-" for a in arguments):
        return None
    if not any(re.fullmatch(r"-\w*[dD]\w*|--d\w*", a) for a in arguments):
        return base64.b64encode(text.encode()).decode() + "\n"
    try:
        return base64.b64decode(re.sub(r"\s", "", text), validate=False).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return None


def _xxd(arguments: list[str], text: str) -> str | None:
    if not any("r" in a for a in arguments if a.startswith("-")) or not arguments[-1].startswith("-"):
        return None  # it prints a dump, or reads a file
    try:
        return bytes.fromhex(re.sub(r"\\x|[^0-9A-Fa-f]", "", text)).decode("utf-8", "replace")
    except ValueError:
        return None


def _rev(arguments: list[str], text: str) -> str | None:
    return None if arguments else "\n".join(line[::-1] for line in text.split("\n"))


_KINDS = frozenset("sdbqc")
_SAVES = frozenset({"-o", "-O", "--output", "--output-document"})
_FILTERS: dict[str, Callable[[list[str], str], str | None]] = {
    "cat": _cat,
    "base64": _base64,
    "gbase64": _base64,
    "xxd": _xxd,
    "rev": _rev,
    "tee": lambda _a, text: text,
    **FILTERS,
}
