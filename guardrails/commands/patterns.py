"""Compiles the patterns of rules, so that no text however built makes one slow.

Google's RE2 decides what a pattern may say: it has neither lookarounds nor references back, and takes linear time.
Python's own engine is ten times faster on the short words of a command, and linear too where nothing in a pattern
repeats without bound; such patterns, and only they, run on it. Classes and word boundaries are ASCII's on both.
"""

from __future__ import annotations

import re
from functools import lru_cache
from re import _constants as opcodes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Protocol

import re2

MEMORY = 1 << 21  # bytes one pattern's automaton may take; beyond, RE2 goes on without one, never wrongly
_LONGEST = 4000
_MOST_STEPS = 4096  # of Python's engine at one place of a text
_AROUND = re.compile(r"\(\?(?:<?[=!])")
_BACK = re.compile(r"\\[1-9]|\(\?P=")


class PatternError(ValueError):
    """A pattern that cannot be used.

    Attributes:
        pattern: As it was written.
        mend: What is wrong with it, and what to write instead.
    """

    def __init__(self, pattern: str, mend: str) -> None:
        super().__init__(f"{pattern!r}: {mend}")
        self.pattern, self.mend = pattern, mend


class Found(Protocol):
    """A match: its groups by number, 0 the whole."""

    def __getitem__(self, group: int, /) -> Any: ...


class Pattern(Protocol):
    """A pattern that is looked for in time linear in the text."""

    @property
    def pattern(self) -> str: ...

    def search(self, text: str, /) -> Found | None: ...


class _Linear:
    """A pattern on RE2; half a surrogate pair, which UTF-8 cannot say, is read as a question mark."""

    __slots__ = ("_compiled",)

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled

    @property
    def pattern(self) -> str:
        return str(self._compiled.pattern)

    def search(self, text: str, /) -> Found | None:
        sent = text.encode("utf-8", "replace")
        if self._compiled.search(sent) is None:  # half of what a search costs is to tell where, in characters
            return None
        found: Found | None = self._compiled.search(sent.decode())
        return found


@lru_cache(maxsize=4096)
def compiled(source: str, *, cased: bool = False) -> Pattern:
    """The pattern; case is ignored unless `cased`.

    Raises:
        PatternError: It is not of RE2's syntax, or would need more memory than a pattern is worth.
    """
    options = re2.Options()
    options.case_sensitive = cased
    options.max_mem = MEMORY
    options.log_errors = False
    if len(source) > _LONGEST:
        raise PatternError(
            source[:40] + "…", f"is longer than {_LONGEST} characters; make several `match` entries of it"
        )
    try:
        linear = _Linear(re2.compile(source, options))
    except re2.error as wrong:
        raise PatternError(source, _mend(source, wrong)) from wrong
    try:
        flags = re.ASCII if cased else re.ASCII | re.IGNORECASE
        if _steps(parser.parse(source, flags)) <= _MOST_STEPS:
            return re.compile(source, flags)
    except (re.error, OverflowError):
        pass  # a word of RE2's that Python does not know, such as \\z
    return linear


def _mend(source: str, wrong: Exception) -> str:
    said = wrong.args[0].decode() if wrong.args and isinstance(wrong.args[0], bytes) else str(wrong)
    if _AROUND.search(source):
        return (
            "looks around itself ((?=, (?!, (?<=, (?<!), which can take for ever on some texts; say what is excluded "
            "with `harmless`, `harmful`, `spares` or `unless`"
        )
    if _BACK.search(source):
        return r"refers back (\1), which can take for ever on some texts; write out what may stand there"
    return f"is not a regular expression of RE2's: {said}; put a backslash before a sign that is meant as it stands"


def _steps(tree: Any) -> float:
    """How many ways through a pattern there are at most; infinite where something repeats without bound."""
    total = 1.0
    for op, value in tree:
        if op is opcodes.BRANCH:
            total *= sum(_steps(branch) for branch in value[1])
        elif op is opcodes.SUBPATTERN:
            total *= _steps(value[-1])
        elif op in (opcodes.MAX_REPEAT, opcodes.MIN_REPEAT):
            least, most, inner = value
            if most is opcodes.MAXREPEAT:
                return float("inf")
            total *= max(1.0, (most - least + 1) * _steps(inner) ** min(most, 64))
        elif op not in (opcodes.LITERAL, opcodes.NOT_LITERAL, opcodes.IN, opcodes.ANY, opcodes.AT):
            return float("inf")
        if total > _MOST_STEPS:
            return float("inf")
    return total
