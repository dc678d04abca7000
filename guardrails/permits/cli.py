"""`wardgate guard verify`: whether a permit lets a command run; needs no gateway and loads no rules."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from guardrails.interface import Shell
from guardrails.parameters import ParameterError, parse
from guardrails.permits.interface import SKEW, PermitError, PermitRefused, Wanted
from guardrails.permits.keys import VerifyingKey
from guardrails.permits.seen import take
from guardrails.permits.sign import claims
from guardrails.permits.verify import verify as verify_permit

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_SKEW = 3600
VALID, NOT_VALID, BAD_USE = 0, 1, 2
_FIELDS = ("permit", "command", "shell", "tool", "parameters")


def verify(
    command: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    /,
    *,
    key: Annotated[tuple[Path, ...], Parameter(negative=())],
    permit: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    shell: Shell = Shell.BASH,
    tool: str = "",
    parameters: str | None = None,
    policy_digest: str | None = None,
    rules_digest: str | None = None,
    seen: Path | None = None,
    skew: float = SKEW,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
    jsonl: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Check that a permit was signed for exactly this command, and still holds.

    Exit status: 0 valid, 1 not valid (of many: at least one), 2 bad use.

    Example: wardgate guard verify --key permits.pub --permit "$PERMIT" -- "$COMMAND" && bash -c "$COMMAND"

    Parameters
    ----------
    command
        The command, byte for byte; of a tool call its arguments; `-` reads all of standard input.
    key
        A public key whose permits count; may be repeated.
    permit
        The permit; `-` reads it from standard input.
    shell
        What will run the command: bash, powershell, cmd or sql.
    tool
        The function's name, where the command is a tool call's arguments.
    parameters
        What was bound into the request, a JSON object; not compared where it is not given.
    policy_digest
        The only policy to trust.
    rules_digest
        The only rules to trust.
    seen
        A file that keeps which permits were taken: each is valid once. Made where there is none.
    skew
        Seconds by which this machine's clock and the gateway's may differ.
    json_
        Print the answer as one line of JSON.
    jsonl
        Read `{"command", "permit", "shell"?, "tool"?, "parameters"?}` lines on standard input and write an answer for
        each, in order.
    """
    try:
        _check_skew(skew)
        keys = [VerifyingKey.load(path) for path in key]
        wanted = Wanted("", shell, tool, _parameters(parameters), policy_digest, rules_digest)
        asked = _lines(command, permit, wanted) if jsonl else [_one(command, permit, wanted)]
        answers = [_answer(one, token, keys, skew, seen) for one, token in asked]
    except PermitError as error:
        sys.stderr.write(f"wardgate guard verify: {error}\n")
        return BAD_USE
    return _say(answers, as_json=json_ or jsonl)


def _check_skew(skew: float) -> None:
    if not 0 <= skew <= MOST_SKEW:  # nor is it true of what is no number, with which nothing would ever expire
        raise PermitError(f"--skew = {skew}: use seconds from 0 to {MOST_SKEW}")


def _say(answers: list[dict[str, Any]], *, as_json: bool) -> int:
    for answer in answers:
        told = "valid" if answer["valid"] else f"not valid: {answer['message']}"
        sys.stdout.write(f"{json.dumps(answer) if as_json else told}\n")
    return VALID if all(answer["valid"] for answer in answers) else NOT_VALID


def _one(command: str | None, permit: str | None, wanted: Wanted) -> tuple[Wanted, str]:
    if command is None or permit is None or command == permit == "-":
        raise PermitError("name a COMMAND and a --permit; one of the two may be - for standard input")
    sent = sys.stdin.buffer.read().decode("utf-8", "surrogateescape") if "-" in (command, permit) else ""
    return replace(wanted, command=sent if command == "-" else command), sent.strip() if permit == "-" else permit


def _lines(command: str | None, permit: str | None, wanted: Wanted) -> list[tuple[Wanted, str]]:
    if command is not None or permit is not None:
        raise PermitError("--jsonl takes commands and permits from standard input, and from nowhere else")
    items = [_item(line, wanted) for line in sys.stdin if line.strip()]
    if not items:
        raise PermitError("standard input holds no line, so nothing was checked")
    return items


def _answer(
    wanted: Wanted, permit: str, keys: Sequence[VerifyingKey], skew: float, seen: Path | None
) -> dict[str, Any]:
    try:
        found = verify_permit(permit, wanted, keys, time.time(), skew=skew)
        if seen is not None:
            take(found, seen)
    except PermitRefused as refused:
        return {"valid": False, "reason": refused.reason.value, "message": refused.message}
    return {"valid": True, **claims(found)}


def _item(line: str, wanted: Wanted) -> tuple[Wanted, str]:
    """The command and the permit of one line; what it does not say is as the flags have it."""
    try:
        item = json.loads(line)
    except ValueError as error:
        raise PermitError(f"{line.strip()!r:.60} is no JSON: {error}") from error
    if not isinstance(item, dict) or item.keys() - set(_FIELDS):
        raise PermitError(f"{line.strip()!r:.60} is no item; send an object of {', '.join(_FIELDS)}")
    command, permit, tool = item.get("command"), item.get("permit"), item.get("tool") or wanted.tool
    if not (isinstance(command, str) and isinstance(permit, str) and isinstance(tool, str)):
        raise PermitError(f"{line.strip()!r:.60}: command, permit and tool are texts, and the first two must be there")
    shell = item.get("shell") or wanted.shell.value
    if shell not in [one.value for one in Shell]:
        raise PermitError(f"shell = {shell!r}: use one of {', '.join(Shell)}")
    bound = wanted.parameters if item.get("parameters") is None else _texts(item["parameters"])
    return replace(wanted, command=command, shell=Shell(shell), tool=tool, parameters=bound), permit


def _parameters(text: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    try:
        return _texts(json.loads(text))
    except ValueError as error:
        raise PermitError(f"--parameters = {text!r:.60} is no JSON: {error}") from error


def _texts(given: object) -> dict[str, str]:
    """Parameters as a permit has them: numbers and booleans as the gateway writes them into texts."""
    try:
        return {name: one.value for name, one in parse(given).items()}
    except ParameterError as error:
        raise PermitError(str(error)) from error
