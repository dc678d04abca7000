"""The values of a tool call's arguments, each under its name, with where it stands."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from guardrails.commands.embedded import decode, join

if TYPE_CHECKING:
    from guardrails.commands.embedded import Piece

_TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([{}\[\],:])|[^\s"{}\[\],:]+)', re.DOTALL)
_MOST = 400


class Value(NamedTuple):
    """A string, or a list's strings as one argument vector, under the name it was given."""

    name: str
    piece: Piece


def values(text: str) -> list[Value] | None:
    """The strings of a JSON document; None where `text` is none."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    reading = _Reading()
    for match in _TOKEN.finditer(text):
        if match[1] is not None:
            reading.waiting = decode(text, *match.span(1))
        elif match[2] is not None:
            reading.mark(match[2])
        if len(reading.found) > _MOST:
            break
    return reading.found


class _Reading:
    """How far a document has been read: the objects and lists that are open, and the string read last."""

    def __init__(self) -> None:
        self.found: list[Value] = []
        self.waiting: Piece | None = None
        self._names = [""]
        self._lists: list[list[Piece] | None] = []

    def mark(self, mark: str) -> None:
        if mark == ":" and self.waiting is not None:
            self._names[-1] = self.waiting.text.lower()
            self.waiting = None
        elif mark in "{[":
            self._lists.append([] if mark == "[" else None)
            self._names.append(self._names[-1])
        elif self._lists:
            self._end(closes=mark != ",")

    def _end(self, *, closes: bool) -> None:
        """A value ends, and with `closes` what it stands in."""
        strings = self._lists[-1]
        if self.waiting is not None:
            self.found.append(Value(self._names[-1], self.waiting))
            if strings is not None:
                strings.append(self.waiting)
            self.waiting = None
        if closes:
            self._lists.pop()
            self._names.pop()
            if strings and len(strings) > 1:
                self.found.append(Value(self._names[-1], join(strings)))
