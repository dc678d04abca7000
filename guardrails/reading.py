"""How the guard read a judged text: the commands that it took it for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from guardrails.commands.budget import BudgetExceeded
from guardrails.commands.picture import picture, tree_document
from guardrails.interface import Channel, Shell

if TYPE_CHECKING:
    from guardrails.commands.tree import Command
    from guardrails.guard import Guard
    from guardrails.interface import Subject, Verdict


class Reading(NamedTuple):
    """Commands of one stretch of a text, which begins at `offset` in it."""

    offset: int
    commands: tuple[Command, ...]


def readings(guard: Guard, subject: Subject, verdict: Verdict) -> list[Reading]:
    """Of a command or a value all it would run; of other texts what stands where something was found."""
    if subject.channel in (Channel.COMMAND, Channel.PARAMETER):
        stretches = [(0, len(subject.text))]
    else:
        stretches = sorted({finding.span for finding in verdict.findings})
    shell = subject.shell if subject.channel is Channel.COMMAND else Shell.AUTO
    found = []
    for start, end in stretches:
        try:
            found.append(Reading(start, guard.judge.judge(subject.text[start:end], shell).commands))
        except BudgetExceeded:
            continue  # the verdict says so already
    return found


def tree(guard: Guard, subject: Subject, verdict: Verdict) -> list[dict[str, Any]]:
    """The readings as one list of data; see `tree_document`."""
    found: list[dict[str, Any]] = []
    for reading in readings(guard, subject, verdict):
        before = len(found)
        for one in tree_document(reading.commands, reading.offset):
            inner = {key: [before + at for at in one[key]] for key in ("stdin", "made_of")}
            found.append(one | inner)
    return found


def told(guard: Guard, subject: Subject, verdict: Verdict) -> list[str]:
    """The readings as a picture, line by line."""
    return [line for reading in readings(guard, subject, verdict) for line in picture(reading.commands)]
