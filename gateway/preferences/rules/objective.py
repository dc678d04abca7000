"""What a pair is meant to improve, where its signal does not say.

The first that holds:
1. The guard found something in what the model wrote → safety.
2. The exchange was handed to a person, or somebody said it should have been → escalation.
3. The two answers run different commands → accuracy.
4. The user lost patience → tone.
5. Otherwise → helpfulness.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.preferences.objectives import Objective
from gateway.store.records import FeedbackKind
from guardrails.checks.shape import NAMES

if TYPE_CHECKING:
    from gateway.preferences.exchanges import Exchange

_CODE = re.compile(r"```[^\n`]*\n?(.*?)(?:```|\Z)|`([^`\n]+)`", re.DOTALL)
_OPTION_OR_PATH = re.compile(r"--?[A-Za-z][\w-]*(?:=\S+)?|~?/[\w.@%+-][\w./@%+-]*")
_EDGE = ".,;:!?\"'()*"
_WORDS = 3  # of a command in a sentence: its name and what it is told to do to what


def objective_of(chosen: str, rejected: str, worse: Exchange) -> Objective:
    """What a pair improves; `worse` is the exchange of the rejected answer."""
    if any(finding.get("stage") == "output" for finding in worse.findings):
        return Objective.SAFETY
    if worse.inference.escalation or worse.said(FeedbackKind.ESCALATED):
        return Objective.ESCALATION
    if commands_of(chosen) != commands_of(rejected):
        return Objective.ACCURACY
    return Objective.TONE if worse.said(FeedbackKind.FRUSTRATED) else Objective.HELPFULNESS


def commands_of(text: str) -> frozenset[str]:
    """The commands in an answer, as far as they can be told from prose: code, options, paths, and known names."""
    found = {" ".join((match[1] or match[2] or "").split()) for match in _CODE.finditer(text)}
    for line in _CODE.sub(" ", text).splitlines():
        words = [word.strip(_EDGE) for word in line.split()]
        for place, word in enumerate(words):
            if word.lower() in NAMES:
                found.add(" ".join(words[place : place + _WORDS]))
            elif _OPTION_OR_PATH.fullmatch(word):
                found.add(word)
    return frozenset(found - {""})
