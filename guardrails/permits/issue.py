"""Which commands get a permit: each is judged once more, alone and as a whole, because alone it will be run.

What an answer's earlier lines settled is not there when a runner takes one command out of it, and a label is only the
writer's word: so a command is read in the one language that the permit names, with nothing before it. It gets a permit
where every check looked, none found anything, and all of it could be read. Names that nobody gave are found as well.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from guardrails import regions
from guardrails.checks.familiar import familiar
from guardrails.checks.invented import named
from guardrails.commands import readers
from guardrails.commands.budget import BudgetExceeded
from guardrails.commands.languages import languages
from guardrails.commands.passages import Kind, passages
from guardrails.commands.scope import Scope
from guardrails.commands.units import Unjudged
from guardrails.interface import Action, Channel, Shell
from guardrails.permits.interface import Permit
from guardrails.permits.sign import sign, signable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from guardrails.commands.passages import Passage
    from guardrails.given import Given
    from guardrails.guard import Guard
    from guardrails.interface import Subject, Verdict
    from guardrails.permits.keys import SigningKey

MOST = 64
"""Commands of one text that get a permit; each is judged and signed."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Signs for one answer, or for one question to the guard.

    Attributes:
        key: What signs.
        guard: What judged, and judges again.
        now: Seconds since 1970.
        name: A new permit's name.
        inference: The answer's id.
        parameters: What was bound into the request.
        given: What was named before the answer was written; a command that names something else gets no permit.
    """

    key: SigningKey
    guard: Guard
    now: int
    name: Callable[[], str]
    inference: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    given: Given | None = None

    def command(self, text: str, shell: Shell = Shell.AUTO) -> dict[str, Any] | None:
        """The permit of one command, as the contract has it; None where it gets none."""
        if not signable(text):
            return None
        shells = languages(text) if shell is Shell.AUTO else (shell,)
        clean = all(self._clean(text, one) for one in {shell, shells[-1]}) and _complete(text, shells[-1])
        return self._signed(text, shells[-1], "") if clean and self._all_familiar(text, shells[-1]) else None

    def tool_call(self, tool: str, arguments: str) -> dict[str, Any] | None:
        """The permit of a tool call; None where its arguments are no JSON."""
        try:
            json.loads(arguments)
        except (ValueError, RecursionError):
            return None
        if not tool or not signable(arguments):
            return None
        clean = _untouched(self.guard.examine(arguments, Channel.OUTPUT, given=self.given))
        return self._signed(arguments, None, tool) if clean else None

    def answer(self, text: str, *, cut: bool = False) -> list[dict[str, Any]]:
        """The permits of an allowed answer's commands; `cut` where it ran out of tokens, so that its end is half."""
        try:
            found = [one for one in passages(text) if one.closed or not cut]
        except Unjudged:
            return []
        texts = dict.fromkeys(_commands(text, found))
        permits = (self.command(*one) for one in texts)
        return list(islice((one for one in permits if one is not None), MOST))

    def _clean(self, text: str, shell: Shell) -> bool:
        return _untouched(self.guard.examine(text, Channel.COMMAND, shell=shell))

    def _all_familiar(self, text: str, shell: Shell) -> bool:
        if self.given is None:
            return True
        words = self.guard.catalogue.words
        return all(familiar(name, self.given, words) for name in named(text, shell, Scope()))

    def _signed(self, text: str, shell: Shell | None, tool: str) -> dict[str, Any]:
        permit = Permit(
            id=self.name(),
            issued=self.now,
            expires=self.now + self.guard.policy.permits.seconds,
            command=text,
            policy=self.guard.policy.digest,
            rules=self.guard.rules_digest,
            shell=shell,
            tool=tool,
            parameters=self.parameters,
            inference=self.inference,
        )
        ran = {"tool": tool} if shell is None else {"shell": shell.value}
        return {"command": text, **ran, "expires": permit.expires, "permit": sign(permit, self.key)}


def sign_check(key: SigningKey, guard: Guard, now: int, subject: Subject, verdict: Verdict) -> list[dict[str, Any]]:
    """The permits of a text that the guard alone was asked about: a command's, an answer's, none of anything else."""
    if verdict.action is not Action.ALLOW:
        return []
    issuer = Issuer(key, guard, now, lambda: secrets.token_urlsafe(16))
    if subject.channel is Channel.OUTPUT:
        return issuer.answer(subject.text)
    found = issuer.command(subject.text, subject.shell) if subject.channel is Channel.COMMAND else None
    return [] if found is None else [found]


def _untouched(verdict: Verdict) -> bool:
    return verdict.action is Action.ALLOW and not verdict.findings and not verdict.unchecked


def _complete(text: str, shell: Shell) -> bool:
    try:
        return readers.read(text, shell).complete
    except (BudgetExceeded, RecursionError):
        return False


def _commands(text: str, found: list[Passage]) -> Iterator[tuple[str, Shell]]:
    """What a runner would take out of an answer: a fence as a whole, of a transcript what follows the prompts."""
    for fence, members in groupby(found, lambda one: one.fence):
        units = list(members)
        if fence < 0:
            for one in units:
                if one.kind is Kind.PROMPTED or _given(one):
                    yield one.text, one.shell
        elif units[0].language is regions.Language.CODE:
            continue
        elif any(one.prompted for one in units):
            for one in units:
                if one.prompted:
                    yield one.text, one.shell
        else:
            yield text[fence : units[-1].end], units[0].shell


def _given(one: Passage) -> bool:
    """Whether inline code is a command and no name, key or message."""
    return one.told or (len(one.text.split()) > 1 and regions.EVIDENCE.within(one.text))
