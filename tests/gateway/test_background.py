"""Tasks beside the requests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway import background
from gateway.background import Background

if TYPE_CHECKING:
    import pytest


async def test_tasks_run_until_stopped() -> None:
    """Start starts all of them; stop returns when none is left."""
    seen = []

    async def wait(name: str) -> None:
        seen.append(name)
        try:
            await asyncio.Event().wait()
        finally:
            seen.append(f"{name} ended")

    tasks = Background({"a": lambda: wait("a"), "b": lambda: wait("b")})
    tasks.start()
    await asyncio.sleep(0)
    await tasks.stop()
    assert seen == ["a", "b", "a ended", "b ended"]


async def test_a_crashed_task_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One bug must not end the watch for good; a task that returns is done."""
    monkeypatch.setattr(background, "AGAIN", 0.0)
    runs = []

    async def fragile() -> None:
        runs.append(1)
        if len(runs) < 3:
            raise RuntimeError("a bug")

    tasks = Background({"fragile": fragile})
    tasks.start()
    for _ in range(20):
        await asyncio.sleep(0)
    await tasks.stop()
    assert len(runs) == 3
