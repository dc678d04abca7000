"""Exchanges together with what was said about them, in pages, for whoever learns from them.

Every page is a short transaction that only reads: a gateway goes on writing meanwhile, and neither SQLite's journal
nor PostgreSQL's old rows wait for a long reader.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import exists, func, or_, select, tuple_

from gateway.store import schema
from gateway.store.feedback import feedback_of, joined
from gateway.store.inferences import FACTS, inference_of
from gateway.store.records import Answer, Feedback, FeedbackKind, Inference, Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy import Connection, Select
    from sqlalchemy.sql.elements import ColumnElement

    from gateway.store.connection import Database

PAGE = 200
_INFERENCES, _FEEDBACK, _TAKEN_BACK = schema.inferences.c, schema.feedback.c, schema.retractions.c
# Log-probabilities are most of an answer's bytes, and nothing here needs them.
_ANSWERS = [
    schema.answers.c[name] for name in ("inference_id", "number", "written", "sent", "finish_reason", "tool_calls")
]


class Told(msgspec.Struct, frozen=True):
    """One exchange and the feedback on it that stands, oldest first.

    Attributes:
        inference: Whole, but for its log-probabilities, `unchecked` and escalation.
    """

    inference: Inference
    feedback: tuple[Feedback, ...]


class Span(msgspec.Struct, frozen=True):
    """Which exchanges: of one project or of all, that arrived at `since_us` or later."""

    project: str | None = None
    since_us: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        project = [] if self.project is None else [_INFERENCES.project == self.project]
        return project + ([] if self.since_us is None else [_INFERENCES.created_us >= self.since_us])


class Evidence:
    """Reads exchanges that were stopped, or that somebody said something about.

    Every method raises StoreGone where the store cannot be reached.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def pages(self, span: Span, size: int = PAGE) -> Iterator[list[Told]]:
        """Those of the span, oldest first, `size` at a time; what arrives meanwhile is left for the next time."""
        last = self._last()
        after: tuple[int, str] | None = None
        while True:
            told = self._page(span, size, last, after)
            if told:
                yield told
            if len(told) < size:
                return
            after = told[-1].inference.created_us, told[-1].inference.id

    def of(self, ids: Collection[str]) -> dict[str, Told]:
        """Exchanges by id, whatever was said about them; those that are not there are left out."""
        if not ids:
            return {}
        with self._database.reading() as connection:
            chosen = select(*FACTS, _INFERENCES.request).where(_INFERENCES.id.in_(sorted(ids)))
            return {told.inference.id: told for told in _told(connection, chosen)}

    def worse(self) -> frozenset[tuple[str, str]]:
        """Project and id of every exchange that lost a comparison; ids only, for the whole store."""
        lost = joined().where(_FEEDBACK.kind == FeedbackKind.COMPARISON.value, _TAKEN_BACK.feedback_id.is_(None))
        with self._database.reading() as connection:
            return frozenset((row.project, row.other) for row in connection.execute(lost))

    def unused(self, span: Span) -> dict[str, int]:
        """Feedback that nothing can be made of: taken back, or on an exchange that is not there (any more, or yet)."""
        gone = joined().add_columns(_INFERENCES.id.label("found"))
        gone = gone.outerjoin(schema.inferences, _INFERENCES.id == _FEEDBACK.inference_id)
        project = [] if span.project is None else [_FEEDBACK.project == span.project]
        since = [] if span.since_us is None else [_FEEDBACK.created_us >= span.since_us]
        rows = gone.where(*project, *since).subquery()
        with self._database.reading() as connection:
            retracted = connection.scalar(select(func.count()).where(rows.c.retracted_us.is_not(None))) or 0
            lost = (
                connection.scalar(select(func.count()).where(rows.c.retracted_us.is_(None), rows.c.found.is_(None)))
                or 0
            )
        return {"feedback_taken_back": retracted, "feedback_without_its_exchange": lost}

    def _last(self) -> int:
        with self._database.reading() as connection:
            return connection.scalar(select(func.max(_INFERENCES.created_us))) or 0

    def _page(self, span: Span, size: int, last: int, after: tuple[int, str] | None) -> list[Told]:
        spoken_of = exists().where(_FEEDBACK.inference_id == _INFERENCES.id)
        statement = (
            select(*FACTS, _INFERENCES.request)
            .where(*span.conditions(), _INFERENCES.created_us <= last)
            .where(or_(_INFERENCES.outcome == Outcome.STOPPED.value, spoken_of))
            .order_by(_INFERENCES.created_us, _INFERENCES.id)
            .limit(size)
        )
        if after is not None:
            statement = statement.where(tuple_(_INFERENCES.created_us, _INFERENCES.id) > after)
        with self._database.reading() as connection:
            return _told(connection, statement)


def _told(connection: Connection, statement: Select[Any]) -> list[Told]:
    rows = connection.execute(statement).all()
    ids = [row.id for row in rows]
    answers: defaultdict[str, list[Answer]] = defaultdict(list)
    table = schema.answers.c
    for row in connection.execute(select(*_ANSWERS).where(table.inference_id.in_(ids)).order_by(table.number)):
        calls = row.tool_calls.encode()
        answers[row.inference_id].append(Answer(row.number, row.written, row.sent, row.finish_reason, calls))
    findings: defaultdict[str, list[str]] = defaultdict(list)
    found = schema.findings.c
    for row in connection.execute(
        select(found.inference_id, found.document).where(found.inference_id.in_(ids)).order_by(found.position)
    ):
        findings[row.inference_id].append(row.document)
    feedback: defaultdict[str, list[Feedback]] = defaultdict(list)
    standing = joined().where(_FEEDBACK.inference_id.in_(ids), _TAKEN_BACK.feedback_id.is_(None))
    for row in connection.execute(standing):
        feedback[row.inference_id].append(feedback_of(row))
    return [
        Told(
            inference_of(
                row,
                request=row.request.encode(),
                answers=tuple(answers[row.id]),
                findings=f"[{','.join(findings[row.id])}]".encode(),
            ),
            tuple(sorted(feedback[row.id], key=lambda one: (one.created_us, one.id))),
        )
        for row in rows
    ]
