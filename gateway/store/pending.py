"""What is acknowledged and not in the store yet, read from the spool files of every gateway under one home.

Whoever reads both reads here first and the store after: an event on its way is then seen twice, never missed.
"""

from __future__ import annotations

import contextlib
import heapq
import sqlite3
from typing import TYPE_CHECKING, TypeVar

import msgspec

from gateway.store.errors import StoreGone
from gateway.store.records import Escalation, Event, Feedback, Inference, Retraction
from gateway.store.spool_file import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Kind = TypeVar("Kind", Inference, Feedback, Retraction, Escalation)
decode_event = msgspec.msgpack.Decoder(Event).decode


class Pending:
    """The events in all spool files of `directory`.

    Every method blocks for a scan of them, and raises StoreGone where one cannot be read.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def find(self, id: str) -> Event | None:  # noqa: A002 - the records' word
        return next(iter([*self._events("WHERE id = ? LIMIT 1", id)]), None)

    def about(self, inference_id: str) -> list[Event]:
        """The inference of this id, and the feedback and escalations on it."""
        return list(self._events("WHERE about = ? ORDER BY seq", inference_id))

    def retractions(self) -> set[tuple[str, str]]:
        """Id and project of all feedback that is being taken back."""
        return {(event.id, event.project) for event in self._events("WHERE kind = 'retraction'")}

    def newest(self, kind: type[Kind], limit: int, accepts: Callable[[Kind], bool]) -> list[Kind]:
        """The newest `limit` events of a kind that are accepted; holds no more than these in memory."""
        name = kind.__struct_config__.tag
        found = (event for event in self._events("WHERE kind = ?", name) if isinstance(event, kind) and accepts(event))
        return heapq.nlargest(limit, found, key=lambda event: (event.created_us, event.id))

    def _events(self, where: str, *values: object) -> Iterator[Event]:
        for path in sorted(self._directory.glob("*.sqlite")):
            try:
                with contextlib.closing(connect(path)) as connection:
                    for (body,) in connection.execute(f"SELECT body FROM events {where}", values):  # noqa: S608 - ours
                        yield decode_event(body)
            except sqlite3.Error as error:
                if path.exists():
                    raise StoreGone(f"spool {path}: {error}") from error
                continue  # taken over and removed meanwhile; its events are in another file, or in the store
