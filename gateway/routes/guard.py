"""`POST /v1/guard/check`: the guard alone, as on the command line."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import Response

from gateway.access import Access, Scope
from gateway.errors import InvalidRequest
from gateway.routes.gate import gated
from guardrails import reading
from guardrails.interface import Channel, Shell
from guardrails.permits.issue import sign_check
from guardrails.wire import ItemError, parse_item, verdict_document, wants_tree

if TYPE_CHECKING:
    from gateway.guarding import Guarding
    from guardrails.guard import Guard
    from guardrails.interface import Subject
    from guardrails.permits.keys import SigningKey

INLINE_CHARACTERS = 16_000  # beyond that a thread judges, so that other requests are not held up
ITEM = {
    "type": "object",
    "required": ["text"],
    "properties": {
        "text": {"type": "string"},
        "kind": {"enum": [kind.value for kind in Channel], "default": Channel.COMMAND.value},
        "shell": {"enum": [shell.value for shell in Shell], "default": Shell.AUTO.value},
        "type": {"type": "string", "default": "free_text"},
        "values": {"type": "array", "items": {"type": "string"}},
        "tree": {"type": "boolean", "default": False},
    },
}
ITEMS = {"anyOf": [ITEM, {"type": "array", "items": ITEM}]}


def guard_routes(access: Access, guarding: Guarding, permit_key: SigningKey | None = None) -> APIRouter:
    routes = APIRouter(prefix="/v1/guard", tags=["applications"], route_class=gated(access, Scope.CHAT))

    @routes.post("/check", summary="Judge one text, or a list of them in order")
    async def check(sent: Annotated[Any, Body(json_schema_extra=ITEMS)]) -> Response:
        guard = guarding.guard
        items = sent if isinstance(sent, list) else [sent]
        subjects = [_subject(item, f"[{index}]" if sent is items else "") for index, item in enumerate(items)]

        def judge() -> list[dict[str, Any]]:
            return [_judged(guard, permit_key, subject, tree=tree) for subject, tree in subjects]

        small = sum(len(subject.text) for subject, _ in subjects) < INLINE_CHARACTERS
        verdicts = judge() if small else await asyncio.to_thread(judge)
        # Escaped to ASCII: what a verdict repeats of a text may be half a surrogate pair, which UTF-8 cannot say.
        return Response(json.dumps(verdicts if sent is items else verdicts[0]), media_type="application/json")

    return routes


def _subject(item: object, where: str) -> tuple[Subject, bool]:
    """The text to be judged, and whether what it would run is to be told.

    Raises:
        InvalidRequest: The item is not of the documented form.
    """
    if isinstance(item, bytes):  # what FastAPI hands over where the content type is not JSON's
        raise InvalidRequest("The body must be JSON, sent with `Content-Type: application/json`.", code="invalid_body")
    try:
        return parse_item(item), wants_tree(item)
    except ItemError as error:
        field = ".".join(filter(None, (where, error.field)))
        raise InvalidRequest(
            f"{field or 'The body'}: {error.message}.", code="invalid_value", param=field or None
        ) from error


def _judged(guard: Guard, permit_key: SigningKey | None, subject: Subject, *, tree: bool) -> dict[str, Any]:
    began = time.perf_counter_ns()
    verdict = guard.examine(
        subject.text, subject.channel, shell=subject.shell, type=subject.type, values=subject.values
    )
    document = verdict_document(verdict, (time.perf_counter_ns() - began) // 1000)
    if permit_key is not None:
        document["permits"] = sign_check(permit_key, guard, int(time.time()), subject, verdict)
    if tree:
        document["tree"] = reading.tree(guard, subject, verdict)
    return document
