"""Builtins that settle variables and arguments for what follows: `read`, `printf -v`, `set --`, `shift`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.commands.arithmetic import evaluate
from guardrails.commands.outputs import fed, output

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.commands.scope import Scope
    from guardrails.commands.tree import Command

_MOST_LINES = 8


def settle(command: Command, scope: Scope) -> None:
    """Notes what a builtin does to the script's constants."""
    act = _BUILTINS.get(command.name)
    if act is not None:
        act(command, scope)


def _read(command: Command, scope: Scope) -> None:
    options, names = _read_options(command)
    text = fed(command)
    lines = (text or "").split("\n")
    known = bool(text) and not set(options) & set("dnNut") and ("r" in options or "\\" not in (text or ""))
    if "a" in options and names:
        parts = _parts(lines[0], scope, 0) if known else None
        scope.arrays[names[0]] = {str(at): part for at, part in enumerate(parts or ())}
        scope.assign(names[0], parts[0] if parts else None)
        if parts is None:
            del scope.arrays[names[0]]
        return
    names = names or ["REPLY"]
    ways = [_parts(line, scope, len(names)) for line in lines if line] if known else []
    for at, name in enumerate(names):
        values = tuple(dict.fromkeys(way[at] if at < len(way) else "" for way in ways))
        several = len(values) > 1 and scope.branches > 0
        scope.assign(name, None if several or not values else values[0])
        if several and len(values) <= _MOST_LINES:
            scope.maybe[name] = values


def _read_options(command: Command) -> tuple[str, list[str]]:
    options, words = "", iter(w.shape for w in command.argv[1:])
    names: list[str] = []
    for word in words:
        if not word.startswith("-") or names:
            names.append(word)
            continue
        options += word[1:]
        if word[-1] == "a":
            names.append(next(words, ""))
        elif word[-1] in "dinNptu":
            next(words, None)
    return options, [name for name in names if name]


def _parts(line: str, scope: Scope, most: int) -> list[str]:
    """A line as `read` divides it: the last of `most` names takes the rest."""
    separators = scope.variables.get("IFS", " \t")
    if separators == "":
        return [line]
    blank = not (separators or " ").strip()
    if blank:
        return line.strip().split(None, most - 1) if most else line.split()
    return (
        re.split(f"[{re.escape(separators or ' ')}]", line, maxsplit=most - 1 if most > 1 else 0)
        if most != 1
        else [line]
    )


def _mapfile(command: Command, scope: Scope) -> None:
    words = [w.shape for w in command.argv[1:]]
    name = words[-1] if words and not words[-1].startswith("-") else "MAPFILE"
    text = fed(command) if words[:-1] in ([], ["-t"]) or words == ["-t"] else None
    lines = (text or "").splitlines(keepends="-t" not in words)
    scope.assign(name, lines[0] if lines else None)
    scope.arrays.pop(name, None)
    if lines:
        scope.arrays[name] = {str(at): line for at, line in enumerate(lines)}


def _let(command: Command, scope: Scope) -> None:
    for word in command.argv[1:]:
        evaluate(word.shape, scope)


def _printf(command: Command, scope: Scope) -> None:
    words = command.argv
    if len(words) > 3 and words[1].shape == "-v" and words[2].text:
        plain = type(command)((words[0], *words[3:]), command.redirects, command.span)
        scope.assign(words[2].text, output(plain))


def _set(command: Command, scope: Scope) -> None:
    words = command.argv[1:]
    at = next((i for i, w in enumerate(words) if w.shape == "--" or not w.shape.startswith(("-", "+"))), None)
    if at is not None:
        given = words[at + 1 :] if words[at].shape == "--" else words[at:]
        scope.positional = tuple(w.text for w in given)


def _shift(command: Command, scope: Scope) -> None:
    count = command.argv[1].text if len(command.argv) > 1 else "1"
    if scope.positional is not None:
        scope.positional = scope.positional[int(count) if count and count.isdigit() else len(scope.positional) :]


_BUILTINS: dict[str, Callable[[Command, Scope], None]] = {
    "read": _read,
    "mapfile": _mapfile,
    "readarray": _mapfile,
    "let": _let,
    "printf": _printf,
    "set": _set,
    "shift": _shift,
}
