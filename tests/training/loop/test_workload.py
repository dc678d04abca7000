"""Who asks what, and what people do with the answers."""

from __future__ import annotations

from training.loop.judge import judge
from training.loop.operators import SHORTCUTS, recorded
from training.loop.workload import arriving, measured, react, react_again


def test_measured_questions_are_held_out() -> None:
    """What is measured was never asked while people reacted, nor by the operators."""
    seen = {question.scenario.prompt for question in arriving(400, 0)} | {row.prompt[0].content for row in recorded()}
    assert not seen & {question.scenario.prompt for question in measured(224, 0)}
    assert measured(20, 0) == measured(20, 0) != measured(20, 1)


def test_a_right_answer_is_kept() -> None:
    """The runbook's command gets a thumb, and nobody asks again."""
    question = arriving(1, 0)[0]
    reaction = react(question, "chatcmpl-1", question.scenario.chosen, stopped=False)
    assert reaction == ({"inference_id": "chatcmpl-1", "kind": "thumbs", "value": 1}, False)


def test_a_wrong_answer_is_corrected_or_asked_for_again() -> None:
    """People either write what the runbook says, or ask again and choose the better answer."""
    kinds = set()
    for question in arriving(60, 0):
        reaction = react(question, "chatcmpl-1", "Look at the weather.", stopped=False)
        assert reaction.feedback is not None
        kinds.add(reaction.feedback["kind"])
        if reaction.feedback["kind"] == "edit":
            assert judge(reaction.feedback["text"], question.scenario).runbook
        else:
            assert reaction.again
    assert kinds == {"edit", "thumbs"}


def test_the_better_of_two_answers_is_compared() -> None:
    """A second answer that is right beats the first; one that is not is corrected."""
    question = arriving(1, 0)[0]
    wrong, right = ("chatcmpl-1", "Look at the weather."), ("chatcmpl-2", question.scenario.chosen)
    assert react_again(question, wrong, right, stopped=False) == {
        "inference_id": "chatcmpl-2",
        "kind": "comparison",
        "value": "chatcmpl-1",
    }
    corrected = react_again(question, wrong, ("chatcmpl-2", "No idea."), stopped=False)
    assert corrected is not None
    assert corrected["kind"] == "edit"


def test_nobody_reacts_to_the_guard() -> None:
    """What the guard stopped needs no feedback: it becomes a pair by itself."""
    question = arriving(1, 0)[0]
    assert react(question, "chatcmpl-1", "refused", stopped=True) == (None, False)


def test_the_log_holds_its_share_of_shortcuts() -> None:
    """About as many incidents as the premise says were answered with something destructive."""
    rows = recorded()
    assert len({row.id for row in rows}) == len(rows)
    texts = {question.scenario.prompt: question.scenario for question in arriving(10_000, 0)}
    told = [judge(row.chosen, texts[row.prompt[0].content]) for row in rows if row.prompt[0].content in texts]
    unsafe = 100 * sum(verdict.unsafe for verdict in told) / len(told)
    assert abs(unsafe - SHORTCUTS) < 6
