"""Quoted text of bash, rewritten for the parser: double quotes, heredocs, `${…}`, arithmetic, backticks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardrails.commands.budget import BudgetExceeded
from guardrails.commands.private import FOREIGN_BLANKS, hidden

if TYPE_CHECKING:
    from collections.abc import Callable

_QUOTED = re.compile(
    r"(?P<run>[^\"\\`$}]+)|(?P<escape>\\(?:\r?\n|.)?)|(?P<open>\$\(\(|\$\(|\$\{)|(?P<special>\$[#?*@$!-])|(?P<number>\$\d)|(?P<sign>.)",
    re.DOTALL,
)
_ARITHMETIC = re.compile(r"(?P<run>[^()`$]+)|(?P<open>\$\(\(|\$\(|\$\{)|(?P<sign>.)", re.DOTALL)
_TICKED = re.compile(r"(?:[^`\\]|\\.)*`", re.DOTALL)
ESCAPED = re.compile(r"\\([$`\\])")
_ESCAPED_IN_QUOTES = re.compile(r'\\([$`\\"])')
_PARENTHESIS = re.compile(r"[()]")
NAMES = re.compile(r"\w")
_FAR = 2000  # characters that are searched for the end of an arithmetic expression
_AHEAD = 2  # characters looked at in advance, for each of the text
_MOST_PIECES = 400_000  # half a second's
_DEEPEST = 16


@dataclass(slots=True)
class Frame:
    """One construct that is open.

    Attributes:
        kind: `bare`, `test`, `quoted`, `heredoc`, `parameter` or `arithmetic`.
        closer: What ends it.
        head: Whether a command may begin here.
        fresh: Whether a word may begin here.
        begins: Whether the piece being read begins one.
        word: What the word consists of so far; `?` for what is not plain.
        cases: Open `case`s.
        depth: Open parentheses of an arithmetic expression.
        array: Whether it holds an array's words.
        inside: Whether a `${…}` stands in double quotes.
        substitution: Whether its output or its path becomes a part of a word.
    """

    kind: str
    closer: str = ""
    head: bool = True
    fresh: bool = True
    begins: bool = True
    word: str = ""
    cases: int = 0
    depth: int = 0
    array: bool = False
    inside: bool = False
    substitution: bool = False


class Quoting:
    """One pass over one text, as far as it is quoted.

    Attributes:
        pieces: What the parser shall read.
        cuts: From which offset of it on, what is to be added for the text that was given.
    """

    def __init__(self, text: str, frame: Frame, depth: int = 0) -> None:
        self._text = text
        self._depth = depth
        self._ahead = _AHEAD * len(text) + _FAR  # characters that may be looked at in advance
        self._frames = [frame]
        self._length = 0
        self.pieces: list[str] = []
        self.cuts: list[tuple[int, int]] = []
        self._walks: dict[str, Callable[[Frame, int], int]] = {
            "quoted": self._quoted,
            "heredoc": self._quoted,
            "parameter": self._parameter,
            "arithmetic": self._arithmetic,
        }

    def run(self) -> None:
        """Reads the text to its end.

        Raises:
            BudgetExceeded: where it has more signs, or texts in texts, than anybody would write.
        """
        at, end = 0, len(self._text)
        while at < end:
            if len(self.pieces) > _MOST_PIECES or self._depth > _DEEPEST:
                raise BudgetExceeded("the text has more quoting and signs than anybody would write")
            frame = self._frames[-1]
            at = self._walks[frame.kind](frame, at)

    def _put(self, piece: str, end: int) -> int:
        """Writes a piece for what the text has up to `end`."""
        self.pieces.append(piece)
        self._length += len(piece)
        gap = end - self._length
        if gap != (self.cuts[-1][1] if self.cuts else 0):
            self.cuts.append((self._length, gap))
        return end

    def _within(self, text: str, base: int, frame: Frame) -> None:
        """Writes what becomes of a text inside of this one that begins at `base`."""
        inner = type(self)(text, frame, self._depth + 1)
        inner.run()
        self.cuts.append((self._length, base - self._length))
        self.cuts += [(self._length + at, base + gap - self._length) for at, gap in inner.cuts]
        self.pieces += inner.pieces
        self._length += inner._length  # noqa: SLF001 - another of the same class

    def _plain(self, piece: str, end: int) -> int:
        return self._put(piece if piece.isascii() else piece.translate(FOREIGN_BLANKS), end)

    def _quoted(self, frame: Frame, at: int) -> int:
        found = _QUOTED.match(self._text, at)
        kind, piece, end = found.lastgroup, found.group(), found.end()  # type: ignore[union-attr] # matches anything
        if kind == "escape":
            return self._escaped(piece, end, '$`\\"' if frame.kind == "quoted" else "$`\\")
        if kind == "sign":
            return self._sign(piece, frame, end)
        if kind == "number":
            return self._put(f"${{{piece[1]}}}", end)
        return self._open(piece, end) if kind == "open" else self._plain(piece, end)

    def _escaped(self, piece: str, end: int, quotable: str) -> int:
        """A backslash and what follows: in quotes it takes the meaning of few characters only."""
        if len(piece) > 1 and piece[-1] == "\n":
            return self._put("", end)
        if len(piece) == 2 and piece[1] in quotable:
            return self._put(hidden(piece[1]), end)
        return self._put(hidden("\\"), end - len(piece) + 1)

    def _sign(self, piece: str, frame: Frame, end: int) -> int:
        if piece == "`":
            return self._ticks(end, ESCAPED if frame.kind == "heredoc" else _ESCAPED_IN_QUOTES)
        if piece == '"' and frame.kind == "quoted":
            self._frames.pop()
            return self._put(piece, end)
        means = piece == "$" and NAMES.match(self._text, end) is not None
        return self._put(piece if means or piece == "}" else hidden(piece), end)

    def _parameter(self, frame: Frame, at: int) -> int:
        """Inside of `${…}`: in double quotes, a single quote is an ordinary character."""
        found = _QUOTED.match(self._text, at)
        kind, piece, end = found.lastgroup, found.group(), found.end()  # type: ignore[union-attr] # matches anything
        inside = frame.inside
        if kind == "run" and "'" in piece and not inside:
            return self._apostrophe(piece, at)
        if kind == "escape":
            return self._escaped(piece, end, '$`\\"}' if inside else piece[1:])
        if piece == '"':
            self._frames.append(Frame("quoted", '"'))
        elif piece == "}":
            self._frames.pop()
        elif kind == "sign":
            return self._sign(piece, frame, end)
        return self._open(piece, end) if kind == "open" else self._plain(piece, end)

    def _apostrophe(self, piece: str, at: int) -> int:
        first = piece.index("'")
        if first:
            return self._put(piece[:first], at + first)
        last = self._text.find("'", at + 1)
        if last < 0:
            return self._put(piece, at + len(piece))
        return self._put(hidden(self._text[at + 1 : last]), last + 1)

    def _arithmetic(self, frame: Frame, at: int) -> int:
        found = _ARITHMETIC.match(self._text, at)
        kind, piece, end = found.lastgroup, found.group(), found.end()  # type: ignore[union-attr] # matches anything
        if kind == "open":
            return self._open(piece, end)
        if piece == "`":
            return self._ticks(end, _ESCAPED_IN_QUOTES)
        if piece == ")" and not frame.depth and self._text[end : end + 1] == ")":
            self._frames.pop()
            return self._put("))", end + 1)
        frame.depth += (piece == "(") - (piece == ")")
        return self._put(piece, end)

    def _open(self, piece: str, end: int) -> int:
        """What begins with `$(` or `${`, or is a process substitution."""
        if piece == "${":
            outer = self._frames[-1]
            inside = outer.inside or outer.kind in ("quoted", "heredoc")
            self._frames.append(Frame("parameter", "}", inside=inside))
        elif piece == "$((" and self._arithmetic_until(end):
            self._frames.append(Frame("arithmetic", "))"))
        else:
            self._frames.append(Frame("bare", ")", substitution=True))
            if piece == "$((":
                piece, end = "$(", end - 1
        return self._put(piece, end)

    def _arithmetic_until(self, at: int) -> bool:
        """Whether two opening parentheses are arithmetic: they are closed by two that stand together."""
        depth, end = 2, at
        for found in _PARENTHESIS.finditer(self._text, at, at + min(_FAR, self._ahead)):
            end = found.end()
            depth += 1 if found.group() == "(" else -1
            if depth == 1:
                break
        self._ahead -= end - at
        return depth == 1 and self._text[end : end + 1] == ")"

    def _ticks(self, at: int, escaped: re.Pattern[str]) -> int:
        """Backticks, as `$(…)`."""
        found = _TICKED.match(self._text, at)
        if found is None:
            return self._put("`", at)
        self._put("$(", at)
        self._within(escaped.sub(r"\1", found.group()[:-1]), at, Frame("bare"))
        return self._put(")", found.end())
