"""The runbook's command, as it was offered ≻ the answer that the guard stopped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.preferences.exchanges import FILTERED, Unusable
from gateway.preferences.objectives import Objective
from gateway.preferences.rules.interface import Candidate, Signal, Skipped
from gateway.preferences.rules.weights import PRIORS
from gateway.store.records import FeedbackKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.preferences.exchanges import Exchange

# A refusal that offers something ends in it, fenced; whatever a policy has it say before.
_OFFERED = re.compile(r"\n\n```\n(.+)\n```\Z", re.DOTALL)
# A slot that the runbook could not fill, left for a person.
_GAP = re.compile(r"\{\w+\}")


class GuardStop:
    """What the guard stopped, where it had something better to offer and nobody said more."""

    signal = Signal.GUARD_STOP

    def needs(self, exchange: Exchange) -> tuple[str, ...]:  # noqa: ARG002 - the interface's call
        return ()

    def pairs(self, exchange: Exchange, others: Mapping[str, Exchange]) -> Iterator[Candidate | Skipped]:  # noqa: ARG002 - the interface's call
        stopped = [answer for answer in exchange.answers if answer.finish_reason == FILTERED]
        if not stopped:
            return
        if exchange.said(FeedbackKind.FALSE_BLOCK) or exchange.said(FeedbackKind.EDIT):
            yield Skipped("overruled")
            return
        for answer in stopped:
            try:
                rejected = exchange.bad(answer)
            except Unusable as problem:
                yield Skipped(str(problem))
                continue
            command = offered(answer.sent)
            if command is None or _GAP.search(command):
                yield Skipped("nothing_offered" if command is None else "offer_has_gaps")
                continue
            yield Candidate(
                signal=self.signal,
                prompt=exchange.prompt,
                chosen=plain(command, rejected),
                rejected=rejected,
                objective=PRIORS[self.signal].objective or Objective.SAFETY,
                weight=PRIORS[self.signal].weight / len(stopped),
                inferences=(exchange.id,),
                feedback=(),
                user=exchange.inference.user,
                at_us=exchange.inference.created_us,
            )


def offered(sent: str) -> str | None:
    """The command that a refusal offers; None where it offers none."""
    match = _OFFERED.search(sent)
    return match[1].rpartition("\n\n```\n")[2] if match else None


def plain(command: str, instead_of: str) -> str:
    """The command as an answer, without the refusal around it: fenced where the other answer is, else in a sentence."""
    if "```" in instead_of or "`" in command or "\n" in command:
        return f"```\n{command}\n```"
    return f"Run `{command}`."
