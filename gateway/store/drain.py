"""Moves what is spooled into the store, in order, in batches, each event once by its id.

An event is forgotten by the spool only after the store has committed it: a kill in between writes it again, which
changes nothing. While the store cannot be reached the spool grows and the drain waits, longer each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from gateway.store.errors import StoreGone, StoreRefused
from gateway.store.pending import decode_event
from gateway.store.spool import SpoolFailed
from gateway.store.spool_file import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.store.database import Store
    from gateway.store.records import Event
    from gateway.store.spool import Spool

_LOG = logging.getLogger(__name__)
_BATCH = 200
_BATCH_BYTES = 4 << 20
# Longer lets more gather for one transaction; operators read what is spooled all the same.
_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 15.0


class _Spooled(NamedTuple):
    seq: int
    event: Event


class Drain:
    """Moves the events of one spool into one store; `run` it beside the gateway, or `step` it from a thread."""

    def __init__(self, spool: Spool, store: Store) -> None:
        self._spool = spool
        self._store = store
        self._stepping = threading.Lock()

    async def run(self) -> None:
        """Drains for ever; the work is done in a thread, never on the event loop."""
        pause, failures = _PAUSE_SECONDS, 0
        while True:
            await asyncio.sleep(pause)
            if not self._spool.depth()[0]:
                pause = _PAUSE_SECONDS
                continue
            try:
                more = await asyncio.to_thread(self.step)
            except (StoreGone, SpoolFailed) as error:
                failures += 1
                if failures == 1:
                    _LOG.warning("the store cannot be written, events are kept in the spool: %s", error)
                pause = min(_PAUSE_SECONDS * 2**failures, _LONGEST_PAUSE_SECONDS)
                continue
            if failures:
                _LOG.warning("the store can be written again")
            failures = 0
            pause = 0.0 if more else _PAUSE_SECONDS

    def step(self) -> bool:
        """Moves one batch; returns whether more waits. Blocks.

        Raises:
            StoreGone: The store cannot be reached; nothing was lost.
            SpoolFailed: The spool cannot be read or written; nothing was lost.
        """
        with self._stepping:
            batch, more = self._read()
            if batch:
                self._keep(batch)
                self._spool.checkpoint()
            return more

    def empty(self, seconds: float) -> bool:
        """Moves everything, for at most `seconds`; returns whether the spool is empty. For the gateway's last moments.

        Raises:
            StoreGone: The store cannot be reached; what is left is moved at the next start.
            SpoolFailed: The spool cannot be read or written.
        """
        until = time.monotonic() + seconds
        while self.step():
            if time.monotonic() > until:
                return False
        return not self._spool.depth()[0]

    def _read(self) -> tuple[list[_Spooled], bool]:
        batch: list[_Spooled] = []
        size = 0
        try:
            with contextlib.closing(connect(self._spool.path)) as connection:
                for seq, body in connection.execute("SELECT seq, body FROM events ORDER BY seq"):
                    if len(batch) == _BATCH or size > _BATCH_BYTES:
                        return batch, True
                    size += len(body)
                    try:
                        batch.append(_Spooled(seq, decode_event(body)))
                    except (msgspec.DecodeError, msgspec.ValidationError) as error:
                        if batch:
                            return batch, True
                        self._refuse(seq, f"not readable: {error}")
        except sqlite3.Error as error:
            raise SpoolFailed(f"{self._spool.path}: {error}") from error
        return batch, False

    def _keep(self, batch: Sequence[_Spooled]) -> None:
        try:
            self._store.keep([one.event for one in batch])
        except StoreRefused as error:
            if len(batch) == 1:
                self._refuse(batch[0].seq, str(error))
                return
            # One by one, so that a single bad event holds up nobody.
            for one in batch:
                self._keep([one])
        else:
            self._spool.forget(batch[-1].seq)

    def _refuse(self, seq: int, reason: str) -> None:
        _LOG.error("an event was put aside in the spool, it is offered again at the next start: %s", reason)
        self._spool.refuse(seq, reason)
