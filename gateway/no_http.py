"""What is no HTTP at all gets the same form of answer as every other mistake."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.errors import InvalidRequest
from gateway.request_ids import HEADER, new_id


class Protocol(HttpToolsProtocol):
    """One connection to a client; uvicorn would answer garbage with bare text and no request id."""

    def send_400_response(self, msg: str) -> None:
        body = InvalidRequest(msg, code="invalid_http").body()
        head = (b"HTTP/1.1 400 Bad Request", b"content-type: application/json", b"content-length: %d" % len(body))
        self.transport.write(b"\r\n".join((*head, HEADER + b": " + new_id(), b"connection: close", b"", body)))
        self.transport.close()
