"""`wardgate` with one part taken out, to see what that part costs. For the bench alone: the product has no such switch.

Usage: without.py PART[,PART…] serve …    with PART one of PARTS; the rest is wardgate's own command line.
"""

from __future__ import annotations

import sys
from typing import Any

import gateway.exchange
from gateway.access import Access, Caller, Scope
from gateway.cli import main
from gateway.metrics import Metrics
from gateway.store.spool import Spool
from guardrails.guard import Guard
from guardrails.interface import Action, Channel, Verdict

ALLOWED = Verdict(Action.ALLOW)
ANYBODY = Caller("default", "bench", frozenset(Scope))
COUNTED = ("request_done", "first_token", "overhead", "guard_ran", "tokens", "stream_opened", "stream_closed")
EXAMINE = Guard.examine


class OpenStream:
    """A stream that releases everything at once, in place of the one that judges."""

    stopped = False

    def __init__(self) -> None:
        self._length = 0

    def feed(self, piece: str) -> int:
        self._length += len(piece)
        return self._length

    def finish(self) -> int:
        return self._length

    def verdict(self) -> Verdict:
        return ALLOWED


def open_stream(_guard: Guard, *_given: object) -> OpenStream:
    return OpenStream()


def judge_nothing(_guard: Guard, *_given: object, **_more: object) -> Verdict:
    return ALLOWED


def judge_outputs(guard: Guard, text: str, channel: Channel, **more: Any) -> Verdict:
    return EXAMINE(guard, text, channel, **more) if channel is Channel.OUTPUT else ALLOWED


def judge_inputs(guard: Guard, text: str, channel: Channel, **more: Any) -> Verdict:
    return ALLOWED if channel is Channel.OUTPUT else EXAMINE(guard, text, channel, **more)


def count_nothing(*_values: object) -> None:
    """In place of a metric."""


async def keep_nothing(_spool: Spool, *_events: object) -> None:
    """In place of a commit."""


def need_nobody(*_given: object) -> None:
    """In place of the assessment whether a person must take over."""


def know_everybody(*_given: object) -> Caller:
    return ANYBODY


PARTS: dict[str, tuple[tuple[object, str, object], ...]] = {
    "guard-on-input": ((Guard, "examine", judge_outputs),),
    "guard-on-output": (
        (Guard, "examine", judge_inputs),
        (Guard, "stream", open_stream),
        (Guard, "examine_together", judge_nothing),
    ),
    "escalation": ((gateway.exchange, "assess", need_nobody),),
    "record": ((Spool, "append", keep_nothing),),
    "metrics": tuple((Metrics, name, count_nothing) for name in COUNTED),
    "key": ((Access, "authorize", know_everybody),),
}

if __name__ == "__main__":
    for part in sys.argv.pop(1).split(","):
        for owner, name, stand_in in PARTS[part]:
            setattr(owner, name, stand_in)
    main()
