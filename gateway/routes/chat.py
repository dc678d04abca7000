"""`POST /v1/chat/completions` as a raw ASGI callable: the body in, the exchange, its answer out.

FastAPI would cost as much as everything the gateway does for a request; see the bench.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from gateway.errors import ApiError, BodyTooLarge

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from gateway.exchange import Exchange
    from gateway.guarding import Guarding

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

JSON = (b"content-type", b"application/json")
EVENTS = (b"content-type", b"text/event-stream; charset=utf-8")
# Watching takes a task; an answer that comes at once does not need one, and a generation is worth ending only later.
WATCHED_AFTER = 0.03  # seconds


class ClientLeft(Exception):
    """The client hung up before its request was complete."""


class Chat:
    """The route; the policy in force bounds what is read of a request."""

    def __init__(self, exchange: Exchange, guarding: Guarding) -> None:
        self._exchange = exchange
        self._guarding = guarding

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        out = _Outlet(receive, send)
        try:
            authorization = api_key = length = None
            for name, value in scope["headers"]:
                if name == b"authorization":
                    authorization = value
                elif name == b"x-api-key":
                    api_key = value
                elif name == b"content-length":
                    length = value
            body = await self._read(receive, length)
            await self._exchange.chat(body, authorization, api_key, out)
        except ApiError as error:
            await out.error(error)
        except ClientLeft:
            return
        finally:
            out.done()

    async def _read(self, receive: Receive, length: bytes | None) -> bytes:
        """The whole body.

        Raises:
            BodyTooLarge: As soon as that is known, by its declared length or by what has come.
            ClientLeft: The client hung up.
        """
        limit = self._guarding.guard.policy.max_body_bytes
        if length is not None and length.isdigit() and int(length) > limit:
            raise _too_large(limit)
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        body: bytes = message.get("body", b"")
        if not message.get("more_body"):
            if len(body) > limit:
                raise _too_large(limit)
            return body
        parts, size = [body], len(body)
        while message.get("more_body"):
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientLeft
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limit:
                raise _too_large(limit)
        return b"".join(parts)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"The request body is larger than {limit} bytes. Shorten it, or have the operator raise the policy's "
        "max_body_bytes.",
        code="body_too_large",
    )


class _Outlet:
    """One answer on its way to the client."""

    __slots__ = ("_receive", "_send", "_timer", "_watcher", "gone", "opened")

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._timer: asyncio.TimerHandle | None = None
        self._watcher: asyncio.Future[Message] | None = None
        self.opened = False
        self.gone = False

    def when_gone(self, callback: Callable[[], object]) -> None:
        """Call `callback` once the client has hung up; until `done`."""
        self._timer = asyncio.get_running_loop().call_later(WATCHED_AFTER, self._watch, callback)

    def done(self) -> None:
        """Stop watching the client."""
        if self._timer is not None:
            self._timer.cancel()
        if self._watcher is not None and not self._watcher.done():
            self._watcher.cancel()

    def _watch(self, callback: Callable[[], object]) -> None:
        def left(watcher: asyncio.Future[Message]) -> None:
            if not watcher.cancelled():
                self.gone = True
                callback()

        self._watcher = asyncio.ensure_future(self._receive())
        self._watcher.add_done_callback(left)

    async def whole(self, body: bytes, action: str) -> None:
        await self._answer(200, body, [JSON, (b"x-wardgate-action", action.encode())])

    async def error(self, error: ApiError) -> None:
        headers = [JSON, *((name.encode(), value.encode()) for name, value in error.headers)]
        await self._answer(error.status, error.body(), headers)

    async def open(self, action: str) -> None:
        self.opened = True
        headers = [EVENTS, (b"cache-control", b"no-cache"), (b"x-wardgate-action", action.encode())]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def write(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def close(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data})

    async def _answer(self, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        self.opened = True
        headers.append((b"content-length", b"%d" % len(body)))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})
