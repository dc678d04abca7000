"""The small matcher behind a rule: command names, subcommands, options, arguments, targets, pipes and redirections."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from guardrails.commands.effects import Place
from guardrails.commands.outputs import fed
from guardrails.commands.targets import target
from guardrails.commands.tree import sources
from guardrails.interface import Shell

if TYPE_CHECKING:
    from guardrails.commands.effects import Target
    from guardrails.commands.patterns import Pattern
    from guardrails.commands.tree import Command


# Words `**` may pass over: nouns of a command line's tree, never a verb that settles what is done.
_SUBCOMMAND = re.compile(
    r"(?!(?:list|ls|get|describe|show|status|history|search|view|help|lookup|inspect|explain|version|create|add|set|"
    r"init|validate|update)$)[a-z][a-z0-9]*(?:[-_:][a-z0-9]+)*"
)


@dataclass(frozen=True, slots=True)
class Match:
    """Why a matcher said yes: the targets it fell on and the words it named."""

    targets: tuple[Target, ...] = ()
    named: tuple[tuple[str, str], ...] = ()


_WORST = (
    *(Place.ROOT, Place.CRITICAL, Place.DATA, Place.DEVICE, Place.HOME, Place.KEYS, Place.SYSTEM, Place.KERNEL),
    *(Place.WIDE, Place.LOGS, Place.UNKNOWN, Place.FILE, Place.PROJECT, Place.BUILD, Place.SCRATCH, Place.NONE),
)
_DENIED = ("=false", "=none", "=0", "=no", ":$false")


@lru_cache(maxsize=8192)
def has_option(word: str, option: str, shell: Shell, *, abbreviated: bool) -> bool:
    """Whether one word sets an option: `-rf` sets `-r`, `--recursive=yes` sets `--recursive`.

    `--rec` sets it where abbreviations are allowed; PowerShell always allows them and no case counts there.
    """
    if shell is Shell.POWERSHELL:
        given = word.partition(":")[0].lower()
        return len(given) > 1 and option.startswith(given) and not word.lower().endswith(":$false")
    if shell is Shell.CMD:
        return word.lower().partition(":")[0] == option
    if option.startswith("--"):
        given = word.partition("=")[0]
        return given == option or (abbreviated and len(given) > 2 and option.startswith(given))
    if len(option) == 2 and option[0] == "-":
        letters = word[1:].partition("=")[0]
        return option[1] in letters and letters.isascii() and letters.replace(option[1], "0").isalnum()
    return word == option or word.startswith(option + "=")


@dataclass(frozen=True, slots=True)
class Matcher:
    """What a command must look like.

    Attributes:
        but: Names it does not speak about, where a rule speaks about a family or about all.
        verbs: Lower-case words one of which must stand among the arguments; empty where that cannot be said.
        subcommands: Alternatives, each a row of steps: a pattern for one word, or None for any row of subcommands.
        options: All groups must be set; a group is set by any of its options.
        unless: Options that make the command harmless.
        values: Options whose value must match (`-X` → DELETE).
        arguments: Pattern one operand must match.
        text: Pattern the words after the name, joined by blanks, must hold.
        harmless: Pattern that makes the command harmless where those words hold it.
        harmful: Pattern that takes `harmless` back where those words hold it.
        spares: Pattern of operands that do not count, neither for `arguments` nor for `places`.
        same: Pattern of two groups that must hold the same, in those words.
        places: Classes one of the operands must be of.
        operands: `name=value` operands whose value must be of `places` (dd's `of`).
        redirects: Classes a redirection that empties its target must go to; with `appends`, one that appends, too.
        redirect_path: Pattern of a path some redirection must name.
        fed: Pattern that what it reads, where that is constant, must hold.
        fed_text: Pattern of a word of a command whose output it reads.
        fork: Whether it must be a function that pipes itself into itself.
        fed_by: Names of commands whose output it must read or be made of.
        through: Names one of which it must be run through.
        abbreviated: Whether long options may be shortened, as GNU's may.
        names: Slots filled by the nth operand.
        captures: Slots filled by the first group of a pattern in the words after the name.
    """

    but: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset()
    subcommands: tuple[tuple[re.Pattern[str] | None, ...], ...] = ()
    options: tuple[tuple[str, ...], ...] = ()
    unless: tuple[str, ...] = ()
    values: tuple[tuple[tuple[str, ...], Pattern], ...] = ()
    arguments: Pattern | None = None
    text: Pattern | None = None
    harmless: Pattern | None = None
    harmful: Pattern | None = None
    spares: Pattern | None = None
    same: Pattern | None = None
    places: frozenset[Place] = frozenset()
    operands: tuple[str, ...] = ()
    redirects: frozenset[Place] = frozenset()
    appends: bool = False
    redirect_path: Pattern | None = None
    fed: Pattern | None = None
    fed_text: Pattern | None = None
    fork: bool = False
    fed_by: frozenset[str] = frozenset()
    through: frozenset[str] = frozenset()
    abbreviated: bool = False
    names: tuple[tuple[str, int], ...] = ()
    captures: tuple[tuple[str, Pattern], ...] = ()

    def __call__(self, command: Command) -> Match | None:
        """Why the command fits, or None."""
        if command.name in self.but or ((self.redirects or self.redirect_path is not None) and not command.redirects):
            return None
        if (self.fork or self.fed_by) and not self._reads(command):
            return None
        words = [w.shape for w in command.argv[1:]]
        rest = self._rest(words)
        if rest is None or not self._options(words, command.shell) or not self._origin(command):
            return None
        named_by = self.arguments is not None or self.places or self.operands or self.names
        operands = _operands(rest, command.shell) if named_by else []
        counted = operands if self.spares is None else [o for o in operands if not self.spares.search(o)]
        if self.arguments is not None and not any(self.arguments.search(o) for o in counted):
            return None
        targets = self._targets(command, counted)
        if targets is None:
            return None
        named = [(slot, operands[at]) for slot, at in self.names if at < len(operands)]
        for slot, pattern in self.captures:
            if found := pattern.search(" ".join(w.shape for c in (command, *sources(command)) for w in c.argv[1:])):
                named.append((slot, found[1]))
        return Match(targets, tuple(named))

    @staticmethod
    def _reads(command: Command) -> bool:
        return bool(command.stdin or command.redirects) or any(w.commands for w in command.argv)

    def _rest(self, words: list[str]) -> list[str] | None:
        rest: list[str] | None = words
        if self.subcommands:
            rest = next((r for steps in self.subcommands if (r := _after(words, steps)) is not None), None)
        return None if rest is None or not self._says(words) else rest

    def _says(self, words: list[str]) -> bool:
        if self.text is None and self.harmless is None and self.same is None:
            return True
        text = " ".join(words)
        if self.text is not None and not self.text.search(text):
            return False
        if self.harmless is not None and self.harmless.search(text):
            return self.harmful is not None and self.harmful.search(text) is not None
        return self.same is None or ((two := self.same.search(text)) is not None and two[1] == two[2])

    def _origin(self, command: Command) -> bool:
        if self.fed_by and not any(c.name in self.fed_by for c in sources(command)):
            return False
        if self.fed is not None and not self.fed.search(fed(command) or ""):
            return False
        named = self.fed_text
        if named is not None and not any(named.search(w.shape) for c in sources(command) for w in c.argv):
            return False
        if self.fork and not _forks(command):
            return False
        path = self.redirect_path
        if path is not None and not any(
            path.search(r.target.shape) for r in command.redirects if r.writes or r.operator == "<"
        ):
            return False
        return not self.through or not self.through.isdisjoint(command.wrappers)

    def _options(self, words: list[str], shell: Shell) -> bool:
        if not (self.options or self.unless or self.values):
            return True
        flags = []
        for word in words:
            if word == "--":
                break
            if word.startswith("/" if shell is Shell.CMD else "-"):
                flags.append(word)
        kept = [word for word in flags if not word.endswith(_DENIED)]
        for group in self.options:
            if not any(
                has_option(word, option, shell, abbreviated=self.abbreviated) for word in kept for option in group
            ):
                return False
        if any(has_option(word, option, shell, abbreviated=False) for word in kept for option in self.unless):
            return False
        return all(self._value(words, group, pattern) for group, pattern in self.values)

    @staticmethod
    def _value(words: list[str], group: tuple[str, ...], pattern: Pattern) -> bool:
        for at, word in enumerate(words):
            for option in group:
                value = None
                if word == option:
                    value = words[at + 1] if at + 1 < len(words) else ""
                elif word.startswith(option) and not option.startswith("--"):
                    value = word[len(option) :]
                elif word.startswith(option + "="):
                    value = word[len(option) + 1 :]
                if value is not None and pattern.search(value):
                    return True
        return False

    def _targets(self, command: Command, operands: list[str]) -> tuple[Target, ...] | None:
        if self.redirects:
            made = [target(r.target.shape) for r in command.redirects if (r.writes if self.appends else r.empties)]
            hit = tuple(t for t in made if t.place in self.redirects)
            return hit or None
        if self.operands:
            values = [o.partition("=")[2] for o in operands if o.partition("=")[0] in self.operands]
        else:
            values = operands
        if not self.places:
            return ()
        found = sorted((t for t in map(target, values) if t.place in self.places), key=_rank)
        return tuple(found) or None


def _rank(one: Target) -> int:
    """The worst comes first: it is the one a person is told of."""
    return _WORST.index(one.place)


def _forks(command: Command) -> bool:
    return f"function {command.name}" in command.wrappers and any(c.name == command.name for c in command.stdin)


def _operands(words: list[str], shell: Shell) -> list[str]:
    mark = "/" if shell is Shell.CMD else "-"
    found: list[str] = []
    for at, word in enumerate(words):
        if word == "--":
            return found + words[at + 1 :]
        if not word.startswith(mark) or word == "-":
            found.append(word)
    return found


def _after(words: list[str], steps: tuple[re.Pattern[str] | None, ...], at: int = 0) -> list[str] | None:
    """The words after a row of subcommands; a word behind an option may be the option's value or the subcommand."""
    if not steps:
        return words[at:]
    step, loose = steps[0], False
    if step is None:
        step, steps, loose = steps[1], steps[1:], True
    assert step is not None  # noqa: S101 - a row never ends in, nor doubles, its `**`
    while at < len(words):
        word = words[at]
        if not word.startswith("-"):
            if step.fullmatch(word):
                rest = _after(words, steps[1:], at + 1)
                if rest is not None:
                    return rest
            valued = at > 0 and words[at - 1].startswith("-") and "=" not in words[at - 1]
            if not valued and not (loose and _SUBCOMMAND.fullmatch(word)):
                return None
        at += 1
    return None
