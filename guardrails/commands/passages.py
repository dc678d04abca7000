"""The passages of an answer that are commands: lines of a fence, what follows a prompt, inline code.

They are told from whole lines, so that nobody waits for them; what they do is for others to judge.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from guardrails import mentions, regions
from guardrails.commands.extent import Waiting, open_fence
from guardrails.commands.units import Unjudged
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.commands.extent import Fence

_CONTEXT = 300  # characters before a place that tell whether the reader is warned off
_TICKS = re.compile(r"`+|~{3,}")
_MOST_ON_A_LINE = 200


class Kind(Enum):
    FENCED = auto()
    PROMPTED = auto()
    QUOTED = auto()


class Passage(NamedTuple):
    """One command as it stands, its prompt and its last line end left out.

    Attributes:
        kind: How it stands.
        start: Offset into the answer.
        end: Offset behind it.
        text: What stands there.
        language: What the fence's label says; of the others always a shell's.
        shell: The language of commands, as far as label or prompt tells.
        fence: Offset of its fence's inside; -1 where it stands in none.
        prompted: Whether a prompt stands before it.
        told: Whether the words before it tell the reader to run it.
        closed: Whether what comes behind it, a line end or a fence's end, shows that it is complete.
    """

    kind: Kind
    start: int
    end: int
    text: str
    language: regions.Language
    shell: Shell
    fence: int = -1
    prompted: bool = False
    told: bool = False
    closed: bool = True


class Passages:
    """One answer, taken in pieces.

    Attributes:
        reached: Offset behind the last line that was looked at.
    """

    def __init__(self, longest: int) -> None:
        """Tell the passages of an answer whose logical lines have at most `longest` characters."""
        self._longest = longest
        self._pieces: list[str] = []
        self._text = ""  # what is not told apart yet, from the beginning of a logical line on
        self._base = 0  # its offset
        self._before = ""  # the end of the prose before it
        self._fence: Fence | None = None
        self._inside = 0  # offset of the open fence's inside
        self.reached = 0
        self._line: Waiting | None = None  # of the command behind a prompt that goes on

    @property
    def base(self) -> int:
        """Offset up to which every passage has been told."""
        return self._base

    def keep(self, piece: str) -> None:
        """Take a piece that holds no line end, and so ends no passage."""
        self._pieces.append(piece)

    def feed(self, piece: str) -> Iterator[Passage]:
        """The passages that end in `piece`; all of them must be taken.

        Raises:
            Unjudged: A line goes on for so long that nobody can say where it ends; `reached` tells how far.
        """
        self._pieces.append(piece)
        return self._read(final=False) if "\n" in piece else iter(())

    def finish(self) -> Iterator[Passage]:
        """The passages that the end of the answer ends; all of them must be taken.

        Raises:
            Unjudged: As `feed`.
        """
        return self._read(final=True)

    def _read(self, *, final: bool) -> Iterator[Passage]:
        text = self._text + "".join(self._pieces)
        self._pieces.clear()
        self._text = text
        found: list[Passage] = []
        at = read = 0  # where the logical line at hand begins, and how far it has been read
        if self._fence:
            read = self._fence.read
        elif self._line:
            read = self._line.read
        while read < len(text):
            end = text.find("\n", read) + 1 or (len(text) if final else 0)
            if not end:
                break
            self.reached = self._base + end
            if end - at > self._longest:
                raise Unjudged("too_long")
            closed = text[end - 1] == "\n"
            if self._fence:
                at = self._fenced(self._fence, at, read, end, found, closed=closed)
            else:
                at = self._prose(at, read, end, found)
            read = end
            yield from found
            found.clear()
        if final and at < len(text):
            yield from self._broken_off(at)
            at = read = len(text)
        if self._fence:
            self._fence.read = read - at
        elif self._line:
            self._line.read = read - at
        self._text = text[at:]
        self._base += at

    def _broken_off(self, at: int) -> Iterator[Passage]:
        """A logical line that would go on."""
        if not self._fence:
            return self._unit(Kind.PROMPTED, at, len(self._text), regions.Language.SHELL, Shell.AUTO, closed=False)
        if self._fence.mention:
            return iter(())
        return self._unit(Kind.FENCED, at, len(self._text), self._fence.language, self._fence.shell, closed=False)

    def _prose(self, at: int, read: int, end: int, found: list[Passage]) -> int:
        """Take a line of prose, or a further one of a command behind a prompt; where the next logical line begins."""
        text = self._text
        line = text[read:end]
        if self._line is None:
            at = read
            start = 0 if line.lstrip().startswith("#") else regions.prompt_end(line)
            if not start or not line[start:].strip():
                self._ticked(read, line, found)
                self._before = (self._before + line)[-_CONTEXT:]
                return end
            self._line = Waiting()
        waiting = self._line
        whole = text[at:end]
        if line.strip() and (waiting.waits is None or waiting.waits.search(line)):
            waiting.spend(len(whole))
            waiting.waits = regions.waits_for(whole, prose=True)
        if line.strip() and waiting.waits is not None:
            return at
        self._line = None
        closed = text[end - 1] == "\n"
        found += self._unit(Kind.PROMPTED, at, end, regions.Language.SHELL, Shell.AUTO, closed=closed)
        self._before = (self._before + whole)[-_CONTEXT:]
        return end

    def _ticked(self, start: int, line: str, found: list[Passage]) -> None:
        """The inline code of a line, and the fence that it opens."""
        position = count = 0
        while count < _MOST_ON_A_LINE and (run := _TICKS.search(line, position)):
            count += 1
            close = line.find(run[0], run.end())
            before = self._before + line[: run.start()]
            if close < 0:
                if len(run[0]) >= 3:
                    self._open(start, line, run)
                    return
                position = run.end()
                continue
            inside = line[run.end() : close]
            position = close + len(run[0])
            if run[0][0] == "`" and inside.strip() and not mentions.prohibited(regions.sentence_before(before)):
                prompt = regions.prompt_end(inside)
                begin, stop = start + run.end() + prompt, start + close
                told = mentions.ordered(before)
                shell = regions.prompt_shell(inside[:prompt]) if prompt else Shell.AUTO
                found.append(self._passage(Kind.QUOTED, begin, stop, regions.Language.SHELL, shell, told=told))

    def _open(self, start: int, line: str, run: re.Match[str]) -> None:
        before = (self._before + line[: run.start()])[-_CONTEXT:]
        self._fence = open_fence(line, run.start(), run.end(), before, mention=False)
        self._inside = self._base + start + len(line)

    def _fenced(self, fence: Fence, at: int, read: int, end: int, found: list[Passage], *, closed: bool) -> int:
        """Take a line of a fence; where the next logical line begins."""
        text = self._text
        line = text[read:end]
        closes = fence.closes(line)
        stop = read if closes else end
        if closes or not fence.goes_on(text[at:end], line):
            if not fence.mention and text[at:stop].strip():
                found += self._unit(Kind.FENCED, at, stop, fence.language, fence.shell, closed=closed or closes)
            fence.line = Waiting()
            at = end
        if closes:
            self._fence = None
            self._before = ""
        return at

    def _unit(
        self, kind: Kind, start: int, end: int, language: regions.Language, shell: Shell, *, closed: bool
    ) -> Iterator[Passage]:
        """The command of a logical line."""
        text = self._text[start:end]
        prompt = 0 if kind is Kind.FENCED and _comment(text, language) else regions.prompt_end(text)
        known = regions.prompt_shell(text[:prompt]) if prompt else Shell.AUTO
        stop = end - (len(text) - len(text.rstrip("\r\n")))
        if start + prompt < stop:
            shell = shell if known is Shell.AUTO else known
            yield self._passage(kind, start + prompt, stop, language, shell, prompted=prompt > 0, closed=closed)

    def _passage(
        self, kind: Kind, start: int, end: int, language: regions.Language, shell: Shell, **how: bool
    ) -> Passage:
        fence = self._inside if kind is Kind.FENCED else -1
        text = self._text[start:end]
        return Passage(kind, self._base + start, self._base + end, text, language, shell, fence, **how)


def _comment(text: str, language: regions.Language) -> bool:
    """Whether a `#` that begins a line is a comment's and not root's prompt."""
    return language is regions.Language.SHELL and text.lstrip().startswith("#")


def passages(text: str) -> list[Passage]:
    """Those of a whole answer, however long its lines are.

    Raises:
        Unjudged: As `Passages.feed`.
    """
    reader = Passages(len(text))
    return [*reader.feed(text), *reader.finish()]
