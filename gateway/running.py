"""One gateway process from its settings to its end: what is opened, in which order, and closed again."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import math
import signal
import socket
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn
import uvloop

from gateway import banner
from gateway.access import KeyFileUnusable, keep_key, open_access
from gateway.adapters.aligned import BUILT_IN
from gateway.adapters.control import Control
from gateway.adapters.registry import BASE, DEFAULT, Registry
from gateway.app import make_app
from gateway.engine.assembly import Engines, OwnModel
from gateway.engine.checkpoint import ModelError
from gateway.engine.client import open_session
from gateway.engine.command import ArgumentsRefused, ArgumentTaken, EngineMissing
from gateway.engine.embedded import ModelUnavailable
from gateway.engine.limits import Limits
from gateway.exchange import Exchange
from gateway.guarding import Guarding
from gateway.hand_over import HandOver
from gateway.home import Home, HomeUnusable
from gateway.ids import Minter
from gateway.logs import configure
from gateway.metrics import Metrics
from gateway.no_http import Protocol
from gateway.permits import open_key
from gateway.reload import Reload, Terminal
from gateway.routes.chat import Chat
from gateway.store.archive import Archive
from gateway.store.database import Store
from gateway.store.drain import Drain
from gateway.store.errors import StoreError, StoreGone
from gateway.store.records import By
from gateway.store.retention import Retention
from gateway.store.spool import Spool, SpoolFailed
from guardrails.commands.rules import RuleError
from guardrails.permits.interface import PermitError
from guardrails.policy import PolicyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.engine.pool import EnginePool
    from gateway.settings import Settings
    from guardrails.permits.keys import SigningKey

BACKLOG = 2048
CANCELLED = 5.0  # seconds that requests cut off by the drain's limit get to leave their records
EMPTIED = 5.0  # seconds the spool gets to reach the store at the end; what is left is moved at the next start
MISUSE = (
    *(HomeUnusable, KeyFileUnusable, PermitError, PolicyError, RuleError),
    *(ModelError, EngineMissing, ArgumentTaken, ArgumentsRefused),
)
MISSING = (StoreGone, SpoolFailed, ModelUnavailable)
log = structlog.get_logger("wardgate.serve")


class Refused(Exception):
    """The gateway does not run; `status` is the exit status: 1 for what is missing, 2 for what was asked wrongly."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Opened:
    """What a gateway holds while it runs."""

    settings: Settings
    home: Home
    listener: socket.socket
    url: str
    key: str
    key_is_new: bool
    permit_key: SigningKey | None
    guarding: Guarding
    own: OwnModel | None
    store: Store
    spool: Spool
    registry: Registry
    metrics: Metrics


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; returns after an orderly stop. SIGHUP has the policy and its rules read again.

    Raises:
        Refused: It could not start, or what it waited for cannot be had.
    """
    configure(settings.log_level, settings.log_format, sys.stderr)
    for chatty in ("alembic", "uvicorn"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        with open_all(settings) as opened:
            # Rules and modules live as long as the process: looking through them again and again stops everybody for
            # 60 ms at a time.
            gc.collect()
            gc.freeze()
            uvloop.run(_serve(opened))
    except MISSING as error:
        raise Refused(str(error), 1) from error
    except (*MISUSE, StoreError) as error:
        raise Refused(str(error), 2) from error


@contextlib.contextmanager
def open_all(settings: Settings) -> Iterator[Opened]:
    """Everything that can be wrong is found here, before anything is started; what is cheap to find comes first."""
    guarding = Guarding.load(settings.policy)
    own = None if settings.upstreams else OwnModel(settings)
    with contextlib.ExitStack() as stack:
        home = Home.take(settings.home)
        stack.callback(home.release)
        listener = stack.enter_context(listen(settings.host, settings.port))
        key, key_is_new = keep_key(home.key_file)
        permit_key = open_key(settings.permit_key, home.path)
        store = stack.enter_context(contextlib.closing(Store(settings.store_url)))
        spool = stack.enter_context(contextlib.closing(Spool.open(settings.home)))
        metrics = Metrics()
        registry = read_names(store, metrics, own, base_only=settings.base)
        yield Opened(
            settings=settings,
            home=home,
            listener=listener,
            url=url_of(settings.host, listener),
            key=key,
            key_is_new=key_is_new,
            permit_key=permit_key,
            guarding=guarding,
            own=own,
            store=store,
            spool=spool,
            registry=registry,
            metrics=metrics,
        )


def listen(host: str, port: int) -> socket.socket:
    """The socket that the gateway is reached at.

    Raises:
        Refused: The port is taken, or the address is not one of this machine's.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Refused(
                f"Port {port} of {host} is taken by another program. Stop it, or choose another with --port; "
                "0 takes a free one.",
                2,
            ) from error
        raise Refused(
            f"Cannot listen on {host}, port {port}: {error}. Choose others with --host and --port.", 2
        ) from error


