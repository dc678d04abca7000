"""What people thought of answers, and what they took back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import and_, select, tuple_

from gateway.store import schema
from gateway.store.records import Feedback, FeedbackKind, Retraction

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import Connection, Row, Select
    from sqlalchemy.sql.elements import ColumnElement

    from gateway.store.connection import Database

_TABLE = schema.feedback.c
_TAKEN_BACK = schema.retractions.c


class Asked(msgspec.Struct, frozen=True):
    """Which feedback a listing shows; None means any.

    Attributes:
        since_us: What was said then or later.
    """

    kind: FeedbackKind | None = None
    inference_id: str | None = None
    project: str | None = None
    since_us: int | None = None

    def accepts(self, given: Feedback) -> bool:
        return all(getattr(given, name) == value for name, value in self._equal()) and (
            self.since_us is None or given.created_us >= self.since_us
        )

    def conditions(self) -> list[ColumnElement[bool]]:
        since = [] if self.since_us is None else [_TABLE.created_us >= self.since_us]
        return [_TABLE[name] == value for name, value in self._equal()] + since

    def _equal(self) -> list[tuple[str, str]]:
        fields = {"kind": self.kind and self.kind.value, "inference_id": self.inference_id, "project": self.project}
        return [(name, value) for name, value in fields.items() if value is not None]


ANY = Asked()


class Opinions:
    """The repository of feedback; each with whether it was taken back, by the project that gave it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, connection: Connection, given: Iterable[Feedback]) -> None:
        """Writes those that are not there yet; their inference need not be there."""
        self._database.insert_new(connection, schema.feedback, [_row(one) for one in given])

    def retract(self, connection: Connection, retractions: Iterable[Retraction]) -> None:
        """Marks feedback as taken back; it may arrive later than its retraction."""
        rows = [{"feedback_id": one.id, "project": one.project, "retracted_us": one.created_us} for one in retractions]
        self._database.insert_new(connection, schema.retractions, rows)

    def get(self, id: str) -> tuple[Feedback, bool] | None:  # noqa: A002 - the records' word
        """One feedback and whether it was taken back.

        Raises:
            StoreGone: The store cannot be reached.
        """
        return next(iter(self._read(joined().where(_TABLE.id == id))), None)

    def about(self, inference_id: str) -> list[tuple[Feedback, bool]]:
        """All feedback on one inference, oldest first.

        Raises:
            StoreGone: The store cannot be reached.
        """
        return self._read(joined().where(_TABLE.inference_id == inference_id).order_by(_TABLE.created_us, _TABLE.id))

    def newest(self, limit: int, before: tuple[int, str] | None, asked: Asked = ANY) -> list[tuple[Feedback, bool]]:
        """The newest `limit` older than `before` (`created_us`, `id`).

        Raises:
            StoreGone: The store cannot be reached.
        """
        statement = joined().where(*asked.conditions()).order_by(_TABLE.created_us.desc(), _TABLE.id.desc())
        if before is not None:
            statement = statement.where(tuple_(_TABLE.created_us, _TABLE.id) < before)
        return self._read(statement.limit(limit))

    def taken_back(self, ids: Collection[str]) -> set[tuple[str, str]]:
        """Id and project of what was taken back among these, whether it has arrived or not.

        Raises:
            StoreGone: The store cannot be reached.
        """
        if not ids:
            return set()
        found = select(_TAKEN_BACK.feedback_id, _TAKEN_BACK.project).where(_TAKEN_BACK.feedback_id.in_(ids))
        with self._database.reading() as connection:
            return {(row.feedback_id, row.project) for row in connection.execute(found)}

    def _read(self, statement: Select[Any]) -> list[tuple[Feedback, bool]]:
        with self._database.reading() as connection:
            return [(feedback_of(row), row.retracted_us is not None) for row in connection.execute(statement)]


def joined() -> Select[Any]:
    """All feedback, and when it was taken back."""
    same = and_(_TAKEN_BACK.feedback_id == _TABLE.id, _TAKEN_BACK.project == _TABLE.project)
    return select(schema.feedback, _TAKEN_BACK.retracted_us).outerjoin_from(schema.feedback, schema.retractions, same)


def _row(given: Feedback) -> dict[str, Any]:
    return {
        "id": given.id,
        "created_us": given.created_us,
        "inference_id": given.inference_id,
        "kind": given.kind.value,
        "project": given.project,
        "number": given.value if isinstance(given.value, int) else None,
        "other": given.value if isinstance(given.value, str) else None,
        "text": given.text,
        "idempotency_key": given.idempotency_key,
        "user_hash": given.user,
    }


def feedback_of(row: Row[Any]) -> Feedback:
    """The record of a row of `joined`."""
    return Feedback(
        id=row.id,
        created_us=row.created_us,
        inference_id=row.inference_id,
        kind=FeedbackKind(row.kind),
        project=row.project,
        value=row.number if row.number is not None else row.other,
        text=row.text,
        idempotency_key=row.idempotency_key,
        user=row.user_hash,
    )
