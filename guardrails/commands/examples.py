"""Runs the examples of rules: found or left as they say, alone and in an answer; what is offered must be harmless."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from guardrails.commands.budget import BudgetExceeded
from guardrails.commands.match import Matcher
from guardrails.commands.picture import picture
from guardrails.commands.runbooks import harm
from guardrails.interface import Channel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from guardrails.commands.judge import CommandJudge
    from guardrails.commands.rules import Rule
    from guardrails.commands.tree import Command
    from guardrails.guard import Guard
    from guardrails.interface import Finding

_PLAIN = Matcher()


@dataclass(frozen=True, slots=True)
class Failure:
    """One example that does not hold.

    Attributes:
        rule: The rule's id.
        file: Where it is written.
        line: The example's line.
        field: `positive.0`, `negative.1`, `alternative`.
        text: The example.
        message: What was found instead, and what to mend.
    """

    rule: str
    file: Path
    line: int
    field: str
    text: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.field} {self.text!r} {self.message}"


def failures(rules: Iterable[Rule], guard: Guard, *, fenced: bool = True) -> Iterator[Failure]:
    """Every example of the rules that does not hold; with `fenced` it is tried in an answer, too."""
    for rule in rules:
        for kind in ("positive", "negative"):
            for at, text in enumerate(getattr(rule, kind)):
                message = _alone(rule, text, guard.judge, wanted=kind == "positive")
                if not message and fenced:
                    message = _fenced(rule, text, guard, wanted=kind == "positive")
                if message:
                    yield _failure(rule, f"{kind}.{at}", text, message)
        yield from _alternatives(rule, guard)


def _failure(rule: Rule, field: str, text: str, message: str) -> Failure:
    return Failure(rule.id, rule.file, rule.lines.get(field, rule.line), field, text, message)


def _alone(rule: Rule, text: str, judge: CommandJudge, *, wanted: bool) -> str:
    try:
        judgement = judge.judge(text, rule.shell)
    except BudgetExceeded as wrong:
        return f"could not be judged: {wrong}"
    found = any(one.rule == rule.id for one in judgement.findings)
    if found is wanted:
        return ""
    if found:
        return f"is found by the rule, and should not be: it {judgement.findings[0].message}"
    return f"is not found by the rule: {_why_not(rule, judgement.commands)}{_instead(judgement.findings)}"


def _fenced(rule: Rule, text: str, guard: Guard, *, wanted: bool) -> str:
    answer = f"Run this:\n\n```{rule.shell.value}\n{text}\n```\n"
    verdict = guard.examine(answer, Channel.OUTPUT)
    found = any(one.rule == rule.id for one in verdict.findings)
    if wanted and not found and not (verdict.action.stops and verdict.findings):
        return "is found alone, and not in a fenced answer; please report it, this is the guard's mistake"
    if not wanted and found:
        return "is left alone, and found in a fenced answer; please report it, this is the guard's mistake"
    return ""


def _alternatives(rule: Rule, guard: Guard) -> Iterator[Failure]:
    """What the rule offers must not be stopped itself, empty or filled."""
    if rule.alternative is None:
        return
    offered = {rule.alternative: "alternative"}
    for at, text in enumerate(rule.positive):
        for finding in _judged(guard.judge, text, rule):
            offered.setdefault(finding.alternative or rule.alternative, f"positive.{at}")
    for text in offered:
        if wrong := harm(text, rule.shell, guard.judge):
            yield _failure(rule, "alternative", text, f"is offered, and {wrong} itself; offer what is harmless")
            return


def _judged(judge: CommandJudge, text: str, rule: Rule) -> list[Finding]:
    try:
        return [one for one in judge.judge(text, rule.shell).findings if one.rule == rule.id]
    except BudgetExceeded:
        return []


def _instead(findings: tuple[Finding, ...]) -> str:
    return f"; found instead: {', '.join(one.rule for one in findings)}" if findings else ""


def _why_not(rule: Rule, commands: tuple[Command, ...]) -> str:
    if not commands:
        return f"nothing in it is a command of {rule.shell.value}"
    near = [
        (match, command)
        for names, match in rule.matchers
        for command in commands
        if command.shell is rule.shell and any(_called(command.name, name) for name in names)
    ]
    reads = " / ".join(line.strip() for line in picture(commands))
    if not near:
        named = ", ".join(sorted({name for names, _ in rule.matchers for name in names}))
        return f"it reads as `{reads}`, and no command in it is called {named}"
    for match, command in near:
        for field in fields(Matcher):
            without = replace(match, **{field.name: getattr(_PLAIN, field.name)})
            if getattr(match, field.name) != getattr(_PLAIN, field.name) and without(command) is not None:
                return f"it reads as `{reads}` and fits but for `{_written(field.name)}`"
    return f"it reads as `{reads}` and differs in more than one key of `match`"


def _written(field: str) -> str:
    return {"subcommands": "subcommand"}.get(field, field)


def _called(name: str, wanted: str) -> bool:
    return wanted in (name, "*") or (wanted.endswith("*") and name.startswith(wanted[:-1]))
