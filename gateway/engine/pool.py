"""The vLLM servers behind one gateway: who is well, who is least loaded, and what they serve."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import msgspec
import structlog

from gateway.engine.client import EngineClient, EngineGone, EngineRefused, EngineSlow
from gateway.errors import RETRY_AFTER, EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gateway.engine.client import Model

POLL = 0.5  # seconds between two probes of one replica; with the probe's own limit of 1 s a death shows in 1.5
SLOW = 15.0  # seconds without an answer, while connections are taken, after which a replica counts as hung
log = structlog.get_logger("wardgate.pool")


class EngineFacts(msgspec.Struct, frozen=True):
    """What shapes every answer, read once after each (re)start of vLLM.

    Attributes:
        base_model: Public id of the base model.
        vllm_version: As vLLM says.
        logprobs_mode: Which log-probabilities vLLM reports; empty where nobody said.
        max_model_len: Tokens of context; 0 where vLLM does not say.
        base_digest: SHA-256 of the weights, hex; empty where the files cannot be seen from here.
        chat_template_digest: SHA-256 of the chat template, hex; empty likewise.
        folder: Where the weights lie; empty likewise.
        merged: The adapter that was merged into the weights, `name@version`; empty where none was.
    """

    base_model: str = ""
    vllm_version: str = ""
    logprobs_mode: str = ""
    max_model_len: int = 0
    base_digest: str = ""
    chat_template_digest: str = ""
    folder: str = ""
    merged: str = ""


class Replica:
    """One client and what is known of it."""

    __slots__ = ("client", "facts", "reason", "seen", "up", "wake")

    def __init__(self, client: EngineClient) -> None:
        self.client = client
        self.facts = EngineFacts()
        self.up = False
        self.reason = f"vLLM at {client.url} has not been asked yet"
        self.seen = time.monotonic()
        self.wake = asyncio.Event()


class EnginePool:
    """Least-loaded choice among replicas that are well.

    Args:
        clients: One for each vLLM server; at least one.
        describe: Completes the facts of the replica at a URL with what HTTP does not tell (digests, logprobs mode).
        prepare: Awaited for a replica that answers again, before it gets any request: adapters are loaded here.
        phase: What a supervised vLLM is doing, in words; None while it should be reachable.

    Attributes:
        facts: Of the replica that came up last; kept while all are down.
        on_change: Called with (replica URL, up) at each change, inside the event loop.
        prepare: As given; also for a replica that has lost an adapter.
    """

    def __init__(
        self,
        clients: Sequence[EngineClient],
        *,
        describe: Callable[[str, EngineFacts, Model], Awaitable[EngineFacts]] | None = None,
        prepare: Callable[[EngineClient], Awaitable[None]] | None = None,
        phase: Callable[[], str | None] | None = None,
    ) -> None:
        self.replicas = tuple(Replica(client) for client in clients)
        self.facts = EngineFacts()
        self.on_change: list[Callable[[str, bool], None]] = []
        self._describe = describe
        self.prepare = prepare
        self._phase = phase
        self._by_client = {replica.client: replica for replica in self.replicas}
        self._only = self.replicas[0] if len(self.replicas) == 1 else None
        for client in clients:
            client.on_gone = self._gone

    def pick(self) -> EngineClient:
        """The least loaded client.

        Raises:
            EngineUnavailable: None is up; carries Retry-After.
        """
        if (only := self._only) is not None and only.up:
            return only.client
        best: EngineClient | None = None
        for replica in self.replicas:
            if replica.up and (best is None or replica.client.in_flight < best.in_flight):
                best = replica.client
        if best is None:
            raise EngineUnavailable(
                f"No model server is ready: {self.waiting_for}. Try again shortly.",
                code="engine_unavailable",
                headers=RETRY_AFTER,
            )
        return best

    @property
    def clients(self) -> tuple[EngineClient, ...]:
        """Those that are up."""
        return tuple(replica.client for replica in self.replicas if replica.up)

    @property
    def waiting_for(self) -> str | None:
        """What keeps the pool from answering, in words; None when a replica is up."""
        if any(replica.up for replica in self.replicas):
            return None
        if self._phase is not None and (phase := self._phase()) is not None:
            return phase
        return "; ".join(replica.reason for replica in self.replicas)

    def mark_down(self, reason: str) -> None:
        """Every replica is gone, said by who knows at once (the supervisor saw its child end)."""
        for replica in self.replicas:
            self._down(replica, reason)

    async def watch(self) -> None:
        """Probe each replica until cancelled."""
        async with asyncio.TaskGroup() as group:
            for replica in self.replicas:
                group.create_task(self._watch(replica))

    async def _watch(self, replica: Replica) -> None:
        while True:
            await self._probe(replica)
            replica.wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL):  # wait_for loses a cancellation that meets the event (Python 3.11)
                    await replica.wake.wait()

    async def _probe(self, replica: Replica) -> None:
        try:
            await replica.client.health()
            replica.seen = time.monotonic()
            if not replica.up:
                await self._greet(replica)
        except EngineSlow as slow:
            if time.monotonic() - replica.seen > SLOW:
                self._down(replica, slow.message)
        except EngineGone as gone:
            self._down(replica, gone.message)
        except EngineRefused as refused:
            self._down(replica, refused.message)
        except msgspec.DecodeError as error:
            self._down(replica, f"what answers at {replica.client.url} is no vLLM: {error}")

    async def _greet(self, replica: Replica) -> None:
        """Read the facts of a replica that answers again, make it ready, and let it take requests."""
        client = replica.client
        base = next((model for model in await client.models() if model.parent is None), None)
        if base is None:
            self._down(replica, f"vLLM at {client.url} serves no base model")
            return
        others = {other.facts.base_model for other in self.replicas if other is not replica and other.up}
        if others and base.id not in others:
            self._down(replica, f"vLLM at {client.url} serves {base.id!r}, the others {others.pop()!r}")
            return
        facts = EngineFacts(
            base_model=base.id, vllm_version=await client.version(), max_model_len=base.max_model_len or 0
        )
        if self._describe is not None:
            facts = await self._describe(client.url, facts, base)
        replica.facts = self.facts = facts
        if self.prepare is not None:
            await self.prepare(client)
        replica.up = True
        log.info("vLLM is up", replica=client.url, model=facts.base_model, version=facts.vllm_version)
        for hook in self.on_change:
            hook(client.url, True)

    def _gone(self, client: EngineClient, refused: bool) -> None:
        replica = self._by_client[client]
        if refused:
            self._down(replica, f"vLLM at {client.url} refuses connections")
        replica.wake.set()  # one broken connection is no proof; the probe that starts now tells within milliseconds

    def _down(self, replica: Replica, reason: str) -> None:
        replica.reason = reason.removesuffix(".")
        if not replica.up:
            return
        replica.up = False
        log.warning("vLLM is down", replica=replica.client.url, reason=reason)
        for hook in self.on_change:
            hook(replica.client.url, False)
