"""The program as a whole: what it offers, and how it says no."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from serving import WARDGATE

from gateway import cli
from gateway.cli import build
from guardrails.permits.keys import SigningKey

if TYPE_CHECKING:
    from pathlib import Path

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


@pytest.mark.parametrize("flag", ["--help", "-h", "--version"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_no_permit_and_no_command_asks_for_help(flag: str, place: int, tmp_path: Path) -> None:
    """Where a runner hands over what it was given, status 0 means that the command may run and nothing else."""
    key, _ = SigningKey.made()
    (tmp_path / "key").write_bytes(key.public_pem)
    permit, command = (flag, "rm -rf /") if place == 0 else ("x", flag)
    words = ["guard", "verify", "--key", str(tmp_path / "key"), "--permit", permit]
    assert wardgate(*words, *(["--"] if place == 2 else []), command).returncode in (1, 2)


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["guard", "--help"], True),
        (["guard", "rules", "--help"], True),
        (["guard", "verify", "-h"], True),
        (["--version"], True),
        (["train", "--loss", "dpo", "--help"], True),
        (["guard", "rules", "explain", "--help"], True),
        (["guard", "check", "rm", "--help"], False),
        (["guard", "check", "--help", "rm"], False),
        (["guard", "verify", "--permit", "--version", "rm"], False),
    ],
)
def test_help_is_asked_for_right_behind_a_command_of_the_guard(words: list[str], *, asked: bool) -> None:
    """Elsewhere it is anybody's text."""
    assert cli.helps(words) is asked


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
