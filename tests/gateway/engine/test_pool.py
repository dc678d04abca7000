from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest

from gateway.engine import pool as pool_module
from gateway.engine.client import EngineClient, EngineGone
from gateway.engine.pool import EngineFacts, EnginePool
from gateway.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import aiohttp
    from conftest import FakeVllm

    from gateway.engine.client import Model


@asynccontextmanager
async def watched(pool: EnginePool) -> AsyncIterator[EnginePool]:
    task = asyncio.create_task(pool.watch())
    try:
        yield pool
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool], limit: float = 3.0) -> float:
    """Seconds until `condition()` held."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < limit
        await asyncio.sleep(0.005)
    return time.monotonic() - began


async def test_before_the_first_answer_requests_are_refused_with_retry_after(client: EngineClient) -> None:
    pool = EnginePool([client])
    with pytest.raises(EngineUnavailable) as caught:
        pool.pick()
    assert caught.value.headers == (("retry-after", "2"),)
    assert "has not been asked yet" in caught.value.message


async def test_facts_are_read_when_a_replica_comes_up(client: EngineClient, vllm: FakeVllm) -> None:
    changes: list[tuple[str, bool]] = []
    pool = EnginePool([client])
    pool.on_change.append(lambda url, up: changes.append((url, up)))
    async with watched(pool):
        await until(lambda: pool.waiting_for is None)
    assert pool.pick() is client
    assert pool.clients == (client,)
    assert (pool.facts.base_model, pool.facts.vllm_version, pool.facts.max_model_len) == ("tiny-llama", "0.32.0", 2048)
    assert changes == [(vllm.url, True)]


async def test_facts_are_completed_by_who_knows_more(client: EngineClient) -> None:
    async def describe(_url: str, facts: EngineFacts, base: Model) -> EngineFacts:
        return msgspec.structs.replace(facts, base_digest=base.root)

    async with watched(EnginePool([client], describe=describe)) as pool:
        await until(lambda: pool.waiting_for is None)
    assert pool.facts.base_digest == "/models/tiny"


async def test_a_death_is_noticed_within_two_seconds_and_a_return_too(client: EngineClient, vllm: FakeVllm) -> None:
    async with watched(EnginePool([client])) as pool:
        await until(lambda: pool.waiting_for is None)
        await vllm.stop()
        assert await until(lambda: pool.waiting_for is not None) < 2
        assert "is not there" in pool.waiting_for
        await vllm.start()
        assert await until(lambda: pool.waiting_for is None) < 2


async def test_a_dead_engine_behind_a_living_server_is_noticed(client: EngineClient, vllm: FakeVllm) -> None:
    """The API server answers 503 on /health when its engine has died."""
    async with watched(EnginePool([client])) as pool:
        await until(lambda: pool.waiting_for is None)
        vllm.well = False
        assert await until(lambda: pool.waiting_for is not None) < 2


async def test_a_refused_connection_marks_the_replica_at_once(
    client: EngineClient, vllm: FakeVllm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first exchange may meet an old connection being closed, the second meets nobody; neither waits for a turn."""
    monkeypatch.setattr(pool_module, "POLL", 60)
    async with watched(EnginePool([client])) as pool:
        await until(lambda: pool.waiting_for is None)
        await vllm.stop()
        for _ in range(2):
            with pytest.raises(EngineGone):
                await client.chat(b"{}", "chatcmpl-a")
        assert pool.waiting_for is not None


