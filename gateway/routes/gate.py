"""Routes behind a scope: the key is looked at before the body is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.routing import APIRoute

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from fastapi import Request, Response

    from gateway.access import Access, Caller, Scope


def gated(access: Access, scope: Scope) -> type[APIRoute]:
    """A route class for `APIRouter(route_class=…)`; `caller_of` tells an endpoint who asked.

    A dependency would not do: FastAPI reads and parses the body before it solves any.
    """

    class GatedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def authorized(request: Request) -> Response:
                request.state.caller = authorize(access, request, scope)
                return await handle(request)

            return authorized

    return GatedRoute


def authorize(access: Access, request: Request, scope: Scope) -> Caller:
    """Who asks, by either header.

    Raises:
        InvalidKey, ScopeMissing: As `Access.authorize`.
    """
    headers = dict(request.scope["headers"])
    return access.authorize(headers.get(b"authorization"), headers.get(b"x-api-key"), scope)


def caller_of(request: Request) -> Caller:
    """Whose key opened this gated route."""
    caller: Caller = request.state.caller
    return caller
