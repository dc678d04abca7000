"""Judges commands: parses a text, asks the rules, and says what it would do, to what, and what to do instead."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from guardrails.commands import readers
from guardrails.commands.budget import BudgetExceeded
from guardrails.commands.index import UNRESOLVED
from guardrails.commands.languages import languages
from guardrails.commands.scope import Scope
from guardrails.commands.shells import SCRIPTED, scripted
from guardrails.commands.silent import Silence
from guardrails.commands.tree import UNKNOWN, sources
from guardrails.commands.wrappers import WRAPPERS
from guardrails.interface import Action, Finding, Severity, Shell

if TYPE_CHECKING:
    from guardrails.commands.match import Match
    from guardrails.commands.rules import Rule, RuleSet
    from guardrails.commands.runbooks import Catalogue
    from guardrails.commands.tree import Command, Script, Span

__all__ = ["BudgetExceeded", "CommandJudge", "Judgement", "Scope"]

_MAKERS = frozenset(
    {"echo", "printf", "cat", "tee", "base64", "xxd", "curl", "wget", "for", "while", "if", "export", "function"}
)
_HARMLESS = frozenset({"--help", "--version"})
_MOST_FINDINGS = 256  # in one text; nobody reads more, and the first stops it
_SLOT = re.compile(r"\{(\w+)\}")
_PREVIEW = re.compile(r"-(?:wh[atif]{0,4}|wi)(?::\$true)?", re.IGNORECASE)
_SQL = (Shell.BASH, Shell.SQL)
# Programs are the same from whatever shell they are called; a shell's own words are its own.
_ALSO = {Shell.POWERSHELL: (Shell.CMD, Shell.BASH), Shell.CMD: (Shell.BASH,)}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the judge made of one text.

    Attributes:
        findings: In the order of their spans.
        commands: Everything the text would run.
        complete: Whether all of it could be parsed.
    """

    findings: tuple[Finding, ...]
    commands: tuple[Command, ...]
    complete: bool


class CommandJudge:
    """The rules and the runbooks, ready to judge."""

    def __init__(self, rules: RuleSet, runbooks: Catalogue) -> None:
        self._rules = rules
        self._runbooks = runbooks
        self._silence = Silence(rules.index)
        self.heads: frozenset[str] = rules.index.names | WRAPPERS | _MAKERS
        self.families: tuple[str, ...] = rules.index.families
        starts = (*self.heads, *self.families)
        self._begins = frozenset(start[:n] for start in starts for n in range(1, len(start) + 1))

    def may_begin(self, prefix: str) -> bool:
        """Whether a head starts with `prefix`, whatever its case."""
        prefix = prefix.lower()
        return prefix in self._begins or prefix.startswith(self.families)

    def is_head(self, word: str) -> bool:
        """Whether a command called `word`, lower case, may be the beginning of a finding."""
        return word in self.heads or word.startswith(self.families)

    def judge(self, text: str, shell: Shell = Shell.AUTO, scope: Scope | None = None) -> Judgement:
        """Judges one text; spans are relative to it.

        Where the language is not given, the text is read as bash and as whatever else it looks like; bash does not
        complain then about what only the other language can resolve.

        Raises:
            BudgetExceeded: when the parser's work budget is spent.
        """
        shells = languages(text) if shell is Shell.AUTO else (shell,)
        scope = scope if scope is not None else Scope()
        named = scope.functions or scope.aliases or scope.files  # a word may be any of these
        if shells == _SQL and not named and self._silence.holds(text):
            shells = (Shell.SQL,)
        findings: dict[tuple[str, Span], Finding] = {}
        commands: tuple[Command, ...] = ()
        complete = False
        for one in shells:
            script = _read(text, one, scope)
            commands += script.commands
            complete = complete or script.complete
            for command in script.commands:
                if len(findings) >= _MOST_FINDINGS:
                    break
                found = self._command(command)
                if command.name in SCRIPTED:
                    found += self._script(command)
                for finding in found:
                    if finding.rule != "commands.unresolvable" or one is shells[-1]:
                        findings.setdefault((finding.rule, finding.span), finding)
        return Judgement(tuple(sorted(findings.values(), key=lambda f: f.span)), commands, complete)

    def _command(self, command: Command) -> list[Finding]:
        name = command.name
        opaque = name == UNKNOWN
        if len(command.argv) > 1 and command.argv[-1].text in _HARMLESS and not command.redirects:
            return []
        if command.shell is Shell.POWERSHELL and "-" in name and any(_PREVIEW.fullmatch(w.shape) for w in command.argv):
            return []
        found = []
        for rule, matcher in self._rules.candidates(command, UNRESOLVED if opaque else name):
            match = matcher(command)
            if match is not None:
                found.append(self._finding(rule, command, match))
        for shell in _ALSO.get(command.shell, ()) if not opaque else ():
            candidates = self._rules.candidates(command, name, shell)
            same = replace(command, shell=shell) if candidates else command
            for rule, matcher in candidates:
                match = matcher(same)
                if match is not None:
                    found.append(self._finding(rule, command, match))
        if opaque and not found:
            found.append(_unresolvable(command))
        return found

    def _script(self, command: Command) -> list[Finding]:
        """What a script is known to do that a shell is given: `bash ./teardown.sh` is judged as `teardown.sh` is."""
        words = scripted(command)
        return self._command(replace(command, argv=words, redirects=(), stdin=())) if words else []

    def _finding(self, rule: Rule, command: Command, match: Match) -> Finding:
        named = dict(match.named)
        if match.targets:
            first = match.targets[0]
            named["target"] = (
                f"{first.label} {first.path}"
                if first.label and first.path not in first.label
                else first.label or first.path
            )
        said = _SLOT.sub(lambda m: named.get(m[1], "it"), rule.reason)
        message = said.replace("it it", "it").replace(UNKNOWN, "…")
        alternative = self._runbooks.alternative(rule, command, match)
        return Finding(
            "commands",
            rule.id,
            rule.severity,
            _whole(command),
            message,
            rule.action,
            alternative,
            rule.effect,
            match.targets[0] if match.targets else None,
        )


def _read(text: str, shell: Shell, scope: Scope) -> Script:
    try:
        return readers.read(text, shell, scope)
    except RecursionError as deep:
        raise BudgetExceeded("the text is nested deeper than anybody would write it") from deep


def _unresolvable(command: Command) -> Finding:
    through = f" through {command.wrappers[-1]}" if command.wrappers else ""
    message = f"would run a command{through} that is only known at run time, so nobody can say what it does"
    return Finding("commands", "commands.unresolvable", Severity.HIGH, _whole(command), message, Action.ESCALATE)


def _whole(command: Command) -> Span:
    """The command, its redirections and whatever feeds it."""
    spans = [command.span, *(r.target.span for r in command.redirects), *(c.span for c in sources(command))]
    return min(s for s, _ in spans), max(e for _, e in spans)
