"""Words of a prompt that may name a command, found at the speed of sets and searches.

Most of a prompt is words that name nothing. They are looked up all at once; the slow reader sees only the known names
and the few words with a sign in them that a path, a quoted name or an escape would have.
"""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FLAT = str.maketrans({sign: " " for sign in string.punctuation if sign not in "-_.+/"} | {"/": " "})
_CANDIDATE = re.compile(r"(?<![\w./\\-])(?:[\w.~^'\"$@\\/-]{0,200}[/\\])?[A-Za-z][\w.+^'\"\\@-]{0,100}")
_ODD_SIGN = re.compile(r"[/\\'\"^$]")
_CMDLET = re.compile(r"\b[A-Z][a-z]+-[A-Z]")
_ODD = re.compile(r"[/\\'\"^$]|^[A-Z][a-z]+-[A-Z]")
_SPACE = re.compile(r"\s")


def flattened(text: str) -> str:
    """A text of the same length without punctuation, but for what a name may have in it, and in ASCII."""
    if not text.isascii():
        text = text.encode("ascii", "replace").decode()
    return text.translate(_FLAT)


def candidates(text: str, flat: str, names: frozenset[str]) -> list[re.Match[str]]:
    """Words that are one of `names`, or have a sign of a path, a quoted name or a cmdlet, in their order.

    Args:
        text: To be read.
        flat: The same, flattened.
        names: Words to find.
    """
    found = {match.start(): match for match in _odd(text)}
    for start in known(flat, names):
        if start not in found and (match := _CANDIDATE.match(text, start)) and match[0] in names:
            found[start] = match
    return [found[start] for start in sorted(found)]


def known(flat: str, names: frozenset[str]) -> Iterator[int]:
    """Where the words of a flattened text that are `names` begin."""
    at = 0
    for word in flat.split():
        if word in names:
            size = len(word)
            at = flat.find(word, at)
            while (at and not flat[at - 1].isspace()) or flat[at + size : at + size + 1].strip():
                at = flat.find(word, at + 1)
            yield at
            at += size


def _odd(text: str) -> Iterator[re.Match[str]]:
    """Candidates in runs of characters, between blanks, in which an odd sign stands."""
    signs = [found.start() for found in _ODD_SIGN.finditer(text)]
    if "-" in text:
        signs = sorted({*signs, *(found.start() for found in _CMDLET.finditer(text))})
    past = 0
    for at in signs:
        if at < past:
            continue
        start = max(past, text.rfind(" ", past, at) + 1, text.rfind("\n", past, at) + 1, text.rfind("\t", past, at) + 1)
        blank = _SPACE.search(text, at)
        end = blank.start() if blank else len(text)
        for word in _CANDIDATE.finditer(text, start, end):
            if _ODD.search(word[0]):
                yield word
        past = end
