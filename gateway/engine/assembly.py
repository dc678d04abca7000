"""From the settings to running vLLMs: those at the given URLs, or one of our own with the model it is to serve."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
import structlog

from gateway.engine import embedded
from gateway.engine.checkpoint import (
    Checkpoint,
    DigestCache,
    ModelError,
    base_digest,
    chat_template_digest,
    find_checkpoint,
    locate,
    read_merged,
)
from gateway.engine.client import EngineClient
from gateway.engine.command import (
    LOGPROBS_MODE,
    ArgumentsRefused,
    build_command,
    build_environment,
    free_port,
    has_cuda_build,
)
from gateway.engine.limits import read_limits
from gateway.engine.local import LocalEngine
from gateway.engine.pool import EnginePool

if TYPE_CHECKING:
    import aiohttp

    from gateway.engine.client import Model
    from gateway.engine.pool import EngineFacts
    from gateway.settings import Settings

OWN = "own"  # the name of the vLLM that the gateway starts; its port changes from start to start
LOOPBACK = ("127.0.0.1", "localhost", "::1")
log = structlog.get_logger("wardgate.engine")


class OwnModel:
    """The model of our own vLLM, found good before anything is started.

    Raises:
        ModelError: `--model` names nothing that can be served.
        EngineMissing: No vLLM is installed here.
        ArgumentTaken: A `--vllm-arg` would break what the gateway relies on.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.model == embedded.NAME:
            folder = settings.home / "models" / embedded.NAME
            self.checkpoint = Checkpoint(str(folder), embedded.NAME, local=True)
        else:
            self.checkpoint = find_checkpoint(settings.model)
        # With another revision the hub's cache holds several, and the main one would be the wrong one to name.
        self.files = "" if any(word.startswith("--revision") for word in settings.vllm_args) else self.checkpoint.model
        self.cuda = has_cuda_build()
        self.port = free_port()
        self.command = build_command(
            self.checkpoint,
            self.port,
            settings.vllm_args,
            cuda=self.cuda,
            adapters=not (settings.base or self.checkpoint.merged),
        )
        self.limits = read_limits(self.command)


class Engines:
    """The pool, and where it is ours the vLLM in it.

    Args:
        settings: Where the upstreams are, and the home.
        own: What our own vLLM is to serve; None where upstreams are given.
        session: For all clients.

    Attributes:
        pool: To be watched by the caller.
    """

    def __init__(self, settings: Settings, own: OwnModel | None, session: aiohttp.ClientSession) -> None:
        self._home = settings.home
        self._own = own
        self._upstream_mode = settings.upstream_logprobs_mode
        self._local: LocalEngine | None = None
        self._phase = "vLLM is about to start"
        self._digests = DigestCache(self._home / "models" / ".digests.json")
        self._reading: asyncio.Task[dict[str, str]] | None = None
        key = "" if own is not None else settings.upstream_key.get_secret_value()
        urls = settings.upstreams if own is None else (f"http://127.0.0.1:{own.port}",)
        self.pool = EnginePool(
            [EngineClient(url, session, key) for url in urls],
            describe=self._describe,
            phase=None if own is None else self._say_phase,
        )
        self.pool.on_change.append(self._changed)

    async def start(self) -> None:
        """Get the model where it is ours to get, and begin to keep vLLM running; returns once it is being started.

        Raises:
            ModelUnavailable: The embedded model could not be made.
        """
        own = self._own
        if own is None:
            return
        if own.checkpoint.name == embedded.NAME:
            await embedded.obtain(self._home, self._tell)
        environment = build_environment(own.checkpoint, self._home, os.environ, cuda=own.cuda)
        self._local = LocalEngine(own.command, environment, self._home, on_end=self.pool.mark_down)
        await self._local.start()
        # Large weights take minutes to read: beside vLLM's start, not after it.
        self._reading = asyncio.create_task(self._read_files(own.files))

    async def refused(self) -> None:
        """Wait for what only a change of the command line mends; returns at once where the vLLM is not ours.

        Raises:
            ArgumentsRefused: Our vLLM's first life ended at its arguments.
        """
        if self._local is not None:
            await self._local.refused.wait()
            raise ArgumentsRefused(f"{self._local.phase}. Look at --vllm-arg; the log is in {self._home / 'logs'}.")

    async def stop(self) -> None:
        """End our own vLLM; those at URLs are not ours to end."""
        self._digests.stop()
        if self._local is not None:
            await self._local.stop()
        if self._reading is not None:
            await self._reading

    def name(self, url: str) -> str:
        """What a replica is called in metrics."""
        return url if self._own is None else OWN

    def _tell(self, phase: str) -> None:
        self._phase = phase
        log.info(phase)

    def _say_phase(self) -> str | None:
        return self._phase if self._local is None else self._local.phase

    def _changed(self, _url: str, up: bool) -> None:
        if up and self._local is not None:
            self._local.well()

    async def _describe(self, url: str, facts: EngineFacts, base: Model) -> EngineFacts:
        if self._reading is not None:
            await self._reading
        if self._own is not None:
            read = await self._read_files(self._own.files)
            mode = LOGPROBS_MODE
        else:
            # A path on another machine may be another file here.
            near = urlsplit(url).hostname in LOOPBACK
            read = await self._read_files(base.root or "") if near else {}
            mode = self._upstream_mode
        return msgspec.structs.replace(facts, logprobs_mode=mode, **read)

    async def _read_files(self, model: str) -> dict[str, str]:
        return await asyncio.to_thread(self._files_of, model)

    def _files_of(self, model: str) -> dict[str, str]:
        """The facts that lie beside the weights; none where they cannot be seen from here."""
        folder = locate(model)
        if folder is None:
            return {}
        try:
            merged = read_merged(folder)
            return {
                "base_digest": base_digest(folder, self._digests),
                "chat_template_digest": chat_template_digest(folder),
                "folder": str(folder),
                "merged": "" if merged is None else merged.adapter,
            }
        except (OSError, ModelError) as error:
            log.warning("records go without the base model's digest", reason=str(error))
            return {}
