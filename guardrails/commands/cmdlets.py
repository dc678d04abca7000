"""PowerShell's cmdlets that a reader must understand: those that list, print, assign or take what a pipe brings."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from guardrails.commands import constants, methods
from guardrails.commands.aliases import ALIASES
from guardrails.commands.tree import UNKNOWN, Word, sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from guardrails.commands.constants import Value
    from guardrails.commands.scope import Scope
    from guardrails.commands.tree import Command

_RUNNING = frozenset({"get-process", "get-service"})
LISTS = frozenset({"get-childitem", "get-item", "resolve-path", "convert-path", "get-itemproperty"})
_TAKERS = frozenset({
    "remove-item", "clear-content", "clear-item", "remove-itemproperty", "set-content", "set-acl", "stop-service",
    "stop-process", "start-process", "clear-eventlog",
})  # fmt: skip
_VALUED = frozenset({
    "-filter", "-include", "-exclude", "-depth", "-erroraction", "-ea", "-attributes", "-warningaction", "-credential",
    "-erroractionpreference", "-value", "-encoding", "-outvariable", "-ev", "-errorvariable", "-stream",
})  # fmt: skip
_PRINTERS = frozenset({"write-output", "echo"})
_PASSING = frozenset({"out-string", "sort-object", "select-object", "write-output", "tee-object", "out-default"})
_VARIABLES = ("MaximumDriveCount", "MaximumAliasCount", "ExecutionContext", "PSHOME", "ShellId", "Host", "OFS")
_CMDLETS = tuple(sorted({
    "invoke-expression", "invoke-webrequest", "invoke-restmethod", "invoke-command", "remove-item", "start-process",
    "stop-computer", "restart-computer", "clear-disk", "format-volume", "new-object", "stop-service", "stop-process",
    *ALIASES.values(),
}))  # fmt: skip
# Where a pattern fits several, the one that an obfuscated command means.
_LIKELY = ("invoke-expression", "remove-item", "new-object", "invoke-webrequest", "start-process", "invoke-command")


def operands(words: Iterable[Word]) -> list[Word]:
    """A cmdlet's arguments that are no parameters, nor the values of parameters that name no item."""
    found, skipped = [], False
    for word in words:
        if word.shape[:1] == "-" and len(word.shape) > 1:
            skipped = word.shape.lower() in _VALUED
            name, colon, value = word.shape.partition(":")
            if colon and name.lower() in ("-path", "-literalpath", "-name"):
                found.append(word._replace(shape=value, text=None if word.text is None else value))
        elif not skipped:
            found.append(word)
        else:
            skipped = False
    return found


def listed(commands: Sequence[Command]) -> Value:
    """The path whose items a listing further up the pipe feeds; None where nobody knows."""
    found = path(commands)
    return None if found is None else found if found[-1:] in "*\\/" else f"{found}\\*"


def path(commands: Sequence[Command]) -> str | None:
    """What a listing further up the pipe lists: a path, or the name of processes or services."""
    narrowed = False
    for command in [*reversed(commands), *(c for one in commands for c in sources(one))]:
        narrowed = narrowed or command.name == "where-object"
        if command.name in _RUNNING:
            named = operands(command.argv[1:])
            return UNKNOWN if narrowed else named[0].shape if named else "*"
        if command.name in LISTS:
            named = operands(command.argv[1:])
            shape = named[0].shape if named else "."
            filtered = _filter(command)
            if narrowed:
                return f"{shape}\\{UNKNOWN}"
            return f"{shape}\\{filtered}" if filtered not in ("", "*", "*.*") else shape if named else "*"
    return None


def _filter(command: Command) -> str:
    words = [word.shape for word in command.argv]
    for at, word in enumerate(words[:-1]):
        if word.lower() in ("-filter", "-include", "-fi", "-in"):
            return words[at + 1]
    return ""


def bound(words: list[Word], commands: Sequence[Command], value: Value) -> list[Word]:
    """A command's words, and what the pipe brings where it takes that for its own argument."""
    if words[0].text not in _TAKERS or operands(words[1:]):
        return words
    span = words[0].span
    if value is not None:
        shapes = [constants.text(one) for one in constants.items(value)[:64]]
    else:
        found = path(commands)
        shapes = [] if found is None else [found]
    return words + [Word(None if UNKNOWN in shape else shape, span, shape) for shape in shapes]


def settle(command: Command, values: Sequence[Value], scope: Scope) -> None:
    """Notes what `Set-Variable`, `Set-Alias` and `Set-Item` settle."""
    if command.name not in ("set-variable", "new-variable", "set-alias", "new-alias", "set-item"):
        return
    named = operands(command.argv[1:])
    if len(named) < 2 or named[0].text is None:
        return
    name, held = named[0].text.lower(), named[1].text
    if command.name.endswith("alias"):
        target = (held or "").lower()
        scope.values[f"alias:{name}"] = ALIASES.get(target, target) if held is not None else None
    elif command.name.endswith("variable"):
        scope.values[name] = held
    elif name.startswith(("variable:", "env:", "alias:", "function:")):
        kind, _, rest = name.partition(":")
        rest = rest.lstrip("\\/")
        block = next((one for one in values if isinstance(one, constants.Block)), None)
        scope.values[rest if kind == "variable" else f"{kind}:{rest}"] = block if block is not None else held


def printed(command: Command, values: Sequence[Value], fed: Value, scope: Scope) -> Value:
    """What a cmdlet prints, where that is a constant."""
    name = command.name
    named = [word.shape for word in operands(command.argv[1:])]
    if name in _PASSING and not (name in _PRINTERS and named):
        return fed
    if name in ("get-location", "pwd"):
        return "."
    if not named:
        return None
    if name in _PRINTERS:
        given = [one for one in values if one is not None]
        return given[0] if len(given) == 1 else " ".join(named) if len(named) == 1 else tuple(named)
    if name == "new-object":
        held: Value = next((one for one in reversed(values) if one is not None), ())
        return methods.built(named[0], constants.items(held))
    return _looked_up(name, named, scope)


def _looked_up(name: str, named: Sequence[str], scope: Scope) -> Value:
    if name == "join-path" and len(named) > 1:
        return "\\".join(one.rstrip("\\/") for one in named)
    if name in LISTS and (name != "get-childitem" or ":" in named[0][2:]):
        return _drive(named[0], scope)
    if name in ("get-command", "get-alias"):
        return _cmdlet(named[0])
    if name == "get-variable":
        pattern = named[0].lower()
        hit = next((one for one in _VARIABLES if fnmatchcase(one.lower(), pattern)), None)
        return scope.values.get(pattern, hit if "*" in pattern or "?" in pattern else None)
    return None


def _drive(item: str, scope: Scope) -> Value:
    kind, colon, name = item.lower().partition(":")
    if colon and kind in ("variable", "env"):
        key = name.lstrip("\\/") if kind == "variable" else f"env:{name.lstrip(chr(92))}"
        return scope.values.get(key, f"$env:{name.strip(chr(92))}" if kind == "env" else None)
    return item if "*" not in item else None


def _cmdlet(pattern: str) -> Value:
    """The cmdlet that a name, an alias or a pattern stands for."""
    pattern = pattern.lower()
    if not re.search(r"[*?\[]", pattern):
        return ALIASES.get(pattern, pattern)
    hits = [one for one in _CMDLETS if fnmatchcase(one, pattern)]
    hits += [ALIASES[one] for one in ALIASES if fnmatchcase(one, pattern)]
    return next((one for one in _LIKELY if one in hits), hits[0] if hits else None)
