"""Exchanges with what was said about them, in pages, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from samples import NOW_US, feedback, inference, retraction

from gateway.store.evidence import Evidence, Span
from gateway.store.records import FeedbackKind, Outcome

if TYPE_CHECKING:
    from gateway.store.database import Store

ALL = Span()
FOUND = b'[{"check":"commands","rule":"files.delete","severity":"critical","span":[0,8],"stage":"output"}]'


def ids(evidence: Evidence, span: Span = ALL, size: int = 200) -> list[list[str]]:
    return [[told.inference.id[-1] for told in page] for page in evidence.pages(span, size)]


def test_what_was_stopped_or_spoken_of_comes_with_its_feedback(store: Store) -> None:
    """Whole, but without log-probabilities; what was taken back is not there."""
    stopped = inference(1, outcome=Outcome.STOPPED, findings=FOUND)
    store.keep([stopped, inference(2), inference(3), feedback(9, 3), feedback(8, 3), feedback(7, 3), retraction(7)])
    ((first, second),) = Evidence(store.database).pages(ALL)
    assert (first.inference.id, first.feedback) == (stopped.id, ())
    assert (first.inference.findings, first.inference.request) == (FOUND, stopped.request)
    assert [answer.written for answer in first.inference.answers] == ["Check disk"]
    assert first.inference.answers[0].logprobs == ()
    assert second.inference.id == inference(3).id
    assert second.feedback == (feedback(8, 3), feedback(9, 3))


@pytest.mark.parametrize(
    ("size", "pages"), [(1, [["1"], ["2"], ["3"]]), (2, [["1", "2"], ["3"]]), (9, [["1", "2", "3"]])]
)
def test_pages_are_cut_anywhere(store: Store, size: int, pages: list[list[str]]) -> None:
    """Two that arrived in the same microsecond are told apart by their ids."""
    same = {"created_us": NOW_US}
    store.keep([inference(3, **same), inference(2, **same), inference(1, **same), *(feedback(n, n) for n in (1, 2, 3))])
    assert ids(Evidence(store.database), size=size) == pages


@pytest.mark.parametrize(
    ("span", "found"),
    [
        (Span(project="a"), [["1"]]),
        (Span(since_us=NOW_US + 2), [["2"]]),
        (Span(project="a", since_us=NOW_US + 2), []),
        (Span(project="nobody"), []),
    ],
)
def test_a_span_is_a_project_and_a_time(store: Store, span: Span, found: list[list[str]]) -> None:
    store.keep([inference(1, project="a"), inference(2, project="b"), feedback(1, 1), feedback(2, 2)])
    assert ids(Evidence(store.database), span) == found


def test_what_arrives_while_it_is_read_waits_for_the_next_time(store: Store) -> None:
    store.keep([inference(1), inference(2), feedback(1, 1), feedback(2, 2)])
    pages = Evidence(store.database).pages(ALL, 1)
    next(pages)
    store.keep([inference(5), feedback(5, 5)])
    assert [told.inference.id[-1] for page in pages for told in page] == ["2"]


def test_reading_holds_no_lock_between_pages(store: Store) -> None:
    """A gateway writes on while somebody mines."""
    store.keep([inference(1), inference(2), feedback(1, 1), feedback(2, 2)])
    for number, _ in enumerate(Evidence(store.database).pages(ALL, 1)):
        store.keep([feedback(10 + number, 1), retraction(1)])


def test_others_are_read_by_id(store: Store) -> None:
    """Whatever was said about them; unknown ids are left out."""
    store.keep([inference(1), feedback(1, 1)])
    evidence = Evidence(store.database)
    assert list(evidence.of([inference(1).id, "chatcmpl-unknown"])) == [inference(1).id]
    assert evidence.of([]) == {}


def test_losers_of_comparisons_are_known_by_project(store: Store) -> None:
    lost: dict[str, Any] = {"kind": FeedbackKind.COMPARISON, "value": inference(2).id}
    taken_back = {**lost, "value": inference(3).id}
    store.keep([feedback(1, 1, **lost), feedback(2, 1, **taken_back), retraction(2), feedback(3, 1)])
    assert Evidence(store.database).worse() == {("default", inference(2).id)}


def test_feedback_that_nothing_comes_of_is_counted(store: Store) -> None:
    store.keep(
        [inference(1), feedback(1, 1), feedback(2, 1), retraction(2), feedback(3, 99), feedback(4, 1, project="b")]
    )
    evidence = Evidence(store.database)
    assert evidence.unused(ALL) == {"feedback_taken_back": 1, "feedback_without_its_exchange": 1}
    assert evidence.unused(Span(project="b")) == {"feedback_taken_back": 0, "feedback_without_its_exchange": 0}
    assert evidence.unused(Span(since_us=NOW_US + 3)) == {"feedback_taken_back": 0, "feedback_without_its_exchange": 1}
