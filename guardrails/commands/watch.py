"""Commands in an answer that arrives in pieces.

Prose flows; from a word on that may be the head of a command the text is held, up to the end of the sentence or of the
logical line, and judged as a whole. What is decided at a place depends on the text up to there alone, never on how it
was cut: a decision that needs more text waits for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails import mentions, regions
from guardrails.commands import concealed, encoded, extent, signs
from guardrails.commands.disguises import CONTEXT, DISGUISED, DisguiseWatch
from guardrails.commands.document import Document, State
from guardrails.commands.embedded import json_begins
from guardrails.commands.extent import MORE, Fence, Waiting
from guardrails.commands.heads import Standing
from guardrails.commands.units import Findings, Units, Unjudged, shifted
from guardrails.interface import Unchecked
from guardrails.text import canonical

if TYPE_CHECKING:
    from guardrails.commands.calm import Calm
    from guardrails.commands.scope import Scope

_TAIL = 1024  # characters of a command in which what is said about it may begin

_LINE = re.compile(r"\n")
_SENTENCE = re.compile(r"[\n`.!?]")
_TICK = re.compile(r"[\n`]")
_MARK = re.compile(r"[\"\]},]")
_EMBEDDED = re.compile(r"\{\s{0,80}\"|\[\s{0,80}[\"{]")
_MAY_EMBED = re.compile(r"[{\[]\s{0,80}")
_DEEPEST = 4  # documents in the strings of documents
_TICKS = re.compile(r"`+|~+")
_ASSIGNMENT = re.compile(r"[ \t]*(?:[$#>][ \t]+)?(?:export[ \t]+)?[A-Za-z_]\w*=\S")
_ITEM = re.compile(r"[ \t]*(?:[-*+•>]|\d+[.)])[ \t]")
_COMMAND_PLACE = re.compile(r"[;|&(][ \t]*$")
_LINKED = re.compile(r"(?:&&|\|\||\w[ \t]*\|)[ \t]*$")
_ATTRIBUTE = re.compile(r"<[A-Za-z][^<>]{0,200}=[\"']?$")
_NAMED = re.compile(r"\w=$")
_ENDS = frozenset(";&|\n")
_BLANK = re.compile(r"[ \t]")
_MOST_AGAIN = 40
_MOST_WORDS = 5  # of a command before the sign that gives it away
_FOLLOWS = frozenset(" \t\r\n\f\v;|&)<>$\\{'\"%.!?*]")
_SENTENCE_ENDS = frozenset(" \t.!?\"'\u2019\u201d)]*_")


class CommandWatch(DisguiseWatch):
    """One answer."""

    def __init__(self, units: Units, calm: Calm, held: int, depth: int = 0, scope: Scope | None = None) -> None:
        """Watch with `units`, holding back at most `held` characters; `calm` is shared by all watches of a check.

        Args:
            units: Judges what stands in the answer.
            calm: What is known to pass.
            held: Most characters held back.
            depth: How many documents the text stands in.
            scope: What earlier texts of the same answer settled.
        """
        super().__init__(units, calm, held, depth, scope)
        self._document: Document | None = None
        self._read_as_json = 0  # characters from the beginning that were tried as a document
        self._waiting = Waiting()  # how far the line that is held has been read
        self._again = 0  # sentences of the line read on from behind their verb
        self._introducing = False  # the last line with words in it ended in a colon

    def _advance(self, *, final: bool) -> bool:
        if self._at == len(self._text):
            return False
        if self._opening:
            return self._opens(final=final)
        return self._fenced(self._fence, final=final) if self._fence else self._prose(final=final)

    def _opens(self, *, final: bool) -> bool:
        """The beginning of an answer, which may be a JSON document."""
        if self._document is None:
            begins = json_begins(self._text) if self._depth < _DEEPEST else False
            if begins is None and not final:
                return False
            if not begins:
                self._opening = False
                return True
            self._document = Document(self._units, self._within, self.scope, self._judging)
        document = self._document
        state = document.advance(self._text)
        self._at = document.settled
        if self._stop(document.findings, 0):
            return False
        self._opening = state is State.OPEN and not final
        if self._opening:
            self._wake = _MARK
            return False
        self._document = None
        self._read_as_json = self._base + document.read
        self._line = max(self._line, self._text.rfind("\n", 0, self._at) + 1)
        return True

    def _within(self, text: str) -> Findings:
        """What an answer's string says, itself an answer."""
        inner = CommandWatch(self._units, self._calm, self._held, self._depth + 1, self.scope)
        outcomes = inner.feed(text).outcomes or inner.finish().outcomes
        found: Findings = []
        for outcome in outcomes:
            if isinstance(outcome, Unchecked):
                raise Unjudged(outcome.reason)
            found += outcome.findings
        return found

    def _prose(self, *, final: bool) -> bool:
        text, reader, past = self._text, self._units.reader, self._units.skim.past
        position, size = self._at, len(self._text)
        while position < size:
            if self._inside:
                position = reader.rest(text, position)
                if position == size:
                    break
                self._inside = False
            position = reader.up_to_sign(text, past(text, position))
            if position == size:
                break
            if text[position] == "\n":
                position += 1
                self._end_line(position)
                continue
            after = self._place(position, final=final)
            if self._fence or self._opening:
                return True
            if after == MORE or self._outcome is not None:
                break
            position = after
        self._at = position
        return False

    def _place(self, position: int, *, final: bool) -> int:
        """Where to go on after what stands at `position`, a word or a sign."""
        self._judging(position)
        character = self._text[position]
        if character in "`~":
            return self._ticked(position, final=final)
        if character in "{[":
            return self._bracket(position, final=final)
        if character in concealed.SIGNS:
            return self._concealed(position, final=final)
        if character == "=":
            reach = encoded.quoted_printable(self._text, position, final=final)
            return position + 1 if reach is None else self._decoded(position, reach.end)
        if not "a" <= character <= "z" and signs.at(self._text, position):
            return self._sign(position, final=final)
        return self._word(position, final=final)

    def _bracket(self, position: int, *, final: bool) -> int:
        """A JSON document in the middle of prose, a tool call in a tag say; or a bracket like any other."""
        expanded = self._expands(position, final=final)
        if expanded is not None:
            return expanded
        if self._depth < _DEEPEST and self._base + position >= self._read_as_json:
            if not final and _MAY_EMBED.fullmatch(self._text, position):
                return MORE
            if _EMBEDDED.match(self._text, position) and not self._mentioned(position, self._before(position)):
                self._weighed = True
                self._document = Document(self._units, self._within, self.scope, self._judging, position, embedded=True)
                self._opening = True
                self._at = position
        return position + 1

    def _end_line(self, start: int) -> None:
        """The line before `start` is over."""
        line = self._text[max(self._line, start - CONTEXT) : start]
        self._line = start
        self._again = 0
        self._assign(line)
        line = line.rstrip()
        if line:
            self._introducing = line.endswith(":")
            if not _ITEM.match(line):
                self._prohibiting = mentions.prohibited(line)

    def _assign(self, line: str) -> None:
        """Remember what a line of prose, or its beginning, assigns."""
        if _ASSIGNMENT.match(line):
            self._units.command(line[regions.prompt_end(line) :], regions.prompt_shell(line), self.scope)

    def _word(self, position: int, *, final: bool) -> int:
        text = self._text
        read = self._units.reader.read(text, position, final=final)
        if read.standing is Standing.OPEN:
            return MORE
        if read.standing is Standing.CLEAR:
            return self._cleared(read.end)
        if read.standing in DISGUISED or read.word in encoded.CUES:
            return self._disguised(position, read, final=final)
        before = self._before(position)
        if read.standing is Standing.VARIABLE:
            return self._variable(position, before, final=final)
        return self._head(position, read.end, read.word, before, final=final)

    def _variable(self, position: int, before: str, *, final: bool) -> int:
        """An expansion where a command may begin."""
        if regions.bare(before) or _COMMAND_PLACE.search(before):
            return self._spoken(position, self._logical_line(position, final=final), "", before)
        if self._text.startswith("$(", position) and mentions.commanded(before):
            return self._spoken(position, extent.sentence(self._text, position, final=final), "", before)
        return self._cleared(position + 1)

    def _head(self, position: int, end: int, word: str, before: str, *, final: bool) -> int:
        text = self._text
        self._weighed = True
        if end == len(text) and not final:
            return MORE
        follows = text[end : end + 1]
        if follows > "\x7f":
            follows = canonical(follows).text[:1]
        if (follows and follows not in _FOLLOWS) or (follows in _ENDS and _NAMED.search(before)):
            return self._cleared(end)
        if follows in ("'", '"') and word in signs.SHELLS and _ATTRIBUTE.search(before):
            return self._cleared(end)  # the name of a language or of a tool, in a tag
        first = regions.bare(before)
        fed = word in signs.SHELLS and before.rstrip().endswith("|")
        if not fed and not mentions.commanded(before) and not (first and regions.prompted(before)):
            likely = extent.likely(text, position, end, word, final=final)
            if not likely:
                return MORE if likely is None else self._cleared(end)
        reach = self._logical_line(position, final=final) if first else extent.sentence(text, end, final=final)
        return self._spoken(position, reach, word, before)

    def _sign(self, position: int, *, final: bool) -> int:
        """A redirection, or a function's definition, behind words that no rule knows."""
        before = self._before(position)
        sign = signs.read(self._text, position, before, final=final)
        if sign.standing is Standing.OPEN:
            return MORE
        if sign.standing is Standing.CLEAR:
            return max(sign.end, position + 1)
        self._weighed = True
        unit = self._text[position : sign.end]
        findings = self._units.continued(unit, before, self.scope, sign.lead)
        if not findings or self._mentioned(position, before, words=_MOST_WORDS):
            return sign.end
        talked = self._explained(position, sign.end, final=final)
        if talked is None:
            return MORE
        return sign.end if talked or not self._stop(findings, position) else position

    def _logical_line(self, position: int, *, final: bool) -> int:
        """The end of the logical line that is held from `position` on."""
        if position != self._at:
            self._waiting = Waiting()
        stop = extent.logical_line(self._text, position, self._waiting, final=final)
        if stop != MORE:
            self._effort.read(self._waiting.work // 4)
            self._waiting = Waiting()
        return stop

    def _spoken(self, position: int, stop: int, word: str, before: str) -> int:
        """Judge what reaches from the head `word` to `stop`."""
        if stop == MORE:
            if regions.bare(before):
                self._wake = _LINE
            elif self._text[-1] not in _SENTENCE_ENDS:
                self._wake = _SENTENCE
            return MORE
        unit = self._text[position:stop]
        self._effort.read(len(unit) // 8)
        if regions.in_table(before):
            unit = regions.as_celled(unit[: regions.cell_end(unit)], before)
            stop = position + len(unit)
        tail = unit[len(word) :]
        doubtful = regions.english(unit[: len(word)], tail) and not (
            mentions.commanded(before)
            or _LINKED.search(before)
            or regions.prompted(before)
            or (unit[0].islower() and extent.terse(tail, before, introduced=self._introducing))
        )
        if doubtful and not regions.EVIDENCE.within(tail):
            return self._cleared(position + len(word))
        self._assign(before)
        if self._objects(position, unit, word, before, doubtful=doubtful):
            return position
        if (doubtful or not regions.bare(before)) and self._again < _MOST_AGAIN and word:
            self._again += 1
            return self._cleared(position + len(word))  # a word of the sentence, which may hold a command further on
        if unit.endswith("\n"):
            self._end_line(stop)
        return stop

    def _objects(self, position: int, unit: str, word: str, before: str, *, doubtful: bool) -> bool:
        """Whether something in `unit`, which begins with the head `word`, is to be stopped, and not only spoken of."""
        findings = self._units.spoken(unit, before, self.scope, doubtful=doubtful)
        linked = _COMMAND_PLACE.search(before) and len(before) < CONTEXT and not regions.after_lone_cell(before)
        if not findings and linked:
            findings = self._units.continued(unit, before, self.scope)
        if not findings or self._mentioned(position, before):
            return False
        if not regions.bare(before):
            sentence, tail = self._sentence_before(position), unit[len(word) :]
            for blank in _BLANK.finditer(tail, 0, _TAIL):
                if mentions.explained(sentence, tail[blank.start() : blank.start() + CONTEXT]):
                    return False
        return self._stop(findings, position)

    def _ticked(self, position: int, *, final: bool) -> int:
        """Ticks: inline code, a fence, or characters like any other."""
        text = self._text
        run = _TICKS.match(text, position)
        end = run.end() if run else position + 1
        if end == len(text) and not final:
            return MORE
        width = end - position
        if text[position] == "~" and (width < 3 or not regions.bare(self._before(position))):
            return end
        if width >= 3:
            line_end = text.find("\n", end)
            if line_end < 0 and not final:
                self._wake = _LINE
                return MORE
            if text[position] * width not in text[end : line_end if line_end >= 0 else len(text)]:
                before = text[max(0, position - CONTEXT) : position]
                self._fence = extent.open_fence(text, position, end, before, mention=self._prohibiting)
                self._at = self._fence.read
                return self._at
        return self._quoted(position, end, width, final=final)

    def _quoted(self, position: int, start: int, width: int, *, final: bool) -> int:
        """Inline code, or a tick that is a character like any other."""
        text = self._text
        stop, end = extent.inline_code(text, start, width, final=final)
        if stop == MORE:
            if text[-1] != "`":
                self._wake = _TICK
            return MORE
        if end == start:
            return start
        before = self._before(position)
        telling = mentions.told(before) or regions.bare(before)
        findings = self._units.quoted(regions.as_celled(text[start:stop], before), told=telling, scope=self.scope)
        if not findings or self._mentioned(position, before):
            return end
        if not mentions.ordered(before):
            talked = self._explained(position, end, final=final)
            if talked is None:
                return MORE
            if talked:
                return end
        self._stop(findings, start)
        return position

    def _fenced(self, fence: Fence, *, final: bool) -> bool:
        text = self._text
        line_end = text.find("\n", fence.read)
        if line_end < 0 and not final:
            self._wake = _LINE
            return False
        end = line_end + 1 if line_end >= 0 else len(text)
        line = text[fence.read : end]
        if fence.closes(line):
            if self._judge_fenced(fence, self._at, fence.read, forced=fence.line.waits is not None):
                return False
            self._fence = None
            self._at = self._line = end
            self._inside = self._prohibiting = False
            return True
        ended = end == len(text) and final
        if not fence.goes_on(text[self._at : end], line) or ended:
            if self._judge_fenced(fence, self._at, end, forced=fence.line.waits is not None):
                return False
            self._at = end
            fence.line = Waiting()
        fence.read = end
        return True

    def _judge_fenced(self, fence: Fence, start: int, end: int, *, forced: bool) -> bool:
        """Judge a logical line; one that was broken off is judged line by line too."""
        if start >= end or fence.mention:
            return False
        self._judging(start)
        self._effort.read(fence.line.work // 4)
        unit = self._text[start:end]
        findings = self._units.line(unit, fence.language, fence.shell, self.scope)
        if forced and not findings and not fence.sql:
            position = 0
            for line in unit.splitlines(keepends=True):
                findings += shifted(self._units.line(line, fence.language, fence.shell, self.scope), position)
                position += len(line)
        return self._stop(findings, start)
