"""`wardgate guard rules`: what the rules are, whether their examples hold, and what one of them means."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from itertools import groupby
from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from guardrails.commands.examples import failures
from guardrails.commands.mends import nearest
from guardrails.commands.picture import picture, tree_document
from guardrails.commands.rules import RuleError
from guardrails.commands.words import matched
from guardrails.guard import Guard
from guardrails.policy import PolicyError, load_policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.commands.rules import Rule

HOLDS, FAILS, BAD_USE = 0, 1, 2
Json = Annotated[bool, Parameter(name="--json", negative="")]

app = App(name="rules")


@app.default
def rules(
    *,
    check: Annotated[bool, Parameter(negative="")] = False,
    pack: str | None = None,
    policy: Path | None = None,
    json_: Json = False,
) -> int:
    """List the rules by pack, or run every rule's own examples.

    Exit status: 0 all examples hold, 1 one does not, 2 bad use or a file that cannot be meant.

    Example: wardgate guard rules --check --policy policy.yaml

    Parameters
    ----------
    check
        Run the examples, each alone and in a fenced answer, and judge what the rules and runbooks offer.
    pack
        Only the rules of this pack.
    policy
        A policy file, whose `rule_paths` and `runbook_paths` are read, too; the built-in policy otherwise.
    json_
        Print one JSON document.
    """
    try:
        guard = _guard(policy)
        chosen = _chosen(guard, pack)
    except _Misuse as wrong:
        return _bad_use(str(wrong))
    if check:
        return _check(guard, chosen, json_=json_)
    if json_:
        _say(json.dumps({"rules": [_document(rule) for rule in chosen]}))
        return HOLDS
    for name, members in groupby(chosen, key=lambda rule: rule.pack):
        inside = list(members)
        _say(f"{name} ({_count(len(inside), 'rule')})")
        for rule in inside:
            _say(f"  {rule.id:<32} {rule.severity:<8}  {rule.action:<8}  {rule.effect:<16}  {rule.reason}")
    return HOLDS


@app.command
def explain(rule: str, /, *, policy: Path | None = None, json_: Json = False) -> int:
    """Say in words what a rule matches, why, and what it offers; with its examples and how they are read.

    Exit status: 0, or 2 where no such rule is.

    Example: wardgate guard rules explain files.delete-tree

    Parameters
    ----------
    rule
        The rule's id, `pack.name`, as a finding has it.
    policy
        A policy file, whose `rule_paths` and `runbook_paths` are read, too; the built-in policy otherwise.
    json_
        Print one JSON document.
    """
    try:
        guard = _guard(policy)
        found = _named(guard, rule)
    except _Misuse as wrong:
        return _bad_use(str(wrong), "rules explain")
    if json_:
        examples = {text: tree_document(guard.judge.judge(text, found.shell).commands) for text in found.positive}
        _say(json.dumps(_document(found) | {"match": matched(found), "examples": examples}))
        return HOLDS
    _say("\n".join(_explained(found, guard)))
    return HOLDS


class _Misuse(Exception):
    """Bad use; the message says what to do instead."""


def _guard(policy: Path | None) -> Guard:
    try:
        return Guard(load_policy(policy), clock=time.monotonic)
    except (PolicyError, RuleError) as error:
        raise _Misuse(str(error)) from error


def _chosen(guard: Guard, pack: str | None) -> list[Rule]:
    every = list(guard.rules.rules)
    packs = {rule.pack for rule in every}
    if pack is not None and pack not in packs:
        raise _Misuse(f"--pack: {pack!r} is no pack; {nearest(pack, packs)}")
    return [rule for rule in every if pack in (None, rule.pack)]


def _named(guard: Guard, wanted: str) -> Rule:
    known = {rule.id: rule for rule in guard.rules.rules}
    if wanted not in known:
        raise _Misuse(f"{wanted!r} is no rule; {nearest(wanted, known)}")
    return known[wanted]


def _check(guard: Guard, chosen: Sequence[Rule], *, json_: bool) -> int:
    failed = list(failures(chosen, guard))
    examples = sum(len(rule.positive) + len(rule.negative) for rule in chosen)
    if json_:
        told = [asdict(failure) | {"file": str(failure.file)} for failure in failed]
        dropped = [str(step) for step in guard.catalogue.dropped]
        _say(json.dumps({"rules": len(chosen), "examples": examples, "failures": told, "not_offered": dropped}))
        return FAILS if failed else HOLDS
    for failure in failed:
        _say(str(failure))
    for step in guard.catalogue.dropped:
        _say(f"note: {step}")
    what = f"{_count(len(chosen), 'rule')}, {_count(examples, 'example')}"
    _say(f"{what}: {len(failed)} {'does' if len(failed) == 1 else 'do'} not hold" if failed else f"{what}: all hold")
    return FAILS if failed else HOLDS


def _document(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "pack": rule.pack,
        "effect": rule.effect.value,
        "severity": rule.severity.value,
        "action": rule.action.value,
        "shell": rule.shell.value,
        "reason": rule.reason,
        "reference": rule.reference,
        "runbook": rule.runbook,
        "alternative": rule.alternative,
        "file": str(rule.file),
        "line": rule.line,
        "positive": list(rule.positive),
        "negative": list(rule.negative),
    }


def _explained(rule: Rule, guard: Guard) -> list[str]:
    decided = guard.policy.checks.commands
    override = decided.rules.get(rule.id) or decided.action
    lines = [
        f"{rule.id}: {rule.reason}",
        f"  effect {rule.effect}, severity {rule.severity}, action {rule.action}"
        + (f" (the policy makes it {override})" if override else ""),
        f"  written in {rule.file}:{rule.line}",
        f"  reference {rule.reference}",
        f"  offers {_offered(rule, guard)}",
    ]
    for at, entry in enumerate(matched(rule)):
        lines.append(f"  matches a {rule.shell} command where" if at == 0 else "  or where")
        lines += [f"    {line}" for line in entry]
    lines.append("  finds")
    for text in rule.positive:
        judgement = guard.judge.judge(text, rule.shell)
        lines += [f"    {line}" for line in picture(judgement.commands)]
        for finding in judgement.findings:
            if finding.rule == rule.id:
                instead = f"; instead: {finding.alternative}" if finding.alternative else ""
                lines.append(f"      → {finding.message}{instead}")
    lines.append("  leaves")
    for text in rule.negative:
        lines += [f"    {line}" for line in picture(guard.judge.judge(text, rule.shell).commands) or [f"({text})"]]
    return lines


def _offered(rule: Rule, guard: Guard) -> str:
    if rule.alternative is not None:
        return rule.alternative
    named = guard.catalogue.named(rule.runbook) if rule.runbook is not None else None
    if named is not None:
        return f"{named.command} ({named.id}: {named.why})"
    return "what the catalogue has for this effect, place and command, if anything"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _say(text: str) -> None:
    print(text)  # noqa: T201 - it is what the command is for


def _bad_use(message: str, command: str = "rules") -> int:
    print(f"wardgate guard {command}: {message}", file=sys.stderr)  # noqa: T201 - it is what the command is for
    return BAD_USE
