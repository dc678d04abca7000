"""The catalogue of safe alternatives a refusal may offer, their slots filled from the command where it tells them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from guardrails.commands.budget import BudgetExceeded
from guardrails.commands.effects import Effect, Place
from guardrails.commands.packs import RuleError, line, read_pack
from guardrails.commands.placeholders import sample, words
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from guardrails.commands.judge import CommandJudge
    from guardrails.commands.match import Match
    from guardrails.commands.rules import Rule
    from guardrails.commands.tree import Command

_Key = TypeVar("_Key", bound=str)
_BUILT_IN = Path(__file__).parent / "runbooks.yaml"
_SLOT = re.compile(r"\{(\w+)\}")
_SAFE = re.compile(r"(?!-)[\w@./:~\\-]+", re.ASCII)
MARKDOWN = (".md", ".markdown")
_ENDINGS = (*MARKDOWN, ".yaml", ".yml")


_UNIX = frozenset({Shell.BASH, Shell.SQL})
_WINDOWS = frozenset({Shell.POWERSHELL, Shell.CMD})
# In which languages' stead a step of one may be offered.
_MOST_FITTED = 4096  # kinds of commands whose steps are remembered
_Fitting = tuple[tuple["Alternative", ...], tuple["Alternative", ...]]
_OFFERED = {
    Shell.AUTO: _UNIX,
    Shell.BASH: _UNIX,
    Shell.SQL: frozenset({Shell.SQL}),
    Shell.POWERSHELL: _WINDOWS,
    Shell.CMD: _WINDOWS,
}


class Offer(BaseModel):
    """What a safe step stands in for.

    Attributes:
        effects: Effects it stands in for where no rule names it.
        places: Classes of targets it stands in for; any where empty.
        heads: Commands it stands in for, `name*` for a family; any where empty.
        needs: Slots that must be known; the others stay visible for a person to fill.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    effects: list[Effect] = []
    places: list[Place] = []
    heads: list[str] = []
    needs: list[str] = []


class Alternative(Offer):
    """One safe step.

    Attributes:
        id: Its name; a rule's `runbook` may give it.
        command: What to run instead, with `{slots}`.
        why: What it does, for a person.
        shell: The language it is written in.
        variant_of: The step whose place it takes where a command is one of its heads, or is run through one.
    """

    id: str = Field(pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$", examples=["ours.drain-first"])
    command: str = Field(min_length=2, max_length=300, examples=["fleetctl drain {node}"])
    why: str = Field(min_length=8, max_length=200, examples=["moves the work away before the node goes"])
    shell: Shell = Shell.BASH
    variant_of: str | None = None

    def filled(self, slots: Mapping[str, str]) -> str | None:
        """The command with what is known filled in; None where something it needs is not known."""
        known = {k: v for k, v in slots.items() if _SAFE.fullmatch(v)}
        if any(need not in known for need in self.needs):
            return None
        return filled(self.command, known)

    def speaks_of(self, names: Iterable[str]) -> bool:
        """Whether one of these commands is among its heads."""
        return any(_called(name, one) for name in names for one in self.heads)

    def fits(self, effect: Effect, head: str, places: frozenset[Place], shell: Shell) -> bool:
        """Whether it may stand in for a command of this name, effect and targets."""
        if effect not in self.effects or shell not in _OFFERED[self.shell]:
            return False
        return (not self.heads or self.speaks_of((head,))) and (not self.places or not places.isdisjoint(self.places))


def _called(head: str, name: str) -> bool:
    return head == name or (name.endswith("*") and head.startswith(name[:-1]))


def _options(command: Command) -> dict[str, str]:
    """What the command's own options name: `--topic orders` fills `{topic}`, as `-Topic` does in PowerShell.

    There a cmdlet's name tells the `{noun}`, too.
    """
    mark = "-" if command.shell is Shell.POWERSHELL else "--"
    words = [word.text or "" for word in command.argv[1:]]
    found: dict[str, str] = {}
    if command.shell is Shell.POWERSHELL and command.argv:
        found["noun"] = (command.argv[0].text or "").partition("-")[2]
    for at, word in enumerate(words):
        if word.startswith(mark):
            name, equals, written = word[len(mark) :].partition("=")
            found.setdefault(name.replace("-", "_").lower(), written if equals else "".join(words[at + 1 : at + 2]))
    return found


def filled(command: str, slots: Mapping[str, str]) -> str:
    """A safe command with its `{slots}` filled; one that is not known, or that a shell would read otherwise, stays."""
    return _SLOT.sub(lambda m: v if (v := slots.get(m[1])) and _SAFE.fullmatch(v) else m[0], command)


class CatalogueFile(BaseModel):
    """One YAML file of the catalogue.

    Attributes:
        alternatives: Its safe steps.
        facts: Names that exist here (`services: [billing]`, `hosts: [db-1]`), under any heading.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    alternatives: list[Alternative] = Field(default=[], examples=["[{id: ours.drain-first, …}]"])
    facts: dict[str, list[str]] = {}


@dataclass(frozen=True, slots=True)
class Step:
    """A safe step of a team's own, and where it is written."""

    alternative: Alternative
    file: Path
    line: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """A step of a runbook that is not offered, for it is not safe itself."""

    file: Path
    line: int
    command: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.command!r} is not offered: it {self.message}"


