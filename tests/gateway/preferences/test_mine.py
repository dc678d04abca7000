"""From a store to pairs: every signal, what is left out, and the same bytes from SQLite and PostgreSQL."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from pairs_made import blocked, exchange, says, told
from samples import retraction

from gateway.preferences.mine import Account, Mine
from gateway.preferences.pairs import check_pair, write_pairs
from gateway.store.database import Store
from gateway.store.evidence import Evidence, Span
from gateway.store.records import Answer, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from postgres import Server

    from gateway.preferences.pairs import Pair
    from gateway.store.evidence import Told
    from gateway.store.records import Event

REFUSAL = "I stopped here.\n\nA safer way:\n\n```\ndf -h\n```"
STOPPED = {"outcome": Outcome.STOPPED, "action": "block"}


def events(*stored: Told) -> list[Event]:
    return [event for one in stored for event in (one.inference, *one.feedback)]


def stop(written: str) -> tuple[Answer, ...]:
    return (Answer(0, written, REFUSAL, "content_filter"),)


EVERYTHING = [
    *events(
        told(1, "edited", says(1, "edit", text="better", user="u1")),
        told(2, "first", says(2, "regenerated", exchange(3).id)),
        told(3, "second"),
        told(4, "chosen", says(4, "comparison", exchange(5).id)),
        told(5, "not chosen"),
        told(6, "liked", says(6, "thumbs", 1), prompt="same"),
        told(7, "disliked", says(7, "thumbs", -1), prompt="same"),
        told(8, stop("rm -rf /srv"), **STOPPED),
        told(9, stop("harmless"), says(9, "false_block"), **STOPPED),
        told(10, "not to be stored", says(10, "edit", text="x"), stored=False),
        told(11, "taken back", says(11, "edit", text="x")),
        told(12, "hello", says(12, "edit", text="destroy")),
        told(13, "gone", says(13, "edit", text="x"), outcome=Outcome.CLIENT_GONE),
        told(14, "foreign", says(14, "edit", text="x", project="other")),
        told(15, "nobody said a word"),
    ),
    *told(99, "x", says(99, "thumbs", 1)).feedback,
    retraction(11),
]


def mined(store: Store, span: Span = Span(), per_user: int = 100) -> tuple[list[Pair], Account]:  # noqa: B008 - frozen
    walk = Mine(Evidence(store.database), span, lambda text: "destroy" in text, per_user)
    return list(walk.pairs()), walk.account


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        url = server.url()
    opened = Store(url)
    yield opened
    opened.close()


def test_every_signal_makes_its_pair_and_the_rest_is_counted(store: Store) -> None:
    """The same on both databases; retracted, foreign and unstored words count nowhere."""
    store.keep(EVERYTHING)
    pairs, account = mined(store)
    assert [(pair.chosen, pair.rejected, pair.origin, pair.objective.value, pair.weight) for pair in pairs] == [
        ("better", "edited", "edit", "helpfulness", 0.9),
        ("second", "first", "regenerated", "helpfulness", 0.6),
        ("chosen", "not chosen", "comparison", "helpfulness", 1.0),
        ("liked", "disliked", "thumbs", "helpfulness", 0.8),
        ("Run `df -h`.", "rm -rf /srv", "guard_stop", "safety", 0.5),
        ("harmless", REFUSAL, "false_block", "helpfulness", 0.8),
    ]
    assert (account.exchanges, account.pairs) == (12, 6)
    assert dict(account.candidates) == dict.fromkeys(
        ("edit", "regenerated", "comparison", "thumbs", "guard_stop", "false_block"), 1
    )
    assert {reason: count for reason, count in account.skipped.items() if count} == {
        "exchange.not_stored": 1,
        "exchange.broken_off": 1,
        "edit.guard_stops_the_edit": 1,
        "guard_stop.overruled": 1,
        "feedback_of_another_project": 1,
        "feedback_taken_back": 1,
        "feedback_without_its_exchange": 1,
    }
    for pair in pairs:
        check_pair(pair, "mined")
        assert pair.inferences
        assert bool(pair.feedback) is (pair.origin != "guard_stop")


def test_both_databases_give_the_same_bytes(tmp_path: Path, postgres: Server) -> None:
    """Whatever the order in which the records came in."""
    written = []
    for seed, url in enumerate((f"sqlite:///{tmp_path}/a.sqlite", f"sqlite:///{tmp_path}/b.sqlite", postgres.url())):
        store = Store(url)
        for event in random.Random(seed).sample(EVERYTHING, len(EVERYTHING)):
            store.keep([event])
        written.append(write_pairs(mined(store)[0]))
        store.close()
    assert written[0] == written[1] == written[2]
    assert written[0].count(b"\n") == 6


def test_thumbs_are_paired_within_a_project_only(store: Store) -> None:
    store.keep(
        events(
            told(1, "liked", says(1, "thumbs", 1, project="a"), project="a"),
            told(2, "disliked", says(2, "thumbs", -1, project="b"), project="b"),
        )
    )
    assert mined(store)[0] == []


def test_a_span_limits_what_is_read(store: Store) -> None:
    store.keep(EVERYTHING)
    assert mined(store, Span(project="other"))[0] == []
    since = next(event for event in EVERYTHING if event.id == exchange(8).id).created_us
    assert [pair.origin for pair in mined(store, Span(since_us=since))[0]] == ["guard_stop", "false_block"]


def test_a_pair_that_two_signals_make_is_one(store: Store) -> None:
    """An edit to what another answer says already, which was compared with it too."""
    store.keep(
        events(
            told(1, "good", says(1, "comparison", exchange(2).id)),
            told(2, "bad", says(2, "edit", text="good"), says(3, "thumbs", -1)),
        )
    )
    (pair,), account = mined(store)
    assert (pair.origin, pair.weight, len(pair.inferences), len(pair.feedback)) == ("comparison+edit", 1.0, 2, 2)
    assert account.skipped["said_again"] == 1


def test_what_people_contradict_is_dropped(store: Store) -> None:
    store.keep(
        events(
            told(1, "one", says(1, "comparison", exchange(2).id)),
            told(2, "two", says(2, "comparison", exchange(1).id)),
        )
    )
    pairs, account = mined(store)
    assert pairs == []
    assert account.skipped["contradicted"] == 2


def test_the_first_of_many_pages_knows_what_the_last_says(store: Store) -> None:
    """A second answer on another page, found worse on a third, was not kept."""
    far = 1000
    store.keep(
        events(
            told(1, "first", says(1, "regenerated", exchange(far).id)),
            *(told(number, "x", says(number, "copied")) for number in range(2, 500)),
            told(far, "second"),
            told(far + 1, "third", says(far + 1, "comparison", exchange(far).id)),
        )
    )
    pairs, account = mined(store)
    assert [(pair.chosen, pair.rejected) for pair in pairs] == [("third", "second")]
    assert account.skipped["regenerated.second_not_kept"] == 1


def test_an_exchange_is_stopped_as_a_rule_sees_it() -> None:
    assert blocked(1, "x", "No.").stopped
