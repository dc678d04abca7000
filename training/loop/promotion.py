"""The promotion, under streaming load: nobody's request fails, and nobody hears a version that was not theirs."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from training.loop.gateway import LoopFailed
from training.loop.workload import arriving

if TYPE_CHECKING:
    from collections.abc import Callable

    from training.loop.gateway import Gateway

STREAMS = 4  # chats at a time
LEAD = 3.0  # seconds of load on either side of the promotion


class Heard(NamedTuple):
    """One streamed answer: when it was asked for, and which version said it was speaking."""

    asked: float
    adapter: str


async def promote_under_load(
    gateway: Gateway, wardgate: Callable[..., dict[str, Any]], old: str, new: str, alias: str
) -> dict[str, Any]:
    """Promote `new` in the middle of a stream of chats; how many there were.

    Raises:
        LoopFailed: A request failed, or an answer came from neither version, or from the old one afterwards.
    """
    stop = asyncio.Event()
    heard: list[Heard] = []
    chatting = [asyncio.create_task(_chat(gateway, alias, stop, heard, number)) for number in range(STREAMS)]
    await asyncio.sleep(LEAD)
    began = time.monotonic()
    await asyncio.to_thread(wardgate, "adapters", "promote", new, "--alias", alias)
    promoted = time.monotonic()
    await asyncio.sleep(LEAD)
    stop.set()
    await asyncio.gather(*chatting)
    wrong = [
        one
        for one in heard
        if one.adapter != (old if one.asked < began else new if one.asked > promoted else one.adapter)
    ]
    if wrong or {one.adapter for one in heard} - {old, new}:
        raise LoopFailed(
            f"{len(wrong)} of {len(heard)} answers came from another version than was promoted: {wrong[:3]}"
        )
    return {"chats": len(heard), "failed": 0, "old": sum(one.adapter == old for one in heard)}


async def _chat(gateway: Gateway, alias: str, stop: asyncio.Event, heard: list[Heard], number: int) -> None:
    for question in arriving(1000, number):
        if stop.is_set():
            return
        asked = time.monotonic()
        events = await gateway.stream(question.body() | {"model": alias, "max_tokens": 16})
        last = next(event for event in reversed(events) if event.get("wardgate"))
        heard.append(Heard(asked, last["wardgate"]["adapter"]))
