"""Whatever goes wrong in a FastAPI route, said as OpenAI's clients expect it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from gateway.errors import (
    RETRY_AFTER,
    ApiError,
    BodyTooLarge,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    StoreUnavailable,
    shown,
)
from gateway.store.errors import StoreGone, StoreRefused

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

_BY_STATUS: dict[int, type[ApiError]] = {
    kind.status: kind for kind in (NotFound, MethodNotAllowed, BodyTooLarge, InvalidRequest)
}
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 400: "invalid_body"}
log = structlog.get_logger("wardgate.routes")


def install(app: FastAPI) -> None:
    """Have `app` answer every error OpenAI-shaped."""

    @app.exception_handler(ApiError)
    async def api_error(_request: Request, error: ApiError) -> Response:
        return answer(error)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        return answer(_from_http(request, error))

    @app.exception_handler(RequestValidationError)
    async def validation_error(_request: Request, error: RequestValidationError) -> Response:
        return answer(_from_validation(error))

    @app.exception_handler(StoreGone)
    async def store_gone(_request: Request, error: StoreGone) -> Response:
        log.warning("the store could not be read", reason=str(error))
        text = "The store cannot be reached. Try again shortly."
        return answer(StoreUnavailable(text, code="store_unavailable", headers=RETRY_AFTER))

    @app.exception_handler(StoreRefused)
    async def store_refused(_request: Request, error: StoreRefused) -> Response:
        return answer(InvalidRequest(str(error), code="invalid_value"))

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> Response:
        log.error("a route crashed", path=request.url.path, exc_info=error)
        return answer(ApiError("Something went wrong inside the gateway; its log tells what.", code="internal_error"))


def answer(error: ApiError) -> Response:
    """One error as a response."""
    headers = dict(error.headers)
    return Response(error.body(), status_code=error.status, headers=headers, media_type="application/json")


def _from_http(request: Request, error: HTTPException) -> ApiError:
    kind = _BY_STATUS.get(error.status_code, InvalidRequest)
    message = str(error.detail)
    if error.status_code == NotFound.status:
        message = f"{request.method} {request.url.path} does not exist here."
    elif error.status_code == MethodNotAllowed.status:
        allowed = (error.headers or {}).get("Allow", "")
        message = f"{request.url.path} does not take {request.method}; it takes {allowed}."
    elif error.status_code == InvalidRequest.status:
        message = "The body cannot be read as JSON: it is not UTF-8, nested too deeply, or a number is too long."
    return kind(message, code=_CODES[kind.status], headers=tuple((error.headers or {}).items()))


def _from_validation(error: RequestValidationError) -> InvalidRequest:
    first: dict[str, Any] = error.errors()[0]
    where, *path = first["loc"]
    if first["type"] == "json_invalid":
        text = f"The body is not JSON: {first['ctx']['error']} at character {path[0]}."
        return InvalidRequest(text, code="invalid_json")
    if where == "body" and not path:
        text = "The body must be JSON, sent with `Content-Type: application/json`, and be of the documented form."
        return InvalidRequest(text, code="invalid_body")
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    problem = first["msg"][:1].lower() + first["msg"][1:]
    given = "" if first["type"] == "missing" else f" {shown(first['input'])}:"
    return InvalidRequest(f"{field}:{given} {problem}.", code="invalid_value", param=field)
