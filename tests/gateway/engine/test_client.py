from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from gateway.engine.client import EngineClient, EngineGone, EngineRefused, EngineSlow

if TYPE_CHECKING:
    import aiohttp
    from conftest import FakeVllm

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


def raw(head: bytes, *pieces: bytes, reset: bool = False) -> Handler:
    """A chat handler that writes bytes past HTTP's framing, then cuts the connection."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        transport.write(head)
        for piece in pieces:
            transport.write(piece)
            await asyncio.sleep(0.01)
        if reset:
            transport.abort()
        else:
            transport.close()
        return web.Response()

    return handler


async def consume(client: EngineClient, *, whole: bool) -> None:
    async with await client.chat(b"{}", "chatcmpl-a") as reply:
        if whole:
            await reply.read()
        else:
            async for _ in reply.chunks():
                pass


async def test_reads_a_whole_answer(client: EngineClient, vllm: FakeVllm) -> None:
    """The body arrives as it was sent, under our request id, and is no longer counted as in flight."""
    reply = await client.chat(b'{"model": "m"}', "chatcmpl-abc-d_e")
    assert client.in_flight == 1
    assert reply.status == 200
    assert await reply.read() == b'{"id": "chatcmpl-abc-d_e"}'
    assert client.in_flight == 0
    assert vllm.bodies == [b'{"model": "m"}']
    assert vllm.seen[0].headers["Content-Type"] == "application/json"


async def test_sends_the_key_of_an_upstream_that_asks_for_one(vllm: FakeVllm, session: aiohttp.ClientSession) -> None:
    reply = await EngineClient(vllm.url, session, key="sesame").chat(b"{}", "chatcmpl-a")
    await reply.read()
    assert vllm.seen[0].headers["Authorization"] == "Bearer sesame"


async def test_a_base_url_may_have_a_path(vllm: FakeVllm, session: aiohttp.ClientSession) -> None:
    """An upstream behind a prefix is asked below that prefix."""
    reply = await EngineClient(vllm.url + "/team/", session).chat(b"{}", "chatcmpl-a")
    await reply.close()
    assert vllm.seen[0].path == "/team/v1/chat/completions"


async def test_the_head_is_there_before_the_body(client: EngineClient, vllm: FakeVllm) -> None:
    """A stream's status can be read while vLLM has not written a byte of it, and pieces come as they are written."""
    go = asyncio.Event()

    async def slow(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in (b"data: 1\n\n", b"data: 2\n\n"):
            await go.wait()
            go.clear()
            await response.write(piece)
        return response

    vllm.chat = slow
    async with await client.chat(b"{}", "chatcmpl-a") as reply:
        assert reply.headers["Content-Type"] == "text/event-stream"
        pieces = reply.chunks()
        for expected in (b"data: 1\n\n", b"data: 2\n\n"):
            go.set()
            assert await anext(pieces) == expected
        with pytest.raises(StopAsyncIteration):
            await anext(pieces)


async def test_closing_ends_the_generation(client: EngineClient, vllm: FakeVllm) -> None:
    """A reply closed before its end takes the connection away from vLLM; closing twice counts once."""

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"data: x\n\n")
                await asyncio.sleep(0.005)
        except (ConnectionError, asyncio.CancelledError):
            vllm.aborted.set()
            raise

    vllm.chat = endless
    reply = await client.chat(b"{}", "chatcmpl-a")
    await anext(reply.chunks())
    await reply.close()
    await reply.close()
    await asyncio.wait_for(vllm.aborted.wait(), 2)
    assert client.in_flight == 0


@pytest.mark.parametrize(
    ("head", "reset"),
    [
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n", False),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n", True),
        (HEAD + b"Content-Length: 100\r\n\r\ndata: 1\n\n", False),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\nnonsense\r\n", False),
    ],
    ids=["closed", "reset", "short", "malformed"],
)
@pytest.mark.parametrize("whole", [True, False])
async def test_a_body_cut_short_is_engine_gone(
    client: EngineClient, vllm: FakeVllm, head: bytes, reset: bool, whole: bool
) -> None:
    """A body that ends before its end is never taken for an answer, and who watches is told first."""
    told: list[bool] = []
    client.on_gone = lambda _, refused: told.append(refused)
    vllm.chat = raw(head, reset=reset)
    with pytest.raises(EngineGone) as caught:
        await consume(client, whole=whole)
    assert caught.value.status == 503
    assert caught.value.headers == (("retry-after", "2"),)
    assert told == [False]
    assert client.in_flight == 0


