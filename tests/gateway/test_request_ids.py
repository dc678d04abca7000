"""Which request id a response carries."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.request_ids import KEY, RequestIds


async def answered(headers: list[tuple[bytes, bytes]]) -> tuple[str, list[dict[str, Any]]]:
    """The id the application saw, and the messages sent."""
    sent: list[dict[str, Any]] = []
    seen = ""

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        nonlocal seen
        seen = scope[KEY]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b"x"})

    async def send(message: Any) -> None:
        sent.append(message)

    await RequestIds(app)({"type": "http", "headers": headers}, None, send)  # type: ignore[arg-type]  # not received
    return seen, sent


@pytest.mark.parametrize("sane", [b"a", b"req_1.2:3-Z", b"x" * 128])
async def test_a_sane_id_is_kept(sane: bytes) -> None:
    """The caller's id comes back, beside the application's own headers."""
    seen, sent = await answered([(b"other", b"1"), (b"x-request-id", sane)])
    assert seen == sane.decode()
    assert sent[0]["headers"] == [(b"a", b"b"), (b"x-request-id", sane)]
    assert sent[1] == {"type": "http.response.body", "body": b"x"}


@pytest.mark.parametrize("insane", [None, b"", b"x" * 129, b"a b", b"a\r\nset-cookie: x", "é".encode()])
async def test_any_other_is_replaced(insane: bytes | None) -> None:
    """A missing or dangerous one is replaced by a new one, different each time."""
    headers = [] if insane is None else [(b"x-request-id", insane)]
    first, sent = await answered(headers)
    second, _ = await answered(headers)
    assert first != second
    assert first.startswith("req_")
    assert sent[0]["headers"][-1] == (b"x-request-id", first.encode())


async def test_other_scopes_pass_through() -> None:
    """A lifespan has no request and gets no id."""
    seen = []

    async def app(scope: Any, *_: Any) -> None:
        seen.append(scope)

    await RequestIds(app)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]  # never called
    assert seen == [{"type": "lifespan"}]
