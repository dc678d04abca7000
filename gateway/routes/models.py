"""`GET /v1/models`: every name a request may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from gateway.access import Access, Scope
from gateway.routes.gate import gated

if TYPE_CHECKING:
    from gateway.adapters.registry import Registry


def models_routes(access: Access, registry: Registry) -> APIRouter:
    routes = APIRouter(prefix="/v1/models", tags=["applications"], route_class=gated(access, Scope.CHAT))

    @routes.get("", summary="Aliases, adapters and the base model")
    async def listed() -> dict[str, Any]:
        return {"object": "list", "data": [_model(registry, name) for name in registry.names()]}

    # A hub id holds a slash.
    @routes.get("/{model:path}", summary="One of them")
    async def one(model: str) -> dict[str, Any]:
        return _model(registry, model)

    return routes


def _model(registry: Registry, name: str) -> dict[str, Any]:
    """OpenAI's model object; `root` is what answers: `name@version`, or the base model's id.

    Raises:
        NotFound: Nobody here has that name.
        EngineUnavailable: No vLLM has told the base model's name yet.
    """
    target = registry.resolve(name)
    changed = {alias.name: alias.changed_us for alias in registry.aliases()}
    made = {adapter.id: adapter.created_us for adapter in registry.adapters()}
    created = changed.get(name, made.get(target.adapter, 0)) // 1_000_000
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "wardgate",
        "root": target.engine_model,
    }
