"""What hides a command from a reader or a reader's eye, in an answer that arrives in pieces.

Encoded words, control characters that make a display lie, invisible text, globs and brace expansions for a name.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from guardrails import mentions, regions
from guardrails.audit import current
from guardrails.commands import concealed, extent
from guardrails.commands.arrival import Arrival
from guardrails.commands.effort import Effort
from guardrails.commands.extent import MORE
from guardrails.commands.heads import Standing
from guardrails.commands.scope import Scope
from guardrails.commands.units import UNRESOLVABLE
from guardrails.interface import Shell

if TYPE_CHECKING:
    from guardrails.commands.calm import Calm
    from guardrails.commands.heads import Read
    from guardrails.commands.units import Units

CONTEXT = 300
"""Characters before a place that a decision there may look at."""

DISGUISED = frozenset({Standing.ENCODED, Standing.HIDDEN, Standing.GLOB})
"""How words stand that are dealt with here."""

_LINE = re.compile(r"\n")
_LAST_WORD = re.compile(r"\S*[ \t]*$")
_BRACES = re.compile(r"\{[\w./-]+(?:,[^\s,{}]+)+\}")
_BRACES_OPEN = re.compile(r"\{[A-Za-z./][\w./-]*(?:,[^\s,{}]*)*")
_LONGEST_BRACES = 300


class DisguiseWatch(Arrival):
    """The part of an answer's watch that sees through disguises; what commands do is its heir's."""

    def __init__(self, units: Units, calm: Calm, held: int, depth: int, scope: Scope | None) -> None:
        super().__init__(calm, held)
        self._depth = depth
        self._audit = current()
        self.scope = Scope() if scope is None else scope
        self._effort = units.effort or Effort(self.scope)
        self._units = units if units.effort else units.counted(self._effort)
        self._prohibiting = False  # the last paragraph ended in a prohibition

    def _judging(self, position: int) -> None:
        """Note the place at hand; those inside a string of a document count as the document's."""
        if not self._depth:
            self._effort.at(self._base + position)
            if self._audit is not None:
                self._audit.at(self._base + position)

    def _before(self, position: int) -> str:
        return self._text[max(self._line, position - CONTEXT) : position]

    def _sentence_before(self, position: int) -> str:
        return regions.sentence_before(self._text[max(0, position - CONTEXT) : position])

    def _explained(self, position: int, end: int, *, final: bool) -> bool | None:
        """Whether what stands at `position` is talked about from `end` on; None where what comes next decides."""
        text = self._text
        after = regions.SENTENCE_END.search(text, end, end + CONTEXT)
        if after is None and not final and len(text) < end + CONTEXT:
            return None
        return mentions.explained(self._sentence_before(position), text[end : after.end() if after else end + CONTEXT])

    def _mentioned(self, position: int, before: str, words: int = 0) -> bool:
        """Whether the reader was told not to run what stands at `position`, or begins up to `words` words before it."""
        if self._prohibiting and regions.bare(before):
            return True
        sentence = self._sentence_before(position)
        for _ in range(words + 1):
            if mentions.prohibited(sentence):
                return True
            sentence = _LAST_WORD.sub("", sentence)
        return False

    def _cleared(self, end: int) -> int:
        self._inside = True
        return end

    def _disguised(self, position: int, read: Read, *, final: bool) -> int:
        """Where to go on after a word that is read in another way than it is written; MORE where that is open."""
        if read.standing is Standing.HIDDEN:
            self._stop([concealed.hidden(read.end - position)], position)
            return position
        if read.standing is Standing.GLOB:
            return self._globbed(position, read.end, read.word, final=final)
        if read.standing is Standing.ENCODED:
            return self._decoded(position, read.end)
        return self._named(position, read.end, final=final)

    def _concealed(self, position: int, *, final: bool) -> int:
        """A control character by which a display may show another text."""
        end = concealed.passes(self._text, position, final=final)
        if end is None:
            self._stop([concealed.concealed()], position)
            return position
        return end

    def _decoded(self, position: int, end: int) -> int:
        """Something that may be encoded text; MORE where it is still arriving."""
        if end == MORE:
            return MORE
        self._weighed = True
        findings = self._units.encoded(self._text[position:end])
        if findings and not self._mentioned(position, self._before(position)):
            self._stop(findings, position)
            return position
        return self._cleared(end)

    def _named(self, position: int, end: int, *, final: bool) -> int:
        """A word that says how the rest of its line is to be read."""
        self._weighed = True
        line = self._text.find("\n", end)
        if line < 0 and not final:
            self._wake = _LINE
            return MORE
        stop = len(self._text) if line < 0 else line
        findings = self._units.encoded(self._text[position:stop])
        if findings and not self._mentioned(position, self._before(position)):
            self._stop(findings, position)
            return position
        return self._cleared(end)

    def _globbed(self, position: int, end: int, names: str, *, final: bool) -> int:
        """A pattern that may mean any of some heads, `names`."""
        self._weighed = True
        stop = extent.sentence(self._text, end, final=final)
        if stop == MORE:
            return MORE
        before = self._before(position)
        path, rest = before.rpartition("/")[0], self._text[end:stop]
        for name in names.split():
            findings = self._units.spoken(name + rest, path, self.scope, doubtful=False)
            if findings and not self._mentioned(position, before):
                self._stop([replace(one, span=(0, stop - position)) for one in findings], position)
                return position
        return self._cleared(end)

    def _expands(self, position: int, *, final: bool) -> int | None:
        """Where to go on at a bracket that may begin a brace expansion, {rm,-rf,/}; None where it begins none."""
        text = self._text
        if text[position] != "{":
            return None
        if not final and len(text) - position < _LONGEST_BRACES and _BRACES_OPEN.fullmatch(text, position):
            return MORE
        braces = _BRACES.match(text, position)
        if braces is None:
            return None
        self._weighed = True
        findings = self._units.command(braces[0], Shell.AUTO, Scope())
        found = [finding for finding in findings if finding.rule != UNRESOLVABLE]
        if found and not self._mentioned(position, self._before(position)):
            self._stop(found, position)
            return position
        return None
