"""What operators do with aliases: look, promote, roll back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field

from gateway.access import Access, Scope
from gateway.documents import alias_document, change_document
from gateway.errors import NotFound
from gateway.routes.adapters import NO_REASON, Reason
from gateway.routes.admin import listing
from gateway.routes.gate import caller_of, gated
from gateway.store.records import By

if TYPE_CHECKING:
    from gateway.adapters.control import Control
    from gateway.adapters.registry import Registry


class Promotion(Reason):
    """What an alias is to answer from."""

    adapter: Annotated[str, Field(max_length=200, description="`name@version`, or `base`.")]


def alias_routes(access: Access, registry: Registry, control: Control) -> APIRouter:
    routes = APIRouter(prefix="/admin/aliases", tags=["operators"], route_class=gated(access, Scope.ADMIN))

    @routes.get("", summary="What each alias answers from")
    async def aliases() -> dict[str, Any]:
        answering = registry.answering()
        return listing(alias_document(one, answering.get(one.name)) for one in registry.aliases())

    @routes.get("/{name}", summary="One alias, and what it answered from before")
    async def alias(name: str) -> dict[str, Any]:
        found = next((one for one in registry.aliases() if one.name == name), None)
        if found is None:
            message = f"name: {name[:200]!r} is no alias. GET /admin/aliases lists them."
            raise NotFound(message, code="alias_not_found", param="name")
        history = list(map(change_document, await control.history("alias", name)))
        return alias_document(found, registry.answering().get(name)) | {"history": history}

    @routes.post("/{name}/promote", summary="Have an alias answer from another adapter")
    async def promote(request: Request, name: str, sent: Promotion) -> dict[str, Any]:
        changed = await control.promote(name, sent.adapter, By(caller_of(request).key_id, sent.why))
        return alias_document(changed, registry.answering().get(name))

    @routes.post("/{name}/rollback", summary="Have an alias answer from what it did before")
    async def rollback(request: Request, name: str, sent: Reason = NO_REASON) -> dict[str, Any]:
        changed = await control.rollback(name, By(caller_of(request).key_id, sent.why))
        return alias_document(changed, registry.answering().get(name))

    return routes