def url_of(host: str, listener: socket.socket) -> str:
    """Where this machine reaches the gateway; an address that means all of them is reached on loopback."""
    port = listener.getsockname()[1]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def read_names(store: Store, metrics: Metrics, own: OwnModel | None, *, base_only: bool) -> Registry:
    """What models there are, by the store; the alias `default` exists from the first start."""
    store.aliases.make(DEFAULT, BASE, By("wardgate", "the first start"))
    registry = Registry(base_only=base_only)
    if own is not None:
        merged = own.checkpoint.merged
        registry.set_base(own.checkpoint.name, merged=merged.adapter if merged else "")
    registry.replace(store.aliases.all(), store.adapters.all())
    for alias, adapter in registry.answering().items():
        metrics.adapter_info(alias, adapter)
    return registry


class _Server(uvicorn.Server):
    """Tells when it listens, and leaves the signals to us: uvicorn would raise them again after its end."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._tell()

    def stop(self) -> None:
        """Take no more requests and end when those in flight have; asked twice, cut them off."""
        if self.should_exit:
            for task in self.server_state.tasks:
                task.cancel()
        self.should_exit = True


async def _serve(opened: Opened) -> None:
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session())
        engines = Engines(opened.settings, opened.own, session)
        pool = engines.pool
        control = _control(opened, pool)
        pool.prepare = control.prepare
        drain = Drain(opened.spool, opened.store)
        stack.push_async_callback(_empty, drain)
        stack.push_async_callback(engines.stop)
        for replica in pool.replicas:
            opened.metrics.vllm_up(engines.name(replica.client.url), False)
        pool.on_change.append(partial(_changed, opened, engines, [False]))
        reload = Reload(opened.guarding, opened.metrics)
        app = _app(opened, engines, drain, control, reload)
        server = _Server(_config(opened, app), partial(_started, opened, engines))
        loop = asyncio.get_running_loop()
        heard = {signal.SIGTERM: server.stop, signal.SIGINT: server.stop, signal.SIGHUP: _hang_up(server, reload)}
        for number, handler in heard.items():
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves SIGHUP
                loop.add_signal_handler(number, handler)
        starting = asyncio.create_task(_start(engines))
        starting.add_done_callback(lambda done: server.stop() if not done.cancelled() and done.exception() else None)
        stack.push_async_callback(_given_up, starting)
        await server.serve(sockets=[opened.listener])
        if server.server_state.tasks:
            await asyncio.wait(server.server_state.tasks, timeout=CANCELLED)


def _hang_up(server: _Server, reload: Reload) -> Callable[[], None]:
    """What SIGHUP means: the terminal was closed, which ends the gateway, or somebody wants the files read again."""
    terminal = Terminal()
    return lambda: server.stop() if terminal.closed() else reload.ask()


def _control(opened: Opened, pool: EnginePool) -> Control:
    settings = opened.settings
    limits = opened.own.limits if opened.own is not None else Limits(enabled=not settings.base)
    aligned = None if settings.aligned == "none" or settings.base else Path(settings.aligned).expanduser()
    return Control(
        home=settings.home,
        store=opened.store,
        registry=opened.registry,
        pool=pool,
        metrics=opened.metrics,
        limits=limits,
        aligned=BUILT_IN if settings.aligned == "builtin" and aligned else aligned,
    )


def _app(opened: Opened, engines: Engines, drain: Drain, control: Control, reload: Reload) -> Any:
    settings, store, spool = opened.settings, opened.store, opened.spool
    access = open_access(settings, opened.key)
    minter = Minter(*store.keys.load())
    background = {"watch": engines.pool.watch, "drain": drain.run, "names": control.watch, "policy": reload.run}
    if settings.retention_days is not None:
        background["retention"] = Retention(store.database, spool, settings.retention_days).run
    exchange = Exchange(
        access=access,
        guarding=opened.guarding,
        registry=opened.registry,
        pool=engines.pool,
        spool=spool,
        minter=minter,
        metrics=opened.metrics,
        hand_over=HandOver(minter),
        engine_timeout=settings.engine_timeout,
        permit_key=opened.permit_key,
    )
    return make_app(
        access=access,
        guarding=opened.guarding,
        registry=opened.registry,
        control=control,
        pool=engines.pool,
        spool=spool,
        archive=Archive(pending=spool.pending, store=store),
        minter=minter,
        metrics=opened.metrics,
        chat=Chat(exchange, opened.guarding),
        metrics_open=settings.metrics_open,
        permit_key=opened.permit_key,
        background=background,
    )


def _config(opened: Opened, app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=math.ceil(opened.settings.drain_seconds),
    )


def _started(opened: Opened, engines: Engines) -> None:
    if opened.key_is_new:
        _say(banner.new_key(opened.key, opened.home.key_file))
    opened.home.announce(opened.url)
    _say(banner.first_line(opened.url, engines.pool.waiting_for))


def _changed(opened: Opened, engines: Engines, said: list[bool], url: str, up: bool) -> None:
    opened.metrics.vllm_up(engines.name(url), up)
    if not up:
        return
    if not said[0]:
        said[0] = True
        _say(banner.ready(opened.url, engines.pool.facts.base_model, opened.home.key_file))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def _start(engines: Engines) -> None:
    await engines.start()
    await engines.refused()


async def _given_up(starting: asyncio.Task[None]) -> None:
    """End a start that is still under way; what made it fail is raised."""
    starting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await starting


async def _empty(drain: Drain) -> None:
    try:
        await asyncio.to_thread(drain.empty, EMPTIED)
    except (StoreGone, SpoolFailed) as error:
        log.warning("events stay in the spool until the next start", reason=str(error))
