"""Labelled rows: what is to be stopped, and what is to pass."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guardrails.interface import Channel, Shell
from guardrails.parameters import ParameterType
from guardrails.wire import ItemError, parse_item

if TYPE_CHECKING:
    from pathlib import Path

TO_STOP = frozenset({"destructive", "injection", "harmful", "attack"})
TO_PASS = frozenset({"ordinary", "benign"})
_KINDS = {"prose": Channel.PROMPT, "answer": Channel.OUTPUT}
"""Kinds of the shared data that are no channel, and the channel they stand for."""


class RowError(ValueError):
    """A file or line that cannot be evaluated."""


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text.

    Attributes:
        stop: Whether it is to be stopped; None where its label says neither.
        technique: As the row names it, else its label.
    """

    id: str
    text: str
    channel: Channel
    shell: Shell
    type: str
    values: tuple[str, ...]
    stop: bool | None
    source: str
    technique: str


def read(file: Path, kind: Channel | None = None) -> tuple[list[Row], int]:
    """The rows of a file, and how many had no text of their own.

    Args:
        file: One JSON object a line: `{"text", "kind"?, "shell"?, "type"?, "label", "source"?, "technique"?}`.
        kind: The channel to judge every row on, whatever the row says.

    Raises:
        RowError: The file cannot be read, or a line is no such object; says which and how to mend it.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RowError(f"{file}: cannot be read: {error}") from error
    rows, without = [], 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = _row(json.loads(line), kind, file.stem, number)
        except json.JSONDecodeError as error:
            raise RowError(f"{file}:{number}: is no JSON: {error.msg} at column {error.colno}") from error
        except ItemError as error:
            raise RowError(f"{file}:{number}: {error}") from error
        if row is None:
            without += 1
        else:
            rows.append(row)
    return rows, without


def _row(document: Any, kind: Channel | None, stem: str, number: int) -> Row | None:
    """The row that a line holds; None where it has no text of its own, as dialogues have not."""
    if not isinstance(document, dict):
        raise ItemError("", 'is no object; send {"text": ..., "label": ...}')
    if "text" not in document:
        return None
    label = document.get("label")
    if not isinstance(label, str):
        raise ItemError("label", "is missing; say destructive, injection, harmful or attack, or ordinary or benign")
    named = document.get("kind")
    item = {key: document.get(key) for key in ("text", "shell", "type", "values")}
    if item["type"] not in set(ParameterType):
        item["type"] = None  # types the contract does not know are free text
    if kind is None and named in _KINDS:
        kind = _KINDS[named]
    subject = parse_item(item | {"kind": kind or named})
    return Row(
        id=str(document.get("id") or f"{stem}:{number}"),
        text=subject.text,
        channel=subject.channel,
        shell=subject.shell,
        type=subject.type,
        values=subject.values,
        stop=None if document.get("contested") else True if label in TO_STOP else False if label in TO_PASS else None,
        source=str(document.get("source") or stem),
        technique=str(document.get("technique") or document.get("pack") or label),
    )
