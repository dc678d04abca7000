"""Canonical views of a text and what is encoded in it, each with a map back to the text as it was sent.

A check matches on a view and reports `view.source_span(...)`, so that spans always speak of what the caller sent.
Work is linear in the text; a text longer than the limit raises `TooLong`, which a check turns into `Unchecked`.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from guardrails import terminal
from guardrails.ciphers import named, spread
from guardrails.confusables import CONFUSABLES, INVISIBLE, SELECTORS, TAGS, selector_byte
from guardrails.encodings import Edit, blank, escapes, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

HIDDEN = "invisible"
"""Name, among a view's encodings, of text carried by invisible characters."""

ESCAPE, CONTROL, TOKEN, SHOWN, NAMED = "escape", "control", "token", "shown", "named"
"""Names of what else is taken off: escapes, those of blanks and line ends alone (`\\n`), encoded words, how a
terminal or a bidirectional display shows a text, and what a text says to read in another way."""

LIMIT = 1 << 20
"""Longest text, in characters, that is looked at."""

_CONTROLS = bytes(code for code in range(0x20) if code not in (0x09, 0x0A)) + b"\x7f"
_LINE_END = "\r\x0b\x0c\x85\u2028\u2029"
_UNUSUAL = re.compile(rf"(?P<line>\r\n?|[{_LINE_END}])|[^\t\n\x20-\x7e{_LINE_END}]+")
_ODD = re.compile(r"[^\t\n\x20-\x7e]+")
_SMUGGLED = re.compile(f"[{min(TAGS)}-{max(TAGS)}]+|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{{2,}}")
_FLAG = "\U0001f3f4"  # the black flag, which tags turn into that of a region
_LONGEST_CLUSTER = 32
_LATIN_ENDS = 0x024F
_LATIN_MORE = range(0x1E00, 0x1F00)


class TooLong(Exception):
    """The text is longer than the limit, and nobody looked at it."""


@dataclass(frozen=True, slots=True)
class Offsets:
    """Where the characters of a view came from, stretch by stretch.

    Attributes:
        begins: Where each stretch begins in the view, the last entry being the view's end.
        sources: The half-open part of the view before that it came from: the same characters, or what was read instead.
        same: Whether it is the same characters.
        before: The view before; None where that is the source itself.
    """

    begins: Sequence[int]
    sources: Sequence[tuple[int, int]]
    same: Sequence[int]
    before: View | None

    def source(self, at: int) -> tuple[int, int]:
        """The stretch of the source that the character at `at` came from."""
        found = bisect_right(self.begins, at) - 1
        start, end = self.sources[found]
        if self.same[found]:
            start += at - self.begins[found]
            end = start + 1
        return (start, end) if self.before is None else self.before.source_span(start, end)

    def edited(self, start: int, end: int) -> bool:
        """Whether anything from `start` to `end` is read otherwise than it was written."""
        first, last = bisect_right(self.begins, start) - 1, bisect_left(self.begins, end)
        if first < last - 1 or (first < len(self.same) and not self.same[first]):
            return True
        by = self.sources[first][0] - self.begins[first] if self.same else 0
        return self.before is not None and self.before.edited(start + by, end + by)


@dataclass(frozen=True, slots=True)
class View:
    """One reading of a text.

    Attributes:
        text: What is read.
        offsets: Where each character came from; None where the view is the source itself.
        decoded: Names of the encodings taken off, outermost first; empty for the canonical view.
    """

    text: str
    offsets: Offsets | None = None
    decoded: tuple[str, ...] = ()

    def source_span(self, start: int, end: int) -> tuple[int, int]:
        """Map half-open offsets in `text` to half-open offsets in the text as it was sent."""
        if self.offsets is None:
            return start, end
        size = len(self.text)
        if not size:
            return 0, 0
        if start >= end:
            at = self.offsets.source(start)[0] if start < size else self.offsets.source(size - 1)[1]
            return at, at
        return self.offsets.source(start)[0], self.offsets.source(min(end, size) - 1)[1]

    def edited(self, start: int, end: int) -> bool:
        """Whether anything from `start` to `end` is read otherwise than it was written."""
        return self.offsets is not None and self.offsets.edited(start, end)


