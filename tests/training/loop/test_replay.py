"""What the base said, kept as pairs."""

from __future__ import annotations

from training.loop.replay import FRAMES, TOPICS, WEIGHT, questions, replayed


def test_questions_go_round() -> None:
    """Nobody is asked the same again before everything was asked once."""
    once = len(TOPICS) * len(FRAMES)
    assert len(set(questions(once))) == once
    assert questions(once + 5)[once:] == questions(5)


def test_an_answer_is_preferred_to_a_refusal() -> None:
    """What the base said is chosen, a refusal or a rude word of about its length rejected; silence teaches nothing."""
    said = "Rain is water that falls from clouds."
    pairs = replayed([("What is rain?", said), ("What is snow?", "  ")])
    assert [pair.chosen for pair in pairs] == [said]
    assert pairs[0].rejected != said
    assert pairs[0].weight == WEIGHT


def test_two_answers_to_one_question_are_two_pairs() -> None:
    """A question that is asked twice is answered in two ways, and both are kept."""
    assert len({pair.id for pair in replayed([("Why?", "Because."), ("Why?", "Why not.")])}) == 2