@dataclass(frozen=True)
class Catalogue:
    """All safe alternatives, a team's own before the built-in ones, and the digest of their files.

    Attributes:
        alternatives: In the order they are looked through.
        digest: Of the files' bytes.
        steps: A team's own, with where they are written.
        facts: Names that its files tell, apart from those in commands.
        dropped: A team's own that are not offered.
    """

    alternatives: tuple[Alternative, ...]
    digest: str
    steps: tuple[Step, ...] = ()
    facts: tuple[str, ...] = ()
    dropped: tuple[Dropped, ...] = ()

    def alternative(self, rule: Rule, command: Command, match: Match) -> str | None:
        """The safe command to offer for what a rule found; None where the catalogue has none."""
        slots = _options(command) | dict(match.named)
        for target in match.targets:
            slots.setdefault("path", target.path)
            slots.setdefault("target", target.path)
            if target.service:
                slots.setdefault("service", target.service)
        places = frozenset(target.place for target in match.targets)
        told = self._told(rule, command)
        ours, any_ = self._fitting(rule.effect, command.name, places, command.shell)
        # A team knows its machines better than we do: its rules' word first, then its runbooks, then ours.
        order = chain(told, ours, any_) if rule.own else chain(ours, told, any_)
        return next((text for one in order if (text := one.filled(slots)) is not None), None)

    def _fitting(self, effect: Effect, head: str, places: frozenset[Place], shell: Shell) -> _Fitting:
        """What may stand in for a command of this kind: a team's own steps, and all."""
        key = effect, head, places, shell
        known = self._fitted.get(key)
        if known is None:
            if len(self._fitted) >= _MOST_FITTED:
                self._fitted.clear()
            ours, any_ = (some.get(effect, ()) for some in (self._own, self._by_effect))
            known = self._fitted[key] = (
                tuple(one for one in ours if one.fits(effect, head, places, shell)),
                tuple(one for one in any_ if one.fits(effect, head, places, shell)),
            )
        return known

    def _told(self, rule: Rule, command: Command) -> list[Alternative]:
        """What the rule itself says is to be offered; of a step the variant for this command's tool first."""
        if rule.alternative is not None:
            return [Alternative(id="rule.own", command=rule.alternative, why=rule.reason)]
        if rule.runbook is None:
            return []
        names = (command.name, *command.wrappers)
        variants = [one for one in self._variants.get(rule.runbook, ()) if one.speaks_of(names)]
        named = self.named(rule.runbook)
        if named is None or (named.heads and not named.speaks_of(names)):
            return variants
        return [*variants, named]

    def named(self, id: str) -> Alternative | None:  # noqa: A002 - the files' word
        """The alternative of this id, a team's own first."""
        return self._by_id.get(id)

    @cached_property
    def _fitted(self) -> dict[tuple[Effect, str, frozenset[Place], Shell], _Fitting]:
        return {}

    @cached_property
    def _by_id(self) -> dict[str, Alternative]:
        return {one.id: one for one in reversed(self.alternatives)}

    @cached_property
    def _variants(self) -> dict[str, list[Alternative]]:
        return _grouped((one.variant_of, one) for one in self.alternatives if one.variant_of)

    @cached_property
    def _by_effect(self) -> dict[Effect, list[Alternative]]:
        return _grouped((effect, one) for one in self.alternatives for effect in one.effects)

    @cached_property
    def _own(self) -> dict[Effect, list[Alternative]]:
        return _grouped((effect, step.alternative) for step in self.steps for effect in step.alternative.effects)

    @cached_property
    def words(self) -> frozenset[str]:
        """Every name, path, host and option that stands in the catalogue, whole and in its parts, in lower case."""
        commands = (one.command for one in self.alternatives)
        return frozenset(word for text in (*commands, *self.facts) for word in words(text))


