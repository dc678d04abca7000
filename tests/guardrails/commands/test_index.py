"""The index leaves out only rules that do not match."""

from __future__ import annotations

import pytest

from guardrails.commands.readers import read
from guardrails.commands.rules import Rule, load_rules
from guardrails.commands.tree import UNKNOWN

RULES = load_rules()


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda rule: rule.id)
def test_whatever_matches_is_among_the_candidates(rule: Rule) -> None:
    """A rule that an example fits, by itself, is found through the index too."""
    for example in rule.positive:
        for command in read(example, rule.shell).commands:
            name = "?" if command.name == UNKNOWN else command.name
            found = {one.id for one, _ in RULES.candidates(command, name)}
            for names, matcher in rule.matchers:
                about = any(name == one or (one.endswith("*") and name.startswith(one[:-1])) for one in names)
                if about and command.shell is rule.shell and matcher(command) is not None:
                    assert rule.id in found


def test_a_verb_chooses_among_the_rules_of_a_tool() -> None:
    """What says nothing about `git push` is not tried on it."""
    (push,) = read("git push --force").commands
    (log,) = read("git log").commands
    assert len(RULES.candidates(log, "git")) < len(RULES.candidates(push, "git"))
