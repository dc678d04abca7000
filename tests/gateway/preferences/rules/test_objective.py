"""What a pair is meant to improve; the commands in an answer."""

from __future__ import annotations

import pytest

from gateway.preferences.objectives import Objective
from gateway.preferences.rules.interface import Signal
from gateway.preferences.rules.objective import commands_of
from gateway.preferences.rules.weights import PRIORS


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("Hello, how are you?", set()),
        ("Use `df -h` first.", {"df -h"}),
        ("```bash\ndf  -h\n```", {"df -h"}),
        ("```\ncut off", {"cut off"}),
        ("Run systemctl restart nginx, then wait.", {"systemctl restart nginx"}),
        ("Look at /var/log/syslog with -n 20.", {"/var/log/syslog", "-n"}),
        ("either/or - and so on", set()),
        ("`ls` `ls`", {"ls"}),
    ],
)
def test_commands_are_told_from_prose(text: str, commands: set[str]) -> None:
    assert commands_of(text) == commands


def test_every_signal_has_a_prior_with_its_reason() -> None:
    """Stronger signals weigh no less, and none more than one."""
    assert list(PRIORS) == list(Signal)
    weights = [PRIORS[signal].weight for signal in Signal]
    assert weights == sorted(weights, reverse=True)
    assert all(0 < prior.weight <= 1 and prior.reason for prior in PRIORS.values())
    assert PRIORS[Signal.GUARD_STOP].objective is Objective.SAFETY
    assert PRIORS[Signal.FALSE_BLOCK].objective is Objective.HELPFULNESS
