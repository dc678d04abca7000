"""The gateway as one ASGI callable: chat completions go straight to their handler, everything else through FastAPI."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import FastAPI
from starlette.routing import Route

from gateway.background import Background
from gateway.body_limit import BodyLimit
from gateway.errors import ApiError
from gateway.openapi import describe
from gateway.request_ids import STARTED, RequestIds
from gateway.routes.adapters import adapter_routes
from gateway.routes.admin import admin_routes
from gateway.routes.aliases import alias_routes
from gateway.routes.errors import answer, install
from gateway.routes.feedback import feedback_routes
from gateway.routes.guard import guard_routes
from gateway.routes.health import health_routes
from gateway.routes.metrics import metrics_routes
from gateway.routes.models import models_routes

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from gateway.access import Access
    from gateway.adapters.control import Control
    from gateway.adapters.registry import Registry
    from gateway.engine.pool import EnginePool
    from gateway.guarding import Guarding
    from gateway.ids import Minter
    from gateway.metrics import Metrics
    from gateway.store.archive import Archive
    from gateway.store.spool import Spool
    from guardrails.permits.keys import SigningKey

CHAT = "/v1/chat/completions"
log = structlog.get_logger("wardgate.app")


def make_app(
    *,
    access: Access,
    guarding: Guarding,
    registry: Registry,
    control: Control,
    pool: EnginePool,
    spool: Spool,
    archive: Archive,
    minter: Minter,
    metrics: Metrics,
    chat: ASGIApp,
    metrics_open: bool = False,
    permit_key: SigningKey | None = None,
    background: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] | None = None,
) -> ASGIApp:
    """The whole application; it owns nothing it is given and closes nothing.

    Args:
        access: The keys that open it.
        guarding: For `/v1/guard/check`; its policy bounds bodies.
        registry: What models there are.
        control: What operators may do with them.
        pool: What answers them, and what it waits for.
        spool: Takes feedback.
        archive: Reads spool and store for operators.
        minter: Verifies ids.
        metrics: Exposed at `/metrics`.
        chat: Answers `POST /v1/chat/completions`, a raw ASGI callable.
        metrics_open: Let scrapers on this machine read `/metrics` without a key.
        permit_key: Signs what `/v1/guard/check` allows; None for no permits.
        background: Tasks by name that run as long as the application does.
    """
    pages = FastAPI(title="Wardgate", docs_url=None, redoc_url=None, redirect_slashes=False)
    install(pages)
    pages.include_router(health_routes(pool))
    pages.include_router(metrics_routes(access, metrics, spool, open_here=metrics_open))
    pages.include_router(models_routes(access, registry))
    pages.include_router(feedback_routes(access, minter, spool, archive, metrics))
    pages.include_router(guard_routes(access, guarding, permit_key))
    pages.include_router(admin_routes(access, archive))
    pages.include_router(adapter_routes(access, registry, control))
    pages.include_router(alias_routes(access, registry, control))
    # Never reached by a POST, which the front door takes first: it makes other methods a 405.
    pages.router.routes.append(Route(CHAT, endpoint=chat, methods=["POST"]))
    describe(pages, CHAT)
    limited = BodyLimit(pages, lambda: guarding.guard.policy.max_body_bytes)
    return RequestIds(_FrontDoor(chat, limited, Background(background or {}), metrics))


class _FrontDoor:
    """Takes chat completions past FastAPI, which would cost more than the gateway's own work."""

    __slots__ = ("_background", "_chat", "_metrics", "_pages")

    def __init__(self, chat: ASGIApp, pages: ASGIApp, background: Background, metrics: Metrics) -> None:
        self._chat = chat
        self._pages = pages
        self._background = background
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["path"] == CHAT and scope["method"] == "POST":
            began = time.perf_counter()
            try:
                await self._chat(scope, receive, send)
            # The server would answer a crash with bare text; the caller gets an error its client understands.
            except Exception:
                log.exception("a chat completion crashed")
                self._metrics.request_done("chat", ApiError.status, "", time.perf_counter() - began)
                if STARTED in scope:
                    raise
                error = ApiError("Something went wrong inside the gateway; its log tells what.", code="internal_error")
                await answer(error)(scope, receive, send)
        else:
            await self._pages(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._background.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._background.stop()
        await send({"type": "lifespan.shutdown.complete"})
