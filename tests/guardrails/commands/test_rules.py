"""Every rule's own examples are its tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardrails.commands.judge import CommandJudge
from guardrails.commands.rules import Rule, RuleError, load_rules
from guardrails.commands.runbooks import load_runbooks

if TYPE_CHECKING:
    from pathlib import Path

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


RULE = """\
pack: ours
rules:
  - id: no-left-pad
    effect: delete
    severity: high
    reason: would remove left-pad
    reference: https://example.com
    match:
      - command: [leftpad]
        subcommand: [remove]
    positive: [leftpad remove]
    negative: [leftpad list]
"""


def test_a_team_adds_its_own_rules(tmp_path: Path) -> None:
    """A file or a folder of files is read with the built-in packs, changes the digest and extends the heads."""
    (tmp_path / "ours.yaml").write_text(RULE)
    for path in (tmp_path, tmp_path / "ours.yaml"):
        rules = load_rules([path])
        judge = CommandJudge(rules, load_runbooks())
        assert [f.rule for f in judge.judge("sudo leftpad remove").findings] == ["ours.no-left-pad"]
        assert rules.digest != RULES.digest
        assert judge.may_begin("leftp")
        assert not JUDGE.may_begin("leftp")


@pytest.mark.parametrize(
    ("old", "new", "line", "field"),
    [
        ("severity: high", "severity: dire", 5, "rules.0.severity"),
        ("effect: delete", "efect: delete", 3, "rules.0.effect"),
        ("[leftpad]", "leftpad", 9, "rules.0.match.0.command"),
        ("positive: [leftpad remove]", "positive: []", 11, "rules.0.positive"),
        ("subcommand: [remove]", "text: '('", 3, "match"),
        ("pack: ours", "pack: ours: x", 1, "yaml"),
        ("pack: ours", "pack: files\nextra: 1", 2, "extra"),
        ("reference: https://example.com", "reference: x", 7, "rules.0.reference"),
    ],
)
def test_a_bad_rule_names_file_line_and_field(tmp_path: Path, old: str, new: str, line: int, field: str) -> None:
    """What cannot be meant is refused with the place to mend."""
    file = tmp_path / "ours.yaml"
    file.write_text(RULE.replace(old, new))
    with pytest.raises(RuleError) as wrong:
        load_rules([file])
    assert (wrong.value.file, wrong.value.line, wrong.value.field) == (file, line, field)


def test_an_id_is_given_once(tmp_path: Path) -> None:
    """A team's rule may not silently replace a built-in one."""
    file = tmp_path / "ours.yaml"
    file.write_text(RULE.replace("pack: ours", "pack: files").replace("no-left-pad", "delete-tree"))
    with pytest.raises(RuleError, match="taken already"):
        load_rules([file])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A path that leads nowhere is refused."""
    with pytest.raises(RuleError, match=r"none\.yaml:1: path: cannot be read"):
        load_rules([tmp_path / "none.yaml"])


def test_a_message_is_one_line_for_a_person() -> None:
    """Every reason begins with what would happen and leaves no slot open."""
    for rule in RULES.rules:
        assert rule.reason.startswith("would "), rule.id
        for text in rule.positive:
            for finding in JUDGE.judge(text, rule.shell).findings:
                assert "{" not in finding.message or "finalizers" in finding.message
                assert "\n" not in finding.message
