"""Functions and script blocks of PowerShell with the arguments of one call settled in front of their source."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.commands.tree import Word

_PARAMETERS = re.compile(r"\s*(?:\[CmdletBinding\([^)]*\)\]\s*)?param\s*\(", re.IGNORECASE)
_NAME = re.compile(r"\$(\w+)")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def bound(body: str, given: Sequence[Word]) -> str:
    """The source of a call: each parameter is assigned its argument, its default, or what nobody knows."""
    names, defaults, rest = _taken_apart(body)
    values = dict(defaults)
    positional: list[Word] = []
    at = 0
    while at < len(given):
        shape = given[at].shape
        name, colon, attached = shape[1:].partition(":")
        full = next((one for one in names if one.lower().startswith(name.lower())), None) if name else None
        if shape[:1] != "-" or full is None:
            positional.append(given[at])
        elif colon:
            values[full] = _literal(attached)
        elif at + 1 < len(given) and given[at + 1].shape[:1] != "-":
            at += 1
            values[full] = _literal(given[at].text)
        else:
            values[full] = "$true"
        at += 1
    open_ = [name for name in names if name not in values or name in defaults]
    for name, word in zip(open_, positional, strict=False):
        values[name] = _literal(word.text)
    values["args"] = "@(" + ",".join(_literal(word.text) for word in positional[len(open_) :]) + ")"
    unknown = [name for name in names if name not in values]
    lines = [f"${name} = {value}" for name, value in values.items()] + [f"${name} = $_unknown" for name in unknown]
    return "\n".join([*lines, rest])


def _literal(text: str | None) -> str:
    if text is None:
        return "$_unknown"
    return text if text in ("$true", "$false") else "'" + text.replace("'", "''") + "'"


def _taken_apart(body: str) -> tuple[list[str], dict[str, str], str]:
    """Names of the parameters, defaults of some, and the source behind them."""
    opening = _PARAMETERS.match(body)
    if opening is None:
        return [], {}, body
    depth, at, start = 1, opening.end(), opening.end()
    pieces = []
    while at < len(body) and depth:
        quoted = _QUOTED.match(body, at)
        if quoted:
            at = quoted.end()
            continue
        depth += (body[at] in "([{") - (body[at] in ")]}")
        if (body[at] == "," and depth == 1) or not depth:
            pieces.append(body[start:at])
            start = at + 1
        at += 1
    names, defaults = [], {}
    for piece in pieces:
        declared, equals, default = piece.rpartition("]")[2].partition("=") if "=" not in piece else _assigned(piece)
        found = _NAME.search(declared)
        if found:
            names.append(found[1])
            if equals:
                defaults[found[1]] = default.strip()
    return names, defaults, body[at:]


def _assigned(piece: str) -> tuple[str, str, str]:
    """A parameter with a default: what stands before its `=` that no attribute holds."""
    found = re.search(r"\$\w+\s*=", piece)
    if found is None:
        return piece.rpartition("]")[2], "", ""
    return found[0][:-1], "=", piece[found.end() :]
