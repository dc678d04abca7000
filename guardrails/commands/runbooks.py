"""The catalogue of safe alternatives a refusal may offer, their slots filled from the command where it tells them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from guardrails.commands.effects import Effect
from guardrails.commands.rules import Rule, RuleError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from guardrails.commands.effects import Target

_BUILT_IN = Path(__file__).parent / "runbooks.yaml"
_SLOT = re.compile(r"\{(\w+)\}")
_SAFE = re.compile(r"[A-Za-z0-9_/~.][\w@./:~-]*", re.ASCII)


class Alternative(BaseModel):
    """One safe step.

    Attributes:
        command: What to run instead, with `{slots}`.
        effects: Effects it stands in for, where no rule names it.
        heads: Commands it stands in for; any where empty.
        needs: Slots that must be known; the others stay visible for a person to fill.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    command: str
    why: str
    effects: list[Effect] = []
    heads: list[str] = []
    needs: list[str] = []

    def filled(self, slots: Mapping[str, str]) -> str | None:
        known = {k: v for k, v in slots.items() if _SAFE.fullmatch(v)}
        if any(need not in known for need in self.needs):
            return None
        return _SLOT.sub(lambda m: known.get(m[1], m[0]), self.command)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    alternatives: list[Alternative] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All safe alternatives, a team's own before the built-in ones, and the digest of their files."""

    alternatives: tuple[Alternative, ...]
    digest: str

    def alternative(self, rule: Rule, head: str, targets: Sequence[Target], named: Mapping[str, str]) -> str | None:
        """The safe command to offer for what a rule found; None where the catalogue has none."""
        slots = dict(named)
        for one in targets:
            slots.setdefault("path", one.path)
            if one.service:
                slots.setdefault("service", one.service)
        for offer in self.alternatives:
            if offer.id == rule.runbook and (text := offer.filled(slots)) is not None:
                return text
        for offer in self.alternatives:
            if rule.effect in offer.effects and (not offer.heads or head in offer.heads):
                text = offer.filled(slots)
                if text is not None:
                    return text
        return None


@lru_cache(maxsize=8)
def _load(paths: tuple[Path, ...]) -> Catalogue:
    found: list[Alternative] = []
    digest = hashlib.sha256()
    for file in (*paths, _BUILT_IN):
        try:
            raw = file.read_bytes()
            digest.update(hashlib.sha256(raw).digest())
            data = yaml.load(raw, Loader=yaml.CSafeLoader)
            found += _File.model_validate(data).alternatives
        except OSError as wrong:
            raise RuleError(file, 1, "runbook_paths", "cannot be read; mend the path in the policy") from wrong
        except yaml.MarkedYAMLError as wrong:
            line = wrong.problem_mark.line + 1 if wrong.problem_mark else 1
            raise RuleError(file, line, "yaml", f"not YAML: {wrong.problem}") from wrong
        except ValidationError as wrong:
            first = wrong.errors()[0]
            raise RuleError(file, 1, ".".join(map(str, first["loc"])), first["msg"]) from wrong
    return Catalogue(tuple(found), digest.hexdigest())


def load_runbooks(paths: Sequence[Path] = ()) -> Catalogue:
    """The built-in catalogue and a team's own files.

    Raises:
        RuleError: naming file and field, where a file cannot be read or says what is not allowed.
    """
    return _load(tuple(Path(p) for p in paths))
