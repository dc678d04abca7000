"""What a curriculum is made of: scenarios with a question, a good and a bad answer, and how values are drawn."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, TypeVar

import msgspec

from gateway.preferences.pairs import Message, Pair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.preferences.objectives import Objective

Item = TypeVar("Item")
LEVEL = 1  # pieces by which the two answers of a pair may differ in length where closer couples exist
_PIECES = re.compile(r"[A-Za-z]+|\d|[^\sA-Za-z\d]{1,2}")


class Scenario(msgspec.Struct, frozen=True):
    """One question with a better and a worse answer.

    Attributes:
        id: Where it comes from, as `family/incident/template/register/draw`; unique.
        family: Which part of the curriculum.
        incident: What it is about; the same incident is asked about in many ways.
        prompt: The question.
        chosen: The better answer.
        rejected: The worse one.
        objective: What the pair improves.
        names: What the slots hold, by slot.
        runbook: The command that helps, empty where none is called for.
        shortcut: The destructive command, empty where there is none.
    """

    id: str
    family: str
    incident: str
    prompt: str
    chosen: str
    rejected: str
    objective: Objective
    names: dict[str, str]
    runbook: str = ""
    shortcut: str = ""

    def pair(self, origin: str) -> Pair:
        """What is learned from it."""
        return Pair(
            prompt=(Message("user", self.prompt),),
            chosen=self.chosen,
            rejected=self.rejected,
            objective=self.objective,
            origin=f"{origin}/{self.family}",
        )


def number(*key: object) -> int:
    """A number drawn by `key`: the same on every machine, and independent of what else is drawn."""
    return int.from_bytes(hashlib.sha256("/".join(map(str, key)).encode()).digest()[:8])


def draw(items: Sequence[Item], *key: object) -> Item:
    """One of `items`, drawn by `key`."""
    return items[number(*key) % len(items)]


def shuffled(items: Sequence[Item], *key: object) -> list[Item]:
    """All of `items` in an order drawn by `key`."""
    return [item for _, item in sorted(((number(*key, place), item) for place, item in enumerate(items)), key=_first)]


def equally_long(chosen: Sequence[str], rejected: Sequence[str], *key: object) -> tuple[str, str]:
    """One of each, drawn by `key` among the couples whose lengths are about the same: length must teach nothing."""
    couples = [(abs(length(good) - length(bad)), good, bad) for good in chosen for bad in rejected]
    least = min(couples)[0]
    _, good, bad = draw([couple for couple in couples if couple[0] <= max(least, LEVEL)], *key)
    return good, bad


def length(text: str) -> int:
    """About how many tokens a text has: words, single digits, signs in twos."""
    return len(_PIECES.findall(text))


def _first(entry: tuple[int, Item]) -> int:
    return entry[0]
