"""Tools that run a command on other machines, in guests, terminals, environments, debuggers: what they would run."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import yaml

from guardrails.commands import shells
from guardrails.commands.outputs import fed
from guardrails.commands.tree import UNKNOWN, Code, Command, Tail, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLANK = re.compile(r"\s")
_NEVER = -2


class _Runner(NamedTuple):
    """As `runners.yaml` says; `rest` of -1: only behind `--` or an option of `follows`."""

    after: tuple[tuple[frozenset[str], ...], ...]
    loose: bool
    code: tuple[str, ...]
    rest: int
    valued: frozenset[str]
    shell: bool
    operands: int | None
    marks: re.Pattern[str] | None
    follows: tuple[str, ...]
    skips: dict[str, int]
    fed: bool


@lru_cache(maxsize=1)
def _runners() -> dict[str, tuple[_Runner, ...]]:
    rows = yaml.load(Path(__file__).with_name("runners.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)["runners"]
    found: dict[str, tuple[_Runner, ...]] = {}
    for row in rows:
        runner = _Runner(
            tuple(tuple(frozenset(w.split("|")) for w in steps.split()) for steps in row.get("after", [""])),
            row.get("loose", False),
            tuple(row.get("code", ())),
            row.get("rest", _NEVER),
            frozenset(row.get("valued", ())),
            row.get("shell", False),
            row.get("operands"),
            re.compile(row["marks"]) if "marks" in row else None,
            tuple(row.get("follows", ())),
            row.get("skips", {}),
            row.get("fed", False),
        )
        for name in row["names"]:
            found[name] = (*found.get(name, ()), runner)
    return found


def runner_names() -> frozenset[str]:
    """Names of the tools that may have a command run somewhere else."""
    return frozenset(_runners())


def elsewhere(command: Command) -> list[Tail | Code]:
    """What the command has run somewhere else; empty where it has nothing run."""
    if not command.argv:
        return []
    path = command.argv[0].text or ""
    if path.startswith(("/etc/init.d/", "/etc/rc.d/")) or command.name == "invoke-rc.d":
        words = command.argv if command.name != "invoke-rc.d" else command.argv[1:]
        if not words:
            return []
        named = words[0]._replace(text=command.name, shape=command.name) if words is command.argv else words[0]
        return [Tail((Word("service", command.span, "service"), named, *words[1:]), "service")]
    found: list[Tail | Code] = []
    for runner in _runners().get(command.name, ()):
        at = _after(command.argv, runner)
        if at is not None:
            found += _run(command, runner, at)
    return found


def _after(argv: tuple[Word, ...], runner: _Runner) -> int | None:
    """Index behind the subcommands that a runner wants first; None where others stand there."""
    for steps in runner.after:
        at, left = 1, list(steps)
        while left and at < len(argv):
            shape = argv[at].shape
            if shape in left[0]:
                left.pop(0)
            elif shape in runner.valued:
                at += 1
            elif not shape.startswith("-") and not runner.loose and at > 1 + len(steps):
                break
            at += 1
        if not left:
            return at
    return None


def _run(command: Command, runner: _Runner, at: int) -> list[Tail | Code]:
    argv, name = command.argv, command.name
    found: list[Tail | Code] = [shells.part(argv[i], text, name) for i, text in _options(argv, runner.code)]
    if runner.marks is not None:
        for word in argv[1:]:
            found += [shells.part(word, match[1], name) for match in runner.marks.finditer(word.shape)]
        text = fed(command) if runner.fed and (command.stdin or command.redirects) else None
        found += [Code(match[1], name) for match in runner.marks.finditer(text or "")]
    if runner.operands is not None:
        words = [w for w in argv[at:] if not w.shape.startswith("-")][runner.operands :]
        found += [shells.code([w], name) for w in words if _BLANK.search(w.shape)]
    if found and runner.code:
        return found
    tail = _tail(argv, runner, at, runner.rest + runner.skips.get(name, 0))
    if not tail or UNKNOWN in tail[0].shape:
        return found  # the name of a script, of a machine: what it is nobody can say, and mostly it is harmless
    if runner.shell or (len(tail) == 1 and _BLANK.search(tail[0].shape)):
        return [*found, shells.code(tail, name)._replace(inherits=True)]
    return [*found, Tail(tail, name)]


def _options(argv: Sequence[Word], options: tuple[str, ...]) -> list[tuple[int, str]]:
    found = []
    for at, word in enumerate(argv[1:], 1):
        option, equals, value = word.shape.partition("=")
        if option in options and equals and option.startswith("--"):
            found.append((at, value))
        elif word.shape in options and at + 1 < len(argv):
            found.append((at + 1, argv[at + 1].shape))
    return found


def _tail(argv: tuple[Word, ...], runner: _Runner, at: int, operands: int) -> tuple[Word, ...]:
    """The words of the command itself."""
    for i in range(1, len(argv)):
        if argv[i].shape in runner.follows or (argv[i].shape == "--" and runner.rest != _NEVER):
            return argv[i + 1 :]
    if runner.rest < 0:
        return ()
    while at < len(argv):
        shape = argv[at].shape
        if shape.startswith("-"):
            at += 2 if shape in runner.valued else 1
        elif operands:
            operands, at = operands - 1, at + 1
        else:
            return argv[at:]
    return ()
