"""What operators read. Every listing is newest first and goes on at `?after=` the cursor it ends with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from gateway.access import Access, Scope
from gateway.documents import (
    escalation_document,
    feedback_document,
    inference_document,
    inference_summary,
)
from gateway.errors import NotFound
from gateway.routes.gate import gated
from gateway.store.feedback import Asked
from gateway.store.inferences import Wanted
from gateway.store.records import FeedbackKind, Outcome
from guardrails.interface import Action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.store.archive import Archive


class Paging(BaseModel):
    """One page of a listing; a misspelled name is told, not ignored."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=200, description="At most so many.")] = 50
    after: Annotated[str | None, Field(max_length=200, description="The cursor that the page before ended with.")] = (
        None
    )


class Filter(Paging):
    """Which exchanges; what is left out means any."""

    outcome: Outcome | None = None
    action: Action | None = None
    adapter: str | None = None
    project: str | None = None
    conversation_id: str | None = None
    since_us: Annotated[int | None, Field(ge=0, le=2**63 - 1, description="Microseconds since the epoch.")] = None


class FeedbackFilter(Paging):
    """Which feedback; what is left out means any."""

    kind: FeedbackKind | None = None
    inference_id: str | None = None
    project: str | None = None
    since_us: Annotated[int | None, Field(ge=0, le=2**63 - 1, description="Microseconds since the epoch.")] = None


def admin_routes(access: Access, archive: Archive) -> APIRouter:
    routes = APIRouter(prefix="/admin", tags=["operators"], route_class=gated(access, Scope.ADMIN))

    @routes.get("/inferences", summary="Exchanges, without their content")
    async def inferences(wanted: Annotated[Filter, Query()]) -> dict[str, Any]:
        page = await archive.inferences(
            wanted.limit, wanted.after, Wanted(**wanted.model_dump(exclude=set(Paging.model_fields)))
        )
        return listing(map(inference_summary, page.items), page.after)

    @routes.get("/inferences/{inference_id}", summary="One exchange, whole")
    async def inference(inference_id: str) -> dict[str, Any]:
        found = await archive.inference(inference_id)
        if found is None:
            raise NotFound(
                f"inference_id: {inference_id[:100]!r} is not on record.",
                code="inference_not_found",
                param="inference_id",
            )
        return inference_document(*found)

    @routes.get("/feedback", summary="What people thought of answers")
    async def feedback(wanted: Annotated[FeedbackFilter, Query()]) -> dict[str, Any]:
        page = await archive.feedback(
            wanted.limit, wanted.after, Asked(**wanted.model_dump(exclude=set(Paging.model_fields)))
        )
        return listing((feedback_document(given, retracted=retracted) for given, retracted in page.items), page.after)

    @routes.get("/escalations", summary="What was handed over to a person")
    async def escalations(wanted: Annotated[Paging, Query()]) -> dict[str, Any]:
        page = await archive.escalations(wanted.limit, wanted.after)
        return listing(map(escalation_document, page.items), page.after)

    return routes


def listing(documents: Iterable[dict[str, Any]], after: str | None = None) -> dict[str, Any]:
    """A page as every listing answers it."""
    return {"object": "list", "data": list(documents), "after": after}
