"""The bench runs from any clone, and what it takes out is still there to be taken out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUN, WITHOUT, GUARD = ROOT / "bench" / "run.py", ROOT / "bench" / "without.py", ROOT / "bench" / "guard.py"


def test_guard_is_measured_everywhere(tmp_path: Path) -> None:
    """Without load generators the guard's latencies are printed and written, and the rest is said to be missing."""
    done = subprocess.run(
        [sys.executable, RUN, "--guard-only", "--scale", "0.01", "--out", tmp_path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "The gateway was left out" in done.stdout
    written = json.loads((tmp_path / "bench.json").read_text())
    assert all(row["p50_us"] > 0 for row in written["guard"].values())
    assert "gateway" not in written


def test_growth_is_measured_everywhere(tmp_path: Path) -> None:
    """The guard's bench measures how hostile texts grow, and writes each row as it comes."""
    done = subprocess.run(
        [
            sys.executable,
            GUARD,
            *["--only", "growth", "--kinds", "prompt", "--texts", "nested", "--least", "64", "--most", "256"],
            "--out",
            tmp_path,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "guard.json").read_text())["growth"]
    assert rows
    assert all(len(row["ns"]) == 3 for row in rows)


def test_training_needs_a_model_and_pairs(tmp_path: Path) -> None:
    """What is missing is named before anything is measured."""
    command = [sys.executable, ROOT / "bench" / "training.py", "--model", tmp_path, "--pairs", tmp_path / "none.jsonl"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"--pairs: {tmp_path / 'none.jsonl'} is not there" in done.stderr


def test_parts_can_be_taken_out() -> None:
    """Every part that the bench offers names methods that exist, so that nothing is measured that was not taken out."""
    code = (
        "import importlib.util, json, sys\n"
        f"spec = importlib.util.spec_from_file_location('without', {str(WITHOUT)!r})\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "sys.modules['without'] = module\n"
        "spec.loader.exec_module(module)\n"
        "for patches in module.PARTS.values():\n"
        "    for owner, name, stand_in in patches:\n"
        "        assert callable(getattr(owner, name)), name\n"
        "print(json.dumps(sorted(module.PARTS)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    offered = re.search(r"^PARTS = \((.*)\)$", RUN.read_text(), re.MULTILINE)
    assert offered
    named = set(re.findall(r'"([\w-]+)"', offered[1]))
    assert set(json.loads(done.stdout)) == named - {"log-probabilities"}, (
        "log-probabilities are the policy's to leave out"
    )
