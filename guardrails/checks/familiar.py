"""Which names of a command are familiar: given with the request, the runbooks' own, or everybody's."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from guardrails.checks.names import Kind, read_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.checks.names import Name
    from guardrails.given import Given

_GLOB = re.compile(r"[*?\[\]]+")
_STEM = re.compile(r"[._-]+")
_SEPARATORS = re.compile(r"[\\/]+")
_SCRATCH = re.compile(r"/(?:tmp|var/tmp|proc|sys|dev/fd)/")
_SHORTEST = 3  # letters of a name that may be part of a longer one: `ssh` of `sshd`


class Usual(NamedTuple):
    """Everybody's names."""

    hosts: frozenset[str]
    services: frozenset[str]
    endings: tuple[str, ...]
    files: frozenset[str]
    parts: frozenset[str]


@cache
def usual() -> Usual:
    data = {name: words.split() for name, words in read_data("names.yaml")["usual"].items()}
    return Usual(
        frozenset(data["hosts"]),
        frozenset(data["services"]),
        tuple(data["endings"]),
        frozenset(data["files"]),
        frozenset(data["parts"]),
    )


def familiar(name: Name, given: Given, catalogue: frozenset[str]) -> bool:
    """Whether somebody but the model named it.

    Args:
        name: As it stands in a command.
        given: The request's words.
        catalogue: The runbooks' words, in lower case.
    """
    text = name.text.casefold()
    if given.names(text) or text in catalogue:
        return True
    if name.kind is Kind.FLAG:
        return False
    if name.kind is Kind.PATH:
        return _path(text, given, catalogue)
    everybodys = usual().hosts | usual().services
    return any(one in everybodys or one in catalogue or given.names(one) for one in _spellings(text))


def _spellings(text: str) -> Iterator[str]:
    """The name without what it may be followed by, and with it."""
    yield text
    for ending in usual().endings:
        bare = text.removesuffix(ending)
        if bare != text and len(bare) >= _SHORTEST:
            yield bare
        if text.isalpha() and len(text) >= _SHORTEST:
            yield text + ending
    if "@" in text:
        yield from text.split("@")


def _path(text: str, given: Given, catalogue: frozenset[str]) -> bool:
    """Whether every part of a path is familiar; below a scratch folder anything is."""
    if _SCRATCH.match(text):
        return True
    parts = [_GLOB.sub("", part) for part in _SEPARATORS.split(text)]
    return all(_part(part, given, catalogue) for part in parts if part.strip("~.-_"))


def _part(part: str, given: Given, catalogue: frozenset[str]) -> bool:
    known = usual()
    if part in known.parts or part in catalogue or given.names(part) or part.isdigit():
        return True
    if any(one in known.services or given.names(one) for one in _spellings(part)):
        return True
    stems = [stem for stem in _STEM.split(part) if stem]
    return len(stems) > 1 and all(
        stem in known.files or stem in known.parts or stem.isdigit() or stem in catalogue or given.names(stem)
        for stem in stems
    )
