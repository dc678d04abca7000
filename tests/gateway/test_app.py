"""The application as a whole: its front door, its errors, its document, what it does not load."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

CHAT = "/v1/chat/completions"


def shape(response: httpx.Response) -> dict[str, Any]:
    """The error inside, its four fields and nothing else."""
    document = response.json()
    assert list(document) == ["error"]
    assert sorted(document["error"]) == ["code", "message", "param", "type"]
    return document["error"]


async def test_chat_completions_pass_fastapi_by(open_port: Any) -> None:
    """The handler gets the request as it came, and the response its request id all the same."""
    response = await open_port.http.post(CHAT, content=b"x" * 9, headers={"x-request-id": "mine-1"})
    assert response.json() == {"length": 9}
    assert response.headers.get_list("x-request-id") == ["mine-1"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health/live", 200),
        ("GET", "/nowhere", 404),
        ("GET", CHAT, 405),
        ("POST", CHAT, 200),
        ("GET", "/metrics", 200),
        ("POST", "/v1/feedback", 400),
    ],
)
async def test_every_response_carries_a_request_id(gateway: Any, method: str, path: str, status: int) -> None:
    """Exactly one, on answers and errors alike."""
    response = await gateway.http.request(method, path)
    assert response.status_code == status
    (request_id,) = response.headers.get_list("x-request-id")
    assert re.fullmatch(r"req_[0-9a-f]{32}", request_id)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/completions"),
        ("POST", "/v1/responses"),
        ("POST", "/v1/messages"),
        ("POST", "/v1/moderations"),
        ("POST", "/v1/embeddings"),
        ("POST", "/invocations"),
        ("GET", "/v1/chat/completions/"),
        ("GET", "/v1/models/"),
        ("GET", "/admin/pairs"),
        ("GET", "/admin/keys"),
        ("GET", "/console"),
        ("GET", "/docs"),
        ("GET", "/redoc"),
        ("GET", "/"),
    ],
)
async def test_what_is_not_built_is_not_there(gateway: Any, method: str, path: str) -> None:
    """A route that a later stage brings answers 404, OpenAI-shaped."""
    response = await gateway.http.request(method, path, json={})
    assert response.status_code == 404
    assert shape(response)["type"] == "invalid_request_error"


async def test_a_wrong_method_is_told_which_is_right(gateway: Any) -> None:
    """405 says what the path takes, on the chat route too."""
    for path, method, allowed in (
        (CHAT, "GET", "POST"),
        ("/v1/feedback", "PUT", "POST"),
        ("/health/live", "POST", "GET"),
    ):
        response = await gateway.http.request(method, path)
        assert (response.status_code, response.headers["allow"]) == (405, allowed)
        assert shape(response)["code"] == "method_not_allowed"
        assert allowed in shape(response)["message"]


async def test_a_body_beyond_the_limit_is_not_read(open_port: Any) -> None:
    """By its promised length, and by what really comes where none was promised."""

    async def pieces() -> Any:
        for _ in range(100):
            yield b'"' + b"x" * 98 + b'"'

    for content in (b"x" * 5000, pieces()):
        headers = {"content-type": "application/json"}
        response = await open_port.http.post("/v1/feedback", content=content, headers=headers)
        assert response.status_code == 413
        assert "4096" in shape(response)["message"]


@pytest.mark.parametrize(
    ("content", "media", "code", "said"),
    [
        (b"{", "application/json", "invalid_json", "not JSON"),
        (b'{"a": \xff}', "application/json", "invalid_body", "body"),
        (b"[" * 4000, "application/json", "invalid_body", "nested too deeply"),
        (b"[]", "application/json", "invalid_body", "documented form"),
        (b"{}", "text/plain", "invalid_body", "Content-Type: application/json"),
        (b"", "application/json", "invalid_body", "body"),
        (b"{}", "application/json", "invalid_value", "inference_id: field required"),
        (b'{"inference_id": 1, "kind": "thumbs"}', "application/json", "invalid_value", "inference_id: 1:"),
        (b'{"inference_id": "a", "kind": "thumb"}', "application/json", "invalid_value", "'thumbs'"),
        (b'{"inference_id": "a", "kind": "thumbs", "vote": 1}', "application/json", "invalid_value", "vote: 1:"),
    ],
)
async def test_a_bad_body_is_named(gateway: Any, content: bytes, media: str, code: str, said: str) -> None:
    """What is wrong, where, and what is expected."""
    response = await gateway.http.post("/v1/feedback", content=content, headers={"content-type": media})
    assert response.status_code == 400
    assert shape(response)["code"] == code
    assert said in shape(response)["message"]


async def test_the_key_is_looked_at_before_the_body(gateway: Any) -> None:
    """A stranger learns nothing from a bad body, and cannot make the gateway parse one."""
    headers = {"content-type": "application/json"}
    response = await gateway.stranger.post("/v1/feedback", content=b"{", headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert shape(response)["code"] == "invalid_api_key"


async def test_errors_are_the_openai_client_s_own(open_port: Any) -> None:
    """401, 403, 404 and 400 arrive as the exceptions its users catch."""
    with pytest.raises(openai.AuthenticationError) as wrong:
        await open_port.openai.with_options(api_key="wg-wrong").models.list()
    assert wrong.value.code == "invalid_api_key"
    with pytest.raises(openai.PermissionDeniedError) as missing:
        await open_port.openai.with_options(api_key="wg-metrics").models.list()
    assert missing.value.code == "scope_missing"
    with pytest.raises(openai.NotFoundError) as unknown:
        await open_port.openai.models.retrieve("nobody")
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError):
        await open_port.openai.post("/feedback", body={"kind": "thumbs"}, cast_to=object)


async def test_a_crash_is_an_openai_error_that_tells_nothing(open_port: Any) -> None:
    """Before the head has left a crash is a 500 of our form; after it the connection breaks."""
    response = await open_port.http.post(CHAT, content=b"crash")
    assert response.status_code == 500
    assert shape(response)["code"] == "internal_error"
    assert "bug" not in response.text
    with pytest.raises(httpx.RemoteProtocolError):
        await open_port.http.post(CHAT, content=b"crash late")
    counted = 'wardgate_requests_total{action="",api="chat",status="500"} 2.0'
    assert counted in open_port.metrics.expose().decode()


async def test_what_is_no_http_is_told_so_in_the_same_form(open_port: Any) -> None:
    """Even a connection that speaks TLS to us gets JSON and a request id before it is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", open_port.http.base_url.port)
    writer.write(b"\x16\x03\x01\r\n\r\n")
    head, _, body = (await asyncio.wait_for(reader.read(), 5)).partition(b"\r\n\r\n")
    writer.close()
    assert head.startswith(b"HTTP/1.1 400 ")
    assert re.search(rb"\r\nx-request-id: req_[0-9a-f]{32}\r\n", head)
    assert shape(httpx.Response(400, content=body))["code"] == "invalid_http"


