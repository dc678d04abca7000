"""What is acknowledged and not in the store yet, read from the spool files of every gateway under one home.

Whoever reads both reads here first and the store after: an event on its way is then seen twice, never missed.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

import msgspec

from gateway.store.records import Event, Feedback
from gateway.store.spool_file import connect

if TYPE_CHECKING:
    from pathlib import Path

decode_event = msgspec.msgpack.Decoder(Event).decode


class Pending:
    """The events in all spool files of `directory`; every method blocks for a scan of them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def find(self, id: str) -> Event | None:  # noqa: A002 - the records' word
        found = self._events("WHERE id = ? LIMIT 1", (id,))
        return found[0] if found else None

    def about(self, inference_id: str) -> list[Event]:
        """The inference of this id and the feedback and escalations on it, retractions of that feedback included."""
        events = self._events("WHERE about = ? ORDER BY seq", (inference_id,))
        for given in [event.id for event in events if isinstance(event, Feedback)]:
            events += self._events("WHERE about = ? AND kind = 'retraction' ORDER BY seq", (given,))
        return events

    def of_kind(self, kind: str, limit: int) -> list[Event]:
        """The last `limit` events spooled of one kind: inference, feedback, retraction or escalation."""
        return self._events("WHERE kind = ? ORDER BY seq DESC LIMIT ?", (kind, limit))

    def _events(self, where: str, values: tuple[object, ...]) -> list[Event]:
        events = []
        for path in sorted(self._directory.glob("*.sqlite")):
            try:
                with contextlib.closing(connect(path)) as connection:
                    rows = connection.execute(f"SELECT body FROM events {where}", values).fetchall()  # noqa: S608 - ours
            except sqlite3.OperationalError:
                if path.exists():
                    raise
                continue  # taken over and removed meanwhile; its events are in another file, or in the store
            events += [decode_event(body) for (body,) in rows]
        return events
