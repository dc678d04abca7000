"""The one command tree: what every shell's parser makes of a text and every rule looks at."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from guardrails.interface import Shell

UNKNOWN = "\ufffc"
"""Stands in a word's shape for a part that only the running shell will know."""

SUBSTITUTED = "/dev/fd/\ufffc"
"""The shape of a process substitution: a path nobody knows, whose content its commands make."""

Span = tuple[int, int]


class Word(NamedTuple):
    """One word after expansion.

    Attributes:
        text: Its value; None where some of it is known only at run time.
        span: Where it stands in the text.
        shape: Its value with `UNKNOWN` in place of what is not known.
        glob: Whether it holds an unquoted `*`, `?` or `[`.
        open: Whether the run may make another text or any number of words of it, and `shape` shows what it may look
            like: what `find` finds, `$HOME`.
        commands: Commands whose output makes up part of it (substitutions).
    """

    text: str | None
    span: Span
    shape: str
    glob: bool = False
    commands: tuple[Command, ...] = ()
    open: bool = False


class Redirect(NamedTuple):
    """A redirection; of a heredoc or herestring `target` is the text that is fed."""

    operator: str
    target: Word
    descriptor: int | None = None

    @property
    def writes(self) -> bool:
        return self.operator in (">", ">|", "&>", ">&", ">>", "&>>", "<>")

    @property
    def empties(self) -> bool:
        return self.operator in (">", ">|", "&>", ">&")


@dataclass(frozen=True, slots=True, eq=False)
class Command:
    """One simple command as it would be run.

    Attributes:
        argv: Name and arguments; empty where only redirections stand.
        redirects: Redirections of this command and of the statements around it.
        span: The outermost command it was found in, wrappers and redirections included.
        shell: The language it is written in.
        wrappers: What it was seen through, outermost first (`sudo`, `xargs` …).
        stdin: Commands whose output it reads through a pipe.
        name: Lower-case base name of what is run; `UNKNOWN` where only the run will tell, or where it is a pattern.
    """

    argv: tuple[Word, ...]
    redirects: tuple[Redirect, ...] = ()
    span: Span = (0, 0)
    shell: Shell = Shell.BASH
    wrappers: tuple[str, ...] = ()
    stdin: tuple[Command, ...] = ()
    name: str = field(init=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", _name(self.argv, self.shell))


def _name(argv: tuple[Word, ...], shell: Shell) -> str:
    if not argv:
        return ""
    text = argv[0].text
    if text is None or (argv[0].glob and text not in ("[", "[[")):
        return UNKNOWN
    return text.lower() if shell is Shell.POWERSHELL else text.rpartition("/")[2].lower()


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """Everything a text would run, in the order it stands, what is seen through wrappers and substitutions included."""

    commands: tuple[Command, ...]
    complete: bool
    errors: tuple[Span, ...] = ()


class Tail(NamedTuple):
    """What a wrapper runs, where its words stand among the wrapper's own."""

    argv: tuple[Word, ...]
    through: str


class Code(NamedTuple):
    """Source that a wrapper hands to a shell.

    Attributes:
        text: None where only the running shell knows it.
        through: The wrapper's name.
        commands: Commands whose output it is made of.
        positional: Arguments it is given; None where it has those of its surroundings.
        shell: Its language.
        inherits: Whether what it runs reads what the wrapper reads: `ssh host bash <<E`, not `bash <<E` itself.
    """

    text: str | None
    through: str
    commands: tuple[Command, ...] = ()
    positional: tuple[str | None, ...] | None = None
    shell: Shell = Shell.BASH
    inherits: bool = False


_MOST_NEAR = 256  # commands of a group that feeds another


def sources(command: Command) -> list[Command]:
    """Every command whose output reaches this one, through pipes or substitutions, nearest first."""
    found: list[Command] = []
    waiting = [command]
    while waiting and len(found) < 64:
        one = waiting.pop()
        near = [
            *one.stdin[-_MOST_NEAR:],
            *islice((c for w in one.argv for c in w.commands), _MOST_NEAR),
            *islice((c for r in one.redirects for c in r.target.commands), _MOST_NEAR),
        ]
        found += near
        waiting += near
    return found
