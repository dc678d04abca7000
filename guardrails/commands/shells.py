"""Shells, `eval` and `source`: where the code they run comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.commands.outputs import fed, output
from guardrails.commands.prefixes import names
from guardrails.commands.tree import SUBSTITUTED, UNKNOWN, Code, Command, Tail, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.commands.scope import Scope

SHELLS = names("shells")
SCRIPTED = SHELLS | {".", "source"}
_SETTLERS = names("settlers")


def code(words: Sequence[Word], through: str, positional: tuple[str | None, ...] | None = None) -> Code:
    """Source made of words joined by blanks; unknown where its first word is."""
    commands = tuple(c for w in words for c in w.commands)
    if words and UNKNOWN in words[0].shape.lstrip().partition(" ")[0]:
        return Code(None, through, commands)
    return Code(" ".join(w.shape.replace(UNKNOWN, "${_unknown}") for w in words), through, commands, positional)


def part(word: Word, text: str, through: str) -> Code:
    """Source that is a part of one word."""
    return code([Word(None if UNKNOWN in text else text, word.span, text, commands=word.commands)], through)


def shell(command: Command, scope: Scope) -> list[Tail | Code]:
    """`sh -c CODE`, `sh FILE`, `sh < …`, `… | sh`."""
    argv, at = command.argv, 1
    while at < len(argv):
        shape = argv[at].shape
        if shape.startswith(("-", "+")) and not shape.startswith("--"):
            if "c" in shape[1:] and shape[0] == "-":
                return _inline(argv, at + 1, command.name)
            at += 2 if shape[-1] in "oO" else 1
            if "s" in shape:
                break
        elif shape.startswith("--"):
            at += 2 if shape in ("--rcfile", "--init-file") else 1
        else:
            return _file(argv[at], command, scope)
    return stdin(command)


def _inline(argv: Sequence[Word], at: int, through: str) -> list[Tail | Code]:
    while at < len(argv) and argv[at].shape.startswith("-"):
        at += 1
    if at >= len(argv):
        return []
    given = tuple(w.text for w in argv[at + 2 :])
    return [code(argv[at : at + 1], through, given)._replace(inherits=True)]


def stdin(command: Command) -> list[Tail | Code]:
    """The code a shell reads on its standard input."""
    reads = [r for r in command.redirects if r.operator in ("<<", "<<<", "<")]
    if not command.stdin and not reads:
        return []
    commands = tuple(c for r in reads for c in r.target.commands)
    text = fed(command)
    if text is None and commands:
        text = output(commands[-1])
    if text is None and not commands and not command.stdin and reads[-1].operator == "<":
        return []  # a script in a file, like `sh file`
    return [Code(text, command.name, commands)]


def _file(word: Word, command: Command, scope: Scope) -> list[Tail | Code]:
    """Code a shell reads from a file: a substitution's, its own standard input's, or one this script has written."""
    if word.shape.startswith(SUBSTITUTED):
        made = word.commands
        return [] if made and _settles(made[-1]) else [Code(output(made[-1]) if made else None, command.name, made)]
    if word.shape in ("/dev/stdin", "/proc/self/fd/0", "/dev/fd/0", "-"):
        return stdin(command)
    if word.text is not None and word.text in scope.files:
        content = scope.files[word.text]
        return [Code(content.text, command.name, content.commands)]
    return []


def _settles(command: Command) -> bool:
    """Whether a command prints the settings of a shell, as `eval "$(ssh-agent)"` and completions use it."""
    return command.name in _SETTLERS or any(w.text in ("completion", "completions", "shellenv") for w in command.argv)


def scripted(command: Command) -> tuple[Word, ...]:
    """The script a shell is told to run from a file, and its arguments; none where it reads its code elsewhere."""
    for at, word in enumerate(command.argv[1:], start=1):
        if not word.shape.startswith(("-", "+")):
            return command.argv[at:] if word.text and not word.text.startswith("/dev/") else ()
        if set(word.shape[1:]) & set("cns") and not word.shape.startswith("--"):
            return ()
    return ()


def evaluate(command: Command, _scope: Scope) -> list[Tail | Code]:
    """`eval [--] CODE…`."""
    words = command.argv[2:] if len(command.argv) > 1 and command.argv[1].text == "--" else command.argv[1:]
    if len(words) == 1 and words[0].shape == UNKNOWN and words[0].commands and _settles(words[0].commands[-1]):
        return []
    return [code(words, "eval")] if words else []


def source(command: Command, scope: Scope) -> list[Tail | Code]:
    """`. FILE`, `source FILE`."""
    return _file(command.argv[1], command, scope) if len(command.argv) > 1 else []
