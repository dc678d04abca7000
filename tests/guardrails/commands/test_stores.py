"""What is typed into the shells of data stores."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from guardrails.commands.judge import CommandJudge
from guardrails.commands.rules import load_rules
from guardrails.commands.runbooks import load_runbooks

JUDGE = CommandJudge(load_rules(), load_runbooks())
CASES = yaml.safe_load(Path(__file__).with_name("stores.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", CASES["destroys"])
def test_what_empties_or_stops_a_store_is_found(text: str) -> None:
    """By what it does: the filter, the option, the key that is set."""
    assert [f for f in JUDGE.judge(text).findings if f.rule != "commands.unresolvable"]


@pytest.mark.parametrize("text", CASES["passes"])
def test_what_reads_or_changes_one_thing_passes(text: str) -> None:
    """Queries, dry runs, one document, one key."""
    assert not JUDGE.judge(text).findings
