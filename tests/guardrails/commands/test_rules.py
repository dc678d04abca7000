"""Every rule's own examples are its tests."""

from __future__ import annotations

import pytest

from guardrails.commands.judge import CommandJudge
from guardrails.commands.rules import Rule, load_rules
from guardrails.commands.runbooks import load_runbooks

RULES = load_rules()
JUDGE = CommandJudge(RULES, load_runbooks())


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda r: r.id)
def test_a_rule_finds_its_positive_and_leaves_its_negative_examples(rule: Rule) -> None:
    """A positive example is found by its rule, its span inside the text; a negative one is not found by it."""
    for text in rule.positive:
        found = [f for f in JUDGE.judge(text, rule.shell).findings if f.rule == rule.id]
        assert found, f"{rule.id} misses {text!r}"
        assert all(0 <= f.span[0] < f.span[1] <= len(text) for f in found)
    for text in rule.negative:
        assert rule.id not in [f.rule for f in JUDGE.judge(text, rule.shell).findings], f"{rule.id} finds {text!r}"
