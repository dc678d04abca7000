"""What several texts of one conversation say together: parts to be joined, names given before, an order that goes on.

Only the last texts count, because a model reads all of them but an attack that waits for pages is no longer one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import re2

from guardrails.screens import Sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_TEXTS = 8
"""Texts, the last of a conversation, that are read as one."""
MOST_CHARACTERS = 8_000
"""Characters, the last of them, that are read as one."""

_VALUE = r"(?P<quote>['\"`])(?P<value>(?:(?!(?P=quote))[^\n]){1,400})(?P=quote)"
_GIVEN = re.compile(rf"\b(?P<name>[A-Za-z_]\w{{0,30}})[\"'`]?\s*(?:=|:=|:|is|be|means|stands for|equals)\s*{_VALUE}")
# What stands in `_GIVEN` behind the name.
_VALUE_SIGN = re2.compile(r"(?::?=|:|is|be|means|stands for|equals)\s*['\"`]")
_BARE = re.compile(r"\b(?P<name>[A-Za-z_]\w{0,30})\s*=\s*(?P<value>[^\s'\"`;,]{1,200})")
_EQUALS = re.compile("=")
_USED = re.compile(
    r"\$\{?(?P<shell>[A-Za-z_]\w{0,30})\}?|%(?P<cmd>[A-Za-z_]\w{0,30})%|\{{1,2}(?P<form>[A-Za-z_]\w{0,30})\}{1,2}"
)
_SUM = re.compile(r"\b[A-Za-z_]\w{0,30}(?:\s*(?:\+|\.\.|&|and|then)\s*[A-Za-z_]\w{0,30})+\b")
_SUM_SIGN = re.compile(r"\s*(?:\+|\.\.|&|and|then)")
_LINKS = ("+", "..", "&", "and", "then")
_GAP = 16  # characters between a link and what it adds
_TERM = re.compile(r"[A-Za-z_]\w{0,30}")
_JOINS = re.compile(
    r"\b(?:join\w*|concat\w*|combin\w+|append\w*|together|parts?|pieces?|halves|half|chunks?|fragments?|merge\w*|glue\w*"
    r"|assembl\w+|stitch\w*|continued?|rest of)\b",
    re.IGNORECASE,
)
_JOIN_SIGN = re2.compile(f"(?i){_JOINS.pattern}")
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
_QUOTES = frozenset("'\"`")
# Characters, or quoted pieces, of a text whose every piece may be a part of the same thing.
_SHORT, _FEW = 2_000, 16
_APART, _CUED = 80, 120  # characters between such pieces of a longer text, and from them to a word that joins them
_MOST_GROUPS = 24


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


class Assembled(NamedTuple):
    """What a text says once its parts are put together; from `start` to `end` it says something new."""

    text: str
    start: int
    end: int


def within(text: str) -> Iterator[Assembled]:
    """What a single text puts together of its own parts: named values that it adds up, pieces that it has joined."""
    if len(text) > MOST_CHARACTERS or not _MAY_JOIN.within(text):
        return
    values = _values([text])
    if values and (read := _filled(text, values)) != text:
        start = _shared(text, read)
        yield Assembled(read, start, max(start, len(read) - _shared(text[::-1], read[::-1])))
    joins = _JOIN_SIGN if text.isascii() else _JOINS
    cues = [cue.start() for cue in joins.finditer(text)]
    for pieces in _groups(text, cues) if cues else ():
        for joint in ("", " ") if len(pieces) > 1 else ():
            joined = f"Run this: {joint.join(pieces)}"
            yield Assembled(joined, 0, len(joined))


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _groups(text: str, cues: Sequence[int]) -> Iterator[list[str]]:
    """The quoted pieces that may be parts of one thing: of a long text those close together, and to one of `cues`."""
    pieces = list(_QUOTED.finditer(text))
    if len(text) <= _SHORT or len(pieces) <= _FEW:
        yield [_said(piece) for piece in pieces[:_MOST_VALUES]]
        return
    groups: list[list[re.Match[str]]] = []
    for piece in pieces:
        if groups and piece.start() - groups[-1][-1].end() <= _APART:
            groups[-1].append(piece)
        else:
            groups.append([piece])
    left = _MOST_GROUPS
    for group in groups:
        first, last = group[0].start() - _CUED, group[-1].end() + _CUED
        if left and len(group) > 1 and any(first <= cue <= last for cue in cues):
            left -= 1
            yield [_said(piece) for piece in group[:_MOST_VALUES]]


def _pieces(text: str) -> list[str]:
    return [_said(match) for match in _QUOTED.finditer(text)][:_MOST_VALUES]


def _said(piece: re.Match[str]) -> str:
    said: str = next(filter(None, piece.groups()))
    return said


def _values(texts: Sequence[str]) -> dict[str, str]:
    """Values by the names that texts give them."""
    found: dict[str, str] = {}
    for text in texts:
        for match in (*_before(text, _BARE, _EQUALS), *_before(text, _GIVEN, _VALUE_SIGN)):
            if len(found) < _MOST_VALUES:
                found[match["name"]] = _filled(match["value"], found)
    return found


def _before(text: str, pattern: re.Pattern[str], sign: Any) -> Iterator[re.Match[str]]:
    """As `pattern.finditer`, which would try every word; this tries those before what always stands behind the name."""
    if not text.isascii():
        yield from pattern.finditer(text)
        return
    past = 0
    for found in sign.finditer(text):
        at = found.start()
        if text[at - 1 : at].isspace():
            at = len(text[:at].rstrip())
        at -= text[at - 1 : at] in _QUOTES
        while at and (text[at - 1].isalnum() or text[at - 1] == "_"):
            at -= 1
        if at >= past and (match := pattern.match(text, at)):
            past = match.end()
            yield match


def _summed(text: str, values: dict[str, str]) -> bool:
    """False only where no sum in `text` is one of `values`."""
    for name in values:
        if "and" in name or "then" in name:  # the pattern reads a sum into the word itself
            return True
        at = text.find(name)
        while at >= 0:
            if _SUM_SIGN.match(text, at + len(name)) or text[max(0, at - _GAP) : at].rstrip().endswith(_LINKS):
                return True
            at = text.find(name, at + 1)
    return False


def _filled(text: str, values: dict[str, str]) -> str:
    """`text` with the names of values replaced, as a shell, a template or a sum of names has them."""

    def one(match: re.Match[str]) -> str:
        name = match["shell"] or match["cmd"] or match["form"]
        return values.get(name, match[0])

    def added(match: re.Match[str]) -> str:
        names = [name for name in _TERM.findall(match[0]) if name not in ("and", "then")]
        return "".join(values[name] for name in names) if all(name in values for name in names) else match[0]

    if "$" in text or "%" in text or "{" in text:
        text = _USED.sub(one, text)
    return _SUM.sub(added, text) if _summed(text, values) else text
