"""`wardgate guard check`: the guard on a text, on standard input, or on lines of JSON."""

from __future__ import annotations

import json
import sys
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from guardrails import reading
from guardrails.audit import auditing
from guardrails.commands.rules import RuleError
from guardrails.commands.tree import UNKNOWN
from guardrails.guard import Guard
from guardrails.interface import Channel, Shell, Subject
from guardrails.permits.interface import PermitError
from guardrails.permits.issue import sign_check
from guardrails.permits.keys import SigningKey
from guardrails.policy import PolicyError, load_policy
from guardrails.wire import ItemError, parse_item, verdict_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from guardrails.interface import Finding, Verdict

ALLOWED, STOPPED, BAD_USE = 0, 1, 2


def check(
    text: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    /,
    *,
    kind: Channel = Channel.COMMAND,
    shell: Shell = Shell.AUTO,
    type_: Annotated[str, Parameter(name="--type")] = "free_text",
    policy: Path | None = None,
    permit_key: Path | None = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    jsonl: Annotated[bool, Parameter(negative="")] = False,
    tree: Annotated[bool, Parameter(negative="")] = False,
    audit: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Judge a command, a parameter's value, a prompt or an answer.

    Exit status: 0 allowed, 1 stopped (of many: at least one), 2 bad use.

    Example: wardgate guard check --kind output 'To free space, run rm -rf /var/lib/postgresql now.'

    Example: echo '{"text": "nginx; id", "kind": "parameter", "type": "service"}' | wardgate guard check --jsonl

    Parameters
    ----------
    text
        The text to judge; `-` reads all of standard input.
    kind
        What the text is; with --jsonl what a line is that names none.
    shell
        The language of a command.
    type_
        The declared type of a parameter's value.
    policy
        A policy file; the built-in policy otherwise.
    permit_key
        An Ed25519 private key (PEM); JSON then has a permit for what is allowed, see `wardgate guard verify`.
    json_
        Print the verdict as one line of JSON.
    jsonl
        Read `{"text", "kind", "shell"?, "type"?}` lines on standard input and write a verdict for each, in order.
    tree
        Show what it would run, even where nothing was found; in JSON under the key `tree`.
    audit
        Put under the key `audit` of the JSON which checks looked, at which stretches, in which views and for how long.
    """
    if (text is None) is not jsonl:
        return _bad_use("say what to judge: a TEXT, - for standard input, or --jsonl, and only one of them")
    try:
        guard = Guard(load_policy(policy), clock=time.monotonic)
        key = SigningKey.load(permit_key) if permit_key else None
        if jsonl:
            return _lines(partial(_judge, guard, key, tree=tree, audit=audit), sys.stdin, kind, shell)
        subject = parse_item({"text": _sent(text), "type": type_}, kind=kind, shell=shell)
    except (PolicyError, RuleError, PermitError, ItemError) as error:
        return _bad_use(str(error))
    except UnicodeDecodeError as error:
        return _bad_use(f"standard input is not UTF-8: {error.reason} at byte {error.start}")
    verdict, document = _judge(guard, key, subject, tree=tree and json_, audit=audit)
    sys.stdout.write(f"{json.dumps(document) if json_ else _told(guard, verdict, subject, tree=tree)}\n")
    return STOPPED if verdict.action.stops else ALLOWED


def _sent(text: str | None) -> str | None:
    return sys.stdin.read() if text == "-" else text


def _lines(
    judge: Callable[[Subject], tuple[Verdict, dict[str, Any]]], lines: Iterable[str], kind: Channel, shell: Shell
) -> int:
    status = ALLOWED
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            subject = parse_item(json.loads(line), kind=kind, shell=shell)
        except json.JSONDecodeError as error:
            return _bad_use(f"line {number}: is no JSON: {error.msg} at column {error.colno}")
        except ItemError as error:
            return _bad_use(f"line {number}: {error}")
        verdict, document = judge(subject)
        sys.stdout.write(f"{json.dumps(document)}\n")
        if verdict.action.stops:
            status = STOPPED
    return status


def _judge(
    guard: Guard, key: SigningKey | None, subject: Subject, *, tree: bool, audit: bool
) -> tuple[Verdict, dict[str, Any]]:
    with auditing() if audit else nullcontext() as written:
        began = time.perf_counter_ns()
        verdict = guard.examine(
            subject.text, subject.channel, shell=subject.shell, type=subject.type, values=subject.values
        )
        document = verdict_document(verdict, (time.perf_counter_ns() - began) // 1000)
    if written is not None:
        idle = [
            {"check": name, "reason": f"does not judge a {subject.channel}"} for name in guard.idle(subject.channel)
        ]
        document["audit"] = {"ran": written.document(), "not_run": [*document["unchecked"], *idle]}
    if key is not None:
        document["permits"] = sign_check(key, guard, int(time.time()), subject, verdict)
    if tree:
        document["tree"] = reading.tree(guard, subject, verdict)
    return verdict, document


def _told(guard: Guard, verdict: Verdict, subject: Subject, *, tree: bool) -> str:
    text, shown = subject.text, reading.told(guard, subject, verdict) if verdict.findings or tree else []
    lines = [verdict.action.value]
    for finding in verdict.findings:
        start, end = finding.span
        lines.append(f"  {finding.rule} ({finding.severity}) at {start}-{end}: {finding.message}")
        lines.append(f"    {json.dumps(text[start:end][:200], ensure_ascii=False)}")
        if finding.effect is not None:
            lines.append(f"    effect: {finding.effect}{_target(finding)}")
    lines += [f"  not checked: {miss.check} ({miss.reason})" for miss in verdict.unchecked]
    if shown:
        lines += ["  would run:", *(f"    {line}" for line in shown)]
    if verdict.alternative:
        lines.append(f"  instead: {verdict.alternative}")
    return "\n".join(lines)


def _target(finding: Finding) -> str:
    if finding.target is None:
        return ""
    path, place, label, _ = finding.target
    return f", on {path.replace(UNKNOWN, '…')} ({place}{f': {label}' if label else ''})"


def _bad_use(message: str) -> int:
    print(f"wardgate guard check: {message}", file=sys.stderr)  # noqa: T201 - it is what the command is for
    return BAD_USE
