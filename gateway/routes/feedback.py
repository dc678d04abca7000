"""`POST /v1/feedback` and its retraction: acknowledged once durable."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from gateway.access import Access, Scope
from gateway.errors import RETRY_AFTER, NotFound, StoreUnavailable
from gateway.feedback import checked_text, checked_value, issued, storable
from gateway.ids import FEEDBACK_PREFIX
from gateway.routes.gate import caller_of, gated
from gateway.store.records import Feedback, FeedbackKind, Retraction
from gateway.store.spool import SpoolFailed

if TYPE_CHECKING:
    from gateway.ids import Minter
    from gateway.metrics import Metrics
    from gateway.store.archive import Archive
    from gateway.store.records import Event
    from gateway.store.spool import Spool

VALUE_SCHEMA = {"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]}


class FeedbackRequest(BaseModel):
    """One thing a person thought or did about an answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    inference_id: Annotated[str, Field(max_length=200, description="The answer's `id`.")]
    kind: FeedbackKind
    value: Annotated[
        Any,
        Field(
            description="thumbs: 1 or -1; rating: 1 to 5; comparison and regenerated: the other answer's id.",
            json_schema_extra=VALUE_SCHEMA,
        ),
    ] = None
    text: Annotated[str | None, Field(description="What was said; for an edit, the corrected answer.")] = None
    idempotency_key: Annotated[
        str | None, Field(min_length=1, max_length=200, description="The same key on the same answer is one feedback.")
    ] = None
    user_id: Annotated[str | None, Field(min_length=1, max_length=200, description="Kept as a keyed hash only.")] = None


def feedback_routes(access: Access, minter: Minter, spool: Spool, archive: Archive, metrics: Metrics) -> APIRouter:
    routes = APIRouter(prefix="/v1/feedback", tags=["applications"], route_class=gated(access, Scope.FEEDBACK))

    @routes.post("", status_code=202, summary="Say what an answer was worth")
    async def send(request: Request, sent: FeedbackRequest) -> JSONResponse:
        event = feedback_of(sent, caller_of(request).project, minter)
        await keep(spool, event)
        metrics.feedback(event.kind)
        return JSONResponse({"id": event.id}, status_code=202)

    @routes.delete("/{feedback_id}", summary="Take it back")
    async def retract(request: Request, feedback_id: str) -> JSONResponse:
        project = caller_of(request).project
        known = feedback_id.startswith(FEEDBACK_PREFIX) and minter.verify(feedback_id)
        if not known or await archive.feedback_project(feedback_id) != project:
            raise NotFound(
                f"feedback_id: {feedback_id[:100]!r} is no feedback of this project. Send the `id` of its 202.",
                code="feedback_not_found",
                param="feedback_id",
            )
        await keep(spool, Retraction(id=feedback_id, created_us=time.time_ns() // 1000, project=project))
        return JSONResponse({"id": feedback_id, "retracted": True})

    return routes


def feedback_of(sent: FeedbackRequest, project: str, minter: Minter) -> Feedback:
    """The record of what was sent, every rule of the contract held.

    Raises:
        InvalidRequest: A value or text does not fit its kind.
        NotFound: An id was never issued here.
    """
    issued("inference_id", sent.inference_id, minter)
    key = storable("idempotency_key", sent.idempotency_key or "")
    return Feedback(
        id=minter.feedback_id(sent.inference_id, key or None),
        created_us=time.time_ns() // 1000,
        inference_id=sent.inference_id,
        kind=sent.kind,
        project=project,
        value=checked_value(sent.kind, sent.value, sent.inference_id, minter),
        text=checked_text(sent.kind, sent.text),
        idempotency_key=key,
        user=minter.user_hash(sent.user_id) if sent.user_id else "",
    )


async def keep(spool: Spool, event: Event) -> None:
    """Return once the event is durable.

    Raises:
        StoreUnavailable: It could not be made so.
    """
    try:
        await spool.append(event)
    except SpoolFailed as failed:
        raise StoreUnavailable(
            "This could not be kept; nothing was recorded. Try again shortly.",
            code="store_unavailable",
            headers=RETRY_AFTER,
        ) from failed
