"""The real application, in this process or on a loopback port, with everything real behind it but vLLM."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
import uvicorn
from openai import AsyncOpenAI

from gateway.access import open_access
from gateway.adapters.control import Control
from gateway.adapters.registry import Registry
from gateway.app import make_app
from gateway.engine.client import EngineClient, open_session
from gateway.engine.limits import Limits
from gateway.engine.pool import EnginePool
from gateway.exchange import Exchange
from gateway.guarding import Guarding
from gateway.hand_over import HandOver
from gateway.ids import Minter
from gateway.metrics import Metrics
from gateway.no_http import Protocol
from gateway.routes.chat import Chat
from gateway.settings import KeySettings, Settings
from gateway.store.archive import Archive
from gateway.store.database import Store
from gateway.store.drain import Drain
from gateway.store.records import Adapter, AdapterState, Alias, By
from gateway.store.spool import Spool
from guardrails.guard import Guard
from guardrails.policy import Policy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

KEY = "wg-test"
METRICS_KEY = "wg-metrics"
BASE = "org/base-model"
LIMIT = 4096
LIMITS = Limits(rank=16, slots=2, modules=frozenset(("q_proj", "v_proj")))


@dataclass
class House:
    """A running gateway and what stands behind it; a stranger has no key."""

    http: httpx.AsyncClient
    stranger: httpx.AsyncClient
    openai: AsyncOpenAI
    minter: Minter
    spool: Spool
    store: Store
    drain: Drain
    metrics: Metrics
    registry: Registry


async def echo(_scope: Any, receive: Any, send: Any) -> None:
    """Stands where the chat route stands: answers with the length of the body it was sent."""
    body = (await receive())["body"]
    if body == b"crash":
        raise RuntimeError("a bug")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    if body == b"crash late":
        raise RuntimeError("a bug")
    await send({"type": "http.response.body", "body": orjson.dumps({"length": len(body)})})


@contextlib.asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """`app` under uvicorn on a free loopback port, its lifespan run; yields the URL."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="on", loop="none", http=Protocol)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells by this flag only
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


def known_models(store: Store) -> Registry:
    """The store knows `default` too: `control.watch` reads the names from it again."""
    store.aliases.make("default", "base", By("test"))
    registry = Registry(BASE)
    registry.replace(
        [Alias("default", "base", 1_700_000_000_000_000), Alias("aiops", "ops@1", 1_700_000_001_000_000)],
        [Adapter("ops", "1", "/nowhere", "d", "b", 8, 1_600_000_000_000_000, AdapterState.LOADED)],
    )
    return registry


@contextlib.asynccontextmanager
async def house(
    home: Path, *, served: bool = False, engine: str = "", policy: Policy | None = None, **options: Any
) -> AsyncIterator[House]:
    """A house on a port where `served`, before the vLLM at `engine` if one is named; `options` go to `make_app`."""
    scraper = KeySettings(name="scraper", sha256=hashlib.sha256(METRICS_KEY.encode()).hexdigest(), scopes=("metrics",))
    spool, session, store = Spool.open(home), open_session(), Store(f"sqlite:///{home}/store.sqlite3")
    registry, minter, metrics = known_models(store), Minter({1: b"k" * 32}, 1), Metrics()
    access = open_access(Settings(home=home, keys=(scraper,)), KEY)
    guarding = options.pop("guarding", None) or Guarding(Guard(policy or Policy(max_body_bytes=LIMIT)))
    pool = EnginePool([EngineClient(engine or "http://127.0.0.1:1", session)])
    control = Control(home=home, store=store, registry=registry, pool=pool, metrics=metrics, limits=LIMITS)
    if engine:
        pool.prepare = control.prepare
        exchange = Exchange(
            access=access,
            guarding=guarding,
            registry=registry,
            pool=pool,
            spool=spool,
            minter=minter,
            metrics=metrics,
            hand_over=HandOver(minter),
            engine_timeout=options.pop("engine_timeout", 5.0),
            permit_key=options.get("permit_key"),
        )
        options |= {
            "chat": Chat(exchange, guarding),
            "background": {"pool": pool.watch, "names": control.watch},
        }
    app = make_app(
        access=access,
        guarding=guarding,
        registry=registry,
        control=control,
        pool=pool,
        spool=spool,
        archive=Archive(pending=spool.pending, store=store),
        minter=minter,
        metrics=metrics,
        chat=options.pop("chat", echo),
        **options,
    )
    try:
        async with contextlib.AsyncExitStack() as stack:
            transport: httpx.AsyncBaseTransport = httpx.ASGITransport(app, raise_app_exceptions=False)
            url = "http://house"
            if served:
                url = await stack.enter_async_context(serving(app))
                transport = await stack.enter_async_context(httpx.AsyncHTTPTransport(verify=False))

            def client(**headers: str) -> httpx.AsyncClient:
                return httpx.AsyncClient(base_url=url, transport=transport, headers=headers)

            openai = AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0, http_client=client())
            http = client(**{"x-api-key": KEY})
            yield House(http, client(), openai, minter, spool, store, Drain(spool, store), metrics, registry)
    finally:
        await session.close()
        await asyncio.to_thread(spool.close)
        store.close()


@pytest.fixture
def open_house(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[House]]:
    """Opens a house with options of its own."""
    return lambda **options: house(tmp_path, **options)


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[House]:
    """A house as it comes, called without a socket."""
    async with house(tmp_path) as opened:
        yield opened


@pytest.fixture
async def open_port(tmp_path: Path) -> AsyncIterator[House]:
    """A house on a loopback port, behind a real server."""
    async with house(tmp_path, served=True) as opened:
        yield opened
