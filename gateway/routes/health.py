"""Probes, open to everybody: they say nothing that an outsider could use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from gateway.errors import EngineUnavailable

if TYPE_CHECKING:
    from gateway.engine.pool import EnginePool


def health_routes(pool: EnginePool) -> APIRouter:
    routes = APIRouter(prefix="/health", tags=["probes"])

    # Load balancers ask with HEAD.
    @routes.head("/live", include_in_schema=False)
    @routes.get("/live", summary="Whether the gateway runs at all")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @routes.head("/ready", include_in_schema=False)
    @routes.get("/ready", summary="Whether requests can be answered, and if not, what is waited for")
    async def ready() -> JSONResponse:
        waiting_for = pool.waiting_for
        status = 200 if waiting_for is None else EngineUnavailable.status
        content = {"status": "ready" if waiting_for is None else "waiting", "waiting_for": waiting_for}
        return JSONResponse(content, status_code=status)

    return routes
