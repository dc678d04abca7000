"""The fuzzer runs, and what it would find it writes down and says in its exit status."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

RUN = Path(__file__).resolve().parents[1] / "fuzz" / "run.py"


def fuzzed(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(RUN), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_quick_look_finds_nothing(tmp_path: Path) -> None:
    """A parser is tried for a moment; exit status 0."""
    done = fuzzed("--minutes", "0.01", "--parser", "cmd", "--seed", "1", "--out", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no crash, no hang" in done.stdout


def test_a_find_is_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a target lets through ends in a file with the text, made small."""
    monkeypatch.syspath_prepend(str(RUN.parent))
    import run  # noqa: PLC0415 # type: ignore[import-not-found]

    def breaks(text: str, _salt: bytes) -> None:
        assert "rm" not in text, "it broke"

    monkeypatch.setitem(run.TARGETS, "cmd", breaks)
    assert run.by_structure("cmd", 20, tmp_path, 1)
    found = next(tmp_path.glob("cmd-*.txt")).read_text()
    assert "rm" in found
    assert len(found) < 400
