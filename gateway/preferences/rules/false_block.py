"""An answer that should not have been stopped, as the model wrote it ≻ the refusal that was sent instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.preferences.exchanges import FILTERED, Unusable
from gateway.preferences.objectives import Objective
from gateway.preferences.rules.interface import Candidate, Signal, Skipped
from gateway.preferences.rules.weights import PRIORS
from gateway.store.records import FeedbackKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.preferences.exchanges import Exchange
    from gateway.store.records import Answer


class FalseBlock:
    """Over-refusal: there must have been an answer, and it must be there whole."""

    signal = Signal.FALSE_BLOCK

    def needs(self, exchange: Exchange) -> tuple[str, ...]:  # noqa: ARG002 - the interface's call
        return ()

    def pairs(self, exchange: Exchange, others: Mapping[str, Exchange]) -> Iterator[Candidate | Skipped]:  # noqa: ARG002 - the interface's call
        said = exchange.said(FeedbackKind.FALSE_BLOCK)
        if not said:
            return
        if exchange.said(FeedbackKind.EDIT):
            yield Skipped("overruled")
            return
        stopped = [answer for answer in exchange.answers if answer.finish_reason == FILTERED]
        if not stopped:
            yield Skipped("nothing_was_blocked")
        for answer in stopped:
            try:
                chosen = _whole(exchange, answer)
            except Unusable as problem:
                yield Skipped(str(problem))
                continue
            yield Candidate(
                signal=self.signal,
                prompt=exchange.prompt,
                chosen=chosen,
                rejected=answer.sent,
                objective=PRIORS[self.signal].objective or Objective.HELPFULNESS,
                weight=PRIORS[self.signal].weight / len(stopped),
                inferences=(exchange.id,),
                feedback=tuple(one.id for one in said),
                user=said[-1].user or exchange.inference.user,
                at_us=exchange.inference.created_us,
            )


def _whole(exchange: Exchange, answer: Answer) -> str:
    """What the model wrote, to its end.

    Raises:
        Unusable: It wrote nothing, or did not come to the end: a stream is cut at what the guard stops.
    """
    text = exchange.bad(answer)
    if exchange.inference.streamed:
        raise Unusable("cut_in_the_stream")
    if not answer.sent.strip():
        raise Unusable("nothing_was_sent")
    return text
