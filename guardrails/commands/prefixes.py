"""The table of commands that run other commands, and how to find the command among a wrapper's words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.commands.tree import Word


class Prefix(NamedTuple):
    """`name [options] [operands] command…`.

    Attributes:
        short: Short options that take a value.
        long: Long options that take a value as a word of its own.
        operands: Words before the command.
        assignments: Whether `NAME=value` words may stand before the command.
    """

    short: str = ""
    long: frozenset[str] = frozenset()
    operands: int = 0
    assignments: bool = False

    def tail(self, argv: Sequence[Word]) -> tuple[Word, ...]:
        """The words from the wrapped command on."""
        operands, at = self.operands, 1
        while at < len(argv):
            shape = argv[at].shape
            if shape == "--":
                at += 1
            elif shape.startswith("--"):
                at += 2 if shape in self.long else 1
            elif shape.startswith("-") and len(shape) > 1:
                taking = next((i for i, c in enumerate(shape[1:], 1) if c in self.short), None)
                at += 2 if taking == len(shape) - 1 else 1
            elif self.assignments and "=" in shape and not shape.startswith(("/", ".", "=")):
                at += 1
            elif operands:
                operands, at = operands - 1, at + 1
            else:
                break
        return tuple(argv[at:])


_DATA = yaml.load(Path(__file__).with_name("wrappers.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)


def names(section: str) -> frozenset[str]:
    """The words of one section of `wrappers.yaml`."""
    return frozenset(_DATA[section].split())


PREFIXES: dict[str, Prefix] = {name: Prefix() for name in names("plain")} | {
    name: Prefix(
        row.get("short", ""),
        frozenset(f"--{option}" for option in row.get("long", "").split()),
        row.get("operands", 0),
        row.get("assignments", False),
    )
    for name, row in _DATA["prefixes"].items()
}
