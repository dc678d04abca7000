"""Every technique, and seeded compositions of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from random import Random
from typing import TYPE_CHECKING

from guardrails.evasions.encodings import ENCODINGS
from guardrails.evasions.frames import FRAMES, Place
from guardrails.evasions.interface import Undone
from guardrails.evasions.shell import SHELL
from guardrails.evasions.spelling import SPELLING
from guardrails.evasions.windows import WINDOWS
from guardrails.evasions.wrapping import WRAPPING
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.evasions.interface import Evasion

EVASIONS: tuple[Evasion, ...] = (*SHELL, *WRAPPING, *WINDOWS, *SPELLING, *ENCODINGS)
LONGEST = 2000
"""Characters of a composed attack; a longer one is left out."""

_ORDER = {Undone.SHELL: 0, Undone.DECODER: 1, Undone.READER: 2}


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack, dressed.

    Attributes:
        techniques: Names of the evasions, innermost first; empty for the plain attack.
        place: Where it stands.
        frame: In which dress.
        texts: What is sent, one after another.
    """

    techniques: tuple[str, ...]
    place: Place
    frame: str
    texts: tuple[str, ...]


def compositions(shell: Shell) -> list[tuple[Evasion, ...]]:
    """Each technique for a language alone, then the pairs that still reach their target.

    A shell's stands inside a decoder's, both inside a reader's; encodings stand in any order, even inside themselves.
    """
    own = [evasion for evasion in EVASIONS if shell in evasion.shells]
    pairs = [
        (inner, outer)
        for inner, outer in product(own, own)
        if _ORDER[inner.undone] <= _ORDER[outer.undone]
        and (inner is not outer or inner.undone is Undone.DECODER)
        and not (inner.undone is outer.undone is Undone.READER)
    ]
    return [*((one,) for one in own), *pairs]


def attacks(text: str, shell: Shell, places: frozenset[Place], count: int, seed: str) -> Iterator[Attack]:
    """The plain attack and `count` evasions of it, half of them single, each in every dress that fits.

    Args:
        text: What is to be stopped.
        shell: Its language; `auto` counts as bash.
        places: The channels it can come by.
        count: How many compositions.
        seed: Equal seeds give equal attacks.
    """
    random = Random(seed)  # noqa: S311 - it chooses tests
    shell = Shell.BASH if shell is Shell.AUTO else shell
    yield from _dressed((), text, shell, places, random)
    every = compositions(shell)
    singles = [one for one in every if len(one) == 1]
    pairs = [one for one in every if len(one) == 2]
    random.shuffle(singles)
    random.shuffle(pairs)
    done = 0
    while done < count and (singles or pairs):
        chosen = (singles if done % 2 == 0 and singles else pairs or singles).pop()
        read: str | None = text
        for evasion in chosen:
            read = evasion.apply(read, random) if read is not None else None
        if read is None or len(read) > LONGEST:
            continue
        done += 1
        yield from _dressed(chosen, read, shell, places, random)


def _dressed(
    chosen: tuple[Evasion, ...], text: str, shell: Shell, places: frozenset[Place], random: Random
) -> Iterator[Attack]:
    runs = all(evasion.undone is Undone.SHELL for evasion in chosen)
    for frame in FRAMES:
        if frame.place not in places or shell not in frame.shells or (frame.runs and not runs):
            continue
        if texts := frame.render(text, shell, random):
            yield Attack(tuple(evasion.name for evasion in chosen), frame.place, frame.name, texts)
