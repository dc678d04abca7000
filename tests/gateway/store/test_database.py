"""The store, on SQLite and on PostgreSQL: what was kept comes back whole, once."""

from __future__ import annotations

import msgspec
import pytest
from samples import NOW_US, adapter, escalation, feedback, inference, retraction

from gateway.ids import Minter
from gateway.store.database import Store
from gateway.store.errors import StoreError, StoreGone, StoreRefused
from gateway.store.inferences import Wanted, bare
from gateway.store.records import AdapterState, Answer, By, FeedbackKind, Inference, Outcome, Timings

FINDING = {"check": "commands", "rule": "files.delete", "severity": "critical", "span": [0, 8], "message": "deletes"}
FINDINGS = msgspec.json.encode([FINDING | {"stage": "output", "slot": "choices[0]"}, {"check": "injection"}])
ANYTHING = "a\0b\ue000c\ue0000 \U0001f4a9 ' \" \\ %s"


def read(stored: Inference | None) -> Inference:
    assert stored is not None
    return stored


def content(inference: Inference) -> list[object]:
    return [msgspec.json.decode(piece) for answer in inference.answers for piece in answer.logprobs]


def test_an_inference_comes_back_whole(store: Store) -> None:
    kept = inference(
        1,
        findings=FINDINGS,
        unchecked=b'[{"check":"injection","reason":"budget"}]',
        escalation=b'{"id":"esc-1"}',
        outcome=Outcome.STOPPED,
        streamed=True,
        error="boom",
        conversation_id=ANYTHING,
        answers=(
            Answer(index=0, written=ANYTHING, sent="", tool_calls=b'[{"id":"call"}]'),
            Answer(index=1, written="", sent=ANYTHING, finish_reason="content_filter"),
        ),
    )
    store.keep([kept])
    assert store.inferences.get(kept.id) == kept


def test_fields_that_were_not_known_stay_unknown(store: Store) -> None:
    kept = inference(1, prompt_tokens=None, completion_tokens=None, answers=(), timings=Timings(total=5))
    store.keep([kept])
    assert store.inferences.get(kept.id) == kept


def test_token_log_probabilities_come_back_in_their_shape(store: Store) -> None:
    store.keep([inference(1)])
    kept = read(store.inferences.get(inference(1).id))
    assert content(kept) == [
        [
            {
                "token": "Check",
                "logprob": -0.12345678955316544,
                "top_logprobs": [
                    {"token": "Check", "logprob": -0.12345678955316544},
                    {"token": "Look", "logprob": -2.5},
                ],
            },
            {"token": " disk", "logprob": -1.5, "top_logprobs": []},
        ]
    ]


@pytest.mark.parametrize("pieces", [(b'[{"token":"a","logprob":-1}]', b'{"what":1}'), (b"[",), (b"[]",), ()])
def test_log_probabilities_of_another_shape_are_not_kept_by_halves(store: Store, pieces: tuple[bytes, ...]) -> None:
    store.keep([inference(1, answers=(Answer(index=0, written="a", sent="a", logprobs=pieces),))])
    assert content(read(store.inferences.get(inference(1).id))) == []


def test_log_probabilities_without_alternatives_take_no_room_for_them(store: Store) -> None:
    pieces = (b'[{"token":"a","logprob":-1,"top_logprobs":[]},{"token":"b","logprob":-2.0}]',)
    store.keep([inference(1, answers=(Answer(index=0, written="ab", sent="ab", logprobs=pieces),))])
    assert content(read(store.inferences.get(inference(1).id))) == [
        [{"token": "a", "logprob": -1.0, "top_logprobs": []}, {"token": "b", "logprob": -2.0, "top_logprobs": []}]
    ]


def test_what_the_client_would_not_have_stored_has_no_content(store: Store) -> None:
    kept = inference(1, stored=False, request=b"", answers=(Answer(index=0, written="", sent=""),))
    store.keep([kept])
    assert store.inferences.get(kept.id) == kept


def test_keeping_twice_changes_nothing(store: Store) -> None:
    events = [inference(1, findings=FINDINGS), feedback(1, about=1), retraction(1), escalation(1, about=1)]
    store.keep(events)
    store.keep([*events, *events])
    assert read(store.inferences.get(inference(1).id)).findings == FINDINGS
    assert store.feedback.about(inference(1).id) == [(feedback(1, about=1), True)]
    assert store.escalations.newest(9, None) == [escalation(1, about=1)]


def test_one_bad_event_undoes_the_whole_transaction(store: Store) -> None:
    bad = inference(2, created_us=2**63)
    with pytest.raises(StoreRefused):
        store.keep([inference(1), bad])
    assert store.inferences.get(inference(1).id) is None


def test_an_unknown_id_is_none(store: Store) -> None:
    assert store.inferences.get("chatcmpl-x") is None
    assert store.feedback.get("fb-x") is None


