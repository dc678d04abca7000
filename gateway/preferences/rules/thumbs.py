"""An answer with thumbs up ≻ one with thumbs down, where both answer the same prompt."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from gateway.preferences.exchanges import Unusable
from gateway.preferences.rules.interface import Candidate, Signal, Skipped
from gateway.preferences.rules.objective import objective_of
from gateway.preferences.rules.standing import last_words, thumbs
from gateway.preferences.rules.weights import PRIORS
from gateway.store.records import FeedbackKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.preferences.exchanges import Exchange

MOST_EACH_WAY = 4  # answers of one prompt that are held against each other: 16 pairs at most


@dataclass
class _Text:
    """One text, whoever got it: its votes, and the exchanges where they were cast for and against it."""

    votes: float = 0.0
    up: list[Exchange] = field(default_factory=list)
    down: list[Exchange] = field(default_factory=list)


class Thumbs:
    """A thumb on an exchange with several choices is on each of them, in parts: nobody said which one was meant."""

    signal = Signal.THUMBS

    def vote(self, exchange: Exchange) -> int:
        if not exchange.said(FeedbackKind.THUMBS):
            return 0
        votes = thumbs(exchange)
        if votes == 0:
            raise Skipped("as_many_up_as_down")
        if exchange.stopped:
            raise Skipped("stopped")  # the thumb is on the refusal
        if votes > 0 and (exchange.worse or exchange.said(FeedbackKind.EDIT)):
            raise Skipped("overruled")
        return votes

    def pairs(self, group: Sequence[Exchange]) -> Iterator[Candidate | Skipped]:
        texts: dict[str, _Text] = {}
        for exchange in group:
            votes = self.vote(exchange)
            read = exchange.good if votes > 0 else exchange.bad
            for answer in exchange.answers:
                try:
                    text = texts.setdefault(read(answer), _Text())
                except Unusable as problem:
                    yield Skipped(str(problem))
                    continue
                text.votes += votes / len(exchange.answers)
                (text.up if votes > 0 else text.down).append(exchange)
        up = _strongest(texts, 1)
        down = _strongest(texts, -1)
        for name, voted in texts.items():
            if name not in up and name not in down:
                yield Skipped("enough_of_this_prompt" if voted.votes else "as_many_up_as_down")
        for chosen in up:
            for rejected in down:
                yield self._pair(chosen, texts[chosen].up, rejected, texts[rejected].down)

    def _pair(self, chosen: str, better: list[Exchange], rejected: str, worse: list[Exchange]) -> Candidate:
        said = [one for exchange in better + worse for one in last_words(exchange.said(FeedbackKind.THUMBS))]
        parts = len(better[0].answers) * len(worse[0].answers)
        return Candidate(
            signal=self.signal,
            prompt=better[0].prompt,
            chosen=chosen,
            rejected=rejected,
            objective=objective_of(chosen, rejected, worse[0]),
            weight=PRIORS[self.signal].weight / parts,
            inferences=tuple(exchange.id for exchange in better + worse),
            feedback=tuple(one.id for one in said),
            user=said[-1].user or worse[0].inference.user,
            at_us=worse[0].inference.created_us,
        )


def _strongest(texts: dict[str, _Text], sign: int) -> list[str]:
    """The texts that most agreed on, the first asked for first."""
    agreed = [text for text, votes in texts.items() if votes.votes * sign > 0]
    return list(islice(sorted(agreed, key=lambda text: -abs(texts[text].votes)), MOST_EACH_WAY))
