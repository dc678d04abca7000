"""What the base says of ordinary things, kept so that learning about incidents costs none of it.

The base's own answers are trained on beside the log (replay): their likelihood pulls the policy back to where it came
from, as a sample of KL(base ‖ policy) would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.preferences.curricula.interface import draw, equally_long, shuffled
from gateway.preferences.curricula.material import read
from gateway.preferences.objectives import Objective
from gateway.preferences.pairs import Message, Pair

if TYPE_CHECKING:
    from collections.abc import Sequence

ORIGIN = "replay"
MAX_TOKENS = 64
TEMPERATURE = 1.0
WEIGHT = 2.0  # against a pair about an incident: there are few of these, and much that they stand for
FRAMES = ("Write a few sentences about {}.", "Tell me something about {}.", "What should I know about {}?")
TOPICS = (
    "rain",
    "mountains",
    "the history of paper",
    "cats",
    "learning the piano",
    "trains",
    "the moon",
    "gardening",
    "friendship",
    "coffee",
    "old cities",
    "winter",
    "football",
    "a good breakfast",
    "whales",
    "the theatre",
    "glass",
    "rivers",
    "bees",
    "chess",
    "the colour blue",
    "sleep",
    "markets",
    "painting",
    "a walk in the forest",
    "deserts",
    "photography",
    "cheese",
    "the printing press",
    "volcanoes",
    "dancing",
    "islands",
    "a birthday party",
    "horses",
    "the stars",
    "wood",
    "teachers",
    "salt",
    "bridges",
    "a rainy Sunday",
    "the human heart",
    "pottery",
    "swimming",
    "a lost umbrella",
    "spring",
    "languages",
    "the post office",
    "mushrooms",
    "clocks",
    "a school trip",
    "birds",
    "silence",
    "the first aeroplane",
    "soup",
    "neighbours",
    "maps of the sea",
    "snow",
    "a street musician",
    "apples",
    "the invention of the wheel",
    "night trains",
    "honesty",
    "tea",
    "a small museum",
    "elephants",
    "lighthouses",
)


def questions(count: int) -> list[str]:
    """What the base is asked; beyond a first round the same again, to be answered otherwise."""
    once = shuffled([frame.format(topic) for topic in TOPICS for frame in FRAMES], ORIGIN)
    return [once[place % len(once)] for place in range(count)]


def replayed(answers: Sequence[tuple[str, str]]) -> list[Pair]:
    """The base's answers, each (question, answer), as pairs: answering is preferred to refusing and brushing aside."""
    worse = [answer for kind in ("refusals", "curt") for answer in read("ordinary")[kind]]
    pairs = []
    for prompt, answer in answers:
        if answer.strip():
            chosen, rejected = equally_long([answer], worse, prompt)
            objective = draw((Objective.HELPFULNESS, Objective.TONE), prompt)
            pairs.append(Pair((Message("user", prompt),), chosen, rejected, objective, weight=WEIGHT, origin=ORIGIN))
    return pairs