def test_listing_is_newest_first_and_goes_on_where_it_stopped(store: Store) -> None:
    kept = [inference(number, created_us=NOW_US + number // 2) for number in range(7)]
    store.keep(kept)
    newest = [bare(one) for one in reversed(kept)]
    assert store.inferences.newest(3, None, Wanted()) == newest[:3]
    last = newest[2]
    assert store.inferences.newest(9, (last.created_us, last.id), Wanted()) == newest[3:]


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Wanted(outcome="stopped"), [1]),
        (Wanted(action="block"), [2]),
        (Wanted(adapter="aiops@1"), [3]),
        (Wanted(project="other"), [4]),
        (Wanted(conversation_id="c-9"), [5]),
        (Wanted(since_us=NOW_US + 4), [5, 4]),
        (Wanted(outcome="completed", since_us=NOW_US + 4), [5, 4]),
        (Wanted(outcome="engine_failed"), []),
    ],
)
def test_listing_shows_what_is_wanted(store: Store, wanted: Wanted, numbers: list[int]) -> None:
    kept = [
        inference(0),
        inference(1, outcome=Outcome.STOPPED),
        inference(2, action="block"),
        inference(3, adapter="aiops@1"),
        inference(4, project="other"),
        inference(5, conversation_id="c-9"),
    ]
    store.keep(kept)
    assert store.inferences.newest(9, None, wanted) == [bare(kept[number]) for number in numbers]
    assert [one for one in reversed(kept) if wanted.accepts(one)] == [kept[number] for number in numbers]


def test_feedback_comes_back_with_its_value_of_either_type(store: Store) -> None:
    given = [
        feedback(1, kind=FeedbackKind.RATING, value=4),
        feedback(2, kind=FeedbackKind.COMPARISON, value="chatcmpl-other"),
        feedback(3, kind=FeedbackKind.EDIT, value=None, text=ANYTHING, idempotency_key="", user=""),
    ]
    store.keep(given)
    assert store.feedback.about(inference(0).id) == [(one, False) for one in given]
    assert store.feedback.newest(2, None) == [(given[2], False), (given[1], False)]
    assert store.feedback.newest(9, (given[1].created_us, given[1].id)) == [(given[0], False)]
    assert store.feedback.get(given[0].id) == (given[0], False)


@pytest.mark.parametrize("later_first", [False, True])
def test_a_retraction_counts_whichever_arrives_first(store: Store, later_first: bool) -> None:
    events = [feedback(1), retraction(1)]
    for event in reversed(events) if later_first else events:
        store.keep([event])
    assert store.feedback.get(feedback(1).id) == (feedback(1), True)


def test_another_project_takes_nothing_back(store: Store) -> None:
    store.keep([feedback(1), retraction(1, project="other")])
    assert store.feedback.get(feedback(1).id) == (feedback(1), False)


def test_escalations_are_listed_newest_first(store: Store) -> None:
    kept = [escalation(number) for number in range(3)]
    store.keep(kept)
    assert store.escalations.newest(2, None) == [kept[2], kept[1]]
    assert store.escalations.newest(9, (kept[1].created_us, kept[1].id)) == [kept[0]]


def test_adapters_are_registered_once_and_never_change(store: Store) -> None:
    by = By("me", "why not", 5)
    assert [store.adapters.register(adapter(version), by) for version in ("2", "1", "1")] == [True, True, False]
    store.adapters.move("aiops@1", AdapterState.LOADED, by)
    loaded = msgspec.structs.replace(adapter("1"), state=AdapterState.LOADED)
    assert store.adapters.all() == [loaded, adapter("2")]
    assert (store.adapters.get("aiops@1"), store.adapters.get("aiops@9")) == (loaded, None)
    with pytest.raises(StoreRefused, match="register a new version"):
        store.adapters.register(adapter("1", digest="e" * 64), by)
    with pytest.raises(StoreRefused, match="aiops@9: no such adapter"):
        store.adapters.move("aiops@9", AdapterState.LOADED, by)


def test_id_keys_stay_with_the_store(store: Store, url: str) -> None:
    """A gateway in a new home on the same store knows the ids of the old one, before and after a rotation."""
    first = Minter(*store.keys.load())
    issued = first.mint()
    assert store.keys.rotate() == 2
    again = Store(url)
    keys, current = again.keys.load()
    again.close()
    assert current == 2
    assert len(set(keys.values())) == 2
    assert Minter(keys, current).verify(issued)


def test_rotation_works_on_a_store_without_keys(store: Store) -> None:
    assert store.keys.rotate() == 1
    assert store.keys.load()[1] == 1


@pytest.mark.parametrize(
    "url",
    ["mysql://localhost/x", "no url", "sqlite:////proc/nowhere/x.sqlite"],
)
def test_a_store_that_cannot_be_is_named(url: str) -> None:
    with pytest.raises(StoreError, match="store"):
        Store(url)


def test_an_unreachable_store_is_gone_and_its_password_not_shown() -> None:
    with pytest.raises(StoreGone) as raised:
        Store("postgresql://ann:secret@127.0.0.1:1/x")
    assert "secret" not in str(raised.value)
