"""What operators read is everything that was acknowledged, once, wherever it is by now."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from samples import NOW_US, escalation, everything, feedback, inference, retraction

from gateway.store.archive import Archive
from gateway.store.database import Store
from gateway.store.drain import Drain
from gateway.store.errors import StoreRefused
from gateway.store.feedback import Asked
from gateway.store.inferences import Wanted, bare
from gateway.store.records import FeedbackKind
from gateway.store.spool import Spool

if TYPE_CHECKING:
    from gateway.store.records import Event, Feedback

PLACES = ["spool", "both", "store"]


async def place(events: list[Event], where: str, spool: Spool, store: Store) -> Archive:
    """Puts the events where they are before, while and after the drain moves them."""
    for event in events:
        if where != "store":
            await spool.append(event)
        if where != "spool":
            store.keep([event])
    return Archive(spool.pending, store)


@pytest.mark.parametrize("where", PLACES)
async def test_an_exchange_is_read_with_its_feedback_once(where: str, spool: Spool, store: Store) -> None:
    archive = await place(everything(), where, spool, store)
    found = await archive.inference(inference(1).id)
    assert found is not None
    assert found[0].answers[0].sent == "Check disk"
    assert found[1] == ((feedback(1, about=1), True), (feedback(2, about=1), False))


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        (Asked(), [3, 2, 1]),
        (Asked(kind=FeedbackKind.THUMBS), [2, 1]),
        (Asked(kind=FeedbackKind.THUMBS, inference_id=inference(7).id), [2]),
        (Asked(inference_id=inference(7).id), [3, 2]),
        (Asked(project="blue"), [1]),
        (Asked(since_us=NOW_US + 2), [3, 2]),
    ],
)
async def test_feedback_is_narrowed(where: str, asked: Asked, numbers: list[int], spool: Spool, store: Store) -> None:
    copied = feedback(3, about=7, kind=FeedbackKind.COPIED, value=None)
    archive = await place([feedback(1, about=1, project="blue"), feedback(2, about=7), copied], where, spool, store)
    found = await archive.feedback(9, None, asked)
    assert [given.id for given, _ in found.items] == [feedback(number).id for number in numbers]


async def test_an_unknown_exchange_is_none(spool: Spool, store: Store) -> None:
    archive = await place([feedback(1, about=1)], "spool", spool, store)
    assert await archive.inference(inference(1).id) is None


async def test_a_retraction_on_its_way_counts_for_feedback_that_has_arrived(spool: Spool, store: Store) -> None:
    store.keep([inference(1), feedback(1, about=1), feedback(2, about=1)])
    archive = await place([retraction(1), retraction(2, project="other")], "spool", spool, store)
    expected = [(feedback(2, about=1), False), (feedback(1, about=1), True)]
    assert list((await archive.feedback(9)).items) == expected
    found = await archive.inference(inference(1).id)
    assert found is not None
    assert list(found[1]) == expected[::-1]


@pytest.mark.parametrize("where", PLACES)
async def test_listings_go_through_everything_page_by_page(where: str, spool: Spool, store: Store) -> None:
    events: list[Event] = []
    for number in range(5):
        events += [inference(number), feedback(number), escalation(number)]
    # Some have arrived already.
    store.keep(events[:6])
    archive = await place(events, where, spool, store)
    for listing, newest in (
        (archive.inferences, [bare(inference(number)) for number in (4, 3, 2, 1, 0)]),
        (archive.feedback, [(feedback(number), False) for number in (4, 3, 2, 1, 0)]),
        (archive.escalations, [escalation(number) for number in (4, 3, 2, 1, 0)]),
    ):
        seen: list[object] = []
        after = None
        for _ in range(3):
            page = await listing(2, after)  # type: ignore[operator]  # three listings of one shape
            seen += page.items
            after = page.after
        assert after is None
        assert seen == newest


async def test_a_listing_shows_what_is_wanted_from_either_place(spool: Spool, store: Store) -> None:
    store.keep([inference(1, action="block"), inference(2)])
    archive = await place([inference(3, action="block"), inference(4)], "spool", spool, store)
    page = await archive.inferences(9, None, Wanted(action="block"))
    assert [one.id for one in page.items] == [inference(3).id, inference(1).id]


@pytest.mark.parametrize("after", ["", "x", "1", ".x", "-1.x", "1" * 30 + ".x", "\u0663.x"])
async def test_a_cursor_of_nowhere_is_named(after: str, spool: Spool, store: Store) -> None:
    archive = Archive(spool.pending, store)
    for listing in (archive.inferences, archive.feedback, archive.escalations):
        with pytest.raises(StoreRefused, match=r"after: .* is not what a page ended with"):
            await listing(2, after)


@pytest.mark.parametrize("where", PLACES)
async def test_feedback_belongs_to_a_project(where: str, spool: Spool, store: Store) -> None:
    archive = await place([feedback(1, project="blue")], where, spool, store)
    assert await archive.feedback_project(feedback(1).id) == "blue"
    assert await archive.feedback_project(feedback(2).id) is None


NUMBERS = st.integers(0, 5)


class Life(RuleBasedStateMachine):
    """A gateway that takes, drains, dies and starts again in any order: its operators always see what it promised."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.home = Path(self.folder.name)
        self.given: dict[str, Feedback] = {}
        self.taken_back: set[str] = set()
        self.exchanges: set[str] = set()

    @initialize()
    def begin(self) -> None:
        self.store = Store(f"sqlite:///{self.home / 'store.sqlite'}")
        self.spool = Spool.open(self.home)

    @rule(number=NUMBERS)
    def exchange(self, number: int) -> None:
        self.loop.run_until_complete(self.spool.append(inference(number)))
        self.exchanges.add(inference(number).id)

    @rule(number=NUMBERS)
    def opinion(self, number: int) -> None:
        self.loop.run_until_complete(self.spool.append(feedback(number, about=number % 3)))
        self.given[feedback(number).id] = feedback(number, about=number % 3)

    @precondition(lambda self: self.given)
    @rule(number=NUMBERS)
    def regret(self, number: int) -> None:
        self.loop.run_until_complete(self.spool.append(retraction(number)))
        self.taken_back.add(feedback(number).id)

    @rule()
    def drain(self) -> None:
        Drain(self.spool, self.store).step()

    @rule(all_of_it=st.booleans())
    def die_while_draining(self, all_of_it: bool) -> None:
        events = self.spooled()
        self.store.keep(events if all_of_it else events[: len(events) // 2])
        self.restart()

    def spooled(self) -> list[Event]:
        pending = self.spool.pending
        found = [pending.find(id_) for id_ in [*self.exchanges, *self.given, *self.taken_back]]
        return [event for event in found if event is not None]

    @rule()
    def restart(self) -> None:
        self.spool.close()
        self.spool = Spool.open(self.home)

    @invariant()
    def everything_acknowledged_is_there_once(self) -> None:
        if not hasattr(self, "store"):
            return
        archive = Archive(self.spool.pending, self.store)
        seen = self.loop.run_until_complete(archive.feedback(50)).items
        expected = {id_: (one, id_ in self.taken_back) for id_, one in self.given.items()}
        assert len(seen) == len(expected)
        assert {one.id: (one, retracted) for one, retracted in seen} == expected
        listed = [one.id for one in self.loop.run_until_complete(archive.inferences(50)).items]
        assert sorted(listed) == sorted(self.exchanges)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.spool.close()
            self.store.close()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        self.folder.cleanup()


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
