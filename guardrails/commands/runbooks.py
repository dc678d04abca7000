"""The catalogue of safe alternatives a refusal may offer, their slots filled from the command where it tells them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from guardrails.commands.effects import Effect, Place
from guardrails.commands.packs import read_pack
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from guardrails.commands.match import Match
    from guardrails.commands.rules import Rule
    from guardrails.commands.tree import Command

_BUILT_IN = Path(__file__).parent / "runbooks.yaml"
_SLOT = re.compile(r"\{(\w+)\}")
_SAFE = re.compile(r"(?!-)[\w@./:~\\-]+", re.ASCII)


class Alternative(BaseModel):
    """One safe step.

    Attributes:
        id: Its name; a rule's `runbook` may give it.
        command: What to run instead, with `{slots}`.
        why: What it does, for a person.
        effects: Effects it stands in for where no rule names it.
        places: Classes of targets it stands in for; any where empty.
        heads: Commands it stands in for; any where empty.
        needs: Slots that must be known; the others stay visible for a person to fill.
        shell: The language it is written in.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$")
    command: str = Field(min_length=2, max_length=300)
    why: str = Field(min_length=8, max_length=200)
    effects: list[Effect] = []
    places: list[Place] = []
    heads: list[str] = []
    needs: list[str] = []
    shell: Shell = Shell.BASH

    def filled(self, slots: Mapping[str, str]) -> str | None:
        """The command with what is known filled in; None where something it needs is not known."""
        known = {k: v for k, v in slots.items() if _SAFE.fullmatch(v)}
        if any(need not in known for need in self.needs):
            return None
        return filled(self.command, known)

    def fits(self, effect: Effect, head: str, places: set[Place], shell: Shell) -> bool:
        """Whether it may stand in for a command of this name, effect and targets."""
        if effect not in self.effects or (self.shell is Shell.BASH) != (shell in (Shell.BASH, Shell.SQL)):
            return False
        return (not self.heads or head in self.heads) and (not self.places or not places.isdisjoint(self.places))


def filled(command: str, slots: Mapping[str, str]) -> str:
    """A safe command with its `{slots}` filled; one that is not known, or that a shell would read otherwise, stays."""
    return _SLOT.sub(lambda m: v if (v := slots.get(m[1])) and _SAFE.fullmatch(v) else m[0], command)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    alternatives: list[Alternative] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All safe alternatives, a team's own before the built-in ones, and the digest of their files."""

    alternatives: tuple[Alternative, ...]
    digest: str

    def alternative(self, rule: Rule, command: Command, match: Match) -> str | None:
        """The safe command to offer for what a rule found; None where the catalogue has none."""
        slots = dict(match.named)
        for target in match.targets:
            slots.setdefault("path", target.path)
            if target.service:
                slots.setdefault("service", target.service)
        if rule.alternative is not None:
            return filled(rule.alternative, slots)
        if rule.runbook is not None:
            named = next((one for one in self.alternatives if one.id == rule.runbook), None)
            if named is not None and (text := named.filled(slots)) is not None:
                return text
        places = {target.place for target in match.targets}
        for one in self.alternatives:
            if one.fits(rule.effect, command.name, places, command.shell) and (text := one.filled(slots)) is not None:
                return text
        return None


@lru_cache(maxsize=8)
def _load(paths: tuple[Path, ...]) -> Catalogue:
    found: list[Alternative] = []
    digest = hashlib.sha256()
    for file in (*paths, _BUILT_IN):
        data, _, raw = read_pack(file, _File)
        digest.update(hashlib.sha256(raw).digest())
        found += data.alternatives
    return Catalogue(tuple(found), digest.hexdigest())


def load_runbooks(paths: Sequence[Path] = ()) -> Catalogue:
    """The built-in catalogue and a team's own files.

    Raises:
        RuleError: naming file, line and field, where a file cannot be read or says what is not allowed.
    """
    return _load(tuple(Path(p) for p in paths))