async def test_a_crash_behind_fastapi_has_the_same_form(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages' last resort says as little."""

    def broken() -> bytes:
        raise RuntimeError("a bug")

    monkeypatch.setattr(gateway.metrics, "expose", broken)
    response = await gateway.http.get("/metrics")
    assert response.status_code == 500
    assert shape(response)["code"] == "internal_error"
    assert "bug" not in response.text


async def test_the_document_names_every_route(gateway: Any) -> None:
    """The chat route stands in it although FastAPI does not serve it, and every error has the one form."""
    document = (await gateway.http.get("/openapi.json")).json()
    assert {
        CHAT,
        "/v1/models",
        "/v1/feedback",
        "/v1/guard/check",
        "/admin/inferences/{inference_id}",
        "/metrics",
    } <= set(document["paths"])
    assert (
        "wardgate"
        in document["paths"][CHAT]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
    )
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["responses"]["default"]["content"]["application/json"]["schema"]["$ref"].endswith("/Error")
            assert "422" not in operation["responses"]
    assert document["paths"]["/v1/feedback"]["post"]["security"]
    assert "security" not in document["paths"]["/health/live"]["get"]


async def test_background_tasks_live_as_long_as_the_application(open_house: Callable[..., Any]) -> None:
    """They start with it and are gone when it has stopped."""
    seen = []

    async def watch() -> None:
        seen.append("started")
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("stopped")

    async with open_house(served=True, background={"watch": watch}) as gateway:
        assert (await gateway.http.get("/health/live")).json() == {"status": "live"}
        assert seen == ["started"]
    assert seen == ["started", "stopped"]


def test_the_application_loads_no_model_library() -> None:
    """Importing the gateway must not cost what importing torch costs."""
    code = "import sys, gateway.app; print([m for m in ('torch', 'transformers', 'vllm') if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert loaded.stdout.strip() == "[]"
