"""What runs beside the requests: watching vLLM, draining the spool."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

AGAIN = 1.0  # seconds before a task that crashed is started again
log = structlog.get_logger("wardgate.background")


class Background:
    """Named tasks, started and stopped together; one that crashes is logged and started again."""

    def __init__(self, tasks: Mapping[str, Callable[[], Coroutine[object, object, None]]]) -> None:
        self._tasks = dict(tasks)
        self._running: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Inside the event loop."""
        self._running = [asyncio.create_task(self._run(name), name=name) for name in self._tasks]

    async def stop(self) -> None:
        """Cancels them and waits until they are gone."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._running = []

    async def _run(self, name: str) -> None:
        while True:
            try:
                await self._tasks[name]()
            # A bug in one of them must not end the gateway's sight of vLLM, or its drain, for good.
            except Exception:
                log.exception("a background task crashed and is started again", task=name)
            else:
                return
            await asyncio.sleep(AGAIN)