def _grouped(pairs: Iterable[tuple[_Key, Alternative]]) -> dict[_Key, list[Alternative]]:
    found: dict[_Key, list[Alternative]] = {}
    for key, one in pairs:
        found.setdefault(key, []).append(one)
    return found


def load_runbooks(paths: Sequence[Path] = ()) -> Catalogue:
    """The built-in catalogue and a team's own files, YAML or Markdown, or folders of them.

    Raises:
        RuleError: naming file, line and field, where a file cannot be read or says what is not allowed.
    """
    steps: list[Step] = []
    facts: list[str] = []
    digest = hashlib.sha256()
    for file in (file for path in paths for file in _files(Path(path))):
        found, told, raw = _read(file)
        steps += found
        facts += told
        digest.update(hashlib.sha256(raw).digest())
    built_in, raw = _built_in()
    digest.update(hashlib.sha256(raw).digest())
    own = tuple(step.alternative for step in steps)
    return Catalogue((*own, *built_in), digest.hexdigest(), tuple(steps), tuple(facts))


def vetted(catalogue: Catalogue, judge: CommandJudge) -> Catalogue:
    """The catalogue without those of a team's own steps that would be stopped themselves.

    Raises:
        RuleError: A YAML file, which is written to be offered, names such a step; a runbook in Markdown may hold some.
    """
    dropped = []
    for step in catalogue.steps:
        wrong = harm(step.alternative.command, step.alternative.shell, judge)
        if wrong and step.file.suffix not in MARKDOWN:
            raise RuleError(
                step.file, step.line, f"alternatives.{step.alternative.id}.command", f"is no safe step: it {wrong}"
            )
        if wrong:
            dropped.append((step, Dropped(step.file, step.line, step.alternative.command, wrong)))
    if not dropped:
        return catalogue
    unsafe = {id(step.alternative) for step, _ in dropped}
    return replace(
        catalogue,
        alternatives=tuple(one for one in catalogue.alternatives if id(one) not in unsafe),
        steps=tuple(step for step in catalogue.steps if id(step.alternative) not in unsafe),
        dropped=tuple(told for _, told in dropped),
    )


def harm(command: str, shell: Shell, judge: CommandJudge) -> str:
    """What a safe command would do that is stopped, its slots filled with a name; empty where nothing."""
    try:
        findings = judge.judge(sample(command), shell).findings
    except BudgetExceeded as wrong:
        return f"cannot be judged: {wrong}"
    return next((f"{one.message} ({one.rule})" for one in findings if one.action.stops), "")


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix in _ENDINGS and file.is_file())
    if not found:
        raise RuleError(path, 1, "path", f"holds no file that ends in {', '.join(_ENDINGS)}; name another folder")
    return found


def _read(file: Path) -> tuple[list[Step], list[str], bytes]:
    if file.suffix in MARKDOWN:
        from guardrails.commands import markdown  # noqa: PLC0415 - it reads steps, which are defined here

        return markdown.read(file)
    data, node, raw = read_pack(file, CatalogueFile)
    if not data.alternatives and not data.facts:
        raise RuleError(file, 1, "alternatives", "is empty; add a step with id, command and why")
    return list(_steps(file, data, node)), [name for names in data.facts.values() for name in names], raw


def _steps(file: Path, data: CatalogueFile, node: Any) -> Iterator[Step]:
    for at, one in enumerate(data.alternatives):
        yield Step(one, file, line(node, ("alternatives", at)))


@lru_cache(maxsize=1)
def _built_in() -> tuple[tuple[Alternative, ...], bytes]:
    data, _, raw = read_pack(_BUILT_IN, CatalogueFile)
    return tuple(data.alternatives), raw
