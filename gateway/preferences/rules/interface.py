"""What a rule is: one signal, and the pairs that it makes."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import msgspec

from gateway.preferences.exchanges import Unusable
from gateway.preferences.objectives import Objective  # noqa: TC001 - msgspec reads the annotations
from gateway.preferences.pairs import Message  # noqa: TC001 - msgspec reads the annotations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.preferences.exchanges import Exchange


class Signal(StrEnum):
    """What a pair may come from, the strongest first: where two speak of one answer, the stronger one is heard."""

    COMPARISON = "comparison"
    EDIT = "edit"
    FALSE_BLOCK = "false_block"
    THUMBS = "thumbs"
    REGENERATED = "regenerated"
    GUARD_STOP = "guard_stop"


class Candidate(msgspec.Struct, frozen=True):
    """A pair that one signal makes, before it is held against those of the others.

    Attributes:
        user: Keyed hash of who said it, empty where nobody knows.
        at_us: When the worse answer was asked for.
    """

    signal: Signal
    prompt: tuple[Message, ...]
    chosen: str
    rejected: str
    objective: Objective
    weight: float
    inferences: tuple[str, ...]
    feedback: tuple[str, ...]
    user: str
    at_us: int


class Skipped(Unusable):
    """A signal that becomes no pair."""


class Rule(Protocol):
    """Makes pairs of what was said about one exchange."""

    signal: Signal

    def needs(self, exchange: Exchange) -> tuple[str, ...]:
        """Ids of the other exchanges it must see."""
        ...

    def pairs(self, exchange: Exchange, others: Mapping[str, Exchange]) -> Iterator[Candidate | Skipped]:
        """Its pairs, and what becomes none; nothing where the signal was not given."""
        ...


class GroupRule(Protocol):
    """Makes pairs of exchanges with the same prompt in the same project."""

    signal: Signal

    def vote(self, exchange: Exchange) -> int:
        """Above 0 for, below 0 against, 0 where nothing was said.

        Raises:
            Skipped: What was said cannot be used.
        """
        ...

    def pairs(self, group: Sequence[Exchange]) -> Iterator[Candidate | Skipped]: ...
