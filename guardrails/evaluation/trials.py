"""Judges rows and attacks, each as it would arrive, and times it in CPU time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from guardrails.evasions.catalogue import Attack, attacks
from guardrails.evasions.frames import CHANNELS, FRAMES, Place
from guardrails.interface import Channel, Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.evaluation.rows import Row
    from guardrails.guard import Guard

_MOST_CUTS = 6
_WAYS_IN = {
    Channel.COMMAND: frozenset(Place),
    Channel.PARAMETER: frozenset({Place.PARAMETER}),
    Channel.PROMPT: frozenset({Place.PROMPT}),
    Channel.OUTPUT: frozenset({Place.OUTPUT, Place.STREAM}),
}
"""Where an attack of each kind can stand; a command anywhere."""
_DRESSES = frozenset({Place.OUTPUT, Place.TOOL})


@dataclass(frozen=True, slots=True)
class Trial:
    """One judgement.

    Attributes:
        row: What it began with.
        techniques: Evasions applied, innermost first; None for the row as it stands.
        place: Where it stood: a channel, or a channel as an attacker sees it.
        frame: In which dress; empty for the row as it stands.
        text: What was sent; several texts are shown with a rule between.
        stopped: Whether it was, with nothing of a finding sent.
        micros: CPU time in microseconds.
    """

    row: Row
    techniques: tuple[str, ...] | None
    place: str
    frame: str
    text: str
    stopped: bool
    micros: float


def plain(guard: Guard, row: Row) -> Trial:
    """The row as it stands, on its own channel."""
    began = time.thread_time_ns()
    verdict = guard.examine(row.text, row.channel, shell=row.shell, type=row.type, values=row.values)
    micros = (time.thread_time_ns() - began) / 1000
    return Trial(row, None, row.channel.value, "", row.text, verdict.action.stops, micros)


def evaded(guard: Guard, row: Row, count: int, seed: int) -> Iterator[Trial]:
    """Attacks made of a row that is to be stopped, in every dress that fits; `count` compositions of evasions."""
    for attack in attacks(row.text, row.shell, _WAYS_IN[row.channel], count, f"{seed}:{row.id}"):
        yield _trial(guard, row, attack)


def dressed(guard: Guard, row: Row) -> Iterator[Trial]:
    """A command that is to pass, in the dresses in which answers have commands."""
    shell = Shell.BASH if row.shell is Shell.AUTO else row.shell
    random = Random(row.id)  # noqa: S311 - it chooses tests
    for frame in FRAMES:
        if frame.place in _DRESSES and shell in frame.shells and frame.name not in ("calls", "written, then run"):
            for texts in filter(None, [frame.render(row.text, shell, random)]):
                yield _trial(guard, row, Attack((), frame.place, frame.name, texts))


def _trial(guard: Guard, row: Row, attack: Attack) -> Trial:
    channel = CHANNELS[attack.place]
    began = time.thread_time_ns()
    if attack.place is Place.STREAM:
        stopped = _streamed(guard, attack.texts[0], Random(row.id))  # noqa: S311
    elif len(attack.texts) > 1:
        stopped = guard.examine_together(attack.texts, channel).action.stops
    else:
        shell = row.shell if channel is Channel.COMMAND else Shell.AUTO
        stopped = guard.examine(attack.texts[0], channel, shell=shell).action.stops
    micros = (time.thread_time_ns() - began) / 1000
    shown = "\n---\n".join(attack.texts)
    return Trial(row, attack.techniques, attack.place.value, attack.frame, shown, stopped, micros)


def _streamed(guard: Guard, text: str, random: Random) -> bool:
    """Whether a stream of `text` in random cuts stops, with nothing of its findings let out before."""
    stream = guard.stream()
    cuts = sorted(random.sample(range(1, len(text)), min(_MOST_CUTS, len(text) - 1)))
    sent = 0
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        sent = max(sent, stream.feed(text[start:end]))
    sent = max(sent, stream.finish())
    verdict = stream.verdict()
    return verdict.action.stops and all(sent <= finding.span[0] for finding in verdict.findings)
