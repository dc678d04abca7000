"""No body is read further than the limit, whatever its head promised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from gateway.errors import BodyTooLarge

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """Pure ASGI, around an application that answers Starlette's HTTPException; other scopes than http pass through.

    FastAPI turns whatever else is raised while it reads a body into a 400, hence that exception.
    """

    def __init__(self, app: ASGIApp, limit: Callable[[], int]) -> None:
        """Bounds bodies by what `limit` says when their request begins."""
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit()
        promised = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        read = 0

        async def receive_within() -> Message:
            nonlocal read
            if promised.isdigit() and int(promised) > limit:
                raise _refusal(limit)
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise _refusal(limit)
            return message

        await self._app(scope, receive_within, send)


def _refusal(limit: int) -> HTTPException:
    detail = f"The body is larger than {limit} bytes, the most this gateway's policy reads (max_body_bytes)."
    return HTTPException(BodyTooLarge.status, detail)
