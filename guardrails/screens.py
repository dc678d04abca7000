"""Linear-time screens in front of expensive patterns.

Python's `re` tries a long alternation word by word at every character; RE2 runs it as an automaton, a hundred times
faster. RE2's word boundaries and classes are ASCII's, so other texts are never screened out.
"""

from __future__ import annotations

import re

import re2

MEMORY = 64 << 20  # bytes RE2 may use for one pattern's automaton; it falls back to a slower one, never to a wrong one


class Screen:
    """Says quickly where a pattern cannot match.

    Raises:
        re2.error: The pattern looks around itself or refers back, which no automaton can.
    """

    def __init__(self, pattern: re.Pattern[str]) -> None:
        options = re2.Options()
        options.case_sensitive = not pattern.flags & re.IGNORECASE
        options.max_mem = MEMORY
        options.log_errors = False
        self._search = re2.compile(_spelled(pattern.pattern), options).search

    def possible(self, text: str) -> bool:
        """False only where `pattern.search(text)` would find nothing."""
        return not text.isascii() or self._search(text.encode()) is not None


class Sign:
    """A pattern of which only its presence is asked, in time linear in the text; classes and boundaries are ASCII's.

    Raises:
        re2.error: As `Screen`.
    """

    def __init__(self, pattern: str, *, ignore_case: bool = False) -> None:
        options = re2.Options()
        options.case_sensitive = not ignore_case
        options.dot_nl = True
        options.never_capture = True
        options.max_mem = MEMORY
        options.log_errors = False
        self._compiled = re2.compile(_spelled(pattern), options)

    def within(self, text: str) -> bool:
        """Whether the pattern matches anywhere."""
        # As bytes: half of what the wrapper costs is to tell where, in characters.
        return self._compiled.search(encoded(text)) is not None

    def begins(self, text: str) -> bool:
        """Whether the pattern matches at the beginning."""
        return self._compiled.match(encoded(text)) is not None

    def whole(self, text: str) -> bool:
        """Whether the pattern matches all of the text."""
        return self._compiled.fullmatch(encoded(text)) is not None


def _spelled(pattern: str) -> str:
    r"""The pattern with the characters themselves for `\u` escapes, which RE2 does not read."""
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda escape: chr(int(escape[1], 16)), pattern)


def encoded(text: str) -> bytes:
    """The text in UTF-8, lone surrogates, which it has not, as question marks."""
    return text.encode("utf-8", "replace")
