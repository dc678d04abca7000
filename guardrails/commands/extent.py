"""How far a command reaches in a text that may still be arriving.

Each function says `MORE` where what comes next decides; what it says once, it says however much follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from guardrails import mentions, regions
from guardrails.commands import continuations
from guardrails.commands.languages import is_sql
from guardrails.commands.sql.lines import COST, waits_in_sql
from guardrails.commands.units import Unjudged
from guardrails.interface import Shell

MORE = -1

_MOST_WORK = 2_000_000

_NEXT_WORD = re.compile(r"[ \t]+([A-Za-z']+)(?=[^A-Za-z'])")
_NEXT_OPEN = re.compile(r"[ \t]*[A-Za-z']*")
_LONGEST_KEYWORD = 80
_DELETING = re.compile(
    r"delete(?:[ \t]{1,4}(?:f|fr|fro|from(?:[ \t]{1,4}(?:[\w.\"`]{1,40}(?:[ \t]{1,4}\w{0,5})?)?)?)?)?", re.IGNORECASE
)
_LABEL = re.compile(r"[ \t]*(\{?\.?[\w+#.-]*\}?)(?:[ \t]+[\w-]+=\S*)*[ \t\r]*")
_PARAGRAPH_END = re.compile(r"\n[ \t]*(?:\n|```|~~~)")
_LONGEST_QUOTE = 4000


def likely(text: str, position: int, end: int, word: str, *, final: bool) -> bool | None:
    """Whether a head, `text[position:end]`, may begin a command where it stands: not in `find the` or `if you`.

    Returns:
        None where what comes next decides.
    """
    if word in regions.TRANSPARENT:
        return False
    if word in regions.KEYWORD_HEADS:
        if regions.KEYWORDS.match(text, position):
            return True
        waiting = not final and len(text) - position < _LONGEST_KEYWORD and text.find("\n", position) < 0
        return None if waiting else False
    if word == "delete":
        statement = _deletion(text, position, final=final)
        if statement is not False:
            return statement
    match = _NEXT_WORD.match(text, end)
    if match is None and not final and _NEXT_OPEN.fullmatch(text, end):
        return None
    followers = regions.FOLLOWERS if word in regions.ENGLISH else regions.VERBS
    return match is None or match[1].lower() not in followers


def _deletion(text: str, position: int, *, final: bool) -> bool | None:
    """Whether SQL's `DELETE FROM` stands at `position`; None where what comes next decides."""
    if regions.STATEMENT.match(text, position):
        return True
    line_end = text.find("\n", position)
    waiting = not final and line_end < 0 and len(text) - position < _LONGEST_KEYWORD
    return None if waiting and _DELETING.fullmatch(text, position) else False


@dataclass(slots=True)
class Waiting:
    """How far a logical line has been read.

    Attributes:
        read: Characters of it that have been looked at, whole lines.
        waits: What it waits for; None where nothing is open.
        work: Characters that were read to find that out, again and again.
    """

    read: int = 0
    waits: re.Pattern[str] | None = None
    work: int = 0

    def spend(self, characters: int) -> None:
        """Count work.

        Raises:
            Unjudged: It is more than a line may cost.
        """
        self.work += characters
        if self.work > _MOST_WORK:
            raise Unjudged("budget")


def logical_line(text: str, position: int, waiting: Waiting, *, final: bool) -> int:
    """The end of the line, and of those it goes on in; an empty line ends it in any case.

    Args:
        text: As far as it has arrived.
        position: Where the line begins.
        waiting: How far it was read before; brought up to date.
        final: Nothing follows.

    Raises:
        Unjudged: It takes too much work to tell.
    """
    while True:
        start = position + waiting.read
        end = text.find("\n", start)
        if end < 0:
            return len(text) if final else MORE
        line = text[start : end + 1]
        if waiting.read and not line.strip():
            return start
        if waiting.waits is None or waiting.waits.search(line):
            waiting.spend(end + 1 - position)
            waiting.waits = regions.waits_for(text[position : end + 1], prose=True)
            if waiting.waits is None:
                return end + 1
        waiting.read = end + 1 - position


