"""The JSON of `guard check`, the same on the command line and over HTTP."""

from __future__ import annotations

import difflib
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from guardrails.commands.tree import UNKNOWN
from guardrails.interface import Channel, Shell, Subject
from guardrails.parameters import ParameterError, parameter_type

if TYPE_CHECKING:
    from guardrails.interface import Finding, Unchecked, Verdict

_KEYS = ("text", "kind", "shell", "type", "values", "tree")

Named = TypeVar("Named", bound=StrEnum)


class ItemError(ValueError):
    """An item that cannot be judged.

    Attributes:
        field: The field to blame, empty where the item as a whole is wrong.
        message: What is wrong with it and what to send instead.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message


def parse_item(document: object, *, kind: Channel = Channel.COMMAND, shell: Shell = Shell.AUTO) -> Subject:
    """One text to be judged, `{"text", "kind", "shell"?, "type"?, "values"?}` as JSON was decoded.

    A field that is null counts as absent; a field of another name is left alone unless it looks like a slip.

    Args:
        document: What the JSON reader returned.
        kind: Used where the item names none.
        shell: Likewise.

    Raises:
        ItemError: A field is missing, of a wrong type or has an unknown value.
    """
    if not isinstance(document, dict):
        raise ItemError("", f'is {_called(document)}; send an object such as {{"text": "ls", "kind": "command"}}')
    given = {key: value for key, value in document.items() if value is not None}
    for key in given.keys() - set(_KEYS):
        if near := difflib.get_close_matches(key, _KEYS, n=1, cutoff=0.8):
            raise ItemError(str(key), f"is no field; did you mean {near[0]}?")
    text = given.get("text")
    if not isinstance(text, str):
        raise ItemError("text", "is missing; send the text to be judged" if text is None else _wanted("a string", text))
    named = given.get("type", "free_text")
    if not isinstance(named, str):
        raise ItemError("type", _wanted("the name of a parameter type", named))
    values = given.get("values", [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ItemError("values", _wanted("a list of strings", values))
    try:
        known = parameter_type(named)
    except ParameterError as error:
        raise ItemError("type", error.message) from error
    channel = _named(Channel, "kind", given.get("kind"), kind)
    return Subject(text, channel, _named(Shell, "shell", given.get("shell"), shell), known.value, tuple(values))


def wants_tree(document: object) -> bool:
    """Whether an item asks for the commands that its text would run (`"tree": true`).

    Raises:
        ItemError: It says something else than yes or no.
    """
    wanted = document.get("tree") if isinstance(document, dict) else None
    if wanted not in (None, True, False):
        raise ItemError("tree", _wanted("true or false", wanted))
    return wanted is True


def verdict_document(verdict: Verdict, elapsed_us: int) -> dict[str, Any]:
    """The contract's answer; spans are offsets into the text as it was sent.

    Args:
        verdict: What the guard decided.
        elapsed_us: Microseconds it took.
    """
    document: dict[str, Any] = {
        "action": verdict.action.value,
        "findings": [finding_document(finding) for finding in verdict.findings],
        "unchecked": [unchecked_document(miss) for miss in verdict.unchecked],
    }
    if verdict.rewritten is not None:
        document["rewritten"] = verdict.rewritten
    if verdict.alternative is not None:
        document["alternative"] = verdict.alternative
    document["elapsed_us"] = elapsed_us
    return document


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding as the contract has it, and what a command would do to what."""
    document: dict[str, Any] = {
        "check": finding.check,
        "rule": finding.rule,
        "severity": finding.severity.value,
        "span": list(finding.span),
        "message": finding.message,
    }
    if finding.effect is not None:
        document["effect"] = finding.effect.value
    if finding.target is not None:
        path, place, label, _ = finding.target
        document["target"] = {"path": path.replace(UNKNOWN, "?"), "place": place.value, "label": label}
    return document


def unchecked_document(miss: Unchecked) -> dict[str, str]:
    """One check that did not look, and why."""
    return {"check": miss.check, "reason": miss.reason}


def _named(kinds: type[Named], field: str, value: object, default: Named) -> Named:
    if value is None:
        return default
    known = [kind.value for kind in kinds]
    if not isinstance(value, str) or value not in known:
        raise ItemError(field, f"is {value!r}; use one of {', '.join(known)}")
    return kinds(value)


def _wanted(wanted: str, value: object) -> str:
    return f"is {_called(value)}; send {wanted}"


def _called(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "null")
