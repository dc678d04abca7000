"""What a text would run, as a picture for people and as data for programs."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from guardrails.commands.tree import UNKNOWN
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from guardrails.commands.tree import Command, Redirect, Word

_MOST = 40
_WIDEST = 160


def picture(commands: Sequence[Command]) -> list[str]:
    """One line a command, indented below what it is run through; `…` is what only the run will tell."""
    shown = [f"{'  ' * len(one.wrappers)}{_line(one, commands)}" for one in commands[:_MOST]]
    if len(commands) > _MOST:
        shown.append(f"and {len(commands) - _MOST} more")
    return shown


def _line(command: Command, commands: Sequence[Command]) -> str:
    words = " ".join(_quoted(word, command.shell) for word in command.argv)
    parts = [f"| {words}" if any(one in commands for one in command.stdin) else words]
    parts += map(_redirected, command.redirects)
    if command.name == UNKNOWN:
        parts.append("  (only the run tells which command)")
    if through := [one for one in command.wrappers if one.startswith(("function ", "alias "))]:
        parts.append(f"  (in {through[-1]})")
    text = " ".join(part for part in parts if part)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _quoted(word: Word, shell: Shell) -> str:
    text = " ".join(word.shape.replace(UNKNOWN, "…").split("\n"))
    if shell in (Shell.SQL, Shell.CMD, Shell.POWERSHELL) or "…" in text:
        return text
    return text if word.glob else shlex.quote(text)


def _redirected(redirect: Redirect) -> str:
    if redirect.operator in ("<<", "<<<"):
        return f"{redirect.operator} ({len(redirect.target.shape)} characters)"
    number = "" if redirect.descriptor is None else redirect.descriptor
    return f"{number}{redirect.operator} {_quoted(redirect.target, Shell.BASH)}"


def tree_document(commands: Sequence[Command], by: int = 0) -> list[dict[str, Any]]:
    """The commands in the order they stand.

    Args:
        commands: What a judge made of a text.
        by: Offset of that text in the one that was sent.

    Returns:
        Of each command `argv` (null where only the run knows the word), `shell`, `span`, `through` (what it is run
        through, outermost first), `redirects`, `stdin` and `made_of`: which of these commands it reads, and whose
        output stands in its words, by their place in this list.
    """
    places = {id(one): at for at, one in enumerate(commands)}
    return [
        {
            "argv": [word.text for word in one.argv],
            "shell": one.shell.value,
            "span": [one.span[0] + by, one.span[1] + by],
            "through": list(one.wrappers),
            "redirects": [
                {"operator": r.operator, "target": r.target.text, "descriptor": r.descriptor} for r in one.redirects
            ],
            "stdin": _at(places, one.stdin),
            "made_of": _at(places, (inner for word in one.argv for inner in word.commands)),
        }
        for one in commands
    ]


def _at(places: dict[int, int], commands: Iterable[Command]) -> list[int]:
    return [places[id(one)] for one in commands if id(one) in places]
