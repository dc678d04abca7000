"""`wardgate serve` as a process, in front of a vLLM made of aiohttp."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from aiohttp import web
from fake_vllm import FakeVllm

from gateway import banner
from gateway.settings import SPELLINGS, Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

WARDGATE = Path(sys.executable).with_name("wardgate")
CHAT = {"model": "default", "messages": [{"role": "user", "content": "Hello"}]}


class Gateway:
    """A running `wardgate serve`."""

    def __init__(self, home: Path, process: asyncio.subprocess.Process) -> None:
        self.home = home
        self.process = process

    async def note(self) -> dict[str, Any]:
        """What `serve.json` says, once it is there."""
        file = self.home / "serve.json"
        until = time.monotonic() + 20
        while time.monotonic() < until and self.process.returncode is None:
            with contextlib.suppress(FileNotFoundError):  # also where a killed one's is just being removed
                if (found := json.loads(file.read_bytes()))["pid"] == self.process.pid:
                    return dict(found)
            await asyncio.sleep(0.02)
        raise AssertionError(await self.ended())

    async def client(self) -> httpx.AsyncClient:
        url = (await self.note())["url"]
        key = (self.home / "key").read_text().strip()
        return httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {key}"})

    async def ready(self) -> httpx.AsyncClient:
        client = await self.client()
        for _ in range(400):
            if (await client.get("/health/ready")).status_code == 200:
                return client
            await asyncio.sleep(0.02)
        raise AssertionError("never ready")

    async def ended(self) -> tuple[int, str, str]:
        """Exit status, standard output and standard error."""
        out, err = await asyncio.wait_for(self.process.communicate(), 20)
        assert self.process.returncode is not None
        return self.process.returncode, out.decode(), err.decode()

    async def stop(self) -> tuple[int, str, str]:
        self.process.send_signal(signal.SIGTERM)
        return await self.ended()


@pytest.fixture
async def vllm() -> AsyncIterator[FakeVllm]:
    fake = FakeVllm()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Callable[..., Coroutine[Any, Any, Gateway]]]:
    """Starts `wardgate serve` with flags, a home and an environment; what still runs at the end is killed."""
    running: list[Gateway] = []

    async def start(*flags: str, home: str = "var", **env: str) -> Gateway:
        process = await asyncio.create_subprocess_exec(
            WARDGATE,
            "serve",
            *flags,
            env={**os.environ, "WARDGATE_HOME": str(tmp_path / home), **env},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        running.append(Gateway(tmp_path / home, process))
        return running[-1]

    yield start
    for gateway in running:
        if gateway.process.returncode is None:
            gateway.process.kill()
            await gateway.process.communicate()


Serve = "Callable[..., Coroutine[Any, Any, Gateway]]"


def trickle(pieces: int, seconds: float) -> Callable[[web.BaseRequest], Coroutine[Any, Any, web.StreamResponse]]:
    """A chat whose answer takes its time."""

    async def chat(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for number in range(pieces):
            delta = {"index": 0, "delta": {"content": f"word{number} "}, "finish_reason": None}
            await response.write(b"data: " + json.dumps({"id": "x", "choices": [delta]}).encode() + b"\n\n")
            await asyncio.sleep(seconds)
        last = {"index": 0, "delta": {}, "finish_reason": "stop"}
        await response.write(b"data: " + json.dumps({"id": "x", "choices": [last]}).encode() + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        return response

    return chat


async def test_from_start_to_stop(serve: Serve, vllm: FakeVllm) -> None:
    """Live at once, ready with vLLM, everything printed to paste, a private key, an orderly end."""
    began = time.monotonic()
    gateway = await serve("--upstream", vllm.url, "--port", "0")
    client = await gateway.client()
    assert (await client.get("/health/live")).status_code == 200
    assert time.monotonic() - began < 10  # 1.1 s on an idle machine; the limit is for a busy one
    await gateway.ready()
    note = await gateway.note()
    assert note["pid"] == gateway.process.pid
    key = gateway.home / "key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert (await client.get("/v1/models")).json()["data"][0]["id"] in ("default", "tiny-llama")
    assert 'wardgate_vllm_up{replica="' + vllm.url in (await client.get("/metrics")).text
    await client.aclose()
    status, out, err = await gateway.stop()
    assert status == 0
    assert f"API key: {key.read_text().strip()}" in out
    assert f"Wardgate listens on {note['url']}, which will be ready soon: vLLM at {vllm.url}" in out
    assert banner.ready(note["url"], "tiny-llama", key) in out
    assert key.read_text().strip() not in err
    assert all(json.loads(line)["event"] for line in err.splitlines())  # JSON, where no terminal is
    assert not (gateway.home / "serve.json").exists()


async def test_a_second_gateway_on_the_same_home_is_refused(serve: Serve, vllm: FakeVllm) -> None:
    first = await serve("--upstream", vllm.url, "--port", "0")
    url = (await first.note())["url"]
    status, out, err = await (await serve("--upstream", vllm.url, "--port", "0")).ended()
    assert (status, out) == (2, "")
    assert err.startswith("wardgate serve: A gateway is running on")
    assert url in err


async def test_after_a_kill_the_next_start_works_with_the_same_key(serve: Serve, vllm: FakeVllm) -> None:
    first = await serve("--upstream", vllm.url, "--port", "0")
    await first.note()
    first.process.kill()
    _, out, _ = await first.ended()
    assert "API key:" in out
    second = await serve("--upstream", vllm.url, "--port", "0")
    await (await second.ready()).aclose()
    status, out, _ = await second.stop()
    assert status == 0
    assert "API key:" not in out


async def test_requests_in_flight_are_drained(serve: Serve, vllm: FakeVllm) -> None:
    """SIGTERM in the middle of a stream: it ends as it should, then the gateway does, and new ones are not taken."""
    vllm.chat = trickle(10, 0.1)
    gateway = await serve("--upstream", vllm.url, "--port", "0")
    client = await gateway.ready()
    async with client.stream("POST", "/v1/chat/completions", json={**CHAT, "stream": True}) as answer:
        lines = answer.aiter_lines()
        await anext(lines)
        gateway.process.send_signal(signal.SIGTERM)
        text = "".join([line async for line in lines])
    assert text.endswith("data: [DONE]")
    assert "word9" in text
    async with httpx.AsyncClient() as late:
        with pytest.raises(httpx.ConnectError):
            await late.get(client.base_url)
    assert (await gateway.ended())[0] == 0


@pytest.mark.parametrize("twice", [True, False], ids=["asked twice", "time is up"])
async def test_draining_has_an_end(serve: Serve, vllm: FakeVllm, twice: bool) -> None:
    """After the limit, or when asked again, what is in flight is cut off: with its record, and without `[DONE]`."""
    vllm.chat = trickle(1000, 0.1)
    gateway = await serve("--upstream", vllm.url, "--port", "0", WARDGATE_DRAIN_SECONDS="600" if twice else "1")
    client = await gateway.ready()
    text = ""
    began = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):  # noqa: PT012
        async with client.stream("POST", "/v1/chat/completions", json={**CHAT, "stream": True}) as answer:
            async for line in answer.aiter_lines():
                if not text:
                    gateway.process.send_signal(signal.SIGTERM)
                    await asyncio.sleep(0.3)
                    if twice:
                        gateway.process.send_signal(signal.SIGTERM)
                text += line
    assert "[DONE]" not in text
    assert (await gateway.ended())[0] == 0
    assert time.monotonic() - began < 10


def test_every_setting_has_a_flag_in_the_help_and_nothing_else_has() -> None:
    """What a later version brings is absent, not stubbed."""
    text = subprocess.run([WARDGATE, "serve", "--help"], capture_output=True, text=True, check=True).stdout
    flags = {flag.replace("-", "_") for flag in re.findall(r"^│ --([a-z-]+)", text, re.MULTILINE)}
    assert {SPELLINGS.get(flag, flag) for flag in flags} == {*Settings.model_fields, "config"}
    assert "Example" in text


async def test_what_was_called_wrongly_is_said_with_status_2(serve: Serve) -> None:
    status, out, err = await (await serve("--port", "99999")).ended()
    assert (status, out) == (2, "")
    assert err.startswith("wardgate serve: --port: ")
    assert "Traceback" not in err


async def test_a_model_that_cannot_be_had_ends_the_gateway_with_status_1(serve: Serve) -> None:
    """Live at first, since fetching takes its time, then a reason and no half-made folder."""
    gateway = await serve("--port", "0", PIP_INDEX_URL="http://127.0.0.1:1/simple", PIP_RETRIES="0", PIP_NO_INDEX="1")
    status, _, err = await gateway.ended()
    assert status == 1
    assert "could not be fetched" in err
    assert not (gateway.home / "models" / "SmolLM2-135M-Instruct").exists()


async def test_stopping_while_the_model_is_fetched(serve: Serve) -> None:
    """The newcomer's Ctrl-C."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        gateway = await serve("--port", "0", PIP_INDEX_URL=index, PIP_FIND_LINKS="")
        client = await gateway.client()
        for _ in range(200):
            answer = (await client.get("/health/ready")).json()
            if "being fetched" in answer["waiting_for"]:
                break
            await asyncio.sleep(0.02)
        assert "being fetched" in answer["waiting_for"]
        gateway.process.send_signal(signal.SIGINT)
        status, _, err = await gateway.ended()
    assert status == 0, err
    assert not list((gateway.home / "models").glob(".SmolLM2-135M-Instruct-*"))
