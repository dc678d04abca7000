"""How else a shell may read a command: blanks spelled as variables, nothing spelled as something, names by patterns.

A reading of the text beside the text itself; the tree of commands has its own say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.encodings import Edit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BLANK = re.compile(r"\$\{IFS[^}\s]{0,16}\}|\$IFS(?:\$\{?[0-9*@#?!-]\}?|\$\{?\w+\}?(?=\W|$))?")
_NOTHING = re.compile(r"(?<=\w)(?:\$[@*]|\$\{[@*]\}|\$\(\)|``)(?=\w|\$|`|[./-])")
_PATTERN = re.compile(
    r"(?:^|[;|&({`\n]|\b(?:sudo|exec|command|nohup|then|do|else))[ \t]*(?P<path>(?:/[\w.*?\[\]-]+)+)(?=\s|$)"
)
_SIGNS = ("*", "?", "[")


def respelled(text: str, named: Callable[[str], str]) -> Iterator[list[Edit]]:
    """Edits to the text as such a shell reads it; nothing where it has nothing of the kind.

    Args:
        text: A command.
        named: The names, between blanks, that a pattern may mean; there is a reading for each.
    """
    edits: list[Edit] = []
    if "IFS" in text:
        edits += [Edit(*match.span(), " ") for match in _BLANK.finditer(text)]
    if "$" in text or "``" in text:
        edits += [Edit(*match.span(), "") for match in _NOTHING.finditer(text)]
    patterns: list[tuple[int, int, list[str]]] = []
    if "/" in text and any(sign in text for sign in _SIGNS):
        for match in _PATTERN.finditer(text):
            start, end = match.span("path")
            if names := named(text[start:end].rpartition("/")[2].lower()).split():
                patterns.append((start, end, names))
    if edits and not patterns:
        yield sorted(edits)
    for way in range(max((len(names) for _, _, names in patterns), default=0)):
        yield sorted(edits + [Edit(start, end, names[min(way, len(names) - 1)]) for start, end, names in patterns])
