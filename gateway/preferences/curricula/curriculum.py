"""The incident-response curriculum: what a model that suggests commands must prefer, as pairs made by code.

Templates by names by registers, drawn by hashing, so that the same code and files give the same pairs everywhere. Whole
templates, and all names in them, are held out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.preferences.curricula import conversations, incidents

if TYPE_CHECKING:
    from gateway.preferences.curricula.interface import Scenario
    from gateway.preferences.pairs import Pair

NAME = "incident-response"
DRAWS = 2  # times that each template of an incident meets each register
OTHERS = 30  # times that each template of the other families is filled


def training_scenarios() -> list[Scenario]:
    """What is trained on."""
    return _scenarios(held_out=False, draws=DRAWS, others=OTHERS)


def held_out_scenarios() -> list[Scenario]:
    """What is only ever tested on: templates and names that training never sees."""
    return _scenarios(held_out=True, draws=1, others=8)


def training_pairs() -> list[Pair]:
    return distinct(training_scenarios())


def held_out_pairs() -> list[Pair]:
    return distinct(held_out_scenarios())


def distinct(scenarios: list[Scenario]) -> list[Pair]:
    """The scenarios' pairs, each once, in their order."""
    return list({pair.id: pair for pair in (scenario.pair(NAME) for scenario in scenarios)}.values())


def _scenarios(*, held_out: bool, draws: int, others: int) -> list[Scenario]:
    return [
        *incidents.scenarios(held_out=held_out, draws=draws),
        *conversations.parameters(held_out=held_out, draws=others),
        *conversations.unknown(held_out=held_out, draws=others),
        *conversations.jailbreak(held_out=held_out, draws=others),
        *conversations.ordinary(held_out=held_out),
    ]
