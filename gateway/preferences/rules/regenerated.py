"""The second answer, asked for instead of the first and kept ≻ the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.preferences.rules.interface import Candidate, Signal, Skipped
from gateway.preferences.rules.standing import kept, thumbs
from gateway.preferences.rules.versus import versus
from gateway.store.records import FeedbackKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.preferences.exchanges import Exchange


class Regenerated:
    """`inference_id` is the first answer, `value` the new one's id.

    Kept is an answer that nothing was said or done against: that it was not itself regenerated, edited, voted down,
    rated low, abandoned, rolled back, escalated, met with frustration, or found worse.
    """

    signal = Signal.REGENERATED

    def needs(self, exchange: Exchange) -> tuple[str, ...]:
        return tuple(str(one.value) for one in exchange.said(FeedbackKind.REGENERATED))

    def pairs(self, exchange: Exchange, others: Mapping[str, Exchange]) -> Iterator[Candidate | Skipped]:
        for said in exchange.said(FeedbackKind.REGENERATED):
            second = others.get(str(said.value))
            if thumbs(exchange) > 0:
                yield Skipped("overruled")  # the first was liked: somebody wanted another one, not a better one
            elif second is not None and not kept(second):
                yield Skipped("second_not_kept")
            else:
                yield from versus(self.signal, second, exchange, said)
