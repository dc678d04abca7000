"""`wardgate guard rules`: list, check and explain."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from serving import WARDGATE

from guardrails.cli_rules import explain, rules

if TYPE_CHECKING:
    from pathlib import Path

RULE = """\
pack: fleet
rules:
  - id: drain-node
    effect: stop
    severity: high
    reason: would take {node} out of service
    reference: https://wiki.example.com/fleetctl
    alternative: fleetctl node cordon {node}
    match:
      - command: [fleetctl]
        subcommand: ["node drain"]
        unless: [--dry-run]
        names: {node: 0}
    positive: [fleetctl node drain web-7]
    negative: [fleetctl node list]
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    (tmp_path / "fleet.yaml").write_text(RULE)
    file = tmp_path / "policy.yaml"
    file.write_text("rule_paths: [fleet.yaml]\nchecks: {commands: {rules: {fleet.drain-node: escalate}}}\n")
    return file


def test_rules_are_listed_by_pack(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Built-in and own, each with severity, action, effect and reason."""
    assert rules(policy=policy) == 0
    told = capsys.readouterr().out
    assert "\nfleet (1 rule)\n  fleet.drain-node" in told
    assert "high      block     stop              would take {node} out of service" in told
    assert "  files.delete-tree " in told


def test_one_pack_alone_and_as_json(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The document names everything that the YAML says, and where it says so."""
    assert rules(policy=policy, pack="fleet", json_=True) == 0
    (rule,) = json.loads(capsys.readouterr().out)["rules"]
    assert (rule["id"], rule["effect"], rule["file"], rule["line"]) == (
        "fleet.drain-node",
        "stop",
        str(policy.with_name("fleet.yaml")),
        3,
    )


def test_every_example_of_every_rule_holds(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Alone and in a fenced answer, ours and the built-in ones; what they offer is harmless."""
    assert rules(policy=policy, check=True) == 0, capsys.readouterr().out
    assert capsys.readouterr().out.endswith(": all hold\n")


def test_an_example_that_does_not_hold_is_exit_status_1(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named with file, line, rule and reason, in JSON as well."""
    policy.with_name("fleet.yaml").write_text(RULE.replace("[fleetctl node drain web-7]", "[fleetctl nod drain web-7]"))
    assert rules(policy=policy, check=True, pack="fleet") == 1
    told = capsys.readouterr().out
    assert "fleet.yaml:14: fleet.drain-node: positive.0 'fleetctl nod drain web-7' is not found by the rule" in told
    assert told.endswith("1 rule, 2 examples: 1 does not hold\n")
    assert rules(policy=policy, check=True, pack="fleet", json_=True) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["rules"], document["examples"], document["failures"][0]["line"]) == (1, 2, 14)


def test_a_step_that_is_not_offered_is_noted(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A destructive command of a runbook is no failure of a rule, and is told all the same."""
    policy.with_name("disk.md").write_text("# Disk\n\n```sh\nrm -rf /var/lib/mysql\n```\n")
    policy.write_text("runbook_paths: [disk.md]\n")
    assert rules(policy=policy, check=True) == 0
    assert "disk.md:4: 'rm -rf /var/lib/mysql' is not offered: it would delete" in capsys.readouterr().out


def test_a_rule_is_explained(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it matches in words, what it offers, what the policy makes of it, and how its examples are read."""
    assert explain("fleet.drain-node", policy=policy) == 0
    told = capsys.readouterr().out
    for line in (
        "fleet.drain-node: would take {node} out of service",
        "  effect stop, severity high, action block (the policy makes it escalate)",
        f"  written in {policy.with_name('fleet.yaml')}:3",
        "  offers fleetctl node cordon {node}",
        "    its subcommand is node drain",
        "    none of these is set: --dry-run",
        "      → would take web-7 out of service; instead: fleetctl node cordon web-7",
        "    fleetctl node list",
    ):
        assert f"{line}\n" in told
    assert explain("fleet.drain-node", policy=policy, json_=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["examples"]["fleetctl node drain web-7"][0]["argv"] == ["fleetctl", "node", "drain", "web-7"]


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("files.delete-tree", "  offers systemctl restart {service} (files.service-data: "),
        ("files.delete-needed", "  offers what the catalogue has for this effect"),
        ("services.fork-bomb", "    the command is any command"),
        ("sql.drop", "  matches a sql command where"),
    ],
)
def test_a_built_in_rule_is_explained(rule: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever its language and its keys."""
    assert explain(rule) == 0
    assert line in capsys.readouterr().out


def test_what_is_not_there_is_exit_status_2(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The nearest name, or the line that cannot be meant, is told."""
    assert explain("files.delet-tree") == 2
    assert "did you mean files.delete-tree?" in capsys.readouterr().err
    assert rules(pack="file") == 2
    assert "did you mean files?" in capsys.readouterr().err
    policy.with_name("fleet.yaml").write_text("pack: x\n")
    assert rules(policy=policy) == 2
    assert "fleet.yaml:1: rules: is missing" in capsys.readouterr().err


def test_the_group_is_a_command_too() -> None:
    """`guard rules --check` and `guard rules explain RULE` are both there, each with help and an example."""
    for words in (("--help",), ("explain", "--help"), ("explain", "files.delete-tree"), ("--check", "--pack", "git")):
        command = [WARDGATE, "guard", "rules", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert "--help" not in words or "Example: wardgate guard rules" in done.stdout
