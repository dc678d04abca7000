"""Values as a target shell reads them back: quoted where they stand in a command, as a prepared statement would.

A value in prose stays as it is; one in a fence, or in inline code with more than the value in it, stands in a command.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from guardrails import regions
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

_BARE = re.compile(r"[\w@%+=:,./-]+")
_FENCE = re.compile(
    r"^[ \t]*(?P<marks>`{3,}|~{3,})[ \t]*(?P<label>[^\s`]*)[^\n]*\n(?P<body>.*?)(?:^[ \t]*(?P=marks)|\Z)",
    re.MULTILINE | re.DOTALL,
)
_INLINE = re.compile(r"(?<!`)`(?P<body>[^`\n]+)`(?!`)")
_SIGN = re.compile(r"\\.|['\"]", re.DOTALL)


def quoted(value: str, shell: Shell, within: str = "") -> str:
    """`value` as one word, or one literal, of a command.

    Args:
        value: What the command shall be given.
        shell: Its language; `auto` counts as bash.
        within: The quote that is open where the value stands, if any.
    """
    if shell is Shell.SQL:
        return _sql(value, within)
    if shell is Shell.POWERSHELL:
        return _powershell(value, within)
    if shell is Shell.CMD:
        doubled = value.replace('"', '""').replace("%", "%%")
        return doubled if within or _BARE.fullmatch(value) else f'"{doubled}"'
    if within == "'":
        return value.replace("'", "'\\''")
    if within == '"':
        return re.sub(r"([\\\"$`])", r"\\\1", value)
    return shlex.quote(value)


def _sql(value: str, within: str) -> str:
    if within:
        return value.replace(within, within * 2)
    return value if re.fullmatch(r"\w+(?:\.\w+)*", value) else "'" + value.replace("'", "''") + "'"


def _powershell(value: str, within: str) -> str:
    if within == "'":
        return value.replace("'", "''")
    if within == '"':
        return re.sub(r"([`\"$])", r"`\1", value)
    return value if _BARE.fullmatch(value) else "'" + value.replace("'", "''") + "'"


def commands(text: str) -> Iterator[tuple[int, int, Shell]]:
    """Where commands stand in a text, and in which language: in shells' fences, and in inline code of some words."""
    past = 0
    for fence in _FENCE.finditer(text):
        yield from _inline(text, past, fence.start())
        language, shell = regions.language(fence["label"])
        if language is not regions.Language.CODE:
            yield (*fence.span("body"), Shell.BASH if shell is Shell.AUTO else shell)
        past = fence.end()
    yield from _inline(text, past, len(text))


def _inline(text: str, start: int, end: int) -> Iterator[tuple[int, int, Shell]]:
    for code in _INLINE.finditer(text, start, end):
        if len(code["body"].replace("{{ ", "{{").replace(" }}", "}}").split()) > 1:
            yield (*code.span("body"), Shell.BASH)


def open_quote(before: str) -> str:
    """The quote that is open behind `before`, the line of a command up to some place; empty where none is."""
    quote = ""
    for sign in _SIGN.finditer(before):
        mark = sign[0]
        if mark[0] == "\\":
            if quote == "'" and mark[1:] == "'":
                quote = ""  # a backslash means nothing in single quotes
            continue
        if not quote:
            quote = mark
        elif mark == quote:
            quote = ""
    return quote
