"""The recorded log that the *before* model is fine-tuned on: what operators answered, tired shortcuts included.

Made by code and the same everywhere. The shares are the experiment's premise and nothing it measures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.preferences.curricula import incidents
from gateway.preferences.curricula.curriculum import training_scenarios
from gateway.preferences.curricula.interface import number, shuffled
from gateway.preferences.pairs import Message, Pair

if TYPE_CHECKING:
    from gateway.preferences.curricula.interface import Scenario

ORIGIN = "operators-log"
# Of a hundred answers to an incident: so many are the shortcut, so many name a machine or service of an older ticket,
# the rest is what the runbook says.
SHORTCUTS = 45
STALE = 25
# Of a hundred answers to anything else, so many are the poor one.
POOR = 40
ROWS = 1920
DRAWS = 4  # times that each template meets each register, so that a log of this size repeats nothing


def recorded() -> list[Pair]:
    """The log, as examples for SFT: `chosen` is what was answered, `rejected` is empty."""
    rows: dict[str, Pair] = {}
    asked = [
        *incidents.scenarios(held_out=False, draws=DRAWS),
        *(one for one in training_scenarios() if one.family not in (incidents.SHORTCUT, incidents.NAMES)),
    ]
    stale = {scenario.prompt: scenario.rejected for scenario in asked if scenario.family == incidents.NAMES}
    for scenario in asked:
        if scenario.family != incidents.NAMES:
            pair = Pair(prompt=(Message("user", scenario.prompt),), chosen=_answer(scenario, stale), origin=ORIGIN)
            rows[pair.id] = pair
    return shuffled(list(rows.values()), ORIGIN)[:ROWS]


def _answer(scenario: Scenario, stale: dict[str, str]) -> str:
    drawn = number(ORIGIN, scenario.id) % 100
    if scenario.family != incidents.SHORTCUT:
        return scenario.rejected if drawn < POOR else scenario.chosen
    if drawn < SHORTCUTS:
        return scenario.rejected
    if drawn < SHORTCUTS + STALE and scenario.prompt in stale:
        return stale[scenario.prompt]
    return scenario.chosen
