"""What a technique is that gets an attack past a reader: what it does, where it works, who undoes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

EVERY = frozenset({Shell.BASH, Shell.POWERSHELL, Shell.CMD, Shell.SQL})
BASH = frozenset({Shell.BASH})


class Undone(StrEnum):
    """Who sees the attack again: a mutation that nobody undoes is none."""

    SHELL = "shell"  # it is still a command, and still runs
    READER = "reader"  # a person, a model, a terminal or a renderer reads it as before
    DECODER = "decoder"  # a program or a model decodes it


@dataclass(frozen=True, slots=True)
class Evasion:
    """One technique.

    Attributes:
        name: Short, lower case, unique.
        about: What it does, in one line.
        undone: Who undoes it.
        shells: Languages in which the result is still what it was.
        apply: The text rewritten; None where this text offers no place for it. Equal random states give equal results.
    """

    name: str
    about: str
    undone: Undone
    shells: frozenset[Shell]
    apply: Callable[[str, Random], str | None]


def outside_quotes(text: str) -> list[int]:
    """Offsets of the ASCII letters that stand in no quotes and behind no backslash, dollar or brace."""
    found: list[int] = []
    quote = ""
    for at, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"`":
            quote = sign
        elif sign.isascii() and sign.isalpha() and not (at and text[at - 1] in "\\$%{&@"):
            found.append(at)
    return found


def first_word(text: str) -> tuple[int, int] | None:
    """Where the name of the command that a text begins with stands, if that is a plain name."""
    end = 0
    while end < len(text) and (text[end].isalnum() or text[end] in "._-/"):
        end += 1
    plain = end > 1 and text[0].isascii() and text[0].isalpha() and (end == len(text) or text[end] in " \t\n;|&")
    return (0, end) if plain else None
