"""Reads policy, rules and runbooks again when they change, and exchanges the guard, or keeps it and says why."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

import structlog

from guardrails.commands.rules import RuleError
from guardrails.guard import Guard
from guardrails.policy import PolicyError

if TYPE_CHECKING:
    from gateway.guarding import Guarding
    from gateway.metrics import Metrics

LOOK = 0.75  # seconds between two looks at the files
log = structlog.get_logger("wardgate.guard")


class Terminal:
    """The terminal that the gateway was started from, if any."""

    def __init__(self) -> None:
        self._was_there = _reachable()

    def closed(self) -> bool:
        """Whether it was there and is gone: then a hang-up means what it says."""
        return self._was_there and not _reachable()


def _reachable() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


class Reload:
    """Watches the files of one gateway's guard."""

    def __init__(self, guarding: Guarding, metrics: Metrics) -> None:
        """Watch what `guarding` is made from, from now on."""
        self._guarding = guarding
        self._metrics = metrics
        self._asked = asyncio.Event()
        self._read = guarding.seen

    def ask(self) -> None:
        """Read everything again now, changed or not; for SIGHUP."""
        self._asked.set()

    async def run(self) -> None:
        """Look until cancelled. A change is taken once two looks agree: an editor may be in the middle of a file."""
        last = self._read
        while True:
            asked = await self._wait()
            now = await asyncio.to_thread(self._guarding.files)
            if asked or (now == last and now != self._read):
                await self._again()
                # Whatever changed after this look is to be read again; a new policy's other files since it named them.
                known = {one[0]: one for one in now}
                self._read = tuple(known.get(one[0], one) for one in self._guarding.seen)
            last = now

    async def _wait(self) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK):
                await self._asked.wait()
        asked = self._asked.is_set()
        self._asked.clear()
        return asked

    async def _again(self) -> None:
        old = self._guarding.guard
        new = await asyncio.to_thread(self._made)
        if not isinstance(new, Guard):
            self._metrics.guard_reloaded("refused")
            log.error("policy or rules refused, what was in force stays in force", **_told(new))
            return
        if (new.policy.digest, new.rules_digest) == (old.policy.digest, old.rules_digest):
            return  # touched only
        self._guarding.guard = new
        self._metrics.guard_reloaded("done")
        log.info("policy and rules read again", policy=new.policy.digest, rules=new.rules_digest)

    def _made(self) -> Guard | PolicyError | RuleError:
        try:
            return self._guarding.read()
        except (PolicyError, RuleError) as refused:
            return refused


def _told(refused: PolicyError | RuleError) -> dict[str, object]:
    if isinstance(refused, RuleError):
        return {"file": f"{refused.file}:{refused.line}", "field": refused.field, "mend": refused.message}
    file = refused.file if refused.line is None else f"{refused.file}:{refused.line}"
    return {"file": file, "field": refused.field, "value": refused.value, "mend": refused.mend}
