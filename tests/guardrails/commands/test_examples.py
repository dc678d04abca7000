"""Examples that do not hold say why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from guardrails.commands.examples import failures
from guardrails.guard import Guard
from guardrails.policy import Policy

if TYPE_CHECKING:
    from pathlib import Path

RULE = """\
pack: ours
rules:
  - id: drain
    effect: stop
    severity: high
    reason: would drain {node}
    reference: https://example.com
    alternative: fleetctl show {node}
    match:
      - command: [fleetctl]
        subcommand: [drain]
        options: [--now]
        names: {node: 0}
    positive:
      - fleetctl drain --now a
    negative:
      - fleetctl drain a
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("drain --now a\n", "drain a\n", 15, "reads as `fleetctl drain a` and fits but for `options`"),
        ("drain --now a\n", "evict --now a\n", 15, "fits but for `subcommand`"),
        ("drain --now a\n", "evict a\n", 15, "differs in more than one key of `match`"),
        ("fleetctl drain --now a\n", "sudo fleet drain\n", 15, "no command in it is called fleetctl"),
        ("fleetctl drain --now a\n", "'# fleetctl drain'\n", 15, "nothing in it is a command of bash"),
        ("fleetctl drain --now a\n", "rm -rf /\n", 15, "found instead: files.delete-tree"),
        ("- fleetctl drain a", "- env X=1 fleetctl drain --now a", 17, "should not be: it would drain a"),
        ("show {node}", "drain --now {node}", 8, "would drain sample (ours.drain) itself; offer what is harmless"),
        ("show {node}", "show; rm -rf /", 8, "would delete the whole file system"),
    ],
)
def test_what_does_not_hold_says_why(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    """File, line, and what was found instead or what it fits but for."""
    file = tmp_path / "ours.yaml"
    assert old in RULE
    file.write_text(RULE.replace(old, new, 1))
    guard = Guard(Policy.parse({"rule_paths": ["ours.yaml"]}, tmp_path))
    failure = next(failures([rule for rule in guard.rules.rules if rule.own], guard))
    assert (failure.file, failure.line) == (file, line)
    assert said in str(failure)


def test_what_holds_says_nothing(tmp_path: Path) -> None:
    """Each example alone and in an answer, and what is offered."""
    (tmp_path / "ours.yaml").write_text(RULE)
    guard = Guard(Policy.parse({"rule_paths": ["ours.yaml"]}, tmp_path))
    assert not list(failures(guard.rules.rules, guard))