async def test_one_broken_connection_asks_for_a_probe_at_once(
    client: EngineClient, vllm: FakeVllm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single reset does not stop a healthy replica, and a dying one is found without waiting for the next turn."""
    monkeypatch.setattr(pool_module, "POLL", 60)
    async with watched(EnginePool([client])) as pool:
        await until(lambda: pool.waiting_for is None)
        client.gone(ConnectionResetError())
        await asyncio.sleep(0.1)
        assert pool.waiting_for is None
        vllm.well = False
        client.gone(ConnectionResetError())
        assert await until(lambda: pool.waiting_for is not None) < 0.5


@pytest.mark.usefixtures("impatient")
async def test_a_busy_replica_is_not_dead_until_it_has_hung_long(
    client: EngineClient, vllm: FakeVllm, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watched(EnginePool([client])) as pool:
        await until(lambda: pool.waiting_for is None)
        vllm.answers_health_after = 30
        await asyncio.sleep(0.8)
        assert pool.waiting_for is None
        monkeypatch.setattr(pool_module, "SLOW", 0.1)
        await until(lambda: pool.waiting_for is not None)


async def test_who_knows_of_a_death_may_say_so(client: EngineClient) -> None:
    async with watched(EnginePool([client])) as pool:
        await until(lambda: pool.waiting_for is None)
        pool.mark_down("its process ended")
        assert "its process ended" in pool.waiting_for


async def test_the_phase_of_a_supervised_engine_is_what_is_waited_for(client: EngineClient, vllm: FakeVllm) -> None:
    phase = ["vLLM is starting"]
    await vllm.stop()
    async with watched(EnginePool([client], phase=lambda: phase[0])) as pool:
        assert pool.waiting_for == "vLLM is starting"
        phase[0] = None
        await until(lambda: "is not there" in pool.waiting_for)


async def test_a_replica_is_prepared_before_it_gets_requests(client: EngineClient, vllm: FakeVllm) -> None:
    """What prepares it sees it answering and not yet picked; a failure there keeps it down until it works."""
    attempts: list[bool] = []

    async def prepare(prepared: EngineClient) -> None:
        attempts.append(pool.waiting_for is None)
        if len(attempts) == 1:
            raise EngineGone("it went away while loading")

    pool = EnginePool([client], prepare=prepare)
    async with watched(pool):
        await until(lambda: pool.waiting_for is None)
    assert attempts == [False, False]


async def test_picks_the_least_loaded_of_those_that_are_up(
    session: aiohttp.ClientSession, make_vllm: type[FakeVllm]
) -> None:
    servers = [make_vllm() for _ in range(3)]
    for server in servers:
        await server.start()
    clients = [EngineClient(server.url, session) for server in servers]
    try:
        async with watched(EnginePool(clients)) as pool:
            await until(lambda: len(pool.clients) == 3)
            clients[0].in_flight, clients[1].in_flight, clients[2].in_flight = 3, 1, 2
            assert pool.pick() is clients[1]
            await servers[1].stop()
            await until(lambda: len(pool.clients) == 2)
            assert pool.pick() is clients[2]
            assert pool.waiting_for is None
    finally:
        for server in servers:
            await server.stop()


async def test_a_replica_with_another_base_model_stays_out(
    client: EngineClient, session: aiohttp.ClientSession, make_vllm: type[FakeVllm]
) -> None:
    """Answers under one name must not come from two models."""
    odd = make_vllm()
    await odd.start()
    odd.base = "other-llama"
    other = EngineClient(odd.url, session)
    odd.answers_health_after = 0.1
    try:
        async with watched(EnginePool([client, other])) as pool:
            await until(lambda: "tiny-llama" in pool.replicas[1].reason)
            assert pool.clients == (client,)
    finally:
        await odd.stop()


async def test_no_base_model_keeps_a_replica_out(client: EngineClient, vllm: FakeVllm) -> None:
    async def nothing() -> tuple[Model, ...]:
        return ()

    client.models = nothing
    async with watched(EnginePool([client])) as pool:
        await until(lambda: "no base model" in pool.waiting_for)


async def test_a_server_that_is_no_vllm_keeps_out_and_says_so(client: EngineClient, vllm: FakeVllm) -> None:
    """Something else that answers 200 on /health is named, and asked again."""

    async def version() -> str:
        return msgspec.json.decode(b"<html>", type=str)

    client.version = version
    async with watched(EnginePool([client])) as pool:
        await until(lambda: "malformed" in pool.waiting_for)