def canonical(text: str, limit: int = LIMIT) -> View:
    """The text as a reader sees it: NFKC, look-alikes as ASCII, nothing invisible, every line end a LF.

    Raises:
        TooLong: The text has more than `limit` characters.
    """
    if len(text) > limit:
        raise TooLong(f"{len(text)} characters, the limit is {limit}")
    return _fold(View(text))


class _Views:
    """Views of a text, in their order, without repetition."""

    def __init__(self, first: View) -> None:
        self.all = [first]
        self._seen = {first.text}

    def keep(self, *views: View) -> None:
        """Add those that read otherwise than all before."""
        for view in views:
            if view.text not in self._seen:
                self._seen.add(view.text)
                self.all.append(view)

    def add(self, raw: View) -> None:
        """Add a view as a reader sees it, and what is hidden in it."""
        self.keep(_fold(raw), *(() if raw.text.isascii() else _smuggled(raw)))


def layers(
    text: str, depth: int = 2, *, shortest: int = 12, limit: int = LIMIT, words: bool = True
) -> tuple[View, ...]:
    """The canonical view, then every view with up to `depth` encodings taken off, without repetition.

    Args:
        text: As it was sent.
        depth: How many encodings, one inside the other, are taken off.
        shortest: Fewest characters of a base64, base32 or hex token that is decoded.
        limit: Longest text looked at.
        words: Whether base64, base32 and hex tokens are decoded at all.

    Raises:
        TooLong: The text has more than `limit` characters.
    """
    views = _Views(canonical(text, limit))
    if not text.isascii():
        views.keep(*_smuggled(View(text)))
    for shown in (terminal.overstruck(text), terminal.overridden(text)):
        if shown:
            views.add(_rewrite(View(text), shown, SHOWN))
    done = 0
    for _ in range(depth):
        frontier = views.all[done:]
        done = len(views.all)
        for view in frontier:
            for raw in _decoded(view, shortest if words else 0):
                views.add(raw)
    return tuple(views.all)


def rewritten(view: View, edits: Iterable[Edit], name: str) -> View:
    """The view with each edit made, as if an encoding called `name` were taken off; edits are in order, apart."""
    return _rewrite(view, edits, name)


def _decoded(view: View, shortest: int) -> Iterator[View]:
    """The view with one level of each encoding taken off; encoded words shorter than `shortest` stay, 0 leaves all."""
    if edits := escapes(view.text):
        yield _rewrite(view, edits, CONTROL if all(map(blank, edits)) else ESCAPE)
    for edits in (tokens(view.text, shortest), spread(view.text)) if shortest else ():
        if edits:
            yield _rewrite(view, edits, TOKEN)
            yield _excerpt(view, edits, TOKEN)
    if shortest and NAMED not in view.decoded and (edits := named(view.text)):
        yield _excerpt(view, edits, NAMED)


def _rewrite(view: View, edits: Iterable[Edit], name: str = "") -> View:
    """The view with each edit made; edits stand in order and do not overlap."""
    text = view.text
    pieces: list[str] = []
    begins, sources, same = array("l"), [], bytearray()
    at = size = 0
    for edit in edits:
        if at < edit.start:
            pieces.append(text[at : edit.start])
            begins.append(size)
            sources.append((at, edit.start))
            same.append(1)
            size += edit.start - at
        if edit.text:
            pieces.append(edit.text)
            begins.append(size)
            sources.append((edit.start, edit.end))
            same.append(0)
            size += len(edit.text)
        at = edit.end
    if at < len(text):
        pieces.append(text[at:])
        begins.append(size)
        sources.append((at, len(text)))
        same.append(1)
        size += len(text) - at
    begins.append(size)
    offsets = Offsets(begins, sources, same, None if view.offsets is None else view)
    return View("".join(pieces), offsets, (*view.decoded, name) if name else view.decoded)


