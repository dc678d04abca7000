"""Erases what is older than the setting says, a little at a time, so that nobody waits for it."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from sqlalchemy import select

from gateway.store import schema
from gateway.store.errors import StoreGone
from gateway.store.spool import SpoolFailed

if TYPE_CHECKING:
    from sqlalchemy import Column, Table

    from gateway.store.connection import Database
    from gateway.store.spool import Spool

_LOG = logging.getLogger(__name__)
_DAY_US = 86_400_000_000
_BATCH = 200
_EVERY_SECONDS = 3600.0
_BREATH_SECONDS = 0.05
# Answers and findings go with their inference.
_DATED: tuple[tuple[Table, Column[str], Column[int]], ...] = (
    (schema.inferences, schema.inferences.c.id, schema.inferences.c.created_us),
    (schema.feedback, schema.feedback.c.id, schema.feedback.c.created_us),
    (schema.retractions, schema.retractions.c.feedback_id, schema.retractions.c.retracted_us),
    (schema.escalations, schema.escalations.c.id, schema.escalations.c.created_us),
)


class Retention:
    """Keeps records for `days`, in the store and among what the store refused."""

    def __init__(self, database: Database, spool: Spool, days: int) -> None:
        self._database = database
        self._spool = spool
        self._days = days

    async def run(self) -> None:
        """Erases what is too old now, and again every hour, in a thread."""
        while True:
            try:
                erased = await asyncio.to_thread(self.erase)
            except (StoreGone, SpoolFailed) as error:
                _LOG.warning("what is older than %d days could not be erased: %s", self._days, error)
            else:
                if erased:
                    _LOG.info("erased %d records older than %d days", erased, self._days)
            await asyncio.sleep(_EVERY_SECONDS)

    def erase(self) -> int:
        """Erases every record that was made more than `days` ago, and returns how many there were. Blocks.

        Raises:
            StoreGone: The store cannot be reached; the rest is erased the next time.
            SpoolFailed: Nor can the spool be written.
        """
        before_us = time.time_ns() // 1000 - self._days * _DAY_US
        self._spool.erase_refused(before_us)
        return sum(self._erase(*dated, before_us) for dated in _DATED)

    def _erase(self, table: Table, key: Column[str], moment: Column[int], before_us: int) -> int:
        oldest = select(key).where(moment < before_us).order_by(moment).limit(_BATCH)
        erased = 0
        while True:
            with self._database.writing() as connection:
                batch = connection.execute(table.delete().where(key.in_(oldest))).rowcount
            erased += batch
            if batch < _BATCH:
                return erased
            time.sleep(_BREATH_SECONDS)
