"""Rules as data: packs of YAML, built in or a team's own, read, checked and ready to match."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guardrails.commands.authoring import check_rule, matchers
from guardrails.commands.index import Index
from guardrails.commands.packs import RuleError, line, read_pack
from guardrails.commands.schema import PackData
from guardrails.interface import Action, Severity, Shell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.commands.effects import Effect
    from guardrails.commands.match import Matcher
    from guardrails.commands.schema import MatchData, RuleData
    from guardrails.commands.tree import Command

__all__ = ["Rule", "RuleError", "RuleSet", "files", "load_rules"]

BUILT_IN = Path(__file__).parent / "rules"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, ready to match; `id` is `pack.name`.

    Attributes:
        alternative: A safe command of its own, with `{slots}`; wins over `runbook`, the id of one in the catalogue.
        data: Its `match` as written, for who explains it.
        file: Where it is written.
        line: Where it begins there, from 1.
        lines: Where its examples and its alternative stand (`positive.0`).
        own: Whether it is a team's own.
    """

    id: str
    effect: Effect
    severity: Severity
    action: Action
    shell: Shell
    reason: str
    reference: str
    runbook: str | None
    alternative: str | None
    matchers: tuple[tuple[frozenset[str], Matcher], ...]
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    data: tuple[MatchData, ...] = ()
    file: Path = Path()
    line: int = 1
    lines: dict[str, int] = field(default_factory=dict)
    own: bool = False

    @property
    def pack(self) -> str:
        return self.id.partition(".")[0]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules in force.

    Attributes:
        rules: In the order of their files.
        digest: Of the files' bytes.
        index: Finds those about one command.
    """

    rules: tuple[Rule, ...]
    digest: str
    index: Index

    def candidates(self, command: Command, name: str, foreign: Shell | None = None) -> list[tuple[Rule, Matcher]]:
        """Rules that may speak about a command, looked up as `name`; see `Index.candidates`."""
        return self.index.candidates(command, name, foreign)


def load_rules(paths: Sequence[Path] = ()) -> RuleSet:
    """The built-in packs and a team's own files or folders of files.

    Raises:
        RuleError: naming file, line and field, where a file cannot be read or says what is not allowed.
    """
    rules: dict[str, Rule] = {}
    digest = hashlib.sha256()
    for pack in (*_built_in(), *(_pack(file, own=True) for path in paths for file in files(Path(path)))):
        digest.update(pack.digest)
        for rule in pack.rules:
            if rule.id in rules:
                taken = rules[rule.id]
                message = f"{rule.id!r} is taken already by {taken.file.name}:{taken.line}; choose another id or pack"
                raise RuleError(rule.file, rule.line, "id", message)
            rules[rule.id] = rule
    return RuleSet(tuple(rules.values()), digest.hexdigest(), Index(rules.values()))


def files(path: Path) -> list[Path]:
    """The files of rules at `path`: itself, or the YAML files of a folder.

    Raises:
        RuleError: where the folder holds none.
    """
    if not path.is_dir():
        return [path]
    found = sorted(file for ending in ("*.yaml", "*.yml") for file in path.glob(ending))
    if not found:
        raise RuleError(path, 1, "path", "holds no file that ends in .yaml or .yml; add one, or name another folder")
    return found


@dataclass(frozen=True, slots=True)
class _Pack:
    rules: tuple[Rule, ...]
    digest: bytes


@lru_cache(maxsize=1)
def _built_in() -> tuple[_Pack, ...]:
    return tuple(_pack(file, own=False) for file in sorted(BUILT_IN.glob("*.yaml")))


def _pack(file: Path, *, own: bool) -> _Pack:
    pack, node, raw = read_pack(file, PackData)
    found: dict[str, Rule] = {}
    for at, data in enumerate(pack.rules):
        check_rule(file, node, at, data)
        rule = _rule(pack.pack, data, file, _lines(node, at, data), matchers(file, node, at, data), own=own)
        if rule.id in found:
            first = found[rule.id].line
            message = f"{data.id!r} is taken already by the rule in line {first}; choose another"
            raise RuleError(file, line(node, ("rules", at, "id")), f"rules.{at}.id", message)
        found[rule.id] = rule
    return _Pack(tuple(found.values()), hashlib.sha256(raw).digest())


def _rule(
    pack: str,
    data: RuleData,
    file: Path,
    lines: dict[str, int],
    found: tuple[tuple[frozenset[str], Matcher], ...],
    *,
    own: bool,
) -> Rule:
    return Rule(
        f"{pack}.{data.id}",
        data.effect,
        data.severity,
        Action(data.action),
        Shell(data.shell),
        data.reason,
        data.reference,
        data.runbook,
        data.alternative,
        found,
        tuple(data.positive),
        tuple(data.negative),
        tuple(data.match),
        file,
        lines[""],
        lines,
        own,
    )


def _lines(node: Any, at: int, data: RuleData) -> dict[str, int]:
    found = {"": line(node, ("rules", at)), "alternative": line(node, ("rules", at, "alternative"))}
    for kind in ("positive", "negative"):
        for number in range(len(getattr(data, kind))):
            found[f"{kind}.{number}"] = line(node, ("rules", at, kind, number))
    return found
