"""What operators do with adapters. Every change names who made it: the key that opened the door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from gateway.access import Access, Scope
from gateway.documents import adapter_document, change_document
from gateway.errors import NotFound
from gateway.routes.admin import listing
from gateway.routes.gate import caller_of, gated
from gateway.store.records import By

if TYPE_CHECKING:
    from gateway.adapters.control import Control
    from gateway.adapters.registry import Registry
    from gateway.store.records import Adapter

Why = Annotated[str, Field(max_length=1000, description="Kept with the change.")]


class Reason(BaseModel):
    """Why something is done; may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    why: Why = ""


class Registration(Reason):
    """A folder on the gateway's machine, to be kept under a name that nothing else will ever have."""

    id: Annotated[str, Field(max_length=200, description="`name@version`.")]
    path: Annotated[str, Field(max_length=4096, description="Absolute path of the folder, in PEFT's layout.")]
    digest: Annotated[str, Field(pattern="^([0-9a-f]{64})?$", description="What the adapter's digest must be.")] = ""


NO_REASON = Reason()


def adapter_routes(access: Access, registry: Registry, control: Control) -> APIRouter:
    routes = APIRouter(prefix="/admin/adapters", tags=["operators"], route_class=gated(access, Scope.ADMIN))

    def shown(adapter: Adapter) -> dict[str, Any]:
        return adapter_document(adapter, (name for name, id_ in registry.answering().items() if id_ == adapter.id))

    @routes.get("", summary="Registered adapters")
    async def adapters() -> dict[str, Any]:
        return listing(map(shown, registry.adapters()))

    @routes.get("/{id}", summary="One adapter, and what happened to it")
    async def adapter(id: str) -> dict[str, Any]:  # noqa: A002 - the document's own word
        found = next((one for one in registry.adapters() if one.id == id), None)
        if found is None:
            message = f"id: {id[:200]!r} is no registered adapter. GET /admin/adapters lists them."
            raise NotFound(message, code="adapter_not_found", param="id")
        return shown(found) | {"history": list(map(change_document, await control.history("adapter", id)))}

    @routes.post("", status_code=201, summary="Keep a copy of an adapter under a new name")
    async def register(request: Request, sent: Registration) -> dict[str, Any]:
        by = By(caller_of(request).key_id, sent.why)
        return shown(await control.register(sent.id, sent.path, by, sent.digest))

    @routes.post("/{id}/load", summary="Have every vLLM load it, and see that each answers with it")
    async def load(request: Request, id: str, sent: Reason = NO_REASON) -> dict[str, Any]:  # noqa: A002 - likewise
        loaded = await control.load(id, By(caller_of(request).key_id, sent.why))
        return shown(loaded.adapter) | {
            "replicas": loaded.replicas,
            "tolerance": loaded.probe.tolerance,
            "warnings": loaded.warnings,
        }

    return routes
