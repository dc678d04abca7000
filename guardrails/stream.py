"""The same verdict on text that arrives in pieces.

Every check that judges outputs contributes a watch. Text may leave up to the offset that all of them have settled, and
nothing leaves any more once a finding stops the answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from guardrails.interface import Found, Unchecked, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardrails.interface import Finding, Outcome, Watch


class GuardStream:
    """One streamed answer under guard.

    `feed` and `finish` return the offset (characters from the beginning) up to which the text may leave; offsets never
    decrease. After a stop the offset stays, and what is fed further is ignored.
    """

    __slots__ = (
        "_clock",
        "_crashed",
        "_deadline",
        "_decide",
        "_findings",
        "_late",
        "_names",
        "_offset",
        "_primed",
        "_spent",
        "_unchecked",
        "_verdict",
        "_watches",
        "stopped",
    )

    def __init__(
        self,
        watches: Sequence[tuple[str, Watch]],
        decide: Callable[[Sequence[Outcome], tuple[str, ...]], Verdict],
        crashed: Callable[[str, Exception], None],
        *,
        clock: Callable[[], float] | None = None,
        seconds: float = 2.0,
    ) -> None:
        """Watch one answer.

        Args:
            watches: A name and a new watch for each check.
            decide: The guard's decision on outcomes, given the names of the checks that looked.
            crashed: Told of a watch's exception.
            clock: Seconds, monotonic; None for no wall-clock fuse.
            seconds: Wall clock that all pieces together may take.
        """
        self._watches = tuple(watches)
        self._names = tuple(name for name, _ in watches)
        self._decide = decide
        self._crashed = crashed
        self._clock = clock
        self._deadline = seconds
        self._spent = 0.0
        self._offset = 0
        self._primed = 0
        self._findings: list[Finding] = []
        self._unchecked: list[Unchecked] = []
        self._late: list[tuple[int, Found | Unchecked]] = []
        self._verdict = decide((), self._names)
        self.stopped = False

    def prime(self, text: str) -> None:
        """Read what the answer goes on from, judged before and not sent; offsets and spans begin behind it."""
        self._primed = len(text)
        self.feed(text)

    def feed(self, piece: str) -> int:
        """Take the next piece; returns the offset up to which text may leave."""
        return self._offset if self.stopped else self._step(piece)

    def finish(self) -> int:
        """Say that the answer is complete; returns the offset up to which text may leave."""
        return self._offset if self.stopped else self._step(None)

    def verdict(self) -> Verdict:
        """The verdict on what has been judged so far; final once `finish` was called or the stream has stopped."""
        return self._verdict

    @property
    def watches(self) -> dict[str, Watch]:
        """The checks' watches by name, for a text that goes on where this one ended."""
        return dict(self._watches)

    def _step(self, piece: str | None) -> int:
        clock = self._clock
        begun = clock() if clock else 0.0
        settled = self._watched(piece)
        if settled is None:
            return self._offset
        if clock:
            self._spent += clock() - begun
            if self._spent > self._deadline and not self.stopped:
                self._note((Unchecked("guard", "timeout"),))
                return self._offset
        offset = settled - self._primed
        self._offset = max(self._offset, offset)
        return self._offset

    def _watched(self, piece: str | None) -> int | None:
        """What all watches have settled; None where one crashed."""
        settled = floor = -1
        fresh: tuple[Found | Unchecked, ...] = ()
        for name, watch in self._watches:
            try:
                progress = watch.finish() if piece is None else watch.feed(piece)
            except Exception as error:  # noqa: BLE001 - the boundary: whatever broke, the check did not pass
                self._crashed(name, error)
                self._note((Unchecked(name, "crashed"),))
                return None
            if progress.outcomes:
                fresh += progress.outcomes
            if progress.late is not None:
                self._late += progress.late
            elif floor < 0 or progress.settled < floor:
                floor = progress.settled
            if settled < 0 or progress.settled < settled:
                settled = progress.settled
        if self._late:
            self._count_late(floor)
        if fresh and not self.stopped:
            self._note(fresh)
        return settled

    def _count_late(self, floor: int) -> None:
        """Count what waited for the other watches; they have settled up to `floor`, and what they found lies behind."""
        while self._late and self._late[0][0] <= floor and not self.stopped:
            self._note((self._late.pop(0)[1],))

    def _behind(self, finding: Finding) -> Finding:
        """A finding with its span from behind what the answer goes on from."""
        if not self._primed:
            return finding
        start, end = finding.span
        return replace(finding, span=(max(0, start - self._primed), max(0, end - self._primed)))

    def _note(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Found):
                self._findings.extend(self._behind(finding) for finding in outcome.findings)
            elif isinstance(outcome, Unchecked):
                self._unchecked.append(outcome)
        kept: list[Outcome] = list(self._unchecked)
        if self._findings:
            kept.append(Found(tuple(self._findings)))
        self._verdict = self._decide(kept, self._names)
        self.stopped = self._verdict.action.stops
