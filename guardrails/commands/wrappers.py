"""Commands that run other commands, seen through to what they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from guardrails.commands.outputs import fed
from guardrails.commands.tree import UNKNOWN, Command, Word

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardrails.commands.scope import Scope


class Tail(NamedTuple):
    """A command whose words stand in the wrapper's own words."""

    argv: tuple[Word, ...]
    through: str


class Code(NamedTuple):
    """Source that a wrapper hands to a shell; None where only the running shell knows it."""

    text: str | None
    through: str
    commands: tuple[Command, ...] = ()


class _Prefix(NamedTuple):
    """`name [options] [operands] command…`: short and long options that take a value, operands before the command."""

    short: str = ""
    long: frozenset[str] = frozenset()
    operands: int = 0
    assignments: bool = False


def _prefix(short: str = "", long: str = "", operands: int = 0, *, assignments: bool = False) -> _Prefix:
    return _Prefix(short, frozenset(long.split()), operands, assignments)


_PREFIXES = {
    "sudo": _prefix(
        "ughpCrtTURD", "--user --group --host --prompt --close-from --role --type --chroot --chdir", assignments=True
    ),
    "doas": _prefix("uC"),
    "pkexec": _prefix("", "--user"),
    "env": _prefix("uCS", "--unset --chdir", assignments=True),
    "nohup": _prefix(),
    "setsid": _prefix(),
    "command": _prefix(),
    "builtin": _prefix(),
    "exec": _prefix("a"),
    "time": _prefix("fo", "--format --output"),
    "timeout": _prefix("sk", "--signal --kill-after", 1),
    "nice": _prefix("n", "--adjustment"),
    "ionice": _prefix("cnpPu", "--class --classdata"),
    "stdbuf": _prefix("ioe", "--input --output --error"),
    "chroot": _prefix("", "--userspec --groups", 1),
    "taskset": _prefix("", "", 1),
    "chrt": _prefix("TPD", "", 1),
    "busybox": _prefix(),
    "toybox": _prefix(),
    "systemd-run": _prefix(
        "uptMHE",
        "--unit --property --description --slice --uid --gid --nice --on-calendar --on-active --setenv --machine",
    ),
    "xargs": _prefix("IinPLdEsa", "--max-args --max-procs --replace --delimiter --max-lines --arg-file --max-chars"),
}
SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ash", "ksh", "mksh", "fish", "rbash"})


def unwrap(command: Command, scope: Scope) -> list[Tail | Code]:
    """What a command runs in its turn; empty where it runs nothing else."""
    name = command.name
    if name in SHELLS:
        return _shell(command, scope)
    special = _SPECIAL.get(name)
    if special is not None:
        return special(command, scope)
    prefix = _PREFIXES.get(name)
    if prefix is None:
        return []
    tail = _after(command.argv, prefix)
    return [Tail(tail, name)] if tail else []


def _after(argv: Sequence[Word], prefix: _Prefix) -> tuple[Word, ...]:
    operands, at = prefix.operands, 1
    while at < len(argv):
        shape = argv[at].shape
        if shape == "--":
            at += 1
            continue
        if shape.startswith("--"):
            at += 2 if shape in prefix.long else 1
        elif shape.startswith("-") and len(shape) > 1:
            taking = next((i for i, c in enumerate(shape[1:], 1) if c in prefix.short), None)
            at += 2 if taking == len(shape) - 1 else 1
        elif prefix.assignments and "=" in shape and not shape.startswith(("/", ".", "=")):
            at += 1
        elif operands:
            operands, at = operands - 1, at + 1
        else:
            break
    return tuple(argv[at:])


def _shell(command: Command, scope: Scope) -> list[Tail | Code]:
    argv, at = command.argv, 1
    while at < len(argv):
        shape = argv[at].shape
        if shape.startswith(("-", "+")) and not shape.startswith("--"):
            if "c" in shape[1:] and shape[0] == "-":
                return _code(argv[at + 1 :], command.name)[:1] if at + 1 < len(argv) else []
            at += 2 if shape[-1] in "oO" else 1
            if "s" in shape:
                break
        elif shape in ("--rcfile", "--init-file"):
            at += 2
        elif shape.startswith("--"):
            at += 1
        else:
            return _file(argv[at], command.name, scope)
    if command.stdin or any(r.operator in ("<<", "<<<", "<") for r in command.redirects):
        return _stdin(command)
    return []


def _code(words: Sequence[Word], through: str) -> list[Tail | Code]:
    return [Code(w.text, through, w.commands) for w in words]


def _stdin(command: Command) -> list[Tail | Code]:
    commands = tuple(c for r in command.redirects for c in r.target.commands)
    text = fed(command)
    if text is None and not commands and not command.stdin and any(r.operator == "<" for r in command.redirects):
        return []  # a script in a file, like `sh file`
    return [Code(text, command.name, commands)]


def _file(word: Word, through: str, scope: Scope) -> list[Tail | Code]:
    if word.commands:
        return [Code(None, through, word.commands)]
    if word.text is not None and word.text in scope.files:
        return [Code(scope.files[word.text], through)]
    return []


def _eval(command: Command, _scope: Scope) -> list[Tail | Code]:
    words = command.argv[1:]
    if not words:
        return []
    commands = tuple(c for w in words for c in w.commands)
    known = [w.text for w in words if w.text is not None]
    return [Code(" ".join(known) if len(known) == len(words) else None, "eval", commands)]


def _source(command: Command, scope: Scope) -> list[Tail | Code]:
    return _file(command.argv[1], command.name, scope) if len(command.argv) > 1 else []


def _xargs(command: Command, _scope: Scope) -> list[Tail | Code]:
    tail = _after(command.argv, _PREFIXES["xargs"])
    if not tail:
        return []
    text = fed(command)
    read = [Word(t, command.span, t) for t in text.split()] if text else [Word(None, command.span, UNKNOWN)]
    return [Tail((*tail, *read), "xargs")]


def _alias(command: Command, scope: Scope) -> list[Tail | Code]:
    found: list[Tail | Code] = []
    for word in command.argv[1:]:
        name, equals, text = (word.text or "").partition("=")
        if equals:
            scope.aliases[name] = text
            found.append(Code(text, "alias"))
    return found


_SPECIAL: dict[str, Callable[[Command, Scope], list[Tail | Code]]] = {
    "eval": _eval,
    "source": _source,
    ".": _source,
    "xargs": _xargs,
    "alias": _alias,
}
WRAPPERS = frozenset(_PREFIXES) | frozenset(_SPECIAL) | SHELLS
