"""What is known to pass: the short way of a stream in the middle of harmless prose."""

from __future__ import annotations

import re

Memo = dict[str, "Memo"]

_PLAIN = re.compile(r"[A-Za-z0-9 ,.:;!?()'-]+")
_MOST = 1 << 16


class Calm:
    """Pieces that pass in the middle of a cleared word (`inside`) and between words (`between`), with what comes after.

    Shared by all streams of a check, because what is learned here holds wherever the piece stands.
    """

    __slots__ = ("between", "inside", "none")

    def __init__(self) -> None:
        self.inside: Memo = {}
        self.between: Memo = {}
        self.none: Memo = {}  # stays empty: nothing is known to pass while text is held

    def learn(self, before: Memo, piece: str, after: Memo) -> None:
        """Note that `piece` passed in the state `before` and led to `after`, whatever else the text was."""
        known = before is not self.none and after is not self.none
        if known and len(before) < _MOST and _PLAIN.fullmatch(piece):
            before[piece] = after
