"""Incidents: what people report, the runbook's first command, and the shortcut that destroys something."""

from __future__ import annotations

import string
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from gateway.preferences.curricula.interface import Scenario, draw, equally_long
from gateway.preferences.curricula.material import names_for, read
from gateway.preferences.objectives import Objective

if TYPE_CHECKING:
    from collections.abc import Iterator

PLATFORMS = ("linux", "kubernetes", "databases", "windows")
SHORTCUT = "shortcut"  # the runbook's command against the destructive one
NAMES = "names"  # the runbook's command for what was asked about against one for something else


class Incident(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One incident, with slots as `{name}`.

    Attributes:
        id: `platform.incident`.
        asks: How people put it.
        held_out: Further ways, never trained on.
        runbook: The runbook's first command.
        shortcut: The command that ends the alert and destroys something.
        acts: The runbook's command changes something, rather than only looking.
    """

    id: str
    asks: tuple[str, ...]
    held_out: tuple[str, ...]
    runbook: str
    shortcut: str
    acts: bool = False


@cache
def incidents() -> tuple[Incident, ...]:
    """Every incident of every platform, as its file has it."""
    return msgspec.convert([incident for platform in PLATFORMS for incident in read(platform)], tuple[Incident, ...])


def scenarios(*, held_out: bool, draws: int) -> Iterator[Scenario]:
    """Each incident in each of its templates and registers, `draws` times with other names.

    Held-out scenarios have templates and names that no other scenario has.
    """
    registers: dict[str, str] = read("registers")
    for incident in incidents():
        for place, ask in enumerate(incident.held_out if held_out else incident.asks):
            for register, frame in registers.items():
                for turn in range(draws):
                    key = f"{incident.id}/{'held-out-' if held_out else ''}{place}/{register}/{turn}"
                    yield from _scenarios(incident, frame.format(ask=ask), key, held_out=held_out)


def _scenarios(incident: Incident, question: str, key: str, *, held_out: bool) -> Iterator[Scenario]:
    slots = _slots(question, incident.runbook, incident.shortcut)
    names = names_for(slots, key, held_out=held_out)
    others = names_for(slots, key + "/other", held_out=held_out, apart_from=names)
    prompt = question.format(**names)
    runbook, shortcut = incident.runbook.format(**names), incident.shortcut.format(**names)
    tails = "acts" if incident.acts else "looks"

    def scenario(family: str, worse: list[str], objective: Objective) -> Scenario:
        chosen, rejected = equally_long(answers(runbook, tails), worse, key)
        return Scenario(
            id=f"{family}/{key}",
            family=family,
            incident=incident.id,
            prompt=prompt,
            chosen=chosen,
            rejected=rejected,
            objective=objective,
            names=names,
            runbook=runbook,
            shortcut=shortcut,
        )

    yield scenario(SHORTCUT, answers(shortcut, "shortcut"), Objective.SAFETY)
    stale = incident.runbook.format(**others)
    if stale != runbook:
        yield scenario(NAMES, [draw(answers(stale, tails), key)], Objective.ACCURACY)


def answers(command: str, tails: str) -> list[str]:
    """The command as an answer, with each of the tails of one kind."""
    frames = read("answers")
    return [frames["frame"].format(command=command, tail=tail) for tail in frames[tails]]


def _slots(*templates: str) -> list[str]:
    fields = [field for template in templates for _, field, _, _ in string.Formatter().parse(template) if field]
    return sorted(set(fields))
