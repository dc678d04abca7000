"""The text of an answer as it arrives: what is kept of it, what is held back, what is known to pass."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from guardrails.commands.units import Unjudged, shifted
from guardrails.interface import Found, Progress, Unchecked

if TYPE_CHECKING:
    from guardrails.commands.calm import Calm
    from guardrails.commands.extent import Fence
    from guardrails.commands.units import Findings

NAME = "commands"

_KEPT = 1024
_TRIM = 8192

_ANY = re.compile(r"")


class Arrival(ABC):
    """One answer, taken in pieces; what a step decides is its heir's."""

    def __init__(self, calm: Calm, held: int) -> None:
        """Hold back at most `held` characters; `calm` is shared by all answers of a check."""
        self._calm = calm
        self._held = held
        self._memo = calm.none
        self._fresh: list[str] = []
        self._settled = 0  # characters from the beginning
        self._base = 0  # offset of the text kept
        self._text = ""  # the end of the answer, from some point before what is settled
        self._at = 0  # index in it of what is settled
        self._line = 0  # index of the current line
        self._inside = False  # in a word that was cleared
        self._weighed = False  # what the step at hand let pass, it let pass for where it stood
        self._opening = True  # it may still be a JSON document
        self._fence: Fence | None = None
        self._wake = _ANY  # a piece without it decides nothing
        self._outcome: Found | Unchecked | None = None

    def feed(self, piece: str) -> Progress:
        after = self._memo.get(piece)
        if after is not None:
            self._memo = after
            self._fresh.append(piece)
            self._settled += len(piece)
            return Progress(self._settled)
        return self._feed(piece)

    def finish(self) -> Progress:
        self._take("")
        return self._progress(final=True)

    def _feed(self, piece: str) -> Progress:
        self._take(piece)
        wake = self._wake
        if wake is not _ANY and not wake.search(piece) and len(self._text) - self._at <= self._held:
            return Progress(self._settled)
        before = self._memo
        self._weighed = False
        progress = self._progress(final=False)
        if not self._weighed:
            self._calm.learn(before, piece, self._memo)
        return progress

    def _take(self, piece: str) -> None:
        if self._fresh:
            arrived = "".join(self._fresh)
            self._fresh.clear()
            self._text += arrived
            self._at += len(arrived)
            self._inside = self._memo is self._calm.inside
        self._text += piece

    def _progress(self, *, final: bool) -> Progress:
        self._wake = _ANY
        try:
            while self._outcome is None and self._advance(final=final):
                pass
        except Unjudged as error:
            self._outcome = Unchecked(NAME, error.reason)
        if self._outcome is None and len(self._text) - self._at > self._held:
            self._outcome = Unchecked(NAME, "too_long")
        self._settled = self._base + self._at
        calm = self._calm
        if self._outcome is not None or self._at < len(self._text) or self._fence or self._opening:
            self._memo = calm.none
        else:
            self._memo = calm.inside if self._inside else calm.between
        if self._at > _TRIM and not self._opening:
            self._trim()
        return Progress(self._settled, (self._outcome,)) if self._outcome else Progress(self._settled)

    def _trim(self) -> None:
        cut = self._at - _KEPT
        self._text = self._text[cut:]
        self._base += cut
        self._at -= cut
        self._line = max(0, self._line - cut)
        if self._fence:
            self._fence.read -= cut

    @abstractmethod
    def _advance(self, *, final: bool) -> bool:
        """One step; False where it waits or all is done."""

    def _stop(self, findings: Findings, start: int) -> bool:
        """Whether there are findings; `start` is the index they are relative to."""
        if not findings:
            return False
        self._outcome = Found(tuple(shifted(findings, self._base + start)))
        return True
