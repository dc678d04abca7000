"""Names in an answer's commands that nobody named: a host, a service, a path or an option the model made up.

A model that is asked about one machine and answers with another's name writes a command that does the right thing in
the wrong place. What was named stands in the request (messages, parameters, tools), in the facts that came with it, or
in the runbooks; besides there are names that everybody has. Only commands are looked at: lines of fences, what follows
a prompt, inline code, and what stands in a tool call's arguments.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from guardrails import regions
from guardrails.checks.arguments import values
from guardrails.checks.familiar import familiar
from guardrails.checks.names import Kind, Name, argument_kinds, forms, names
from guardrails.commands import readers
from guardrails.commands.budget import BudgetExceeded
from guardrails.commands.embedded import json_begins
from guardrails.commands.languages import languages
from guardrails.commands.passages import Kind as Standing
from guardrails.commands.passages import Passages
from guardrails.commands.scope import Scope
from guardrails.commands.units import Unjudged, mapped
from guardrails.interface import Action, Finding, Found, Progress, Severity, Shell, Unchecked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from guardrails.commands.passages import Passage
    from guardrails.given import Given

NAME = "invented"
RULES = frozenset(f"{NAME}.{kind}" for kind in Kind)
MOST = 20
"""Findings of one text; more tell nobody more."""

_NOTHING = Progress(sys.maxsize, (), ())
Late = tuple[int, Found | Unchecked]
_COMMANDS = re.compile(r"(?:.*[_-])?(?:commands?|cmd|script|shell|bash|argv?|args|line|exec|run)")
_CALLED = {Kind.HOST: "host", Kind.SERVICE: "service", Kind.PATH: "path", Kind.FLAG: "option"}


class InventedWatch:
    """One text of an answer, against what was given with its request."""

    def __init__(
        self, given: Given, catalogue: frozenset[str], held: int, stops: Callable[[Finding], bool] | None
    ) -> None:
        """Look for names that neither `given` nor `catalogue` holds.

        Args:
            given: The request's words.
            catalogue: The runbooks' words.
            held: Most characters of a command, or of a line of prose.
            stops: Whether a finding stops the answer, so that a line waits until it is looked at; None where none does.
        """
        self._given = given
        self._catalogue = catalogue
        self._stops = stops
        self._passages = Passages(held)
        self._length = 0
        self._opening: list[str] | None = []  # the text, as long as it may be a JSON document
        self._begun: bool | None = None  # whether it begins like one
        self._scope = Scope()
        self._fence = -1
        self._seen: set[tuple[Kind, str]] = set()
        self._flows = False  # what holds no line end decides nothing, and nothing is held
        self._over = False  # nothing more is looked at
        self._stood = 0  # where what ended it begins

    def feed(self, piece: str) -> Progress:
        if self._flows and "\n" not in piece:
            self._passages.keep(piece)
            return _NOTHING
        self._length += len(piece)
        if self._opening is not None and not self._over:
            self._opening.append(piece)
            if self._begun is None:
                self._begun = json_begins("".join(self._opening))
            if self._begun is not False:
                return self._progress([], 0)
            piece, self._opening = "".join(self._opening), None
            self._flows = self._stops is None
        return self._step(lambda: self._passages.feed(piece))

    def finish(self) -> Progress:
        late: list[Late] = []
        if self._opening is not None and not self._over:
            text, self._opening = "".join(self._opening), None
            found = self._in_document(text)
            if found is not None:
                return self._progress([(self._length, Found((one,))) for one in found], self._length)
            late += self._step(lambda: self._passages.feed(text)).late or ()
        progress = self._step(self._passages.finish)
        return Progress(progress.settled, (), (*late, *(progress.late or ())))

    def _step(self, told: Callable[[], Iterator[Passage]]) -> Progress:
        late: list[Late] = []
        if not self._over:
            try:
                for passage in told():
                    late += [(self._passages.reached, Found((one,))) for one in self._looked_at(passage)]
            except Unjudged as error:
                late.append((self._passages.reached, Unchecked(NAME, error.reason)))
        return self._progress(late, self._passages.base)

    def _progress(self, late: list[Late], base: int) -> Progress:
        """What a step found; where that may stop the answer, what it stands in is held."""
        if not self._stops:
            self._over = self._over or any(isinstance(outcome, Unchecked) for _, outcome in late)
            return Progress(sys.maxsize, (), tuple(late))
        for _, outcome in late:
            if not self._over and (isinstance(outcome, Unchecked) or self._stops(outcome.findings[0])):
                self._over = True
                self._stood = base if isinstance(outcome, Unchecked) else outcome.findings[0].span[0]
        return Progress(self._stood if self._over else base, (), tuple(late))

    def _looked_at(self, one: Passage) -> list[Finding]:
        if one.language is regions.Language.CODE:
            return []
        if one.kind is not Standing.FENCED or one.fence != self._fence:
            self._scope, self._fence = Scope(), one.fence
        return self._invented(one.text, one.start, one.shell, self._scope)

    def _in_document(self, text: str) -> list[Finding] | None:
        """What the arguments of a tool call name; None where they are none."""
        arguments = values(text)
        if arguments is None:
            return None
        found: list[Finding] = []
        for name, piece in arguments:
            kind = argument_kinds().get(name)
            if kind is not None and len(piece.text.split()) == 1:
                found += mapped(piece, self._told([Name(kind, piece.text, (0, len(piece.text)))], 0))
            elif _COMMANDS.fullmatch(name) or piece.text.partition(" ")[0].lower() in forms():
                found += mapped(piece, self._invented(piece.text, 0, Shell.AUTO, Scope()))
        return found

    def _invented(self, text: str, start: int, shell: Shell, scope: Scope) -> list[Finding]:
        return self._told(named(text, shell, scope), start)

    def _told(self, found: Iterable[Name], start: int) -> list[Finding]:
        told = []
        for one in found:
            key = one.kind, one.text.casefold()
            if key in self._seen or len(self._seen) >= MOST or familiar(one, self._given, self._catalogue):
                continue
            self._seen.add(key)
            span = (start + one.span[0], start + one.span[1])
            message = (
                f"names the {_CALLED[one.kind]} {one.text:.80}, which stands neither in the request, nor in the facts "
                "given with it, nor in a runbook"
            )
            told.append(Finding(NAME, f"{NAME}.{one.kind}", Severity.LOW, span, message, Action.ALLOW))
        return told


def named(text: str, shell: Shell, scope: Scope) -> list[Name]:
    """What a command names in its own words; what it settles stays in `scope`.

    Raises:
        Unjudged: It takes too much work to read it.
    """
    shell = languages(text)[-1] if shell is Shell.AUTO else shell
    try:
        script = readers.read(text, shell, scope)
    except (BudgetExceeded, RecursionError) as error:
        raise Unjudged("budget") from error
    found = (name for command in script.commands for name in names(command))
    return [one for one in found if one.text in text[slice(*one.span)]]
