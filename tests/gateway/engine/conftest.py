"""A fake vLLM, and a client that speaks to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest
from fake_vllm import FakeVllm

from gateway.engine import client as client_module
from gateway.engine.client import EngineClient, open_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes wait a tenth of a second instead of one."""
    monkeypatch.setattr(client_module, "PROBE", aiohttp.ClientTimeout(total=0.1))


@pytest.fixture
async def vllm() -> AsyncIterator[FakeVllm]:
    fake = FakeVllm()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as opened:
        yield opened


@pytest.fixture
def client(vllm: FakeVllm, session: aiohttp.ClientSession) -> EngineClient:
    return EngineClient(vllm.url, session)


@pytest.fixture
def make_vllm() -> type[FakeVllm]:
    return FakeVllm
