"""What an operator does with adapters and aliases, from the store to every vLLM and back into memory.

Who resolves a name while something changes gets what was there before or what is there after: first every vLLM has the
adapter, then the store says so, then the table in memory is exchanged; only then is what nobody wants unloaded.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import structlog

from gateway.adapters.aligned import give_aligned
from gateway.adapters.bases import base_of, other_base
from gateway.adapters.folder import AdapterRefused, read_shapes
from gateway.adapters.keeping import check_alias, keep_adapter, make_record, parse_id
from gateway.adapters.probe import lookalikes, read_probe, record
from gateway.adapters.reconcile import load, reconcile
from gateway.adapters.registry import BASE
from gateway.engine.client import EngineGone, EngineRefused
from gateway.errors import RETRY_AFTER, Conflict, EngineUnavailable, InvalidRequest, NotFound
from gateway.store.errors import StoreError, StoreRefused
from gateway.store.records import AdapterState, By

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.adapters.folder import Shapes
    from gateway.adapters.probe import Probe
    from gateway.adapters.registry import Registry
    from gateway.engine.client import EngineClient
    from gateway.engine.limits import Limits
    from gateway.engine.pool import EnginePool
    from gateway.metrics import Metrics
    from gateway.store.database import Store
    from gateway.store.records import Adapter, Alias, Change

LOOK = 0.5  # seconds between two looks for what another gateway changed
GRACE = 2.0  # seconds that a request which has been resolved gets to reach vLLM before its adapter is unloaded
OURS = "wardgate"  # who did it, where nobody asked for it
log = structlog.get_logger("wardgate.adapters")


class Loaded(NamedTuple):
    """What loading an adapter showed."""

    adapter: Adapter
    replicas: tuple[str, ...]
    probe: Probe
    warnings: tuple[str, ...]


class Control:
    """The registry's operations, for one gateway; others on the same store hear of them within a second."""

    def __init__(
        self,
        *,
        home: Path,
        store: Store,
        registry: Registry,
        pool: EnginePool,
        metrics: Metrics,
        limits: Limits,
        aligned: Path | None = None,
    ) -> None:
        self._home = home
        self._store = store
        self._registry = registry
        self._pool = pool
        self._metrics = metrics
        self._limits = limits
        self._aligned = aligned
        self._seen = self._tidied = -1  # numbers of changes
        self._shown = set(registry.answering())
        self._loading = asyncio.Lock()
        self._refreshing = asyncio.Lock()

    async def register(self, id: str, path: str, by: By, digest: str = "") -> Adapter:  # noqa: A002 - the records' word
        """Keep a copy of the adapter in `path`, once it was found good.

        Raises:
            InvalidRequest: It cannot be served, or is not what `digest` says; the message names what is wrong.
            Conflict: This name is taken, or it was trained on another base model.
        """
        folder = Path(path)
        if not folder.is_absolute():
            raise InvalidRequest(f"path: {path[:200]!r} is not absolute.", code="invalid_value", param="path")
        served = self._registry.served
        known = await self._get(id)
        shapes = await asyncio.to_thread(self._shapes)
        try:
            place, checked = await asyncio.to_thread(
                keep_adapter,
                self._home,
                id,
                folder,
                self._limits,
                shapes,
                expected=digest,
                registered=known is not None,
            )
        except AdapterRefused as refused:
            raise InvalidRequest(f"{refused}.", code="adapter_refused", param="path") from refused
        except OSError as error:
            raise InvalidRequest(f"path: {error}.", code="adapter_refused", param="path") from error
        based = base_of(checked.base_model, checked.base_digest, served.model, served.digest)
        made = make_record(id, place, checked, based, by.at_us)
        try:
            await asyncio.to_thread(self._store.adapters.register, made, by)
        except StoreRefused as refused:
            raise Conflict(f"{refused}.", code="adapter_exists", param="id") from refused
        await self.refresh()
        return await self._known(id)

    async def load(self, id: str, by: By) -> Loaded:  # noqa: A002 - the records' word
        """Have every vLLM load the adapter, and see that each answers with its weights.

        Raises:
            NotFound: No such adapter.
            Conflict: It cannot be loaded: its files changed, vLLM refuses it, there is no room, its base is another.
            EngineUnavailable: No vLLM is there.
        """
        clients = self._clients()
        async with self._loading:
            return await self._load(id, clients, by)

    async def promote(
        self,
        alias: str,
        id: str,  # noqa: A002 - the records' word
        by: By,
    ) -> Alias:
        """Point the alias to an adapter that every vLLM has, or to `base`.

        Raises:
            NotFound: No such adapter.
            Conflict: It is not loaded.
        """
        try:
            check_alias(alias)
        except AdapterRefused as refused:
            raise InvalidRequest(f"{refused}.", code="invalid_value", param="alias") from refused
        if alias == self._registry.served.model:
            raise InvalidRequest(f"alias: {alias!r} is the model's own name.", code="invalid_value", param="alias")
        if id != BASE:
            adapter = await self._known(id)
            self._check_base(adapter)
            for client in self._pool.clients if adapter.loaded else ():
                await self._bring(client, adapter)
        try:
            changed = await asyncio.to_thread(self._store.aliases.promote, alias, id, by)
        except StoreRefused as refused:
            raise Conflict(f"{refused}.", code="adapter_not_loaded", param="adapter") from refused
        await self.refresh()
        return changed

    async def rollback(self, alias: str, by: By) -> Alias:
        """Point the alias to what it served before, loading that first where it must be.

        Raises:
            Conflict: There is nothing to roll back to, or it cannot be loaded any more.
            EngineUnavailable: No vLLM is there.
        """
        target = await asyncio.to_thread(self._store.aliases.before, alias)
        if target not in (None, BASE):
            adapter = await self._known(str(target))
            if adapter.state is AdapterState.REGISTERED:
                await self.load(adapter.id, msgspec.structs.replace(by, why=f"to roll back {alias}"))
            elif adapter.loaded and self._registry.fits(adapter):
                for client in self._pool.clients:
                    await self._bring(client, adapter)
        try:
            changed = await asyncio.to_thread(self._store.aliases.rollback, alias, by)
        except StoreRefused as refused:
            raise Conflict(f"{refused}.", code="nothing_to_roll_back_to", param="alias") from refused
        await self.refresh()
        return changed

    async def history(self, subject: str, name: str) -> list[Change]:
        """What happened to one adapter or alias, oldest first."""
        return await asyncio.to_thread(self._store.changes.about, subject, name)

    async def prepare(self, client: EngineClient) -> None:
        """Make a vLLM that (again) answers ready for requests; for the pool.

        Raises:
            EngineGone: It went away meanwhile.
        """
        facts = self._pool.facts
        self._registry.set_base(facts.base_model, facts.base_digest, facts.merged)
        self._show()
        for adapter in self._registry.adapters():
            if adapter.loaded and not self._registry.fits(adapter):
                log.warning("an adapter of another base model stays unloaded", adapter=adapter.id)
        await reconcile(client, self._registry.wanted(), facts.vllm_version)
        if self._aligned is not None and self._limits.enabled and not facts.merged:
            given, self._aligned = self._aligned, None
            await give_aligned(self, client, given, facts.base_digest, self._registry.adapters())

    async def load_on(self, client: EngineClient, id: str, by: By) -> Loaded:  # noqa: A002 - the records' word
        """As `load`, on one vLLM that does not answer requests yet."""
        async with self._loading:
            return await self._load(id, (client,), by)

    async def watch(self) -> None:
        """Take over what other gateways on the same store change, and unload what is not wanted; until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            try:
                if await asyncio.to_thread(self._store.changes.last) != self._seen:
                    await self.refresh()
                if self._tidied != (seen := self._seen):
                    await asyncio.sleep(GRACE)
                    await self._tidy()
                    self._tidied = seen
            except (StoreError, EngineUnavailable, EngineRefused) as error:
                # What is in memory goes on being served; the next look tries again.
                log.warning("the registry could not be read again", reason=str(error))

    async def refresh(self) -> None:
        """Take over what the store says now: every vLLM first gets what it lacks, then the names change at once.

        Raises:
            StoreGone: The store cannot be reached; the names stay as they are.
        """
        async with self._refreshing:
            seen, aliases, adapters = await asyncio.to_thread(self._read)
            for client in self._pool.clients:
                # The store has changed already: one vLLM that is slow or gone must not keep the names back.
                with contextlib.suppress(EngineUnavailable, EngineRefused):
                    wanted = self._registry.wanted_of(aliases, adapters)
                    await reconcile(client, wanted, self._pool.facts.vllm_version)
            self._registry.replace(aliases, adapters)
            self._seen = seen
        self._show()

    def _read(self) -> tuple[int, list[Alias], list[Adapter]]:
        # In this order: what changes in between is then read again, never missed.
        return self._store.changes.last(), self._store.aliases.all(), self._store.adapters.all()

    def _show(self) -> None:
        answering = self._registry.answering()
        for alias in self._shown - answering.keys():
            self._metrics.adapter_info(alias, None)
        for alias, adapter in answering.items():
            self._metrics.adapter_info(alias, adapter)
        self._shown = set(answering)

    async def _tidy(self) -> None:
        """Unload what this store knows and nobody wants."""
        unwanted = {one.id: one.path for one in self._registry.adapters()}
        for adapter in self._registry.wanted():
            del unwanted[adapter.id]
        for client in self._pool.clients if unwanted else ():
            for model in await client.models():
                if unwanted.get(model.id) == model.root and not self._loading.locked():
                    await client.unload_adapter(model.id)
                    log.info("an adapter was unloaded", adapter=model.id, replica=client.url)

    async def _load(self, id: str, clients: Sequence[EngineClient], by: By) -> Loaded:  # noqa: A002 - the records' word
        adapter = await self._known(id)
        if not self._limits.enabled or self._registry.served.merged:
            raise Conflict("This vLLM was started without LoRA (--base, or a merged model).", code="no_lora")
        self._check_base(adapter)
        if adapter.state is AdapterState.RETIRED:
            raise Conflict(f"{id}: it is retired.", code="adapter_retired", param="id")
        await self._make_room(adapter, by)
        version = self._pool.facts.vllm_version
        try:
            for client in clients:
                await load(client, adapter, version)
            probe = await self._probe(adapter, clients, by)
        except (AdapterRefused, EngineRefused) as refused:
            await self._failed(adapter, clients, by, str(refused))
            raise Conflict(f"{refused}", code="adapter_failed", param="id") from refused
        others = (one.id for one in self._registry.wanted() if one.id != adapter.id)
        warnings = await lookalikes(clients[0], id, probe, (self._registry.served.model, *others))
        await asyncio.to_thread(self._store.adapters.move, id, AdapterState.LOADED, by)
        await self.refresh()
        return Loaded(await self._known(id), tuple(client.url for client in clients), probe, warnings)

    async def _probe(self, adapter: Adapter, clients: Sequence[EngineClient], by: By) -> Probe:
        """The recorded probe, or one recorded now on the first replica and held against the others."""
        version = self._pool.facts.vllm_version
        if adapter.probe and (known := read_probe(adapter.probe)).vllm_version == version:
            return known
        probe = await record(clients[0], adapter.id, self._registry.served.model, version)
        probed = msgspec.structs.replace(adapter, probe=msgspec.json.encode(probe))
        for client in clients[1:]:
            await load(client, probed, version)
        await asyncio.to_thread(self._store.adapters.keep_probe, adapter.id, probed.probe, by)
        return probe

    async def _make_room(self, adapter: Adapter, by: By) -> None:
        """Have the oldest adapters that no alias serves give way: what has no slot is read from disk at each turn."""
        others = [one for one in self._registry.wanted() if one.id != adapter.id]
        aliased = {alias.adapter for alias in self._registry.aliases()}
        leaving = [one for one in others if one.id not in aliased]
        excess = len(others) + 1 - self._limits.slots
        if excess > len(leaving):
            raise Conflict(
                f"{adapter.id}: vLLM holds {self._limits.slots} adapters, and aliases serve as many; point an alias "
                "elsewhere, or start vLLM with higher --max-loras and --max-cpu-loras.",
                code="no_room",
                param="id",
            )
        for one in leaving[: max(0, excess)]:
            why = f"to make room for {adapter.id}"
            await asyncio.to_thread(self._store.adapters.move, one.id, AdapterState.REGISTERED, By(by.who, why))

    async def _failed(self, adapter: Adapter, clients: Sequence[EngineClient], by: By, reason: str) -> None:
        for client in clients:
            with contextlib.suppress(EngineGone, EngineRefused):
                if adapter.path in [model.root for model in await client.models()]:
                    await client.unload_adapter(adapter.id)
        failed = By(by.who, reason)
        await asyncio.to_thread(self._store.adapters.move, adapter.id, AdapterState.FAILED, failed)
        await self.refresh()

    async def _bring(self, client: EngineClient, adapter: Adapter) -> None:
        if any((model.id, model.root) == (adapter.id, adapter.path) for model in await client.models()):
            return
        try:
            await load(client, adapter, self._pool.facts.vllm_version)
        except (AdapterRefused, EngineRefused) as refused:
            raise Conflict(f"{refused}", code="adapter_failed", param="adapter") from refused

    def _clients(self) -> tuple[EngineClient, ...]:
        clients = self._pool.clients
        if not clients:
            reason = f"No model server is ready: {self._pool.waiting_for}. Try again shortly."
            raise EngineUnavailable(reason, code="engine_unavailable", headers=RETRY_AFTER)
        return clients

    def _check_base(self, adapter: Adapter) -> None:
        if not self._registry.fits(adapter):
            told = other_base(adapter.id, adapter.base_digest, self._registry.served.digest)
            raise Conflict(told, code="wrong_base")

    def _shapes(self) -> Shapes | None:
        with contextlib.suppress(OSError, msgspec.DecodeError):
            config = Path(self._pool.facts.folder) / "config.json"
            return read_shapes(msgspec.json.decode(config.read_bytes())) if self._pool.facts.folder else None
        return None

    async def _get(self, id: str) -> Adapter | None:  # noqa: A002 - the records' word
        try:
            parse_id(id)
        except AdapterRefused as refused:
            raise InvalidRequest(f"{refused}.", code="invalid_value", param="id") from refused
        return await asyncio.to_thread(self._store.adapters.get, id)

    async def _known(self, id: str) -> Adapter:  # noqa: A002 - the records' word
        found = await self._get(id)
        if found is None:
            message = f"{id}: no such adapter is registered; register it first."
            raise NotFound(message, code="adapter_not_found", param="id")
        return found
