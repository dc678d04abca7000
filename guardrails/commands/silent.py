"""Tells a text in which bash finds nothing to speak of, so that one that is SQL need not be read as bash as well.

Bash finds something where a command has a rule's name, where one that runs others stands, or where signs put a name
together, redirect, assign or define. Whatever might be any of these is not silent: the answer errs that way alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.commands.index import EVERY, UNRESOLVED
from guardrails.commands.interpreters import INTERPRETERS, versioned
from guardrails.commands.runners import runner_names
from guardrails.commands.shells import SCRIPTED
from guardrails.commands.stores import is_mongo
from guardrails.commands.wrappers import WRAPPERS
from guardrails.interface import Shell

if TYPE_CHECKING:
    from guardrails.commands.index import Index

_LONGEST = 4096
_BEGINS = r"\s*(?:\w+\+?=|[0-9]*[<>]|!)"  # an assignment, a redirection or a denial before a command
_STRANGE = re.compile(r"[^\t\n\r -~]|[`$\\{}\[\]~/]")
_FIRST = re.compile(_BEGINS)
_SIGNS = re.compile(
    # A redirection, but for what compares with a number.
    r"<[<(&|]|>[&|]|>(?!=?[ \t]*(?:[0-9]|\Z))|\(\s*\)"
    rf"|[;\n\r&|(!]{_BEGINS}"
)
_QUOTES = str.maketrans("", "", "'\"")
_SEPARATOR = re.compile(r"[;\n\r&|()]")
_WORD = re.compile(r"[^\s;&|()<>]+")
_KEYWORDS = (
    "if then elif else for while until do done case esac function coproc time export declare typeset readonly local "
    "unset unsetenv read mapfile readarray printf let shift alias unalias getopts eval source exec command builtin "
    "trap cd pushd popd enable hash invoke-rc.d"
)


class Silence:
    """What makes a text speak, of all rules in force; immutable."""

    def __init__(self, index: Index) -> None:
        self._names = index.names_of(Shell.BASH)
        self._families = index.families_of(Shell.BASH)
        self._runs = WRAPPERS | SCRIPTED | INTERPRETERS | runner_names() | frozenset(_KEYWORDS.split())
        rows = [
            steps[-1:]
            for matcher in index.matchers(Shell.BASH, EVERY)
            if not (matcher.redirects or matcher.redirect_path is not None or matcher.fork)
            for steps in matcher.subcommands or ((None,),)
        ]
        self._verbs = [step for row in rows for step in row if step is not None]
        fed = [matcher.fed_by for matcher in index.matchers(Shell.BASH, UNRESOLVED) if matcher.text is None]
        self._feeders = frozenset(name for names in fed for name in names)
        # A rule about every command, or every unknown one, that asks for nothing a glance can see.
        self._never = len(self._verbs) < len(rows) or not all(fed)

    def holds(self, text: str) -> bool:
        """Whether no rule of bash's can speak about `text`; False wherever that is in doubt."""
        if self._never or len(text) > _LONGEST or _STRANGE.search(text) or _FIRST.match(text) or is_mongo(text):
            return False
        if _SIGNS.search(text):
            return False
        bare = text.translate(_QUOTES).lower()
        words = set(_WORD.findall(bare))
        if not self._runs.isdisjoint(words) or not self._feeders.isdisjoint(words) or any(map(versioned, words)):
            return False
        for part in _SEPARATOR.split(bare):
            first = _WORD.search(part)
            if first is not None and (first.group() in self._names or first.group().startswith(self._families)):
                return False
        return not any(verb.fullmatch(word) for verb in self._verbs for word in words)
