"""What a person wrote instead ≻ what the model wrote."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gateway.preferences.exchanges import Unusable
from gateway.preferences.rules.interface import Candidate, Signal, Skipped
from gateway.preferences.rules.objective import commands_of, objective_of
from gateway.preferences.rules.weights import EDIT_FLOOR, EDIT_WHOLE, PRIORS
from gateway.store.records import FeedbackKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gateway.preferences.exchanges import Exchange


class Edit:
    """The last edit of an answer; of several choices it is the one that it changes least.

    Args:
        stops: Whether the guard would stop a text: an edit comes from outside and went through no guard, and nobody may
            teach the model a destructive command by writing it there.
    """

    signal = Signal.EDIT

    def __init__(self, stops: Callable[[str], bool]) -> None:
        self._stops = stops

    def needs(self, exchange: Exchange) -> tuple[str, ...]:  # noqa: ARG002 - the interface's call
        return ()

    def pairs(self, exchange: Exchange, others: Mapping[str, Exchange]) -> Iterator[Candidate | Skipped]:  # noqa: ARG002 - the interface's call
        edits = exchange.said(FeedbackKind.EDIT)
        if not edits:
            return
        for _ in edits[:-1]:
            yield Skipped("superseded")
        edit = edits[-1]
        chosen = edit.text.strip()
        texts = []
        for answer in exchange.answers:
            try:
                texts.append(exchange.bad(answer))
            except Unusable as problem:
                yield Skipped(str(problem))
        if not texts:
            return
        rejected = min(texts, key=lambda text: changed(text, chosen))
        if rejected.split() == chosen.split():
            yield Skipped("nothing_changed")
        elif self._stops(chosen):
            yield Skipped("guard_stops_the_edit")
        else:
            yield Candidate(
                signal=self.signal,
                prompt=exchange.prompt,
                chosen=chosen,
                rejected=rejected,
                objective=objective_of(chosen, rejected, exchange),
                weight=PRIORS[self.signal].weight * size(rejected, chosen),
                inferences=(exchange.id,),
                feedback=(edit.id,),
                user=edit.user or exchange.inference.user,
                at_us=exchange.inference.created_us,
            )


def size(before: str, after: str) -> float:
    """How much of an edit's weight its size leaves, 0 to 1."""
    if commands_of(before) != commands_of(after):
        return 1.0
    return max(EDIT_FLOOR, min(1.0, changed(before, after) / EDIT_WHOLE))


def changed(before: str, after: str) -> float:
    """The share of words that are not in both, wherever they stand; 0 to 1. Linear, however long the texts."""
    old, new = Counter(before.split()), Counter(after.split())
    words = old.total() + new.total()
    return 1 - 2 * (old & new).total() / words if words else 0.0
