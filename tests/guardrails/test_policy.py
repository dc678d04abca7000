from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from guardrails.interface import Action, Finding, Severity
from guardrails.policy import Policy, PolicyError, load_policy, read_policy

FINDING = Finding("commands", "git.rewrite-shared", Severity.HIGH, (0, 1), "x")


def test_the_default_file_says_what_the_code_does() -> None:
    assert load_policy(None) == Policy()
    assert load_policy(None).digest == Policy().digest


def test_every_key_is_documented_in_the_default_file() -> None:
    text = (Path(__file__).parents[2] / "guardrails" / "policies" / "default.yaml").read_text(encoding="utf-8")
    for name, field in Policy.model_fields.items():
        assert f"\n{name}:" in text
        for inner in getattr(field.annotation, "model_fields", {}):
            assert f" {inner}:" in text


@pytest.mark.parametrize(
    ("text", "line", "field", "words"),
    [
        ("blocked_statu: 200", 1, "blocked_statu", "did you mean blocked_status?"),
        ("\nnonsense: 1\n", 2, "nonsense", "known: allow_fields"),
        ("checks:\n  comands: {}\n", 2, "checks.comands", "did you mean commands?"),
        ("budgets:\n  held_characters: 3\n", 2, "budgets.held_characters", "greater than or equal to 256"),
        ("allow_fields: structured_outputs", 1, "allow_fields", "is no list; write [structured_outputs]"),
        ("allow_fields:\n  - ok\n  - no way\n", 3, "allow_fields.1", "match pattern"),
        ("blocked_status: 500", 1, "blocked_status", "200 or 400"),
        ("on_unchecked: allow", 1, "on_unchecked", "'block' or 'escalate'"),
        (
            "checks: {commands: {rules: {files.delete-tree: allow}}}",
            1,
            "checks.commands.rules.files.delete-tree",
            "block",
        ),
        ("checks: {commands: {enabled: false}}", 1, "checks.commands.enabled", "no key"),
        ("logprobs: true\nlogprobs: false\n", 2, "logprobs", "written twice"),
        ("max_body_bytes: yes", 1, "max_body_bytes", "integer"),
        ("- 1", 1, "", "must hold keys"),
        ("{", 1, "", "is not YAML or JSON"),
        ("max_body_bytes: 2020-01-01", None, "", "no JSON"),
        ("a: \x00", None, "", "is not YAML or JSON"),
    ],
)
def test_a_bad_policy_is_refused_by_field_and_line(text: str, line: int | None, field: str, words: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read_policy(text, "p.yaml", Path())
    assert (caught.value.line, caught.value.field) == (line, field)
    assert words in str(caught.value)
    assert str(caught.value).startswith("p.yaml")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"refusal: {input: \xe9}")
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path / "latin.yaml")


def test_paths_are_relative_to_the_file_and_do_not_change_the_digest(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "policy.json").write_text(json.dumps({"rule_paths": ["rules/ours.yaml"]}))
    one, other = (load_policy(tmp_path / folder / "policy.json") for folder in ("a", "b"))
    assert one.rule_files == (tmp_path / "a" / "rules" / "ours.yaml",)
    assert one.runbook_files == ()
    assert one.digest == other.digest != Policy().digest


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("# nothing\n")
    assert load_policy(tmp_path / "policy.yaml").digest == Policy().digest


def test_a_policy_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Policy().blocked_status = 400


def test_the_word_on_a_rule_wins_over_the_word_on_its_check() -> None:
    policy = Policy.parse({"checks": {"commands": {"action": "escalate", "rules": {"files.delete-tree": "block"}}}})
    assert Policy().action(FINDING) is Action.BLOCK
    assert policy.action(FINDING) is Action.ESCALATE
    assert policy.action(Finding("commands", "files.delete-tree", Severity.HIGH, (0, 1), "x")) is Action.BLOCK
    assert policy.action(Finding("other", "x.y", Severity.HIGH, (0, 1), "x", Action.REWRITE)) is Action.REWRITE
