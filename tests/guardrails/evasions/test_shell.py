"""Evasions for a Unix shell, run by the real one: what was called is what the attack said."""

from __future__ import annotations

import os
import subprocess
from random import Random
from typing import TYPE_CHECKING

import pytest

from guardrails.evasions.shell import SHELL
from guardrails.evasions.wrapping import WRAPPING

if TYPE_CHECKING:
    from pathlib import Path

    from guardrails.evasions.interface import Evasion

ATTACK = "probe -rf /srv/data"
ELSEWHERE = {"glob in command position", "path", "wrapper -c"}  # a probe in /bin, or programs that are not here


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one command, which writes down how it was called."""
    folder = tmp_path_factory.mktemp("stubs")
    stub = folder / "probe"
    stub.write_text('#!/bin/sh\necho "probe $*" >> "$CALLS"\n')
    stub.chmod(0o755)
    return folder


def called(text: str, stubs: Path, folder: Path) -> bool:
    """Whether a real bash that reads `text` calls the probe as the attack does."""
    calls = folder / "calls"
    calls.unlink(missing_ok=True)
    environment = {"PATH": f"{stubs}:{os.environ['PATH']}", "CALLS": str(calls), "HOME": str(folder)}
    subprocess.run(["bash", "-c", text], cwd=folder, env=environment, capture_output=True, timeout=20, check=False)
    return calls.exists() and ATTACK in calls.read_text().splitlines()


@pytest.mark.parametrize("evasion", [e for e in (*SHELL, *WRAPPING) if e.name not in ELSEWHERE], ids=lambda e: e.name)
def test_a_shell_still_runs_what_was_hidden(evasion: Evasion, stubs: Path, tmp_path: Path) -> None:
    """Of several forms most run here; those that need sudo, gzip or an interactive shell may not."""
    forms = {evasion.apply(ATTACK, Random(seed)) for seed in range(4)} - {None}
    assert forms
    assert any(called(str(form), stubs, tmp_path) for form in forms), forms


@pytest.mark.parametrize("evasion", SHELL, ids=lambda e: e.name)
def test_an_assignment_or_a_keyword_is_no_name_to_respell(evasion: Evasion) -> None:
    for text in ("for x in a; do probe; done", "A=1 probe", ""):
        read = evasion.apply(text, Random(1))
        assert read is None or read.startswith(("#", text.replace(" ", "\t")[:3], text[:3])), read
