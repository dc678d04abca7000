"""What should be loaded is loaded: vLLM forgets its adapters whenever it starts again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from gateway.engine.client import EngineRefused

if TYPE_CHECKING:
    from gateway.adapters.registry import Registry
    from gateway.engine.client import EngineClient

log = structlog.get_logger("wardgate.adapters")


async def reconcile(client: EngineClient, registry: Registry) -> None:
    """Load what one vLLM lacks; awaited before it gets requests.

    An adapter that vLLM refuses is logged and left out: it takes only its own name away, not everybody's.

    Raises:
        EngineGone: vLLM went away meanwhile.
    """
    wanted = registry.wanted()
    if not wanted:
        return
    there = {model.id for model in await client.models()}
    for adapter in wanted:
        if adapter.id in there:
            continue
        try:
            await client.load_adapter(adapter.id, adapter.path)
        except EngineRefused as refused:
            log.error("an adapter was not loaded", adapter=adapter.id, replica=client.url, reason=refused.message)  # noqa: TRY400
        else:
            log.info("an adapter was loaded", adapter=adapter.id, replica=client.url)
