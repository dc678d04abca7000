"""Acknowledged means durable: events are in this file before anybody is told that they are kept.

What is appended within one turn of the event loop is committed as one statement; nothing waits for more to come.
Feedback and retractions are committed and synced to the disk (`synchronous=FULL`) by a writer thread, so that they
survive a power cut. Inferences and escalations are committed to the write-ahead log, and survive the death of the
process: that is a write into the page cache of some 20 µs, less than waking a thread costs the loop, so it is done on
the spot, unless the writer is at work, much is to be written, or the disk was slow a moment ago: then the writer
thread does that too. The drain moves everything on to the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import threading
from functools import cache
from operator import attrgetter
from queue import Empty, SimpleQueue
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from gateway.store.pending import Pending
from gateway.store.records import Escalation, Event, Feedback, Inference, Retraction
from gateway.store.spool_file import Claim, connect, take

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_LOG = logging.getLogger(__name__)
_GROUPS = 64  # of the queue in one go
_WRITES = 128  # in one statement
_QUEUED_BYTES = 256 << 20
_LOG_BYTES = 16 << 20
_ON_THE_SPOT_BYTES = 256 << 10
_SLOW_SECONDS = 0.02
_SLOW_PAUSE_SECONDS = 10.0


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
    waiter: asyncio.Future[None]


class _Group(NamedTuple):
    writes: list[_Write]
    synced: bool


class Spool:
    """The spool of one gateway process; `append` on one event loop, the rest from any thread."""

    def __init__(self, claim: Claim, connection: sqlite3.Connection) -> None:
        self.path = claim.path
        self.pending = Pending(claim.path.parent)
        self._claim = claim
        self._connection = connection
        self._cursor = connection.cursor()
        self._cursor.execute("PRAGMA synchronous=NORMAL")
        self._synced = False
        self._committing = threading.Lock()  # whoever holds it has the connection
        self._queue: SimpleQueue[_Group | None] = SimpleQueue()
        self._plain = _Group([], synced=False)
        self._durable = _Group([], synced=True)
        self._queued_bytes = 0
        self._logged_bytes = 0
        self._slow_until = 0.0
        self._stopped = False
        self._closed = False
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
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        if not (self._plain.writes or self._durable.writes):
            loop.call_soon(self._flush)
        (self._durable if synced else self._plain).writes.append(_Write(rows, waiter))
        self._queued_bytes += size
        try:
            await waiter
        finally:
            self._queued_bytes -= size

    def find(self, id: str) -> Event | None:  # noqa: A002 - the records' word
        """The event of this id, where the store may not have it yet; blocks for a read of the files."""
        return self.pending.find(id)

    def depth(self) -> tuple[int, int | None]:
        """Events that the store does not have yet, and when the oldest was spooled (µs since the epoch, or None)."""
        return self._records, self._oldest_us

    def forget(self, seq: int) -> None:
        """Removes the events up to and including `seq`, which the store has. Blocks; not for the event loop.

        Raises:
            SpoolFailed: They are still there.
        """
        with self._exclusive():
            self._cursor.execute("DELETE FROM events WHERE seq <= ?", (seq,))

    def refuse(self, seq: int, reason: str) -> None:
        """Puts one event aside that the store will not take, with the reason; it is offered again at the next start.

        Blocks; not for the event loop.

        Raises:
            SpoolFailed: It is still where it was.
        """
        with self._exclusive():
            self._cursor.execute(
                "INSERT INTO refused SELECT id, about, kind, spooled_us, body, ? FROM events WHERE seq = ?",
                (reason, seq),
            )
            self._cursor.execute("DELETE FROM events WHERE seq = ?", (seq,))

    def erase_refused(self, before_us: int) -> None:
        """Erases what was put aside and had been spooled before `before_us`. Blocks; not for the event loop.

        Raises:
            SpoolFailed: It is still there.
        """
        with self._exclusive():
            self._cursor.execute("DELETE FROM refused WHERE spooled_us < ?", (before_us,))

    def checkpoint(self) -> None:
        """Empties the write-ahead log where it has grown long; blocks for as long as the disk takes.

        Raises:
            SpoolFailed: The disk refused.
        """
        try:
            if self._logged_bytes < _LOG_BYTES:
                return
            # The bulk while appends go on, and the rest with them shut out: else they might never let it end.
            with contextlib.closing(connect(self.path)) as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            with self._committing:
                self._cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                self._logged_bytes = 0
        except sqlite3.Error as error:
            raise SpoolFailed(f"{self.path}: {error}") from error

    def close(self) -> None:
        """Commits what waits, then lets go of the file; later appends fail. Blocks until done."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._thread.join()
        with self._committing:
            self._connection.close()
            self._claim.release()

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        try:
            with self._committing, self._connection:
                self._sync(synced=False)
                self._cursor.execute("BEGIN IMMEDIATE")
                yield
                self._records, self._oldest_us = self._count()
        except sqlite3.Error as error:
            raise SpoolFailed(f"{self.path}: {error}") from error

    def _flush(self) -> None:
        plain, durable = self._plain, self._durable
        if durable.writes:
            self._durable = _Group([], synced=True)
            self._put(durable)
        if not plain.writes:
            return
        self._plain = _Group([], synced=False)
        # Not where it could block: behind the writer, with much to write, on a disk that was slow.
        began = monotonic()
        if (
            self._queued_bytes > _ON_THE_SPOT_BYTES
            or len(plain.writes) > _WRITES
            or began < self._slow_until
            or self._stopped
            or not self._committing.acquire(blocking=False)
        ):
            self._put(plain)
            return
        try:
            error = self._commit(plain)
        finally:
            self._committing.release()
        ended = monotonic()
        if ended - began > _SLOW_SECONDS:
            self._slow_until = ended + _SLOW_PAUSE_SECONDS
        _wake(plain.writes, error)

    def _put(self, group: _Group) -> None:
        self._queue.put(group)
        if self._stopped:
            self._abandon()

    def _run(self) -> None:
        try:
            going = True
            while going:
                gathered = self._gather()
                groups = [group for group in gathered if group is not None]
                # Apart, so that an inference does not wait for a feedback's sync.
                for synced in (False, True):
                    self._write([write for group in groups if group.synced is synced for write in group.writes], synced)
                going = len(groups) == len(gathered)
        finally:
            self._stopped = True
            self._abandon()

    def _gather(self) -> list[_Group | None]:
        gathered = [self._queue.get()]
        while len(gathered) < _GROUPS and not self._queue.empty():
            gathered.append(self._queue.get())
        return gathered

    def _write(self, writes: list[_Write], synced: bool) -> None:
        for first in range(0, len(writes), _WRITES):
            some = writes[first : first + _WRITES]
            with self._committing:
                error = self._commit(_Group(some, synced))
            self._settle(some, error)

    def _commit(self, group: _Group) -> str | None:
        now = time_ns() // 1000
        values = [value for write in group.writes for row in write.rows for value in (*row[:3], now, row[3])]
        try:
            self._sync(synced=group.synced)
            # One statement is one transaction, and gives the interpreter's lock away once, not once a row.
            self._cursor.execute(_insert(len(values) // 5), values)
        except (sqlite3.Error, MemoryError) as error:
            _LOG.error("events could not be spooled, and are acknowledged to nobody: %s", error)
            return f"{self.path}: {error}"
        self._records += len(values) // 5
        self._logged_bytes += sum(len(row[3]) for write in group.writes for row in write.rows)
        self._oldest_us = self._oldest_us or now
        return None

    def _sync(self, *, synced: bool) -> None:
        if synced is not self._synced:
            self._cursor.execute(f"PRAGMA synchronous={'FULL' if synced else 'NORMAL'}")
            self._synced = synced

    def _count(self) -> tuple[int, int | None]:
        # Rows leave from the front only, but for a refused one: the span of the numbers is their count.
        first = self._cursor.execute("SELECT seq, spooled_us FROM events ORDER BY seq LIMIT 1").fetchone()
        if first is None:
            return 0, None
        (last,) = self._cursor.execute("SELECT max(seq) FROM events").fetchone()
        return last - first[0] + 1, first[1]

    def _settle(self, writes: list[_Write], error: str | None) -> None:
        # The loop may be gone, and with it everybody who waited.
        with contextlib.suppress(RuntimeError):
            writes[0].waiter.get_loop().call_soon_threadsafe(_wake, writes, error)

    def _abandon(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                group = self._queue.get_nowait()
                if group is not None:
                    self._settle(group.writes, "the spool is closed")


@cache
def _insert(rows: int) -> str:
    values = ",".join(["(?,?,?,?,?)"] * rows)
    return f"INSERT INTO events (id, about, kind, spooled_us, body) VALUES {values}"  # noqa: S608 - only marks


def _wake(writes: list[_Write], error: str | None) -> None:
    for write in writes:
        if write.waiter.done():
            continue  # whoever waited was cancelled
        if error is None:
            write.waiter.set_result(None)
        else:
            write.waiter.set_exception(SpoolFailed(error))
