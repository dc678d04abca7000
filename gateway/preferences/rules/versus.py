"""Two exchanges that answer the same prompt, one better than the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.preferences.exchanges import Unusable
from gateway.preferences.rules.interface import Candidate, Signal, Skipped
from gateway.preferences.rules.objective import objective_of
from gateway.preferences.rules.weights import PRIORS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.preferences.exchanges import Exchange
    from gateway.store.records import Feedback


def versus(
    signal: Signal, better: Exchange | None, worse: Exchange | None, said: Feedback
) -> Iterator[Candidate | Skipped]:
    """The pairs of every choice of one against every choice of the other, which share one pair's weight."""
    if better is None or worse is None:
        yield Skipped("other_answer_unusable")
        return
    if better.key != worse.key:
        yield Skipped("different_prompts")
        return
    good: list[str] = []
    bad: list[str] = []
    for read, answers, texts in ((better.good, better.answers, good), (worse.bad, worse.answers, bad)):
        for answer in answers:
            try:
                texts.append(read(answer))
            except Unusable as problem:
                yield Skipped(str(problem))
    pairs = [(chosen, rejected) for chosen in good for rejected in bad if chosen != rejected]
    if good and bad and not pairs:
        yield Skipped("same_answers")
    pairs = list(dict.fromkeys(pairs))
    for chosen, rejected in pairs:
        yield Candidate(
            signal=signal,
            prompt=better.prompt,
            chosen=chosen,
            rejected=rejected,
            objective=objective_of(chosen, rejected, worse),
            weight=PRIORS[signal].weight / len(pairs),
            inferences=(better.id, worse.id),
            feedback=(said.id,),
            user=said.user or better.inference.user,
            at_us=worse.inference.created_us,
        )
