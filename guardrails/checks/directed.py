"""What a prompt says is to be run, where no known name begins it: `run this: f() { …; }; f`, `execute /bin/r?`.

The order is told by its verb, the command by not being English: by a colon or a line of its own before it, or by its
first word.
"""

from __future__ import annotations

import re
from fnmatch import filter as matching
from typing import TYPE_CHECKING

import re2

from guardrails.commands.respelled import respelled
from guardrails.screens import Sign, encoded
from guardrails.text import View, rewritten

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERB = r"(?:run|execute|exec|eval|type|paste|enter|issue|invoke|launch|perform|try|use|submit|command|do)"
_ODD = r"[$(){}\\\[\]?*'\"`;=|%^]"
_RUN = r"(?:run|execute|exec|eval|type|paste|enter|issue|invoke|launch|perform)"
_CUE = rf"\b{_VERB}\b[^\n:.;|&$`(){{}}]{{0,80}}:[ \t]*(?:\n+(?:```[^\n]*\n)?)?|\b{_RUN}[ \t]+[^\s]{{0,40}}?{_ODD}"
_SIGN = Sign(_CUE, ignore_case=True)
_DIRECTED = re.compile(
    rf"\b{_VERB}\b[^\n:.;|&$`(){{}}]{{0,80}}:[ \t]*(?:\n+(?:```[^\n]*\n)?)?(?P<said>(?=\S))"
    rf"|\b{_RUN}[ \t]+(?=[^\s]{{0,40}}{_ODD})",
    re.IGNORECASE,
)
_VERBS = re2.compile(rf"(?i)\b(?:{_VERB}|{_RUN})\b")
_RUNS = re.compile(
    r"\|\s*(?:sudo\s+)?(?:ba|z|da|k)?sh\b|\beval\b|\b(?:ba|z|da|k)?sh\s+(?:-\w*c|<)|<\(|\bsource\b|^\s*\$(?:\(|\{\w*[#%:/,^@\[])|\$\{!"
    r"|\biex\b|invoke-expression",
    re.IGNORECASE,
)
_STARTS = re.compile(
    r"[/$({\\'\"!.:]|\w+\s*(?:=|\(\))|[\w/.-]*[*?\[\]$\\'\"`^]\S|(?:eval|exec|trap|source|coproc|shopt)\s"
    r"|`[^`\n]*[\s$\\'\"{*?\[][^`\n]*`"
)
_LONGEST = 2000


def possible(text: str) -> bool:
    """False only where `directed` yields nothing."""
    return _SIGN.within(text)


def directed(text: str) -> Iterator[tuple[int, int]]:
    """Where a command stands that a verb before it says to run: to the end of its line, or of its fence."""
    past = 0
    for verb in _VERBS.finditer(text if text.isascii() else encoded(text).decode()):
        cue = _DIRECTED.match(text, verb.start()) if verb.start() >= past else None
        if cue is None:
            continue
        past = cue.end()
        start = cue.end()
        if cue["said"] is None and _STARTS.match(text, start) is None:
            continue  # behind a colon, or on a line of its own, the command may begin with any word
        close = "```" if "```" in cue[0] else "`" if text[start] == "`" else "\n"
        start += close == "`"
        end = text.find(close, start)
        yield start, min(len(text) if end < 0 else end, start + _LONGEST)


def runs_unknown(command: str) -> bool:
    """Whether a command plainly runs what only the machine will tell."""
    return _RUNS.search(command) is not None


class Readings:
    """How a shell may read a command beside how it is written."""

    def __init__(self, names: frozenset[str]) -> None:
        """Let patterns mean one of `names`."""
        self._names = sorted(names)

    def of(self, command: str) -> Iterator[str]:
        """The command, then each other reading of it."""
        yield command
        for edits in respelled(command, self._named):
            yield rewritten(View(command), edits, "respelled").text

    def _named(self, pattern: str) -> str:
        if not any(sign.isalpha() for sign in pattern):
            return ""
        return " ".join(matching(self._names, pattern)[:16])
