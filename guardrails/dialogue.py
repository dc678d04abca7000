"""What several texts of one conversation say together: parts to be joined, names given before, an order that goes on.

Only the last texts count, because a model reads all of them but an attack that waits for pages is no longer one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.screens import Sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_TEXTS = 8
"""Texts, the last of a conversation, that are read as one."""
MOST_CHARACTERS = 8_000
"""Characters, the last of them, that are read as one."""

_VALUE = r"(?P<quote>['\"`])(?P<value>(?:(?!(?P=quote))[^\n]){1,400})(?P=quote)"
_GIVEN = re.compile(rf"\b(?P<name>[A-Za-z_]\w{{0,30}})[\"'`]?\s*(?:=|:=|:|is|be|means|stands for|equals)\s*{_VALUE}")
_BARE = re.compile(r"\b(?P<name>[A-Za-z_]\w{0,30})\s*=\s*(?P<value>[^\s'\"`;,]{1,200})")
_USED = re.compile(
    r"\$\{?(?P<shell>[A-Za-z_]\w{0,30})\}?|%(?P<cmd>[A-Za-z_]\w{0,30})%|\{{1,2}(?P<form>[A-Za-z_]\w{0,30})\}{1,2}"
)
_SUM = re.compile(r"\b[A-Za-z_]\w{0,30}(?:\s*(?:\+|\.\.|&|and|then)\s*[A-Za-z_]\w{0,30})+\b")
_TERM = re.compile(r"[A-Za-z_]\w{0,30}")
_JOINS = re.compile(
    r"\b(?:join\w*|concat\w*|combin\w+|append\w*|together|parts?|pieces?|halves|half|chunks?|fragments?|merge\w*|glue\w*"
    r"|assembl\w+|stitch\w*|continued?|rest of)\b",
    re.IGNORECASE,
)
_MAY_JOIN = Sign(
    r"\b(?:join\w*|concat\w*|combin\w+|append\w*|together|parts?|pieces?|merge\w*|assembl\w+|glue)\b[^\n]*[\"'`]|[\"'`][^\n]*\w\s?\+\s?\w",
    ignore_case=True,
)
_QUOTED = re.compile(
    r"`([^`\n]{1,400})`|\"([^\"\n]{1,400})\"|(?<!\w)'([^'\n]{1,400})'(?!\w)|\u201c([^\u201d\n]{1,400})\u201d"
)
_NAMED = re.compile(
    r"\b(?:when(?:ever)?|if)\s+i\s+(?:say|write|type|ask(?:\s+for)?|mention)\s+[\"'`\u201c]?(?P<name>[^\"'`\u201d\n:,]{2,60})[\"'`\u201d]?"
    r"[\s,]*(?:i\s+mean|it\s+means|you\s+(?:run|execute|do)|then|run|execute|do)?\s*[:,]?\s*(?P<value>[^\n]{3,1000})"
    r"|[\"'`\u201c](?P<name2>[^\"'`\u201d\n]{2,60})[\"'`\u201d]\s+(?:means|stands\s+for|is\s+short\s+for|shall\s+mean)\s*:?\s*"
    r"(?P<value2>[^\n]{3,1000})",
    re.IGNORECASE,
)
_MOST_VALUES = 64


def together(texts: Sequence[str]) -> Iterator[str]:
    """What texts say as one that none of them says alone; nothing for a single text.

    Args:
        texts: In their order, each of the same speaker.
    """
    window = [text for text in texts[-MOST_TEXTS:] if text][::-1]
    left = MOST_CHARACTERS
    kept: list[str] = []
    for text in window:
        if len(text) > left:
            break
        kept.append(text)
        left -= len(text)
    kept.reverse()
    if len(kept) < 2:
        return
    last = kept[-1]
    yield f"{kept[-2].rstrip()} {last.lstrip()}"
    yield f"{kept[-2]}{last}"
    values = _values(kept[:-1])
    if values and (read := _filled(last, values)) != last:
        yield read
    whole = "\n".join(kept)
    if _JOINS.search(whole):
        pieces = _pieces(whole)
        if len(pieces) > 1:
            yield f"Run this: {''.join(pieces)}"
            yield f"Run this: {' '.join(pieces)}"
    lower = last.lower()
    for match in _NAMED.finditer("\n".join(kept[:-1])):
        name, value = match["name"] or match["name2"], match["value"] or match["value2"]
        if name.strip().lower() in lower:
            yield f"Run this: {value}"


def within(text: str) -> Iterator[str]:
    """What a single text puts together of its own parts: named values that it adds up, pieces that it has joined."""
    if len(text) > MOST_CHARACTERS or not _MAY_JOIN.within(text):
        return
    values = _values([text])
    if values and (read := _filled(text, values)) != text:
        yield read
    pieces = _pieces(text) if _JOINS.search(text) else []
    if len(pieces) > 1:
        yield f"Run this: {''.join(pieces)}"
        yield f"Run this: {' '.join(pieces)}"


def _pieces(text: str) -> list[str]:
    return [next(filter(None, match.groups())) for match in _QUOTED.finditer(text)][:_MOST_VALUES]


def _values(texts: Sequence[str]) -> dict[str, str]:
    """Values by the names that texts give them."""
    found: dict[str, str] = {}
    for text in texts:
        for pattern in (_BARE, _GIVEN):
            for match in pattern.finditer(text):
                if len(found) < _MOST_VALUES:
                    found[match["name"]] = _filled(match["value"], found)
    return found


def _filled(text: str, values: dict[str, str]) -> str:
    """`text` with the names of values replaced, as a shell, a template or a sum of names has them."""

    def one(match: re.Match[str]) -> str:
        name = match["shell"] or match["cmd"] or match["form"]
        return values.get(name, match[0])

    def added(match: re.Match[str]) -> str:
        names = [name for name in _TERM.findall(match[0]) if name not in ("and", "then")]
        return "".join(values[name] for name in names) if all(name in values for name in names) else match[0]

    return _SUM.sub(added, _USED.sub(one, text))
