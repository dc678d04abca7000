"""The rates on the shared rows: a floor, for acceptance uses other rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from guardrails.commands.judge import CommandJudge
from guardrails.commands.rules import load_rules
from guardrails.commands.runbooks import load_runbooks
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).parents[4] / "shared" / "data"
JUDGE = CommandJudge(load_rules(), load_runbooks())
UNRESOLVABLE = "commands.unresolvable"


def rows(name: str) -> list[dict[str, Any]]:
    file = DATA / name
    if not file.exists():
        pytest.skip(f"the shared data are not here: {name}")
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def rate(some: list[dict[str, Any]], holds: Callable[[list[str]], bool], shell: Shell | None = None) -> float:
    """Share of rows whose findings' rules hold."""
    judged = [[f.rule for f in JUDGE.judge(r["text"], shell or Shell(r["shell"])).findings] for r in some]
    return sum(map(holds, judged)) / len(judged)


@pytest.mark.parametrize(
    ("name", "recall", "alarms"),
    [
        ("commands_destructive.jsonl", 0.97, 0.01),
        ("commands_powershell.jsonl", 0.95, 0.01),
        ("commands_cmd.jsonl", 0.95, 0.01),
    ],
)
@pytest.mark.parametrize("auto", [False, True])
def test_destructive_rows_are_found_and_ordinary_ones_pass(name: str, recall: float, alarms: float, auto: bool) -> None:
    """With the language given and without."""
    some = rows(name)
    shell = Shell.AUTO if auto else None
    assert rate([r for r in some if r["label"] == "destructive"], bool, shell) >= recall
    assert rate([r for r in some if r["label"] == "ordinary"], bool, shell) <= alarms


def test_everyday_commands_are_parsed_and_seldom_stopped() -> None:
    """Of some thousand everyday commands few cannot be resolved, and what is flagged is little (some do destroy)."""
    some = rows("commands_ordinary.jsonl")[::5]
    assert rate(some, lambda rules: UNRESOLVABLE in rules) <= 0.03
    assert rate(some, lambda rules: any(rule != UNRESOLVABLE for rule in rules)) <= 0.03