async def test_hanging_up_without_an_answer_is_engine_gone(client: EngineClient, vllm: FakeVllm) -> None:
    vllm.chat = raw(b"")
    with pytest.raises(EngineGone):
        await client.chat(b"{}", "chatcmpl-a")
    assert client.in_flight == 0


async def test_a_connection_that_was_already_closed_is_not_the_next_callers_loss(
    client: EngineClient, vllm: FakeVllm
) -> None:
    """A crash makes vLLM hang up on whoever follows a crash on the same connection; asked once more, it answers."""
    told: list[bool] = []
    client.on_gone = lambda _, refused: told.append(refused)
    hang_up = raw(b"", reset=True)

    async def once(request: web.BaseRequest) -> web.StreamResponse:
        vllm.chat = vllm.answer
        return await hang_up(request)

    vllm.chat = once
    async with await client.chat(b"{}", "chatcmpl-a") as reply:
        assert reply.status == 200
    assert len(vllm.bodies) == 2
    assert (told, client.in_flight) == ([], 0)


async def test_a_refused_connection_is_engine_gone(client: EngineClient, vllm: FakeVllm) -> None:
    """Nobody listening is told apart from one broken connection."""
    told: list[bool] = []
    client.on_gone = lambda _, refused: told.append(refused)
    await vllm.stop()
    with pytest.raises(EngineGone, match="went away"):
        await client.chat(b"{}", "chatcmpl-a")
    with pytest.raises(EngineGone):
        await client.health()
    assert told == [True]


async def test_a_cancelled_request_is_no_longer_counted(client: EngineClient, vllm: FakeVllm) -> None:
    """A client that leaves before vLLM has answered leaves nothing behind."""

    async def never(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    vllm.chat = never
    task = asyncio.create_task(client.chat(b"{}", "chatcmpl-a"))
    await asyncio.sleep(0.05)
    assert client.in_flight == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert client.in_flight == 0


async def test_a_large_body_passes_without_a_warning(
    client: EngineClient, vllm: FakeVllm, recwarn: pytest.WarningsRecorder
) -> None:
    await (await client.chat(b" " * 3_000_000, "chatcmpl-a")).read()
    assert len(vllm.bodies[0]) == 3_000_000
    assert not recwarn.list


@pytest.mark.usefixtures("impatient")
async def test_health_tells_well_sick_and_busy_apart(client: EngineClient, vllm: FakeVllm) -> None:
    await client.health()
    vllm.well = False
    with pytest.raises(EngineGone, match="503"):
        await client.health()
    vllm.answers_health_after = 5
    with pytest.raises(EngineSlow):
        await client.health()


async def test_reads_version_and_models(client: EngineClient, vllm: FakeVllm) -> None:
    vllm.adapters["ops@1"] = "/adapters/ops"
    assert await client.version() == "0.32.0"
    base, adapter = await client.models()
    assert (base.id, base.parent, base.root, base.max_model_len) == ("tiny-llama", None, "/models/tiny", 2048)
    assert (adapter.id, adapter.parent) == ("ops@1", "tiny-llama")


async def test_loading_and_unloading_are_idempotent(client: EngineClient, vllm: FakeVllm) -> None:
    await client.load_adapter("ops@1", "/adapters/ops")
    await client.load_adapter("ops@1", "/adapters/ops")
    assert vllm.adapters == {"ops@1": "/adapters/ops"}
    await client.unload_adapter("ops@1")
    await client.unload_adapter("ops@1")
    assert vllm.adapters == {}


async def test_a_refused_adapter_says_why_in_words_of_vllm(client: EngineClient, vllm: FakeVllm) -> None:
    vllm.refuse.add("big@1")
    with pytest.raises(EngineRefused, match="rank 64 is larger than 16"):
        await client.load_adapter("big@1", "/adapters/big")


@pytest.mark.parametrize(
    ("body", "message"), [(b"plain words", "plain words"), (b'{"message": "no"}', "no"), (b'["odd"]', "odd")]
)
async def test_any_shape_of_error_is_quoted(client: EngineClient, vllm: FakeVllm, body: bytes, message: str) -> None:
    """Servers in front of vLLM answer in their own ways."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=404, body=body)

    vllm.handle = handle
    await vllm.stop()
    await vllm.start()
    with pytest.raises(EngineRefused, match=message):
        await client.version()
    with pytest.raises(EngineRefused, match=message):
        await client.load_adapter("a@1", "/a")
