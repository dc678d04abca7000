"""Judges one unit of an answer: a logical line of a fence, a quoted command, a sentence from a command on, a value.

Spans in what is returned are offsets into the unit.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from guardrails import mentions, regions
from guardrails.audit import current
from guardrails.commands import encoded, signs
from guardrails.commands.budget import BudgetExceeded
from guardrails.commands.embedded import Piece, in_code, in_json
from guardrails.commands.heads import EVALUATORS, HeadReader, Standing
from guardrails.commands.languages import is_sql
from guardrails.commands.playbooks import tasks_of
from guardrails.commands.programs import commands_of
from guardrails.commands.respelled import respelled
from guardrails.commands.scope import Scope
from guardrails.commands.skim import Skim
from guardrails.commands.stores import is_mongo
from guardrails.interface import Shell
from guardrails.text import CONTROL, TooLong, layers, rewritten

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

    from guardrails.commands.effort import Effort
    from guardrails.commands.judge import CommandJudge
    from guardrails.commands.literals import Value
    from guardrails.encodings import Edit
    from guardrails.interface import Finding
    from guardrails.text import View

UNRESOLVABLE = "commands.unresolvable"

Findings = list["Finding"]

# What a quotation, a change or a schedule puts before a command of a fence.
_MARKED = re.compile(r"[ \t]*(?:(?:>[ \t]?)+|\+[ \t]?|(?:@\w+|(?:[\d*/,-]+[ \t]+){5})[ \t]*(?:root[ \t]+)?)")
_MARKED_LINES = re.compile(f"^{_MARKED.pattern}", re.MULTILINE)
_VAGUE = "verbs."  # rules about commands of any name: a sentence has such verbs
_RESPELLED = "respelled"
_DEPTH = 4  # encodings, one inside the other; a text without any costs nothing
_MOST_INNER = 24
_LONGEST_INNER = 2000
_WORDS = re.compile(r"[a-z./~$][\w./~$-]*[ \t|]")
_VARIABLE = re.compile(r"\$\{?\w*\}?")


_DOCUMENT = re.compile(r"[{\[]\s*\"")


_SEPARATOR = re.compile(r"[|;&\n]")
_BLANK_ESCAPE = re.compile(r"\\[nrtve0fab]")
_LAST_WORD = re.compile(r"([\w.+-]+)\Z")
_FIRST_WORD = re.compile(r"(?:[ \t({$]|\\[nrtvf])*([\w.+/-]+)")
_LONGEST_NAME = 80


class Unjudged(Exception):
    """The unit could not be judged; `reason` as in `Unchecked`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Units:
    """One judge, asked about the units of one kind of text each; immutable."""

    def __init__(self, judge: CommandJudge) -> None:
        self._judge = judge
        self._effort: Effort | None = None
        self.reader = HeadReader(judge.is_head, judge.may_begin, judge.heads)
        self.skim = Skim((*judge.heads, *EVALUATORS, *encoded.CUES), judge.families)

    @property
    def effort(self) -> Effort | None:
        """What counts the work; None where nobody does."""
        return self._effort

    def counted(self, effort: Effort) -> Units:
        """The same, `effort` counting the work."""
        made = copy(self)
        made._effort = effort  # noqa: SLF001 - its own
        return made

    def command(self, text: str, shell: Shell, scope: Scope) -> Findings:
        """A text that is a command, decoded layers included; what it assigns stays in `scope`.

        Raises:
            Unjudged: It is too long, or the work budget is spent.
        """
        effort = self._effort
        if effort is None:
            return self._command(text, shell, scope)
        known = effort.known(text, shell, scope)
        if known is None:
            known = self._command(text, shell, scope)
            effort.learn(text, shell, scope, known)
        return list(known)

    def _command(self, text: str, shell: Shell, scope: Scope) -> Findings:
        found: dict[tuple[str, tuple[int, int]], Finding] = {}
        try:
            first, *decoded = layers(text, _DEPTH)
            others = [rewritten(view, edits, _RESPELLED) for view in (first, *decoded) for edits in self._ways(view)]
            if (audit := current()) is not None:
                audit.looked("commands", len(text), (first, *decoded, *others))
            for view in (first, *decoded, *others):
                if view.decoded == (CONTROL,) and not self._parted(first.text):
                    continue
                if self._effort is not None:
                    self._effort.judge(len(view.text))
                own = scope if view is first else Scope()
                for finding in self._judge.judge(view.text, shell, own).findings:
                    if view is not first and finding.rule == UNRESOLVABLE:
                        continue  # what an escape spelled need not be a command at all
                    span = view.source_span(*finding.span)
                    found.setdefault((finding.rule, span), replace(finding, span=span))
        except BudgetExceeded as error:
            raise Unjudged("budget") from error
        except TooLong as error:
            raise Unjudged("too_long") from error
        return sorted(found.values(), key=lambda finding: finding.span)

    def _ways(self, view: View) -> Iterable[list[Edit]]:
        """How else a shell may read a view."""
        return respelled(view.text, self.reader.named_by) if "$" in view.text or "/" in view.text else ()

    def _parted(self, text: str) -> bool:
        r"""Whether an escape of a blank or line end (`\n`) stands beside a head: what it parts may be a command."""
        for escape in _BLANK_ESCAPE.finditer(text):
            before = _LAST_WORD.search(text, max(0, escape.start() - _LONGEST_NAME), escape.start())
            after = _FIRST_WORD.match(text, escape.end(), escape.end() + _LONGEST_NAME)
            if any(found and self._judge.is_head(found[1].lower().rpartition("/")[2]) for found in (before, after)):
                return True
        return False

    def _labelled(self, text: str, shell: Shell, scope: Scope) -> Findings:
        """A command said to be of one language; a label is only the writer's word, so it is read without it too.

        Raises:
            Unjudged: As `command`.
        """
        found = self.command(text, Shell.AUTO if shell is Shell.BASH else shell, scope)
        if shell in (Shell.AUTO, Shell.BASH) or found:
            return found
        return [finding for finding in self.command(text, Shell.AUTO, Scope()) if finding.rule != UNRESOLVABLE]

    def line(self, text: str, language: regions.Language, shell: Shell, scope: Scope) -> Findings:
        """A logical line of a fence."""
        if (marked := _MARKED.match(text)) and len(marked[0]) < len(text):
            bare = _MARKED_LINES.sub(lambda mark: " " * len(mark[0]), text)
            if found := [one for one in self.command(bare, Shell.AUTO, scope) if one.rule != UNRESOLVABLE]:
                return found
        if language is regions.Language.CODE:
            return self.code(text, scope)
        start = regions.prompt_end(text)
        if language is regions.Language.SHELL and text.lstrip().startswith("#"):
            start = 0  # a comment; in a transcript it may be root's prompt
        prompt = text[:start]
        known = regions.prompt_shell(prompt) if start else Shell.AUTO
        found = shifted(self._labelled(text[start:], shell if known is Shell.AUTO else known, scope), start)
        if language is regions.Language.TRANSCRIPT and not start:
            found = [f for f in found if f.rule != UNRESOLVABLE or text.lstrip()[:1] in ("$", "`", "e", '"')]
        if language is regions.Language.TRANSCRIPT and not found and not is_sql(text[start:]):
            found = self.code(text, scope)
        return found

    def quoted(self, text: str, *, told: bool, scope: Scope) -> Findings:
        """The inside of inline code."""
        source = text.replace("\n", " ")
        start = regions.prompt_end(source)
        if len(source.split()) < 2 and (not told or _VARIABLE.fullmatch(source.strip())):
            if encoded.plausible(source):
                return self.encoded(source)
            return []  # the name of a command or of a variable, not a command
        found = shifted(self.command(source[start:], Shell.AUTO, scope), start)
        if not re.search(r"\s-{1,2}\w|[|;&]", source):
            found = [finding for finding in found if finding.rule != UNRESOLVABLE]
        return found or self.code(source, scope)

    def encoded(self, text: str) -> Findings:
        """What may be encoded text; what it decodes to is judged, as a command and for the commands in it."""
        found = self.command(text, Shell.AUTO, Scope())
        return [finding for finding in found if finding.rule != UNRESOLVABLE]

    def spoken(self, text: str, before: str, scope: Scope, *, doubtful: bool) -> Findings:
        """A sentence from the head of a command on.

        Args:
            text: From the head to the end of the sentence, or of the logical line where the head is its first word.
            before: The line up to the head.
            scope: What earlier lines assigned.
            doubtful: Whether the head is an English word too, so that a command further on goes first.
        """
        if doubtful and (inner := self._inner(text, before)):
            return inner
        first = regions.bare(before)
        prompted = first and regions.prompted(before)
        told = first or mentions.told(before)
        shell = regions.prompt_shell(before) if prompted else Shell.AUTO
        readings = [text] if first else []
        clean = regions.as_spoken(text, before)
        if clean != text or not first:
            readings.append(clean)
        if told and (clause := regions.first_clause(clean)):
            readings.append(clause)
        readings += _unquoted(text)
        found: dict[tuple[str, tuple[int, int]], Finding] = {}
        for reading in readings:
            for finding in self._labelled(reading, shell, scope):
                if finding.rule.startswith(_VAGUE) and not prompted:
                    continue
                if finding.rule != UNRESOLVABLE or prompted or (told and signs.runs_text(text)):
                    found.setdefault((finding.rule, finding.span), finding)
        if not found and not doubtful:
            return self._inner(text, before)
        return sorted(found.values(), key=lambda finding: finding.span)

    def _inner(self, text: str, before: str) -> Findings:
        """Commands further on in a sentence that began with another: find the pod and then run rm -rf /."""
        found: Findings = []
        for start in self._heads(text):
            leading = before + text[:start]
            if mentions.told(leading) and not mentions.prohibited(regions.sentence_before(leading)):
                rest = text[start : start + _LONGEST_INNER]
                for reading in (regions.as_spoken(rest, leading), *_unquoted(rest)):
                    inner = shifted(self.command(reading, Shell.AUTO, Scope()), start)
                    found += [one for one in inner if one.rule != UNRESOLVABLE and not one.rule.startswith(_VAGUE)]
        return found

    def _heads(self, text: str) -> Iterable[int]:
        position, count = 1, 0
        while position < len(text) and count < _MOST_INNER:
            position = self.reader.rest(text, position)
            position = self.skim.past(text, self.reader.gap(text, position))
            position = self.reader.gap(text, position)
            if position == len(text):
                return
            read = self.reader.read(text, position, final=True)
            if read.standing is Standing.HEAD:
                count += 1
                yield position
            position = max(read.end, position + 1)

    def code(self, text: str, scope: Scope) -> Findings:
        """A stretch of a program or a configuration."""
        if is_mongo(text):
            return self.command(text, Shell.BASH, scope)
        pieces = in_code(text) + _calls(text, scope.constants) + tasks_of(text, scope.constants)
        if _DOCUMENT.search(text):
            pieces += in_json(text, 0, len(text))
        return self._pieces(pieces, scope)

    def piece(self, piece: Piece, scope: Scope | None = None) -> Findings:
        """A value that begins a command; spans are where it was written."""
        found = self.command(piece.text, Shell.AUTO, Scope() if scope is None else scope)
        if piece.text[:1] == "$" and not regions.FOLLOWERS.isdisjoint(piece.text.lower().split()):
            found = [finding for finding in found if finding.rule != UNRESOLVABLE]  # a template: ${name} is ready
        return mapped(piece, found)

    def program(self, text: str) -> Findings:
        """What a program that stands in a value does by calls of its own."""
        return self._pieces(_calls(text), Scope())

    def _pieces(self, pieces: list[Piece], scope: Scope) -> Findings:
        found: dict[tuple[str, tuple[int, int]], Finding] = {}
        for piece in pieces:
            if self.begins(piece.text):
                known = not signs.runs_text(piece.text)  # a variable in a program's string is mostly no command
                for finding in self.piece(piece, scope):
                    if known and finding.rule == UNRESOLVABLE:
                        continue
                    found.setdefault((finding.rule, finding.span), finding)
        return sorted(found.values(), key=lambda finding: finding.span)

    def begins(self, text: str) -> bool:
        """Whether a command's name may begin `text` or stand behind a separator in it, or a sign of one is in it."""
        starts = [0, *(match.end() for match in islice(_SEPARATOR.finditer(text), _MOST_INNER))]
        return any(self._head_at(text, start) for start in starts) or signs.within(text) or encoded.plausible(text)

    def _head_at(self, text: str, position: int) -> bool:
        start = self.reader.gap(text, position)
        if start == len(text):
            return False
        return self.reader.read(text, start, final=True).standing is not Standing.CLEAR

    def continued(self, text: str, before: str, scope: Scope, lead: str | None = None) -> Findings:
        """What a command does that goes on with `text` behind a pipe or separator; only what lies in `text` counts.

        Args:
            text: From behind the separator on.
            before: The line up to it.
            scope: What earlier lines assigned.
            lead: What the command begins with, where that is known.
        """
        begins = regions.command_before(before) if lead is None else lead
        outer = before[: len(before) - len(begins)]
        by = len(begins)
        found = shifted(self.command(regions.as_spoken(begins + text, outer), Shell.AUTO, replace(scope)), -by)
        fed = lead is None and _WORDS.match(regions.undecorated(begins)) is not None
        inside = [
            finding
            for finding in found
            if finding.span[1] > 0
            and not finding.rule.startswith(_VAGUE)
            and (finding.rule != UNRESOLVABLE or (fed and signs.feeds_shell(begins + text)))
        ]
        return [replace(finding, span=(max(0, finding.span[0]), finding.span[1])) for finding in inside]


def _calls(text: str, constants: MutableMapping[str, Value] | None = None) -> list[Piece]:
    try:
        return commands_of(text, constants)
    except BudgetExceeded as error:
        raise Unjudged("budget") from error


def shifted(findings: Iterable[Finding], by: int) -> Findings:
    """The findings, `by` characters further on."""
    return [replace(finding, span=(finding.span[0] + by, finding.span[1] + by)) for finding in findings]


def mapped(piece: Piece, findings: Iterable[Finding]) -> Findings:
    """Findings in a piece's text, where it was written."""
    return [replace(finding, span=piece.source_span(*finding.span)) for finding in findings]


def _unquoted(text: str) -> list[str]:
    """The inside of the quotes that `text` begins with, if any: the whole command is quoted, not its head alone."""
    if text[:1] not in ("'", '"'):
        return []
    close = text.find(text[0], 1)
    close = len(text) if close < 0 else close
    return [f" {text[1:close]}{' ' * (len(text) - close)}"]
