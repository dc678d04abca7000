"""Story 1, the newcomer: a fresh clone, `make serve`, the printed snippet pasted, a streamed answer."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from serving import ROOT, count_start, serve

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.vllm


def clone(target: Path) -> Path:
    """What `git clone` would bring if the working tree were committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((ROOT / name).read_bytes())
    return target


def block(output: str, marker: str) -> str:
    """The indented block that `make serve` prints under a line that holds `marker`."""
    lines = output[output.index(marker) :].splitlines()[1:]
    taken = []
    for line in lines:
        if taken and line and not line.startswith("  "):
            break
        if line.startswith("  ") or (taken and not line):
            taken.append(line[2:])
    return "\n".join(taken).strip()


def test_a_fresh_clone_serves_and_the_printed_snippets_work(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """`make serve` in a fresh clone installs, gets the model, serves, and prints what works when it is pasted."""
    count_start(request.config, "newcomer")
    project = clone(tmp_path / "wardgate")
    home = project / "var"
    (home / "models").mkdir(parents=True)  # a folder of its own: the newcomer has no model yet
    gateway = serve(home, command=("make", "serve", "ARGS=--port 0"), cwd=project)
    try:
        _wait_for_banner(gateway.process, home)
        output = gateway.log()
        curl = block(output, "with curl")
        answered = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, timeout=120, check=True)
        assert '"chat.completion' in answered.stdout
        snippet = block(output, "with Python")
        assert "openai" in snippet, output
        streamed = subprocess.run(
            [project / ".venv/bin/python", "-c", snippet], capture_output=True, text=True, timeout=120, check=True
        )
        assert streamed.stdout.strip()
    finally:
        os.killpg(gateway.process.pid, signal.SIGTERM)
        gateway.process.wait(90)
    assert not gateway.engine_pids()


def _wait_for_banner(process: subprocess.Popen[bytes], home: Path, seconds: float = 1500) -> None:
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        text = (home / "serve.log").read_text(errors="replace")
        assert process.poll() is None, text
        if "curl " in text and "openai" in text:
            return
        time.sleep(0.5)
    raise AssertionError(f"nothing to paste after {seconds} s:\n{(home / 'serve.log').read_text()[-4000:]}")
