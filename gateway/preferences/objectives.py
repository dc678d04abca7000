"""What a pair is meant to improve, and how far the policy may move for it."""

from __future__ import annotations

from enum import StrEnum


class Objective(StrEnum):
    """What a pair is meant to improve; never the training formula, which is the loss."""

    SAFETY = "safety"
    ESCALATION = "escalation"
    ACCURACY = "accuracy"
    TONE = "tone"
    HELPFULNESS = "helpfulness"


# β of DPO by objective (Rafailov et al. 2023, eq. 7). Small lets the policy move far from its reference; it is no
# learning rate, see `--balance`.
BETA = {
    Objective.SAFETY: 0.05,
    Objective.ESCALATION: 0.1,
    Objective.ACCURACY: 0.3,
    Objective.TONE: 0.1,
    Objective.HELPFULNESS: 0.1,
}
