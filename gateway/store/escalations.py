"""Exchanges that were handed over to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import tuple_

from gateway.store import schema
from gateway.store.records import Escalation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from gateway.store.connection import Database

_TABLE = schema.escalations.c


class Escalations:
    """The repository of escalations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, connection: Connection, escalations: Iterable[Escalation]) -> None:
        """Writes those that are not there yet."""
        rows = [
            {
                "id": one.id,
                "created_us": one.created_us,
                "inference_id": one.inference_id,
                "project": one.project,
                "reason": one.reason,
                "document": one.body.decode(errors="replace"),
            }
            for one in escalations
        ]
        self._database.insert_new(connection, schema.escalations, rows)

    def newest(self, limit: int, before: tuple[int, str] | None) -> list[Escalation]:
        """The newest `limit` older than `before` (`created_us`, `id`).

        Raises:
            StoreGone: The store cannot be reached.
        """
        statement = schema.escalations.select().order_by(_TABLE.created_us.desc(), _TABLE.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(tuple_(_TABLE.created_us, _TABLE.id) < before)
        with self._database.reading() as connection:
            return [
                Escalation(
                    id=row.id,
                    created_us=row.created_us,
                    inference_id=row.inference_id,
                    project=row.project,
                    reason=row.reason,
                    body=row.document.encode(),
                )
                for row in connection.execute(statement)
            ]