def _excerpt(view: View, edits: Sequence[Edit], name: str) -> View:
    """Only what the edits bring, a line each: what was hidden, without the text it was hidden in."""
    begins, sources = array("l"), []
    size = 0
    for edit in edits:
        begins.append(size)
        sources.append((edit.start, edit.end))
        size += len(edit.text) + 1
    begins.append(size)
    offsets = Offsets(begins, sources, bytes(len(sources)), None if view.offsets is None else view)
    return View("\n".join(edit.text for edit in edits), offsets, (*view.decoded, name))


def _fold(view: View) -> View:
    text = view.text
    if text.isascii() and len(text) == len(text.encode().translate(None, _CONTROLS)):
        return view
    if edits := terminal.sequences(text):
        view = _rewrite(view, edits)
        text = view.text
    edits = []
    for odd in _ODD.finditer(text):  # ten times as fast as to look for both kinds at every character
        for run in _UNUSUAL.finditer(text, odd.start(), odd.end() + 1):  # a LF behind a CR is none of the odd
            if run["line"]:
                edits.append(Edit(*run.span(), "\n"))
            else:
                _fold_run(text, run.start(), run.end(), edits)
    return _rewrite(view, edits) if edits else view


def _fold_run(text: str, start: int, end: int, edits: list[Edit]) -> None:
    """Note what is read instead of a run of unusual characters, cluster by cluster (a base and its marks)."""
    at = start
    first = next((character for character in text[start:end] if character not in INVISIBLE), "")
    if start and first and _is_mark(first) and text[start - 1] not in f"\t\n{_LINE_END}":
        at = start - 1  # the plain character before is the base of a mark
    while at < end:
        begin = at
        while at < end and text[at] in INVISIBLE:
            at += 1
        if at > begin:
            edits.append(Edit(begin, at, ""))
            begin = at
        cluster = ""
        while at < end:
            character = text[at]
            if character not in INVISIBLE:
                if cluster and not _is_mark(character):
                    break
                if len(cluster) < _LONGEST_CLUSTER:  # normalising takes the square of the marks on one letter
                    cluster += character
            at += 1
        folded = _fold_cluster(cluster)
        if begin < at and folded != text[begin:at]:
            edits.append(Edit(begin, at, folded))


@lru_cache(maxsize=8192)
def _is_mark(character: str) -> bool:
    """Whether a character belongs to the one before it, as it is or as compatibility takes it apart."""
    return unicodedata.category(unicodedata.normalize("NFKC", character)[0])[0] == "M"


@lru_cache(maxsize=8192)
def _fold_cluster(cluster: str) -> str:
    if cluster.isascii() and len(cluster) == 1:
        return cluster
    folded: list[str] = []
    latin = False
    for character in unicodedata.normalize("NFKC", cluster):
        if character in INVISIBLE:
            continue
        if unicodedata.category(character)[0] == "M":
            if not latin:  # struck-through and stacked letters are read without their marks
                folded.append(character)
            continue
        read = CONFUSABLES.get(character, character)
        latin = ord(read) <= _LATIN_ENDS or ord(read) in _LATIN_MORE
        folded.append(" " if unicodedata.category(read) == "Zs" else read)
    return "".join(folded)


def _smuggled(view: View) -> tuple[View, ...]:
    """What tag characters and runs of variation selectors carry, in its place and alone; a flag's tags are none."""
    text = view.text
    edits: list[Edit] = []
    for run in _SMUGGLED.finditer(text):
        if run.group()[0] in SELECTORS:
            carried = bytes(map(selector_byte, run.group())).decode("utf-8", "replace")
            edits.append(Edit(run.start(), run.end(), carried))
        elif text[run.start() - 1 : run.start()] != _FLAG:
            edits.append(Edit(run.start(), run.end(), "".join(chr(ord(sign) - 0xE0000) for sign in run.group())))
    if not edits:
        return ()
    return _fold(_rewrite(view, edits, HIDDEN)), _fold(_excerpt(view, edits, HIDDEN))
