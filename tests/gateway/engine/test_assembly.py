from __future__ import annotations

import asyncio
import hashlib
import sys
from typing import TYPE_CHECKING

import pytest

from gateway.engine import assembly, embedded
from gateway.engine.assembly import Engines, OwnModel
from gateway.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import aiohttp
    from fake_vllm import FakeVllm

    from gateway.engine.client import EngineClient

# The parts of a vLLM that its supervision sees, on the port that the gateway chose.
SERVER = """
import http.server, json, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = {"/version": {"version": "0.32.0"}, "/v1/models": {"data": [{"id": "merged", "root": sys.argv[2]}]}}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body.get(self.path, {})).encode())
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # it is asked of an object that has no event for it
            await asyncio.sleep(0.01)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "merged"
    made.mkdir()
    (made / "config.json").write_text("{}")
    (made / "model.safetensors").write_bytes(b"weights")
    (made / "chat_template.jinja").write_bytes(b"template")
    return made


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def test_a_vllm_of_our_own_is_started_described_and_stopped(
    folder: Path, tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    settings = Settings(home=tmp_path / "var", model=str(folder))
    own = OwnModel(settings)
    own.command = [sys.executable, "-ISc", SERVER, str(own.port), str(folder)]
    engines = Engines(settings, own, session)
    watch = asyncio.create_task(engines.pool.watch())
    assert engines.pool.waiting_for == "vLLM is about to start"
    await engines.start()
    await until(lambda: engines.pool.waiting_for is None)
    facts = engines.pool.facts
    assert (facts.base_model, facts.logprobs_mode) == ("merged", "processed_logprobs")
    assert (facts.base_digest, facts.chat_template_digest) == (sha(b"weights"), sha(b"template"))
    assert engines.name(engines.pool.pick().url) == "own"
    await engines.stop()
    await until(lambda: engines.pool.waiting_for is not None)
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    assert not (tmp_path / "var" / "engine.json").exists()


async def test_the_embedded_model_is_obtained_before_vllm_starts(
    folder: Path, tmp_path: Path, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / "var")
    engines = Engines(settings, OwnModel(settings), session)
    obtained = asyncio.Event()

    async def obtain(home: Path, tell: Callable[[str], None]) -> Path:
        tell("the embedded model is being fetched")
        assert home == settings.home
        await obtained.wait()
        raise embedded.ModelUnavailable("no network")

    monkeypatch.setattr(assembly.embedded, "obtain", obtain)
    starting = asyncio.create_task(engines.start())
    await until(lambda: engines.pool.waiting_for == "the embedded model is being fetched")
    obtained.set()
    with pytest.raises(embedded.ModelUnavailable):
        await starting
    await engines.stop()


async def test_upstreams_are_neither_started_nor_stopped(
    vllm: FakeVllm, tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """Their names are their URLs, each is made ready before it is used, and what is not known of them is left empty."""
    engines = Engines(Settings(home=tmp_path, upstreams=(vllm.url,)), None, session)
    prepared: list[EngineClient] = []

    async def prepare(client: EngineClient) -> None:
        prepared.append(client)

    engines.pool.prepare = prepare
    await engines.start()
    watch = asyncio.create_task(engines.pool.watch())
    await until(lambda: engines.pool.waiting_for is None)
    await engines.stop()
    assert engines.pool.waiting_for is None
    assert [client.url for client in prepared] == [vllm.url]
    assert engines.name(vllm.url) == vllm.url
    assert (engines.pool.facts.logprobs_mode, engines.pool.facts.base_digest) == ("", "")
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)


async def test_weights_that_cannot_be_read_cost_the_digest_only(
    folder: Path, tmp_path: Path, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / "var", model=str(folder))
    engines = Engines(settings, OwnModel(settings), session)
    monkeypatch.setattr(assembly, "base_digest", lambda *_: (_ for _ in ()).throw(PermissionError("no")))
    assert await engines._read_files(str(folder)) == {}


def test_with_a_revision_the_hubs_main_files_are_not_taken_for_it(folder: Path, tmp_path: Path) -> None:
    plain = Settings(home=tmp_path, model=str(folder))
    assert OwnModel(plain).files == str(folder)
    assert OwnModel(plain.model_copy(update={"vllm_args": ("--revision=v1",)})).files == ""
