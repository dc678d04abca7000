"""Rules as data: packs of YAML, built in or a team's own, read, checked and ready to match."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from guardrails.commands.effects import Effect, Place
from guardrails.commands.match import Matcher
from guardrails.commands.packs import RuleError, line, read_pack
from guardrails.interface import Action, Severity, Shell

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Rule", "RuleError", "RuleSet", "load_rules"]

_BUILT_IN = Path(__file__).parent / "rules"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MatchData(_Strict):
    """The `match` part of a rule, as written; see `Matcher` for the meaning."""

    command: list[str]
    subcommand: list[str] = []
    options: list[str] = []
    unless: list[str] = []
    values: dict[str, str] = {}
    arguments: str | None = None
    text: str | None = None
    harmless: str | None = None
    places: list[Place] = []
    operands: list[str] = []
    redirects: list[Place] = []
    appends: bool = False
    redirect_path: str | None = None
    fed: str | None = None
    fed_text: str | None = None
    fork: bool = False
    fed_by: list[str] = []
    through: list[str] = []
    abbreviated: bool = False
    names: dict[str, int] = {}
    captures: dict[str, str] = {}


class RuleData(_Strict):
    """One rule, as written."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    effect: Effect
    severity: Severity
    action: Action = Action.BLOCK
    shell: Shell = Shell.BASH
    reason: str = Field(min_length=8, max_length=200)
    reference: str = Field(min_length=4)
    runbook: str | None = None
    match: list[MatchData] = Field(min_length=1)
    positive: list[str] = Field(min_length=1)
    negative: list[str] = Field(min_length=1)


class PackData(_Strict):
    """One file of rules."""

    pack: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    rules: list[RuleData] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, ready to match; `id` is `pack.name`."""

    id: str
    effect: Effect
    severity: Severity
    action: Action
    shell: Shell
    reason: str
    reference: str
    runbook: str | None
    matchers: tuple[tuple[frozenset[str], Matcher], ...]
    positive: tuple[str, ...]
    negative: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules in force.

    Attributes:
        rules: In the order of their files.
        digest: Of the files' bytes.
        heads: Command names rules begin with, lower case.
    """

    rules: tuple[Rule, ...]
    digest: str
    exact: dict[tuple[Shell, str], tuple[tuple[Rule, Matcher], ...]]
    prefixed: tuple[tuple[Shell, str, Rule, Matcher], ...]
    heads: frozenset[str]

    def candidates(self, shell: Shell, name: str) -> list[tuple[Rule, Matcher]]:
        """Rules that may speak about a command of this name."""
        found = [*self.exact.get((shell, name), ()), *self.exact.get((shell, "*"), ())]
        found += [(rule, m) for s, start, rule, m in self.prefixed if s is shell and name.startswith(start)]
        return found


@lru_cache(maxsize=8)
def _load(paths: tuple[Path, ...]) -> RuleSet:
    digest = hashlib.sha256()
    rules: dict[str, Rule] = {}
    for file in (*sorted(_BUILT_IN.glob("*.yaml")), *(f for path in paths for f in _files(path))):
        pack, node, raw = read_pack(file, PackData)
        digest.update(hashlib.sha256(raw).digest())
        for at, data in enumerate(pack.rules):
            where = line(node, ("rules", at))
            rule = _rule(file, where, pack.pack, data)
            if rule.id in rules:
                raise RuleError(file, where, f"rules.{at}.id", f"{rule.id!r} is taken already; choose another id")
            rules[rule.id] = rule
    return _index(tuple(rules.values()), digest.hexdigest())


def load_rules(paths: Sequence[Path] = ()) -> RuleSet:
    """The built-in packs and a team's own files or folders of files.

    Raises:
        RuleError: naming file, line and field, where a file cannot be read or says what is not allowed.
    """
    return _load(tuple(Path(p) for p in paths))


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.yaml")) if path.is_dir() else [path]


def _rule(file: Path, where: int, pack: str, data: RuleData) -> Rule:
    try:
        matchers = tuple((frozenset(c.lower() for c in m.command), matcher(m)) for m in data.match)
    except re.error as wrong:
        raise RuleError(file, where, "match", f"not a regular expression: {wrong.pattern!r}: {wrong.msg}") from wrong
    return Rule(
        f"{pack}.{data.id}",
        data.effect,
        data.severity,
        data.action,
        data.shell,
        data.reason,
        data.reference,
        data.runbook,
        matchers,
        tuple(data.positive),
        tuple(data.negative),
    )


def matcher(data: MatchData) -> Matcher:
    """What a rule's `match` part says, compiled.

    Raises:
        re.error: where a pattern is not a regular expression.
    """
    flags = re.IGNORECASE
    return Matcher(
        subcommands=tuple(tuple(_step(s) for s in row.split()) for row in data.subcommand),
        options=tuple(tuple(group.split("|")) for group in data.options),
        unless=tuple(data.unless),
        values=tuple((tuple(k.split("|")), re.compile(v, flags)) for k, v in data.values.items()),
        arguments=re.compile(data.arguments, flags) if data.arguments else None,
        text=re.compile(data.text, flags) if data.text else None,
        harmless=re.compile(data.harmless, flags) if data.harmless else None,
        places=frozenset(data.places),
        operands=tuple(data.operands),
        redirects=frozenset(data.redirects),
        appends=data.appends,
        redirect_path=re.compile(data.redirect_path, flags) if data.redirect_path else None,
        fed=re.compile(data.fed, flags) if data.fed else None,
        fed_text=re.compile(data.fed_text, flags) if data.fed_text else None,
        fork=data.fork,
        fed_by=frozenset(data.fed_by),
        through=frozenset(data.through),
        abbreviated=data.abbreviated,
        names=tuple(data.names.items()),
        captures=tuple((slot, re.compile(pattern)) for slot, pattern in data.captures.items()),
    )


def _step(words: str) -> re.Pattern[str] | None:
    """`a|b*` as a pattern for one word; `**` as any row of subcommands."""
    if words == "**":
        return None
    return re.compile("|".join(re.escape(w).replace(r"\*", ".*") for w in words.split("|")), re.IGNORECASE)


def _index(rules: tuple[Rule, ...], digest: str) -> RuleSet:
    exact: dict[tuple[Shell, str], list[tuple[Rule, Matcher]]] = {}
    prefixed = []
    for rule in rules:
        for names, match in rule.matchers:
            for name in names:
                if name.endswith("*") and name != "*":
                    prefixed.append((rule.shell, name[:-1], rule, match))
                else:
                    exact.setdefault((rule.shell, name), []).append((rule, match))
    heads = frozenset(name for _, name in exact if name not in ("", "*", "?"))
    return RuleSet(rules, digest, {k: tuple(v) for k, v in exact.items()}, tuple(prefixed), heads)
