"""The program as a whole: what it offers, and how it says no."""

from __future__ import annotations

import subprocess

import pytest
from serving import WARDGATE

from gateway import cli
from gateway.cli import build

LEAVES = {"serve": "gateway.serve:serve", "guard.check": "guardrails.cli:check"}


def wardgate(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([WARDGATE, *words], capture_output=True, text=True, timeout=60, check=False)


def test_the_front_page_says_what_each_command_does() -> None:
    page = wardgate("--help")
    assert page.returncode == 0
    assert "Start the gateway" in page.stdout
    assert "Ask the guard" in page.stdout


@pytest.mark.parametrize("words", [("serve",), ("guard", "check"), ("guard", "rules"), ("guard", "rules", "explain")])
def test_every_command_has_help_with_an_example(words: tuple[str, ...]) -> None:
    page = wardgate(*words, "--help")
    assert page.returncode == 0
    assert "Example" in page.stdout


@pytest.mark.parametrize("words", [("nope",), ("serve", "--nope"), ("guard", "check", "--kind", "nope", "x")])
def test_bad_use_is_exit_status_2(words: tuple[str, ...]) -> None:
    assert wardgate(*words).returncode == 2


def test_what_is_not_built_is_not_offered() -> None:
    """Only the leaves that installed packages name are there."""
    app = build(LEAVES, resolve=True)
    assert {name for name in app if not name.startswith("-")} == {"guard", "serve"}


def test_without_torch_nothing_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway's image has no torch: what would need it is not offered, and everything else is."""
    leaves = {"serve": "gateway.serve:serve", "train": "training.cli:train", "adapters.merge": "training.merge:merge"}
    assert cli.offered(leaves) == leaves
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    assert cli.offered(leaves) == {"serve": "gateway.serve:serve"}
