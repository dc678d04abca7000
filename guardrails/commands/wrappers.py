"""Commands that run other commands, seen through to what they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.commands import searches, shells
from guardrails.commands.batch import INTERNAL
from guardrails.commands.clients import CLIENTS, queries
from guardrails.commands.interpreters import INTERPRETERS, interpreted, versioned
from guardrails.commands.outputs import fed
from guardrails.commands.prefixes import PREFIXES, names
from guardrails.commands.runners import elsewhere
from guardrails.commands.stores import REDIS, redis
from guardrails.commands.tree import Code, Command, Tail
from guardrails.commands.windows import ANYWHERE, HANDS, SPOKEN
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.commands.scope import Scope
    from guardrails.commands.tree import Word

    Unwrap = Callable[[Command, Scope], list[Tail | Code]]

_CONTAINERS = names("containers")
_CONTAINER_VALUES = names("container_values")
# What stands before code inside an option of a program that is no shell: `tar --checkpoint-action=exec=CODE`,
# `git -c alias.x=!CODE`, `vim -c ':!CODE'`, `ssh -o ProxyCommand=CODE`.
_MARKS = (
    "exec=", "--to-command=", "--use-compress-program=", "ProxyCommand=", "core.pager=", "core.sshCommand=", "=!", ":!",
)  # fmt: skip


def unwrap(command: Command, scope: Scope) -> list[Tail | Code]:
    """What a command runs in its turn; empty where it runs nothing else."""
    name = command.name
    hand = HANDS.get(name) if command.shell is not Shell.BASH or name in ANYWHERE else None
    if hand is not None:
        return hand(command)
    if command.shell is Shell.CMD and name in INTERNAL:
        return []
    special = _SPECIAL.get(name)
    if special is not None:
        return [*special(command, scope), *elsewhere(command)]
    if versioned(name):
        return interpreted(command)
    prefix = PREFIXES.get(name)
    if prefix is None:
        return elsewhere(command)
    tail = prefix.tail(command.argv)
    return [Tail(tail, name)] if tail else []


def _alias(command: Command, scope: Scope) -> list[Tail | Code]:
    found: list[Tail | Code] = []
    for word in command.argv[1:]:
        name, equals, text = (word.text or "").partition("=")
        if equals:
            scope.aliases[name] = text
            found.append(Code(text, f"alias {name}"))
    return found


def _env(command: Command, scope: Scope) -> list[Tail | Code]:
    for at, word in enumerate(command.argv[1:], 1):
        shape = word.shape
        if shape in ("-S", "--split-string", "-vS", "-iS"):
            first = [_blanks(w) for w in command.argv[at + 1 : at + 2]]
            return [shells.code([*first, *command.argv[at + 2 :]], "env")]
        if shape.startswith(("-S", "--split-string=")):
            rest = shape.removeprefix("--split-string=").removeprefix("-S")
            return [shells.code([word._replace(text=word.text and rest, shape=rest), *command.argv[at + 1 :]], "env")]
        if not shape.startswith("-"):
            break
    tail = PREFIXES["env"].tail(command.argv)
    for word in command.argv[1 : len(command.argv) - len(tail)]:
        name, equals, value = word.shape.partition("=")
        if equals and name.isidentifier():
            scope.assign(name, None if word.text is None else value)
            scope.exported.add(name)
    return [Tail(tail, "env")] if tail else []


def _blanks(word: Word) -> Word:
    r"""A text to be split by `env -S`, where `\_` is a blank."""
    shape = word.shape.replace("\\_", " ")
    return word._replace(text=None if word.text is None else shape, shape=shape)


def _command(command: Command, _scope: Scope) -> list[Tail | Code]:
    if any(w.shape in ("-v", "-V") for w in command.argv[1:2]):
        return []
    tail = PREFIXES["command"].tail(command.argv)
    return [Tail(tail, "command")] if tail else []


def _optional(*options: str) -> Unwrap:
    """`su -c CODE`, `script -c CODE`, `flock FILE -c CODE`."""

    def read(command: Command, _scope: Scope) -> list[Tail | Code]:
        argv = command.argv
        for at, word in enumerate(argv[1:], 1):
            name, equals, rest = word.shape.partition("=")
            if name in options and equals:
                return [shells.part(word, rest, command.name)._replace(inherits=True)]
            if name in options:
                words = argv[at + 1 : at + 2]
                return [shells.code(words, command.name)._replace(inherits=True)] if words else []
        if command.name == "flock":
            tail = PREFIXES["flock"].tail(argv)
            return [Tail(tail, "flock")] if tail else []
        return shells.stdin(command) if command.name in ("su", "runuser") and command.stdin else []

    return read


def _ssh(command: Command, scope: Scope) -> list[Tail | Code]:
    tail = PREFIXES["ssh"].tail(command.argv)
    found = _marked(command, scope)
    if tail:
        return [*found, shells.code(tail, "ssh")._replace(inherits=True)]
    return found + shells.stdin(command)


def _watch(command: Command, _scope: Scope) -> list[Tail | Code]:
    tail = PREFIXES["watch"].tail(command.argv)
    return [shells.code(tail, "watch")] if tail else []


def _trap(command: Command, _scope: Scope) -> list[Tail | Code]:
    words = [w for w in command.argv[1:] if w.shape != "--"]
    plain = len(words) < 2 or words[0].shape in ("-", "-l", "-p", "")
    return [] if plain else [shells.code(words[:1], "trap")]


def _container(command: Command) -> list[Tail | Code]:
    """`docker exec [options] NAME command…`, `kubectl exec POD -- command…`, `docker run IMAGE command…`."""
    argv = command.argv
    verb = next((i for i, w in enumerate(argv[1:6], 1) if w.shape in ("exec", "run", "debug", "rsh")), None)
    if verb is None:
        return []
    dashes = next((i for i, w in enumerate(argv) if w.shape == "--"), None)
    if dashes is not None:
        return [Tail(tuple(argv[dashes + 1 :]), command.name)] if dashes + 1 < len(argv) else []
    at, named = verb + 1, False
    while at < len(argv):
        shape = argv[at].shape
        if shape.startswith("-"):
            at += 2 if shape in _CONTAINER_VALUES else 1
        elif not named:
            named, at = True, at + 1
        else:
            return [Tail(tuple(argv[at:]), command.name)]
    return []


def _crontab(command: Command, _scope: Scope) -> list[Tail | Code]:
    text = fed(command) if command.stdin or command.redirects else None
    lines = [line.split(None, 5) for line in (text or "").splitlines() if line.strip() and not line.startswith("#")]
    return [Code(parts[5], "crontab") for parts in lines if len(parts) == 6]


def _marked(command: Command, _scope: Scope) -> list[Tail | Code]:
    """Code inside an option of a program that is no shell."""
    found: list[Tail | Code] = []
    for word in command.argv[1:]:
        mark = next((m for m in _MARKS if m in word.shape), None)
        if mark is not None and (rest := word.shape.partition(mark)[2]):
            found.append(shells.part(word, rest, command.name))
    return found


_SPECIAL: dict[str, Unwrap] = {
    **dict.fromkeys(shells.SHELLS, shells.shell),
    **dict.fromkeys(INTERPRETERS, lambda command, _scope: interpreted(command)),
    **dict.fromkeys(_CONTAINERS, lambda command, _scope: _container(command)),
    **dict.fromkeys(CLIENTS, queries),
    **dict.fromkeys(REDIS, redis),
    "eval": shells.evaluate,
    "source": shells.source,
    ".": shells.source,
    "xargs": searches.xargs,
    "parallel": searches.parallel,
    "find": searches.find,
    "gfind": searches.find,
    "alias": _alias,
    "env": _env,
    "command": _command,
    "su": _optional("-c", "--command"),
    "runuser": _optional("-c", "--command"),
    "sg": _optional("-c"),
    "script": _optional("-c", "--command", "-qc", "-ec"),
    "flock": _optional("-c", "--command"),
    "ssh": _ssh,
    "autossh": _ssh,
    "watch": _watch,
    "trap": _trap,
    "at": lambda command, _scope: shells.stdin(command),
    "batch": lambda command, _scope: shells.stdin(command),
    "crontab": _crontab,
    **dict.fromkeys(("tar", "git", "vim", "vi", "nvim", "rsync", "scp", "sftp"), _marked),
}
WRAPPERS = frozenset(PREFIXES) | frozenset(_SPECIAL) | (frozenset(HANDS) - SPOKEN)
