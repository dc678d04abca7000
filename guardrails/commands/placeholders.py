"""Placeholders of runbooks, in whatever way they are written, as `{slots}`; and the words that stand around them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SLOT = re.compile(r"\{(\w+)\}")
_WRITTEN = re.compile(
    r"\{\{\s?([A-Za-z][\w.-]{0,40})\s?\}\}"  # {{service}}
    r"|(?<![$\w])\{([A-Za-z][\w-]{0,40})\}"  # {service}
    r"|<([A-Za-z][\w .:/'-]{0,60}?)>"  # <service>, <name of the pod>
    r"|\$\{([A-Z][A-Z0-9_]{1,40})\}|\$([A-Z][A-Z0-9_]{1,40})\b"  # $SERVICE
)
_TEMPLATE = re.compile(r"\{\{-?\s?(?:\.|range\b|if\b|end\b|\$)")  # Go's own
_KNOWN = frozenset({"HOME", "USER", "PATH", "PWD", "SHELL", "HOSTNAME", "LOGNAME", "TMPDIR", "EDITOR", "LANG", "IFS"})
_PARTS = re.compile(r"[=/:,@]+")
_NAME = re.compile(r"[~./\\-]*\w[\w.:/@=+~\\-]*")
_QUOTES = "'\"`()[]"


def slotted(command: str, constants: Mapping[str, str]) -> str:
    """The command with every placeholder written as `{slot}`, in lower case.

    Args:
        command: As a runbook has it.
        constants: What variables hold that it has set before.
    """

    def slot(match: re.Match[str]) -> str:
        name = next(group for group in match.groups() if group)
        if name in _KNOWN:
            return match[0]
        if name in constants and match[0].startswith("$"):
            return constants[name]
        return "{" + re.sub(r"\W+", "_", name.strip()).strip("_").lower()[:40] + "}"

    return command if _TEMPLATE.search(command) else _WRITTEN.sub(slot, command)


def sample(command: str) -> str:
    """The command with every slot filled by a name that means nothing."""
    return _SLOT.sub("sample", command)


def words(text: str) -> Iterator[str]:
    """Names, paths and options in a text, whole and in their parts, in lower case; what holds a slot only in parts."""
    for word in text.lower().split():
        bare = word.strip(_QUOTES)
        for part in (bare, *_PARTS.split(bare)):
            if _NAME.fullmatch(part):
                yield part
