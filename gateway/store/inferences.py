"""Exchanges: each with its answers and findings, written once, read whole or as a listing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import select, tuple_

from gateway.store import logprobs, schema
from gateway.store.records import Answer, Digests, Inference, Outcome, Timings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Row
    from sqlalchemy.sql.elements import ColumnElement

    from gateway.store.connection import Database

_TABLE = schema.inferences.c
_CONTENT = ("request", "unchecked", "escalation")
FACTS = [column for column in _TABLE if column.name not in _CONTENT]


class Wanted(msgspec.Struct, frozen=True):
    """Which exchanges a listing shows; None means any.

    Attributes:
        since_us: Those that arrived then or later.
    """

    outcome: str | None = None
    action: str | None = None
    adapter: str | None = None
    project: str | None = None
    conversation_id: str | None = None
    since_us: int | None = None

    def accepts(self, inference: Inference) -> bool:
        return all(getattr(inference, name) == value for name, value in self._equal()) and (
            self.since_us is None or inference.created_us >= self.since_us
        )

    def conditions(self) -> list[ColumnElement[bool]]:
        since = [] if self.since_us is None else [_TABLE.created_us >= self.since_us]
        return [_TABLE[name] == value for name, value in self._equal()] + since

    def _equal(self) -> list[tuple[str, str]]:
        fields = msgspec.structs.asdict(self)
        return [(name, value) for name, value in fields.items() if value is not None and name != "since_us"]


class Inferences:
    """The repository of exchanges."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, connection: Connection, inferences: Iterable[Inference]) -> None:
        """Writes those that are not there yet, with everything that belongs to them."""
        facts, answers, findings = [], [], []
        for inference in inferences:
            facts.append(_row(inference))
            answers += [_answer_row(inference.id, answer) for answer in inference.answers]
            findings += _finding_rows(inference)
        self._database.insert_new(connection, schema.inferences, facts)
        self._database.insert_new(connection, schema.answers, answers)
        self._database.insert_new(connection, schema.findings, findings)

    def get(self, id: str) -> Inference | None:  # noqa: A002 - the records' word
        """One exchange, whole.

        Raises:
            StoreGone: The store cannot be reached.
        """
        answers = schema.answers.select().where(schema.answers.c.inference_id == id).order_by(schema.answers.c.number)
        found = (
            select(schema.findings.c.document)
            .where(schema.findings.c.inference_id == id)
            .order_by(schema.findings.c.position)
        )
        with self._database.reading() as connection:
            row = connection.execute(schema.inferences.select().where(_TABLE.id == id)).one_or_none()
            if row is None:
                return None
            return inference_of(
                row,
                answers=tuple(map(_answer, connection.execute(answers))),
                findings=f"[{','.join(connection.scalars(found))}]".encode(),
                **{name: getattr(row, name).encode() for name in _CONTENT},
            )

    def newest(self, limit: int, before: tuple[int, str] | None, wanted: Wanted) -> list[Inference]:
        """The newest `limit` exchanges older than `before` (`created_us`, `id`), without their content.

        Raises:
            StoreGone: The store cannot be reached.
        """
        statement = select(*FACTS).where(*wanted.conditions()).order_by(_TABLE.created_us.desc(), _TABLE.id.desc())
        if before is not None:
            statement = statement.where(tuple_(_TABLE.created_us, _TABLE.id) < before)
        with self._database.reading() as connection:
            return [inference_of(row) for row in connection.execute(statement.limit(limit))]


def bare(inference: Inference) -> Inference:
    """The exchange as a listing shows it, without its content."""
    return msgspec.structs.replace(inference, request=b"", answers=(), findings=b"[]", unchecked=b"[]", escalation=b"")


def _row(inference: Inference) -> dict[str, Any]:
    timings, digests = inference.timings, inference.digests
    return {
        "id": inference.id,
        "created_us": inference.created_us,
        "api": inference.api,
        "outcome": inference.outcome.value,
        "status": inference.status,
        "action": inference.action,
        "alias": inference.alias,
        "adapter": inference.adapter,
        "base_model": inference.base_model,
        "project": inference.project,
        "policy_digest": digests.policy,
        "rules_digest": digests.rules,
        "base_digest": digests.base_model,
        "template_digest": digests.chat_template,
        "vllm_version": inference.vllm_version,
        "logprobs_mode": inference.logprobs_mode,
        "user_hash": inference.user,
        "conversation_id": inference.conversation_id,
        "streamed": inference.streamed,
        "stored": inference.stored,
        "prompt_tokens": inference.prompt_tokens,
        "completion_tokens": inference.completion_tokens,
        "total_us": timings.total,
        "guard_input_us": timings.guard_input,
        "guard_output_us": timings.guard_output,
        "engine_us": timings.engine,
        "first_token_us": timings.first_token,
        "error": inference.error,
        "request": inference.request.decode(errors="replace"),
        "unchecked": inference.unchecked.decode(errors="replace"),
        "escalation": inference.escalation.decode(errors="replace"),
    }


def _answer_row(inference_id: str, answer: Answer) -> dict[str, Any]:
    stored = logprobs.columns(answer.logprobs)
    return {
        "inference_id": inference_id,
        "number": answer.index,
        "written": answer.written,
        "sent": answer.sent,
        "finish_reason": answer.finish_reason,
        "tool_calls": answer.tool_calls.decode(errors="replace"),
        "tokens": stored.tokens,
        "logprobs": stored.logprobs,
        "alternatives": stored.alternatives,
    }


def _finding_rows(inference: Inference) -> list[dict[str, Any]]:
    if inference.findings == b"[]":
        return []
    return [
        {
            "inference_id": inference.id,
            "position": position,
            "stage": finding.get("stage", ""),
            "check_name": finding.get("check", ""),
            "rule": finding.get("rule", ""),
            "severity": finding.get("severity", ""),
            "document": msgspec.json.encode(finding).decode(),
        }
        for position, finding in enumerate(msgspec.json.decode(inference.findings, type=list[dict[str, Any]]))
    ]


def inference_of(row: Row[Any], **content: Any) -> Inference:
    """The record of a row that holds `FACTS`, with the content that is given."""
    return Inference(
        id=row.id,
        created_us=row.created_us,
        api=row.api,
        outcome=Outcome(row.outcome),
        status=row.status,
        action=row.action,
        alias=row.alias,
        adapter=row.adapter,
        base_model=row.base_model,
        project=row.project,
        digests=Digests(
            policy=row.policy_digest,
            rules=row.rules_digest,
            base_model=row.base_digest,
            chat_template=row.template_digest,
        ),
        timings=Timings(
            total=row.total_us,
            guard_input=row.guard_input_us,
            guard_output=row.guard_output_us,
            engine=row.engine_us,
            first_token=row.first_token_us,
        ),
        vllm_version=row.vllm_version,
        logprobs_mode=row.logprobs_mode,
        user=row.user_hash,
        conversation_id=row.conversation_id,
        streamed=row.streamed,
        stored=row.stored,
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        error=row.error,
        **content,
    )


def _answer(row: Row[Any]) -> Answer:
    return Answer(
        index=row.number,
        written=row.written,
        sent=row.sent,
        finish_reason=row.finish_reason,
        tool_calls=row.tool_calls.encode(),
        logprobs=logprobs.pieces(logprobs.Columns(row.tokens, row.logprobs, row.alternatives)),
    )
