"""What should be loaded is loaded: vLLM forgets its adapters whenever it starts again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from gateway.adapters.folder import AdapterRefused
from gateway.adapters.keeping import check_unchanged
from gateway.adapters.probe import differs, read_probe
from gateway.engine.client import EngineRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.engine.client import EngineClient
    from gateway.store.records import Adapter

log = structlog.get_logger("wardgate.adapters")


async def reconcile(client: EngineClient, wanted: Iterable[Adapter], vllm_version: str = "") -> None:
    """Load what one vLLM lacks; awaited before it gets requests.

    An adapter that vLLM refuses, or that is not what it was, is logged and left out: it takes only its own name away,
    not everybody's.

    Raises:
        EngineGone: vLLM went away meanwhile.
    """
    adapters = tuple(wanted)
    if not adapters:
        return
    there = {model.id: model.root for model in await client.models()}
    for adapter in adapters:
        if there.get(adapter.id) == adapter.path:
            continue
        try:
            await load(client, adapter, vllm_version)
        except (AdapterRefused, EngineRefused) as refused:
            log.error("an adapter was not loaded", adapter=adapter.id, replica=client.url, reason=str(refused))  # noqa: TRY400
        else:
            log.info("an adapter was loaded", adapter=adapter.id, replica=client.url)


async def load(client: EngineClient, adapter: Adapter, vllm_version: str = "") -> None:
    """Have one vLLM load an adapter whose files are what was registered, and see that it answers as it did at first.

    Raises:
        AdapterRefused: The files have changed, vLLM has another adapter under this name, or it answers otherwise.
        EngineRefused: vLLM would not have it.
        EngineGone: vLLM went away.
    """
    await asyncio.to_thread(check_unchanged, adapter)
    there = {model.id: model.root for model in await client.models()}
    if there.get(adapter.id) not in (None, adapter.path):
        raise AdapterRefused(
            f"{adapter.id}: the vLLM at {client.url} has an adapter of this name from {there[adapter.id]!r}, whose "
            "answers it keeps in its cache; start that vLLM again, or register under another version"
        )
    await client.load_adapter(adapter.id, adapter.path)
    probe = read_probe(adapter.probe) if adapter.probe else None
    if probe is None or probe.vllm_version != vllm_version:
        return
    # A second look: the first may have met the step in which vLLM moved the weights.
    gaps = [await differs(client, adapter.id, probe)]
    if gaps[0] > probe.tolerance:
        gaps.append(await differs(client, adapter.id, probe))
    if gaps[-1] > probe.tolerance:
        await client.unload_adapter(adapter.id)
        raise AdapterRefused(
            f"{adapter.id}: on the vLLM at {client.url} it answers {gaps[-1]:.3f} nats a token away from what was "
            f"recorded at its first load ({probe.tolerance:.3f} may be): those are not its weights"
        )
