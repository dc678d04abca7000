"""The answer that a person chose ≻ the one they did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.preferences.rules.interface import Candidate, Signal, Skipped
from gateway.preferences.rules.versus import versus
from gateway.store.records import FeedbackKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.preferences.exchanges import Exchange


class Comparison:
    """`inference_id` is the better answer, `value` the other's id."""

    signal = Signal.COMPARISON

    def needs(self, exchange: Exchange) -> tuple[str, ...]:
        return tuple(str(one.value) for one in exchange.said(FeedbackKind.COMPARISON))

    def pairs(self, exchange: Exchange, others: Mapping[str, Exchange]) -> Iterator[Candidate | Skipped]:
        for said in exchange.said(FeedbackKind.COMPARISON):
            yield from versus(self.signal, exchange, others.get(str(said.value)), said)
