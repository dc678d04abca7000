"""Every response carries `x-request-id`: the caller's, where it is sane, else a new one."""

from __future__ import annotations

import re
from os import urandom
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = b"x-request-id"
KEY = "wardgate.request_id"  # where an application finds it in its scope
STARTED = "wardgate.started"  # in the scope once a response's head has been sent
_SANE = re.compile(rb"[A-Za-z0-9._:-]{1,128}").fullmatch


class RequestIds:
    """Pure ASGI; other scopes than http pass through."""

    __slots__ = ("_app",)

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _asked(scope) or new_id()
        scope[KEY] = request_id.decode()

        # Not `async def`: every chunk of a stream passes here, and one more coroutine each costs more than the call.
        def send_with_id(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                scope[STARTED] = True
                message["headers"] = [*message.get("headers", ()), (HEADER, request_id)]
            return send(message)

        await self._app(scope, receive, send_with_id)


def new_id() -> bytes:
    """A request id for a caller who brought none."""
    return b"req_" + urandom(16).hex().encode()


def _asked(scope: Scope) -> bytes | None:
    for name, value in scope["headers"]:
        if name == HEADER:
            return value if _SANE(value) else None
    return None
