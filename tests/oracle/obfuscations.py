"""Ways to hide what a line of bash runs, by technique: a text each, in `obfuscations.txt`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNS = {"⏎": "\n", "⇥": "\t", "␍": "\r"}  # what a file of one text a line cannot show


def obfuscations() -> Iterator[tuple[str, str]]:
    """Every text, with its technique."""
    technique = ""
    for line in Path(__file__).with_suffix(".txt").read_text("utf-8").splitlines():
        if line.startswith("[") and line.endswith("]") and line[1:-1].isalpha():
            technique = line[1:-1]
        elif line:
            for sign, character in _SIGNS.items():
                line = line.replace(sign, character)  # noqa: PLW2901 - the line as bash shall see it
            yield technique, line
