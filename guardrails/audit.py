"""A truthful audit of one judgement: which checks looked, at which stretches, in which views, and for how long.

Nothing is noted unless somebody asks for it (`auditing`): then what the checks do is told by themselves, as they do it.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.interface import Progress, Watch
    from guardrails.text import View

MOST = 64
"""Stretches and views of one check that are told one by one; further ones are counted."""


@dataclass(slots=True)
class Look:
    """What one check did.

    Attributes:
        nanoseconds: Wall time it took.
        spans: Stretches it judged, as offsets into the text as it was sent, each once.
        views: How it read them: `raw`, `canonical`, or the encodings taken off, outermost first, joined by `+`.
        more: Stretches beyond `MOST`.
    """

    nanoseconds: int = 0
    spans: dict[tuple[int, int], None] = field(default_factory=dict)
    views: dict[str, None] = field(default_factory=dict)
    more: int = 0


class Audit:
    """What the checks did for one text."""

    def __init__(self) -> None:
        self.looks: dict[str, Look] = {}
        self._start = 0

    def begin(self, check: str) -> Look:
        """The check's own page."""
        return self.looks.setdefault(check, Look())

    def at(self, start: int) -> None:
        """Say where in the text the stretch stands that is judged next."""
        self._start = start

    def looked(self, check: str, length: int, views: tuple[View, ...]) -> None:
        """Note a stretch of `length` characters that a check judges in some views."""
        look = self.begin(check)
        if len(look.spans) < MOST:
            look.spans[self._start, self._start + length] = None
        else:
            look.more += 1
        for view in views:
            if len(look.views) < MOST:
                look.views[_called(view)] = None

    def document(self) -> list[dict[str, Any]]:
        """The audit as JSON has it, a check each."""
        return [
            {
                "check": name,
                "elapsed_us": look.nanoseconds // 1000,
                "spans": [list(span) for span in look.spans],
                "views": list(look.views),
                **({"more_spans": look.more} if look.more else {}),
            }
            for name, look in self.looks.items()
        ]


def _called(view: View) -> str:
    return "+".join(view.decoded) or ("raw" if view.offsets is None else "canonical")


_CURRENT: ContextVar[Audit | None] = ContextVar("audit", default=None)


def current() -> Audit | None:
    """The audit that is being written in this context, if any."""
    return _CURRENT.get()


@contextmanager
def auditing() -> Iterator[Audit]:
    """Write an audit of what is judged inside; one text at a time."""
    audit = Audit()
    token = _CURRENT.set(audit)
    try:
        yield audit
    finally:
        _CURRENT.reset(token)


class TimedWatch:
    """A watch whose time is written down."""

    def __init__(self, watch: Watch, look: Look) -> None:
        self._watch = watch
        self._look = look

    def feed(self, piece: str) -> Progress:
        began = time.perf_counter_ns()
        try:
            return self._watch.feed(piece)
        finally:
            self._look.nanoseconds += time.perf_counter_ns() - began

    def finish(self) -> Progress:
        began = time.perf_counter_ns()
        try:
            return self._watch.finish()
        finally:
            self._look.nanoseconds += time.perf_counter_ns() - began
