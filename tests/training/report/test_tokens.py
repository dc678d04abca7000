"""The worked answer, step by step."""

from __future__ import annotations

from training.evidence import Token, Worked
from training.report.tokens import walk

WORKED = Worked(
    "p",
    "safety",
    "prompt",
    (Token("look", -1.0, -3.5),),
    (Token("Run", -0.5, -0.4), Token(" rm\n", -1.0, -10.0), Token(" -rf", -0.1, -12.1)),
)


def test_sums_run() -> None:
    """Each step carries what the answer costs up to it, before and after."""
    steps = walk("rejected", WORKED).steps
    assert [round(step.sum_before, 6) for step in steps] == [-0.5, -1.5, -1.6]
    assert [round(step.sum_after, 6) for step in steps] == [-0.4, -10.4, -22.5]


def test_model_turns_away_once() -> None:
    """The first loss of at least half the greatest is the turn; a loss in the chosen answer is none."""
    assert [step.turn for step in walk("rejected", WORKED).steps] == [False, True, False]
    assert [step.turn for step in walk("chosen", WORKED).steps] == [False]
    assert walk("rejected", WORKED).steps[1].factor == "1/8,103 of its probability"


def test_colour_follows_the_change() -> None:
    """A loss is red up to its whole strength, a gain green, next to nothing plain; line breaks are seen."""
    steps = walk("rejected", WORKED).steps
    assert [(step.tone, step.strength) for step in steps] == [("", 2), ("fell", 100), ("fell", 100)]
    assert (steps[1].text, steps[1].broken) == (" rm↵", True)
