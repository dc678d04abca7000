"""Every error a caller may see, OpenAI-shaped, with its status in this one file."""

from __future__ import annotations

from typing import Any

import msgspec

RETRY_AFTER = (("retry-after", "2"),)  # seconds; with every 503
SHOWN = 100  # characters of a wrong value that an error repeats


def shown(value: object) -> str:
    """A wrong value as the error about it repeats it."""
    return repr(value)[:SHOWN]


class ApiError(Exception):
    """A caller's mistake or our failure, ready to be sent.

    Attributes:
        status: HTTP status.
        type: OpenAI's error type.
        code: Machine-readable reason.
        param: Field the error is about, dotted, or None.
        headers: Further response headers.
        wardgate: The contract's `wardgate` object, JSON, where an exchange got as far as having one.
    """

    status = 500
    type = "api_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        wardgate: bytes = b"",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.headers = headers
        self.wardgate = wardgate

    def body(self) -> bytes:
        """The JSON document OpenAI's clients understand."""
        error = {"message": self.message, "type": self.type, "param": self.param, "code": self.code}
        document: dict[str, Any] = {"error": error}
        if self.wardgate:
            document["wardgate"] = msgspec.Raw(self.wardgate)
        return msgspec.json.encode(document)

    def event(self) -> bytes:
        """The same as one server-sent event, for a stream that has begun."""
        return b"data: " + self.body() + b"\n\n"


class InvalidRequest(ApiError):
    status = 400
    type = "invalid_request_error"


class UnsupportedParameter(InvalidRequest):
    """A field that carries text past the guards, or shows more than the answer."""


class InvalidKey(ApiError):
    status = 401
    type = "invalid_request_error"


class ScopeMissing(ApiError):
    status = 403
    type = "invalid_request_error"


class NotFound(ApiError):
    status = 404
    type = "invalid_request_error"


class MethodNotAllowed(ApiError):
    status = 405
    type = "invalid_request_error"


class Conflict(ApiError):
    status = 409
    type = "invalid_request_error"


class BodyTooLarge(ApiError):
    status = 413
    type = "invalid_request_error"


class EngineUnavailable(ApiError):
    """vLLM is not there (yet, or any more); sent with Retry-After."""

    status = 503
    type = "service_unavailable"


class StoreUnavailable(ApiError):
    """What was to be kept could not be made durable; nothing was acknowledged."""

    status = 503
    type = "service_unavailable"


class EngineTimeout(ApiError):
    status = 504
    type = "timeout"
