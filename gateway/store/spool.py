"""Acknowledged means durable: events are in this file before anybody is told that they are kept.

One writer thread commits what has gathered since its last commit, in one statement and with one wake-up of the event
loop, and waits for nothing when it is idle. Feedback and retractions are synced to the disk (`synchronous=FULL`)
before `append` returns, so that they survive a power cut; inferences and escalations are committed to the write-ahead
log and survive the death of the process. The drain moves everything on to the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from concurrent.futures import Future
from functools import cache
from operator import attrgetter
from queue import Empty, SimpleQueue
from time import time_ns
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from gateway.store.records import Escalation, Event, Feedback, Inference, Retraction
from gateway.store.spool_file import Claim, take

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_GROUP = 64
_QUEUED_BYTES = 256 << 20


class _Kind(NamedTuple):
    name: str
    synced: bool
    about: Callable[[Any], str]


_KINDS: dict[type, _Kind] = {
    Inference: _Kind("inference", False, attrgetter("id")),
    Escalation: _Kind("escalation", False, attrgetter("inference_id")),
    Feedback: _Kind("feedback", True, attrgetter("inference_id")),
    Retraction: _Kind("retraction", True, attrgetter("id")),
}


class SpoolFailed(Exception):
    """The events were not made durable: nothing may be acknowledged."""


class _Write(NamedTuple):
    rows: list[tuple[str, str, str, bytes]]
    synced: bool
    waiter: asyncio.Future[None]


class _Job(NamedTuple):
    statements: Sequence[tuple[str, tuple[object, ...]]]
    waiter: Future[None]


class Spool:
    """The spool of one gateway process; `append` on one event loop, the rest from any thread."""

    def __init__(self, claim: Claim, connection: sqlite3.Connection) -> None:
        self.path = claim.path
        self._claim = claim
        self._connection = connection
        self._cursor = connection.cursor()
        self._cursor.execute("PRAGMA synchronous=NORMAL")
        self._synced = False
        self._queue: SimpleQueue[_Write | _Job | None] = SimpleQueue()
        self._queued_bytes = 0
        self._stopped = False
        self._encode = msgspec.msgpack.Encoder().encode
        self._records, self._oldest_us = self._count()
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)
        self._thread.start()

    @classmethod
    def open(cls, home: Path) -> Spool:
        """The spool of this process under `home`/spool, with what dead processes left there.

        Raises:
            SpoolFailed: The folder or the file cannot be written; the message names it.
        """
        try:
            return cls(*take(home.absolute() / "spool"))
        except (OSError, sqlite3.Error) as error:
            raise SpoolFailed(f"{home / 'spool'}: {error}; the gateway must be able to write there") from error

    async def append(self, event: Event, *more: Event) -> None:
        """Returns once all the given events are committed, together; feedback and retractions also synced.

        Raises:
            SpoolFailed: They are not: disk full, spool closed, or more waiting than may wait.
        """
        rows = []
        synced = False
        size = 0
        for one in (event, *more):
            kind = _KINDS[type(one)]
            try:
                body = self._encode(one)
            except (UnicodeEncodeError, OverflowError) as error:
                raise SpoolFailed(f"{kind.name} {one.id}: {error}") from error
            synced = synced or kind.synced
            size += len(body)
            rows.append((one.id, kind.about(one), kind.name, body))
        if self._queued_bytes + size > _QUEUED_BYTES and self._queued_bytes:
            raise SpoolFailed(f"{self._queued_bytes} bytes already wait to be written; the disk is too slow")
        waiter = asyncio.get_running_loop().create_future()
        self._queued_bytes += size
        self._queue.put(_Write(rows, synced, waiter))
        if self._stopped:
            self._abandon()
        try:
            await waiter
        finally:
            self._queued_bytes -= size

    def depth(self) -> tuple[int, int | None]:
        """Events that the store does not have yet, and when the oldest was spooled (µs since the epoch, or None)."""
        return self._records, self._oldest_us

    def forget(self, seq: int) -> None:
        """Removes the events up to and including `seq`, which the store has; blocks until committed.

        Raises:
            SpoolFailed: They are still there.
        """
        self._execute(("DELETE FROM events WHERE seq <= ?", (seq,)))

    def refuse(self, seq: int, reason: str) -> None:
        """Puts one event aside that the store will not take, with the reason; it is offered again at the next start.

        Raises:
            SpoolFailed: It is still where it was.
        """
        self._execute(
            (
                "INSERT INTO refused SELECT id, about, kind, spooled_us, body, ? FROM events WHERE seq = ?",
                (reason, seq),
            ),
            ("DELETE FROM events WHERE seq = ?", (seq,)),
        )

    def close(self) -> None:
        """Commits what waits, then lets go of the file; later appends fail. Blocks until done."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()
        self._claim.release()

    def _execute(self, *statements: tuple[str, tuple[object, ...]]) -> None:
        waiter: Future[None] = Future()
        self._queue.put(_Job(statements, waiter))
        if self._stopped:
            self._abandon()
        waiter.result()

    def _run(self) -> None:
        try:
            going = True
            while going:
                items = self._gather()
                # Apart, so that an inference does not wait for a feedback's sync.
                self._write([item for item in items if isinstance(item, _Write) and not item.synced])
                self._write([item for item in items if isinstance(item, _Write) and item.synced])
                for item in items:
                    if isinstance(item, _Job):
                        self._do(item)
                going = None not in items
        finally:
            self._stopped = True
            self._abandon()

    def _gather(self) -> list[_Write | _Job | None]:
        items = [self._queue.get()]
        while len(items) < _GROUP and not self._queue.empty():
            items.append(self._queue.get())
        return items

    def _write(self, group: list[_Write]) -> None:
        if not group:
            return
        now = time_ns() // 1000
        values = [value for write in group for row in write.rows for value in (*row[:3], now, row[3])]
        error = None
        try:
            self._sync(group[0].synced)
            # One statement is one transaction, and gives the interpreter's lock away once, not once a row.
            self._cursor.execute(_insert(len(values) // 5), values)
        except (sqlite3.Error, MemoryError) as raised:
            error = f"{self.path}: {raised}"
        else:
            self._records += len(values) // 5
            self._oldest_us = self._oldest_us or now
        self._settle(group, error)

    def _sync(self, synced: bool) -> None:
        if synced is not self._synced:
            self._cursor.execute(f"PRAGMA synchronous={'FULL' if synced else 'NORMAL'}")
            self._synced = synced

    def _do(self, job: _Job) -> None:
        try:
            with self._connection:
                self._cursor.execute("BEGIN IMMEDIATE")
                for statement, values in job.statements:
                    self._cursor.execute(statement, values)
            self._records, self._oldest_us = self._count()
        except sqlite3.Error as error:
            job.waiter.set_exception(SpoolFailed(f"{self.path}: {error}"))
        else:
            job.waiter.set_result(None)

    def _count(self) -> tuple[int, int | None]:
        # Rows leave from the front only, but for a refused one: the span of the numbers is their count.
        first = self._cursor.execute("SELECT seq, spooled_us FROM events ORDER BY seq LIMIT 1").fetchone()
        if first is None:
            return 0, None
        (last,) = self._cursor.execute("SELECT max(seq) FROM events").fetchone()
        return last - first[0] + 1, first[1]

    def _settle(self, group: list[_Write], error: str | None) -> None:
        if group:
            # The loop may be gone, and with it everybody who waited.
            with contextlib.suppress(RuntimeError):
                group[0].waiter.get_loop().call_soon_threadsafe(_wake, group, error)

    def _abandon(self) -> None:
        items: list[_Write | _Job | None] = []
        with contextlib.suppress(Empty):
            while True:
                items.append(self._queue.get_nowait())
        self._settle([item for item in items if isinstance(item, _Write)], "the spool is closed")
        for item in items:
            if isinstance(item, _Job):
                item.waiter.set_exception(SpoolFailed("the spool is closed"))


@cache
def _insert(rows: int) -> str:
    values = ",".join(["(?,?,?,?,?)"] * rows)
    return f"INSERT INTO events (id, about, kind, spooled_us, body) VALUES {values}"  # noqa: S608 - only marks


def _wake(group: list[_Write], error: str | None) -> None:
    for write in group:
        if write.waiter.done():
            continue  # whoever waited was cancelled
        if error is None:
            write.waiter.set_result(None)
        else:
            write.waiter.set_exception(SpoolFailed(error))
