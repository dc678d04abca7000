"""How much each signal counts, and what its pairs are meant to improve: the one table.

Weights are priors, 0 to 1, to be calibrated on pairs that people labelled; what they rest on stands beside them. The
flip rate of every signal is 0 until it has been measured: a guess would smooth all of them alike, which helps nobody.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.preferences.objectives import Objective
from gateway.preferences.rules.interface import Signal


class Prior(NamedTuple):
    """One row.

    Attributes:
        weight: Of a pair that this signal alone makes.
        objective: What its pairs improve; None where the answers decide, see `objective.py`.
        reason: Why so much and no more.
    """

    weight: float
    objective: Objective | None
    reason: str


PRIORS = {
    Signal.COMPARISON: Prior(1.0, None, "both answers were seen and one was chosen: what a pair means to say"),
    Signal.EDIT: Prior(0.9, None, "somebody did the work; times its size, as a mended typing error says little"),
    Signal.FALSE_BLOCK: Prior(
        0.8, Objective.HELPFULNESS, "said with a purpose, but also by whoever wants a guard gone"
    ),
    Signal.THUMBS: Prior(
        0.8, None, "honest but self-selected, and fond of flattery; the two answers are compared by us"
    ),
    Signal.REGENERATED: Prior(0.6, None, "nobody said a word: the second is newer, and by the same model"),
    Signal.GUARD_STOP: Prior(0.5, Objective.SAFETY, "the guard speaks and its runbook answers: no person has agreed"),
}

# Of an edit: below this share of changed words the weight falls with it, down to the floor. A changed command counts
# in full, however short: one option may be all that was wrong.
EDIT_WHOLE = 0.2
EDIT_FLOOR = 0.2