def sentence(text: str, position: int, *, final: bool) -> int:
    """The end of the sentence, or where inline code begins in it."""
    match = regions.SENTENCE_END.search(text, position)
    tick = text.find("`", position)
    if match and (tick < 0 or match.end() <= tick):
        return match.end()
    if tick >= 0:
        return tick
    return len(text) if final else MORE


def terse(tail: str, before: str, *, introduced: bool) -> bool:
    """Whether a head stands where a command does and nothing of a sentence follows.

    Args:
        tail: What follows the head.
        before: The line up to it.
        introduced: Whether the line before ended in a colon.
    """
    first = regions.bare(before)
    if (first and introduced) or before.rstrip().endswith(":"):
        return True
    words = tail.lower().split()
    return (first or (bool(words) and mentions.told(before))) and regions.FOLLOWERS.isdisjoint(words)


def inline_code(text: str, start: int, width: int, *, final: bool) -> tuple[int, int]:
    """The end of the inline code whose inside begins at `start`, and of its closing marker of `width` ticks.

    Returns:
        `(MORE, MORE)` where what comes next decides, `(start, start)` where the ticks mark nothing.
    """
    close = re.compile(rf"(?<!`)`{{{width}}}(?!`)").search(text, start)
    if close and close.end() == len(text) and not final:
        return MORE, MORE
    if _PARAGRAPH_END.search(text, start, close.start() if close else len(text)):
        return start, start
    if close:
        return close.span()
    return (start, start) if final or len(text) - start > _LONGEST_QUOTE else (MORE, MORE)


@dataclass(slots=True)
class Fence:
    """A fence that is open.

    Attributes:
        tick: What its marker is made of.
        size: Length of the marker.
        mention: Whether the reader was told not to run what stands in it.
        read: Index up to which lines have been looked at.
        line: How far the logical line at hand has been read.
        sql: Whether that is a statement of SQL, which goes on to its semicolon.
    """

    tick: str
    size: int
    language: regions.Language
    shell: Shell
    mention: bool
    read: int
    line: Waiting = field(default_factory=Waiting)
    sql: bool = False

    def closes(self, line: str) -> bool:
        """Whether `line` closes the fence."""
        body = line.strip().lstrip("> \t")
        return len(body) >= self.size and not body.strip(self.tick)

    def goes_on(self, unit: str, line: str) -> bool:
        """Whether the logical line goes on after `unit`, whose last line is `line`.

        Raises:
            Unjudged: It takes too much work to tell.
        """
        if self.line.waits is None or self.line.waits.search(line):
            self.line.spend(len(unit))
            self.line.waits = self._waits(unit)
        return self.line.waits is not None

    def _waits(self, unit: str) -> re.Pattern[str] | None:
        self.sql = self.shell is Shell.SQL or (
            self.language is regions.Language.TRANSCRIPT and is_sql(unit[regions.prompt_end(unit) :])
        )
        if self.sql:
            self.line.spend(COST * len(unit))
            waits = waits_in_sql(unit[regions.prompt_end(unit) :])
            blank = self.language is regions.Language.TRANSCRIPT and unit.endswith(("\n\n", "\n \n"))
            return None if blank else waits
        if self.language is regions.Language.CODE:
            return regions.waits_in_code(unit)
        if self.shell in (Shell.POWERSHELL, Shell.CMD):
            return continuations.waits(unit, self.shell)
        return regions.waits_for(unit, prose=self.language is regions.Language.TRANSCRIPT)


def open_fence(text: str, position: int, end: int, before: str, *, mention: bool) -> Fence:
    """The fence whose marker is `text[position:end]`; a label that is none is its first line.

    Args:
        text: At least to the end of the marker's line.
        position: Where the marker begins.
        end: Where it ends.
        before: Some of the text before it.
        mention: Whether what stands before it already told the reader not to run what follows.
    """
    line_end = text.find("\n", end)
    label = _LABEL.fullmatch(text, end, line_end if line_end >= 0 else len(text))
    language, shell = regions.language(label[1] if label else "")
    start = line_end + 1 if label and line_end >= 0 else end
    told = mention or mentions.prohibited(regions.sentence_before(before.rstrip()))
    return Fence(text[position], end - position, language, shell, told, start)
