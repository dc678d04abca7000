from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.guard import Guard
from guardrails.interface import Action, Finding, Found, Progress, Severity, Unchecked
from guardrails.policy import Policy
from guardrails.stream import GuardStream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.interface import Watch

GUARD = Guard(Policy())
FINDING = Finding("late", "late.rule", Severity.HIGH, (4, 6), "x")


class Lagging:
    """A watch that settles all but the last `lag` characters, and objects to what stands at its end."""

    def __init__(self, lag: int, finding: Finding | None = None) -> None:
        self.lag = lag
        self.finding = finding
        self.received = 0

    def feed(self, piece: str) -> Progress:
        self.received += len(piece)
        return Progress(max(0, self.received - self.lag))

    def finish(self) -> Progress:
        if self.finding:
            return Progress(self.finding.span[0], (Found((self.finding,)),))
        return Progress(self.received)


class Broken:
    def feed(self, piece: str) -> Progress:
        raise ZeroDivisionError(piece)

    def finish(self) -> Progress:
        raise ZeroDivisionError


def stream(*watches: Watch, crashed: list[str] | None = None, ticks: Sequence[float] = ()) -> GuardStream:
    clock = iter(ticks)
    return GuardStream(
        [(f"watch{index}", watch) for index, watch in enumerate(watches)],
        GUARD.decide,
        lambda name, _: (crashed if crashed is not None else []).append(name),
        clock=(lambda: next(clock)) if ticks else None,
        seconds=1.0,
    )


def test_text_leaves_as_far_as_every_watch_has_settled() -> None:
    both = stream(Lagging(2), Lagging(5))
    assert [both.feed("abcd"), both.feed("efgh"), both.finish()] == [0, 3, 8]
    assert both.verdict().action is Action.ALLOW
    assert both.verdict().ran == ("watch0", "watch1")


def test_after_a_stop_nothing_leaves_and_nothing_is_read() -> None:
    cut = stream(Lagging(4, FINDING))
    assert cut.feed("abcdefgh") == 4
    assert cut.finish() == 4
    assert cut.stopped
    assert cut.verdict().findings == (FINDING,)
    assert cut.feed("more") == cut.finish() == 4


def test_a_watch_that_crashes_did_not_pass() -> None:
    heard: list[str] = []
    broken = stream(Lagging(0), Broken(), crashed=heard)
    assert broken.feed("abc") == 0
    assert broken.stopped
    assert broken.verdict().unchecked == (Unchecked("watch1", "crashed"),)
    assert broken.verdict().ran == ("watch0",)
    assert heard == ["watch1"]


def test_wall_time_is_the_last_fuse() -> None:
    slow = stream(Lagging(0), ticks=[0.0, 0.4, 1.0, 1.4, 9.0, 9.4])
    assert [slow.feed("a"), slow.feed("b")] == [1, 2]
    assert slow.feed("c") == 2
    assert slow.stopped
    assert slow.verdict().unchecked == (Unchecked("guard", "timeout"),)


def test_a_stream_without_watches_lets_nothing_through_unseen() -> None:
    nobody = stream()
    assert nobody.feed("abc") == 0
