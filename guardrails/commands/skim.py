"""Passes over prose in which no word could be a command's head, at an automaton's speed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import re2

if TYPE_CHECKING:
    from collections.abc import Iterable

# Characters that the words' reader looks at itself, or that may belong to a command's syntax; between them stand words,
# and what harmlessly separates words.
_SPECIAL = "`~'\"\\%&$|<>()[{}=\n\x7f" + "".join(map(chr, (*range(9), *range(14, 32))))
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-")
# How a word, or a list of numbers, begins that may be encoded (`guardrails.commands.encoded`).
_ENCODED = (
    r"(?-i:[0-9]{2}|[2-7][0-9A-Fa-f]{5}|[A-Z2-7]{12}|\+A[C-H]"
    r"|[CDI-Za-f][AQgw][AB](?:/|.A[C-H])"
    r"|[CDI-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589](?:/|[A-Za-z0-9+_-][CDI-Za-f][A-HQ-Xg-nw-z0-3]"
    r"[ABEFIJMNQRUVYZcdghklopstwx014589]))"
)
_WINDOW = 2048  # characters looked at in one go: RE2 reads its whole input again at each call
_WORTH = 48  # below that the reader is as fast
_MEMORY = 128 << 20


class Skim:
    """Finds the next place in a text where its words must be read one by one."""

    def __init__(self, heads: Iterable[str], families: Iterable[str]) -> None:
        options = re2.Options()
        options.case_sensitive = False
        options.max_mem = _MEMORY
        names = "|".join(map(re2.escape, sorted(heads)))
        starts = "".join(f"|{re2.escape(family)}" for family in sorted(families))
        special = "".join(f"\\x{ord(character):02x}" for character in _SPECIAL)
        head = rf"(?:^|[^a-z0-9_.+-])(?:(?:{names})(?:[^a-z0-9_+-]|$){starts}|{_ENCODED})"
        self._search = re2.compile(rf"[{special}]|/[a-z0-9_.+-]*[?*]|\][a-z0-9]|{head}", options).search

    def past(self, text: str, position: int) -> int:
        """Where to go on reading, `position` being between two words or at the beginning of one; so is the result.

        Everything passed over is plain ASCII whose words are complete and no heads. A word at the text's end is never
        passed over, because it may still be arriving.
        """
        if position and text[position - 1] in "?*]":
            return position  # the beginning of a word that a pattern names lies behind
        while len(text) - position >= _WORTH:
            window = text[position : position + _WINDOW]
            if not window.isascii():
                break
            found = self._search(window)
            reach = len(window) if found is None else found.start()
            if reach == len(window) or window[reach] in _SPECIAL:
                while reach and window[reach - 1] in _WORD:
                    reach -= 1
            position += reach
            if found is not None or not reach:
                break
        return position
