"""Other languages' one-liners (`python -c`, `perl -e`, `awk …`): the shell commands and deletions inside them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.commands.outputs import fed
from guardrails.commands.programs import commands_of
from guardrails.commands.sql.literals import statements_in
from guardrails.commands.tree import Code, Command, Tail
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

_EVALUATES = {
    **dict.fromkeys(("python", "python2", "python3", "pypy", "pypy3"), "c"),
    **dict.fromkeys(("perl", "ruby", "node", "nodejs", "lua", "osascript", "deno", "bun", "rscript", "julia"), "eEp"),
    "php": "rRB",
    **dict.fromkeys(("groovy", "elixir", "jrunscript", "scala", "jshell"), "e"),
}
_DATABASE_SHELLS = frozenset({"dbshell", "dbconsole", "db"})
_AWK = frozenset({"awk", "gawk", "mawk", "nawk"})
_VERSION = re.compile(r"[0-9.-]+$")
INTERPRETERS = frozenset(_EVALUATES) | _AWK | {"rails", "gitlab-rails"}
_TICKS = re.compile(r"`(?P<text>[^`\n]+)`|(?:qx|%x)[{(\[|/](?P<more>[^})\]|/]+)")
_PIPED = re.compile(r"""(?:print|printf)[^|;}]*\|\s*"(?P<text>[^"]+)"|"(?P<more>[^"]+)"\s*\|\s*getline""")


def interpreted(command: Command) -> list[Tail | Code]:
    """Commands a one-liner in another language runs."""
    found: list[Tail | Code] = []
    for source in _sources(command):
        if command.name in _AWK:
            found += [Code(m["text"] or m["more"], command.name) for m in _PIPED.finditer(source)]
        if command.name in ("perl", "ruby", "php"):
            found += [Code(m["text"] or m["more"], command.name) for m in _TICKS.finditer(source)]
        found += [Code(piece.text, command.name) for piece in commands_of(source)]
        found += [Code(text, command.name, shell=Shell.SQL) for text in statements_in(source)]
    if command.stdin or command.redirects:
        # `python manage.py dbshell`, `rails dbconsole`: the program starts a database's client
        shells = any(w.shape in _DATABASE_SHELLS for w in command.argv[1:])
        text = fed(command) if shells else None
        found += [Code(text, command.name, shell=Shell.SQL)] if text else []
    return found


def versioned(name: str) -> bool:
    """Whether a command is an interpreter with its version behind its name: `python3.11`, `lua5.4`."""
    return name[-1:].isdigit() and _VERSION.sub("", name) in INTERPRETERS


def _sources(command: Command) -> Iterator[str]:
    argv = command.argv
    if command.name in _AWK:
        yield from (w.shape for w in argv[1:] if not w.shape.startswith("-"))
        return
    letters = _EVALUATES.get(_VERSION.sub("", command.name), "c")
    for at, word in enumerate(argv[1:], 1):
        shape = word.shape
        if shape == "runner" or shape.startswith("--execute="):
            yield from (w.shape for w in (argv[at : at + 1] if "=" in shape else argv[at + 1 : at + 2]))
        elif shape in ("--eval", "eval", "--execute", "--print") or (
            shape.startswith("-") and not shape.startswith("--") and shape[-1] in letters
        ):
            yield from (w.shape for w in argv[at + 1 : at + 2])
        elif shape.startswith("-c") and "c" in letters:
            yield shape[2:]
    if command.stdin or command.redirects:
        yield fed(command) or ""
