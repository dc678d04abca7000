"""Makes a rule's `match` ready, and refuses what could never match or never be filled."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from guardrails.commands.aliases import ALIASES
from guardrails.commands.match import Matcher
from guardrails.commands.mends import nearest, shown
from guardrails.commands.packs import RuleError, line, slots
from guardrails.commands.patterns import PatternError, compiled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from guardrails.commands.patterns import Pattern
    from guardrails.commands.schema import MatchData, RuleData

_NAME = re.compile(r"[^\s/*]+\*?|\*|\?", re.ASCII)
_TOLD = frozenset({"path", "service", "target"})


def check_rule(file: Path, node: Any, at: int, data: RuleData) -> None:
    """Refuse what is of the right shape and still cannot be meant.

    Raises:
        RuleError: naming file, line, field and mend.
    """
    for where, wrong in (*_unmatchable(data), *_unfilled(data)):
        way = ("rules", at, *where)
        raise RuleError(file, line(node, way), ".".join(map(str, way)), wrong)


def _unmatchable(data: RuleData) -> Iterable[tuple[tuple[str | int, ...], str]]:
    for number, match in enumerate(data.match):
        for field, judge in _JUDGES:
            for place, value in enumerate(getattr(match, field)):
                if wrong := judge(value, data.shell):
                    yield ("match", number, field, place), wrong
        if match.harmful is not None and match.harmless is None:
            yield ("match", number, "harmful"), "takes `harmless` back, and there is none; add it, or use `text`"


def _unfilled(data: RuleData) -> Iterable[tuple[tuple[str | int, ...], str]]:
    known = _TOLD.union(*(match.names.keys() | match.captures.keys() for match in data.match))
    for field in ("reason", "alternative"):
        for slot in slots(getattr(data, field) or ""):
            if slot not in known:
                told = f"name it below `names` or `captures` of `match`; {nearest(slot, known)}"
                yield (field,), f"{{{slot}}} is filled by nothing; {told}"


def matchers(file: Path, node: Any, at: int, data: RuleData) -> tuple[tuple[frozenset[str], Matcher], ...]:
    """The rule's `match`, entry by entry, compiled: command names in lower case, and what the rest must look like.

    Raises:
        RuleError: A pattern is none; naming its line and field.
    """
    found = []
    for number, match in enumerate(data.match):
        way: tuple[str | int, ...] = ("rules", at, "match", number)
        try:
            names = frozenset(one for name in match.command for one in spelled(name.lower()))
            found.append((names, matcher(match, data.shell)))
        except PatternError as wrong:
            field = next(name for name in _fields(match) if wrong.pattern in _patterns(match, name))
            way = (*way, field)
            raise RuleError(file, line(node, way), ".".join(map(str, way)), str(wrong)) from wrong
    return tuple(found)


def spelled(name: str) -> list[str]:
    """The names that one with braces stands for: `remove-{aduser,adgroup}` is two."""
    before, brace, rest = name.partition("{")
    listed, closing, after = rest.partition("}")
    return [before + one + after for one in listed.split(",")] if brace and closing else [name]


def matcher(data: MatchData, shell: str = "bash") -> Matcher:
    """What one entry of `match` says, compiled.

    Raises:
        PatternError: A pattern is none.
    """
    lower = str.lower if shell in ("powershell", "cmd") else str
    return Matcher(
        but=frozenset(name.lower() for name in data.but),
        verbs=_verbs(data.subcommand),
        subcommands=tuple(tuple(_step(s) for s in row.split()) for row in data.subcommand),
        options=tuple(tuple(lower(group).split("|")) for group in data.options),
        unless=tuple(lower(option) for group in data.unless for option in group.split("|")),
        values=tuple((tuple(k.split("|")), compiled(v)) for k, v in data.values.items()),
        arguments=_maybe(data.arguments),
        text=_maybe(data.text),
        harmless=_maybe(data.harmless),
        harmful=_maybe(data.harmful),
        spares=_maybe(data.spares),
        same=_two(data.same),
        places=frozenset(data.places),
        operands=tuple(data.operands),
        redirects=frozenset(data.redirects),
        appends=data.appends,
        redirect_path=_maybe(data.redirect_path),
        fed=_maybe(data.fed),
        fed_text=_maybe(data.fed_text),
        fork=data.fork,
        fed_by=frozenset(data.fed_by),
        through=frozenset(data.through),
        abbreviated=data.abbreviated,
        names=tuple(data.names.items()),
        captures=tuple((slot, _group(pattern)) for slot, pattern in data.captures.items()),
    )


def _verbs(rows: Sequence[str]) -> frozenset[str]:
    """The words rows end in; none where one is a pattern."""
    words = {word.lower() for row in rows for word in row.split()[-1].split("|")}
    return frozenset() if any("*" in word for word in words) else frozenset(words)


def _maybe(source: str | None) -> Pattern | None:
    return compiled(source) if source else None


def _two(source: str | None) -> Pattern | None:
    if source is None:
        return None
    if re.compile(source).groups < 2:
        raise PatternError(source, "has no two groups to compare; put both in brackets")
    return compiled(source)


def _group(source: str) -> Pattern:
    found = compiled(source, cased=True)
    if not re.compile(source).groups:
        raise PatternError(source, "has no group to fill the slot from; put it in brackets")
    return found


def _step(words: str) -> re.Pattern[str] | None:
    """`a|b*` as a pattern for one word; `**` as any row of subcommands."""
    if words == "**":
        return None
    return re.compile("|".join(re.escape(w).replace(r"\*", ".*") for w in words.split("|")), re.IGNORECASE)


def _fields(match: MatchData) -> Iterable[str]:
    return [name for name in type(match).model_fields if getattr(match, name)]


def _patterns(match: MatchData, field: str) -> list[str]:
    value = getattr(match, field)
    return list(value.values()) if isinstance(value, dict) else [value] if isinstance(value, str) else []


def _unreachable(name: str, shell: str) -> str:
    """Why no command is ever called `name`, or nothing."""
    if name and not name.strip():
        return "is blank; write the command's name"
    if " " in name.strip():
        first, _, rest = name.strip().partition(" ")
        return f"{shown(name)} is more than a name; write `command: [{first}]` and `subcommand: [{rest}]`"
    if shell in ("bash", "sql") and "/" in name:
        return f"{shown(name)}: names are compared without their folder; write {name.rpartition('/')[2] or '…'}"
    if shell == "powershell" and name != "?" and (cmdlet := ALIASES.get(name.lower())):
        return f"{shown(name)} is an alias and read as {cmdlet}; write {cmdlet}"
    if not _NAME.fullmatch(name) and "*" in name:
        return f"{shown(name)}: a * stands at the end of a name, or alone for every command"
    return ""


def _no_row(row: str, _shell: str) -> str:
    steps = row.split()
    if not steps or steps[-1] == "**" or any(two == ("**", "**") for two in pairwise(steps)):
        return f"{shown(row)}: a row of subcommands ends in a word, and ** stands for any before it"
    for step in steps:
        for word in step.split("|"):
            if word != "**" and word.count("*") > 1:
                return f"{shown(word)}: one * a word is enough"
            if word.startswith("-"):
                return f"{shown(word)} is an option; write it below `options`"
    return ""


def _no_option(group: str, shell: str) -> str:
    mark = "/" if shell == "cmd" else "-"
    for option in group.split("|"):
        if not option.startswith(mark):
            return f"{shown(option)} is no option; one begins with {mark}, and others meaning the same follow behind |"
        if " " in option:
            return f"{shown(option)} holds a blank; an option's value stands below `values`"
    return ""


_JUDGES = (("command", _unreachable), ("subcommand", _no_row), ("options", _no_option), ("unless", _no_option))
