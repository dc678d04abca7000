"""The worked example: one answer token by token, coloured by what training did to each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from training.text import number

if TYPE_CHECKING:
    from training.evidence import Worked

_FULL = 6.0  # nats at which a token wears its whole colour


class Step(NamedTuple):
    """One token.

    Attributes:
        text: As it is shown; what cannot be seen is named.
        before: Its log-probability, in nats.
        after: Likewise.
        sum_before: Of the answer up to and with it.
        sum_after: Likewise.
        tone: `fell`, `rose` or nothing.
        strength: Of the colour, 0 to 100.
        turn: Whether the model turned away here: the first loss of at least half the greatest.
        broken: Whether a line ends with it.
    """

    text: str
    before: float
    after: float
    sum_before: float
    sum_after: float
    tone: str
    strength: int
    turn: bool
    broken: bool

    @property
    def factor(self) -> str:
        """What the change makes of the token's probability."""
        return f"{number(math.exp(self.change), 'factor').replace(' / ', '/')} of its probability"

    @property
    def change(self) -> float:
        return self.after - self.before


class Walk(NamedTuple):
    """One of the two answers."""

    side: str
    steps: list[Step]


def walk(side: str, worked: Worked) -> Walk:
    """The chosen or the rejected answer, step by step."""
    tokens = getattr(worked, side)
    least = min((token.after - token.before for token in tokens), default=0.0)
    steps: list[Step] = []
    sum_before = sum_after = 0.0
    for token in tokens:
        sum_before += token.before
        sum_after += token.after
        change = token.after - token.before
        strength = round(100 * min(1.0, abs(change) / _FULL))
        tone = "" if strength < 4 else "fell" if change < 0 else "rose"
        turn = side == "rejected" and least < -1 and change <= least / 2 and not any(step.turn for step in steps)
        shown = token.text.replace("\n", "↵")
        broken = "\n" in token.text
        steps.append(Step(shown, token.before, token.after, sum_before, sum_after, tone, strength, turn, broken))
    return Walk(side, steps)
