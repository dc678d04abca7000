"""What operators read: the store and what is still on its way to it, as one, without blocking the event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.store.errors import StoreRefused
from gateway.store.feedback import ANY, Asked
from gateway.store.inferences import Wanted, bare
from gateway.store.records import Escalation, Feedback, Inference, Item, Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.store.database import Store
    from gateway.store.pending import Pending

Given = tuple[Feedback, bool]
EVERYTHING = Wanted()
_MOMENT_DIGITS = 18  # what a 64-bit number can hold


class Archive:
    """Reads the spool first and the store after, so that an event on its way is met at least once, and shown once.

    Every method raises StoreGone where the store cannot be reached, and StoreRefused for an `after` that no page of
    that listing ended with.
    """

    def __init__(self, pending: Pending, store: Store) -> None:
        self._pending = pending
        self._store = store

    async def inference(self, id: str) -> tuple[Inference, tuple[Given, ...]] | None:  # noqa: A002 - the records' word
        """One exchange, whole, and the feedback on it, oldest first, each with whether it was taken back."""
        return await asyncio.to_thread(self._inference, id)

    async def inferences(self, limit: int, after: str | None = None, wanted: Wanted = EVERYTHING) -> Page[Inference]:
        """Exchanges without their content."""
        return await asyncio.to_thread(self._inferences, limit, after, wanted)

    async def feedback(self, limit: int, after: str | None = None, asked: Asked = ANY) -> Page[Given]:
        """Feedback, each with whether it was taken back."""
        return await asyncio.to_thread(self._feedback, limit, after, asked)

    async def escalations(self, limit: int, after: str | None = None) -> Page[Escalation]:
        return await asyncio.to_thread(self._escalations, limit, after)

    async def feedback_project(self, id: str) -> str | None:  # noqa: A002 - the records' word
        """The project that gave this feedback; None where there is none of this id."""
        return await asyncio.to_thread(self._feedback_project, id)

    def _inference(self, id: str) -> tuple[Inference, tuple[Given, ...]] | None:  # noqa: A002 - the records' word
        pending, leaving = self._pending.about(id), self._pending.retractions()
        spooled = next((one for one in pending if isinstance(one, Inference)), None)
        found = spooled or self._store.inferences.get(id)
        if found is None:
            return None
        feedback = [one for one in pending if isinstance(one, Feedback)]
        given = self._once(feedback, self._store.feedback.about(id), leaving)
        return found, tuple(sorted(given, key=lambda one: (one[0].created_us, one[0].id)))

    def _inferences(self, limit: int, after: str | None, wanted: Wanted) -> Page[Inference]:
        before = _position(after)
        spooled = self._pending.newest(
            Inference, limit + 1, lambda one: _is_before(one, before) and wanted.accepts(one)
        )
        kept = self._store.inferences.newest(limit + 1, before, wanted)
        return _page([*map(bare, spooled), *kept], limit, lambda one: one)

    def _feedback(self, limit: int, after: str | None, asked: Asked) -> Page[Given]:
        before = _position(after)
        spooled = self._pending.newest(Feedback, limit + 1, lambda one: _is_before(one, before) and asked.accepts(one))
        leaving = self._pending.retractions()
        given = self._once(spooled, self._store.feedback.newest(limit + 1, before, asked), leaving)
        return _page(given, limit, lambda one: one[0])

    def _escalations(self, limit: int, after: str | None) -> Page[Escalation]:
        before = _position(after)
        spooled = self._pending.newest(Escalation, limit + 1, lambda one: _is_before(one, before))
        return _page([*spooled, *self._store.escalations.newest(limit + 1, before)], limit, lambda one: one)

    def _feedback_project(self, id: str) -> str | None:  # noqa: A002 - the records' word
        spooled = self._pending.find(id)
        if isinstance(spooled, Feedback):
            return spooled.project
        kept = self._store.feedback.get(id)
        return None if kept is None else kept[0].project

    def _once(self, spooled: list[Feedback], kept: Iterable[Given], leaving: set[tuple[str, str]]) -> list[Given]:
        """Each feedback once, taken back where the spool or the store says so."""
        taken_back = leaving | self._store.feedback.taken_back([one.id for one in spooled])
        given = {one.id: (one, False) for one in spooled} | {one.id: (one, retracted) for one, retracted in kept}
        return [(one, retracted or (one.id, one.project) in taken_back) for one, retracted in given.values()]


def _position(after: str | None) -> tuple[int, str] | None:
    if after is None:
        return None
    moment, _, id_ = after.partition(".")
    if not (moment.isascii() and moment.isdecimal() and len(moment) <= _MOMENT_DIGITS and id_):
        raise StoreRefused(f"after: {after!r} is not what a page ended with; leave it out for the first page")
    return int(moment), id_


def _is_before(record: Inference | Feedback | Escalation, before: tuple[int, str] | None) -> bool:
    return before is None or (record.created_us, record.id) < before


def _page(items: Iterable[Item], limit: int, record: Callable[[Item], Inference | Feedback | Escalation]) -> Page[Item]:
    once = {record(item).id: item for item in items}
    newest = sorted(once.values(), key=lambda item: (record(item).created_us, record(item).id), reverse=True)
    shown = tuple(newest[:limit])
    if len(newest) <= limit:
        return Page(shown)
    last = record(shown[-1])
    return Page(shown, f"{last.created_us}.{last.id}")
