"""A JSON document that arrives in pieces: a tool call's arguments, an answer that follows a schema.

It leaves value by value. A value that may be a part of a command is held until its object or list is complete, because
a command may be spread over several: `{"cmd": "rm", "args": ["-rf", "/"]}`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from guardrails.commands.embedded import Piece, decode, join
from guardrails.commands.units import UNRESOLVABLE, mapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.commands.scope import Scope
    from guardrails.commands.units import Findings, Units

_TOKEN = re.compile(
    r'[ \t\r\n]*(?:(?P<string>"(?P<body>(?:[^"\\]|\\.)*)")|(?P<mark>[{}\[\],:])'
    r"|(?P<other>(?:-?[0-9][0-9.eE+-]*|true|false|null))(?=[\s,\]}]))",
    re.DOTALL,
)
_STRING = re.compile(r'[ \t\r\n]*"')
_UNFINISHED = re.compile(r'[ \t\r\n]*(?:"(?:[^"\\]|\\.)*\\?|-?[0-9.eE+-]*|[a-z]{0,5})?', re.DOTALL)
_ARGUMENT = re.compile(r"[-/~.*$]")
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?[A-Za-z_]\w*=\S")
_BLANK = re.compile(r"\s")
_DEEPEST = 64
_MOST = 400


class State(Enum):
    OPEN = auto()  # it goes on
    DONE = auto()
    BROKEN = auto()  # it is no JSON after all


@dataclass(slots=True)
class Level:
    """An object or a list that is open.

    Attributes:
        mark: Its opening bracket.
        held: Index from which it is held; None where nothing in it may be a part of a command.
        pieces: Its strings from there on.
        naming: Whether the next string is a name.
    """

    mark: str
    held: int | None = None
    pieces: list[Piece] = field(default_factory=list)
    naming: bool = False


class Document:
    """One document, in a text of which nothing is cut off while it lasts."""

    def __init__(
        self,
        units: Units,
        inside: Callable[[str], Findings],
        scope: Scope,
        placed: Callable[[int], None],
        start: int = 0,
        *,
        embedded: bool = False,
    ) -> None:
        """Judge with `units`, and the text inside a string with `inside`.

        Args:
            units: Judges values.
            inside: Judges the text inside a value.
            scope: What earlier texts settled, and what the values of this one settle.
            placed: Told the index of each token before it is judged.
            start: Index at which the document begins.
            embedded: Whether it stands in prose, where a string that goes beyond a paragraph is none.
        """
        self._embedded = embedded
        self._units = units
        self._inside = inside
        self._scope = scope
        self._placed = placed
        self._levels: list[Level] = []
        self.read = start
        self.findings: Findings = []

    @property
    def settled(self) -> int:
        """Index up to which nothing can be claimed any more."""
        return min((level.held for level in self._levels if level.held is not None), default=self.read)

    def advance(self, text: str) -> State:
        """Read on as far as `text`, in which the document begins, has arrived.

        Raises:
            Unjudged: A string could not be judged.
        """
        while not self.findings:
            match = _TOKEN.match(text, self.read)
            if self._embedded and self._runs_on(text, match):
                return State.BROKEN
            if match is None:
                return State.OPEN if _UNFINISHED.fullmatch(text, self.read) else State.BROKEN
            if not self._take(text, match):
                return State.BROKEN
            if not self.findings:
                self.read = match.end()
            if not self._levels:
                return State.DONE
        return State.OPEN

    def _runs_on(self, text: str, match: re.Match[str] | None) -> bool:
        """Whether the string that comes next, complete or not, goes beyond a paragraph."""
        string = _STRING.match(text, self.read)
        return string is not None and text.find("\n\n", string.end(), match.end() if match else len(text)) >= 0

    def _take(self, text: str, match: re.Match[str]) -> bool:
        """Take one token; False where no document has it there."""
        self._placed(match.end())
        mark = match["mark"]
        top = self._levels[-1] if self._levels else None
        if mark in ("{", "["):
            if len(self._levels) >= _DEEPEST:
                return False
            self._levels.append(Level(mark, naming=mark == "{"))
            return True
        if top is None:
            return False
        if mark in ("}", "]"):
            return self._close(mark)
        if mark == ",":
            top.naming = top.mark == "{"
        elif mark == ":":
            top.naming = False
        elif match["string"] is not None and not top.naming:
            self._value(top, decode(text, *match.span("body")), match.start("string"))
        return True

    def _value(self, level: Level, piece: Piece, start: int) -> None:
        units = self._units
        begins = units.begins(piece.text)
        if begins or _ASSIGNMENT.match(piece.text) or any(path in piece.text for path in self._scope.files):
            found = units.piece(piece, self._scope)
            # What a list begins with is known to be a command only with what follows; `[ "$a" = "b" ]` is no list.
            self.findings = [one for one in found if level.mark == "{" or one.rule != UNRESOLVABLE]
        if not self.findings and "(" in piece.text:
            self.findings = mapped(piece, units.program(piece.text))
        if not self.findings and _BLANK.search(piece.text):
            self.findings = mapped(piece, self._inside(piece.text))
        if level.held is None and (begins or _ARGUMENT.match(piece.text)):
            level.held = start
        if level.held is not None and len(level.pieces) < _MOST:
            level.pieces.append(piece)

    def _close(self, mark: str) -> bool:
        level = self._levels.pop()
        if level.mark != {"}": "{", "]": "["}[mark]:
            return False
        if level.held is None:
            return True
        if len(level.pieces) > 1:
            self.findings = self._vector(level.pieces)
            if self.findings:
                self._levels.append(level)  # it stays held
        if not self.findings and level.mark == "[" and self._levels:
            # A list may be the arguments of what stands beside it; an object is complete in itself.
            outer = self._levels[-1]
            outer.held = level.held if outer.held is None else outer.held
            outer.pieces += level.pieces
        return True

    def _vector(self, pieces: list[Piece]) -> Findings:
        """The strings as one argument vector, from each that is a command's name on, those before it behind."""
        for index, piece in enumerate(pieces):
            if self._units.begins(piece.text):
                found = self._units.piece(join(pieces[index:] + pieces[:index]))
                if found:
                    return found
        return []
