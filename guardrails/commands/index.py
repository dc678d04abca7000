"""Which rules may speak about a command, found in a time that does not grow with the number of rules.

They are looked up by the command's name and, where all ways to write a rule end in a verb (`git push`), by the verb;
rules about every command only where it has the redirection or input that they need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from guardrails.commands.match import Matcher
    from guardrails.commands.rules import Rule
    from guardrails.commands.tree import Command
    from guardrails.interface import Shell

    Pair = tuple[Rule, Matcher]

EVERY = "*"
UNRESOLVED = "?"


class _Shelf:
    """The rules about one name."""

    __slots__ = ("by_verb", "rest")

    def __init__(self, pairs: Iterable[Pair]) -> None:
        self.rest: tuple[Pair, ...] = ()
        self.by_verb: dict[str, tuple[Pair, ...]] = {}
        for pair in pairs:
            verbs = pair[1].verbs
            if not verbs:
                self.rest += (pair,)
            for verb in verbs:
                self.by_verb[verb] = (*self.by_verb.get(verb, ()), pair)


class Index:
    """All rules by shell, name and verb; immutable."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        exact: dict[tuple[Shell, str], list[Pair]] = {}
        families: dict[tuple[Shell, str], list[Pair]] = {}
        for rule in rules:
            for names, matcher in rule.matchers:
                for name in names:
                    family = name.endswith(EVERY) and name != EVERY
                    found = families if family else exact
                    found.setdefault((rule.shell, name[:-1] if family else name), []).append((rule, matcher))
        self._exact = {key: _Shelf(pairs) for key, pairs in exact.items()}
        self._families = _by_shell({key: _Shelf(pairs) for key, pairs in families.items()})
        self._starts = {shell: tuple(shelves) for shell, shelves in self._families.items()}
        # With what each asks of a command, that it be redirected or a function with input.
        self._every = {
            shell: tuple((pair, _redirected(pair[1]), pair[1].fork) for pair in shelf.rest)
            for (shell, name), shelf in self._exact.items()
            if name == EVERY
        }
        self.names = frozenset(name for _, name in exact if name not in ("", EVERY, UNRESOLVED))
        self.families = tuple(sorted({start for _, start in families}))

    def candidates(self, command: Command, name: str, foreign: Shell | None = None) -> list[Pair]:
        """Rules that may speak about `command`, looked up as `name`.

        Args:
            command: As it would be run.
            name: What it is called.
            foreign: Another shell than its own, whose rules about programs are asked for; those about every command
                speak of that shell's own alone.
        """
        shell = command.shell if foreign is None else foreign
        found: list[Pair] = []
        verbs: set[str] | None = None
        for shelf in self._shelves(shell, name):
            found += shelf.rest
            if shelf.by_verb:
                if verbs is None:
                    verbs = {word.shape.lower() for word in command.argv[1:]}
                small, large = (verbs, shelf.by_verb) if len(verbs) < len(shelf.by_verb) else (shelf.by_verb, verbs)
                for verb in small:
                    if verb in large:
                        found += shelf.by_verb[verb]
        if foreign is None:
            for pair, redirected, fork in self._every.get(shell, ()):
                if (command.redirects or not redirected) and (not fork or (command.wrappers and command.stdin)):
                    found.append(pair)
        return found

    def names_of(self, shell: Shell) -> frozenset[str]:
        """Names of commands that a shell's own rules are about."""
        return frozenset(name for one, name in self._exact if one is shell and name not in ("", EVERY, UNRESOLVED))

    def families_of(self, shell: Shell) -> tuple[str, ...]:
        """How the names begin that a shell's own rules are about, where more may follow."""
        return self._starts.get(shell, ())

    def matchers(self, shell: Shell, name: str) -> list[Matcher]:
        """Matchers of a shell's rules about one name."""
        shelf = self._exact.get((shell, name))
        return [] if shelf is None else [matcher for _, matcher in shelf.rest]

    def _shelves(self, shell: Shell, name: str) -> list[_Shelf]:
        found = []
        if (shelf := self._exact.get((shell, name))) is not None:
            found.append(shelf)
        if shell in self._starts and name.startswith(self._starts[shell]):
            found += [shelf for start, shelf in self._families[shell].items() if name.startswith(start)]
        return found


def _by_shell(shelves: Mapping[tuple[Shell, str], _Shelf]) -> dict[Shell, dict[str, _Shelf]]:
    found: dict[Shell, dict[str, _Shelf]] = {}
    for (shell, start), shelf in shelves.items():
        found.setdefault(shell, {})[start] = shelf
    return found


def _redirected(matcher: Matcher) -> bool:
    return bool(matcher.redirects) or matcher.redirect_path is not None
