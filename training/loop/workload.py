"""The recorded incident workload: which questions arrive, and what the people who asked did with the answers.

Everything is drawn by hashing, so that the same workload can be played to any model. What people do follows from the
answer and from what the incident's runbook says; the guard is not asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.preferences.curricula import incidents
from gateway.preferences.curricula.curriculum import held_out_scenarios, training_scenarios
from gateway.preferences.curricula.interface import number, shuffled
from training.loop.judge import judge

if TYPE_CHECKING:
    from gateway.preferences.curricula.interface import Scenario

TEMPERATURE = 0.7
MAX_TOKENS = 48
# Of a hundred people who got a wrong answer, so many correct it; the others ask again.
CORRECTING = 60


class Question(NamedTuple):
    """One question of the workload; `seed` is the sampling's."""

    scenario: Scenario
    seed: int

    def body(self, seed: int | None = None) -> dict[str, Any]:
        """The chat completion that asks it."""
        return {
            "model": "default",
            "messages": [{"role": "user", "content": self.scenario.prompt}],
            "max_tokens": MAX_TOKENS,
            "temperature": TEMPERATURE,
            "seed": self.seed if seed is None else seed,
        }


class Reaction(NamedTuple):
    """What a person does with an answer: nothing, feedback on it, or asking again."""

    feedback: dict[str, Any] | None = None
    again: bool = False


def arriving(count: int, seed: int) -> list[Question]:
    """Incidents that arrive while the first model serves; people react to the answers."""
    return _questions(training_scenarios(), count, f"arriving/{seed}")


def measured(count: int, seed: int) -> list[Question]:
    """Held-out incidents that are asked before and after, with the same seeds; nobody reacts."""
    return _questions(held_out_scenarios(), count, f"measured/{seed}")


def react(question: Question, inference_id: str, answer: str, *, stopped: bool) -> Reaction:
    """What the person who asked does: keeps a right answer, corrects a wrong one, or asks again."""
    scenario = question.scenario
    if stopped:
        return Reaction()  # the guard has offered the runbook's way already
    verdict = judge(answer, scenario)
    if verdict.runbook and not verdict.invented:
        return Reaction({"inference_id": inference_id, "kind": "thumbs", "value": 1})
    if number("react", scenario.id, question.seed) % 100 < CORRECTING:
        return Reaction({"inference_id": inference_id, "kind": "edit", "text": scenario.chosen})
    return Reaction({"inference_id": inference_id, "kind": "thumbs", "value": -1}, again=True)


def react_again(
    question: Question, first: tuple[str, str], second: tuple[str, str], *, stopped: bool
) -> dict[str, Any] | None:
    """What the person does with the second of two answers, each as (inference id, text)."""
    if stopped:
        return None
    was, now = (judge(text, question.scenario).runbook for _, text in (first, second))
    if now and not was:
        return {"inference_id": second[0], "kind": "comparison", "value": first[0]}
    return {"inference_id": second[0], "kind": "edit", "text": question.scenario.chosen}


def _questions(scenarios: list[Scenario], count: int, key: str) -> list[Question]:
    asked = [scenario for scenario in scenarios if scenario.family == incidents.SHORTCUT]
    ordered = shuffled(asked, key)
    return [Question(ordered[place % len(ordered)], number(key, place) % 2**31) for place in range(count)]
