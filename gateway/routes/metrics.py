"""`/metrics` for Prometheus."""

from __future__ import annotations

import time
from ipaddress import ip_address
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.access import Access, Scope
from gateway.metrics import CONTENT_TYPE, Metrics
from gateway.routes.gate import authorize

if TYPE_CHECKING:
    from gateway.store.spool import Spool

FORWARDED = (b"forwarded", b"x-forwarded-for")


def metrics_routes(access: Access, metrics: Metrics, spool: Spool, *, open_here: bool) -> APIRouter:
    """The route, for the scope `metrics`; `open_here` lets scrapers on this very machine in without a key."""
    routes = APIRouter(tags=["probes"])

    @routes.get("/metrics", summary="Prometheus metrics", response_class=Response)
    async def expose(request: Request) -> Response:
        if not (open_here and from_here(request)):
            authorize(access, request, Scope.METRICS)
        records, oldest_us = spool.depth()
        metrics.spool(records, 0.0 if oldest_us is None else max(0.0, time.time() - oldest_us / 1e6))
        return Response(metrics.expose(), media_type=CONTENT_TYPE)

    return routes


def from_here(request: Request) -> bool:
    """Whether the connection comes from loopback and no proxy says that it speaks for somebody else."""
    if request.client is None or any(name in FORWARDED for name, _ in request.scope["headers"]):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
