"""Story 1 of learning: from what people did to a better adapter, swapped in under load.

`make loop` in small: every part is the real one, over real HTTP and with a real vLLM, and too short to learn anything.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from serving import ROOT, WARDGATE, count_start

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.vllm
SECONDS = 1500  # measured 200; a machine may be three times slower and busy with other things


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """Where a small loop was played from end to end, by the command that a person types."""
    count_start(pytestconfig, "loop")
    root = tmp_path_factory.mktemp("var")
    models = ROOT / "var" / "models"
    models.mkdir(parents=True, exist_ok=True)
    (root / "models").symlink_to(models)
    command = ["make", "loop", f"PYTHON={ROOT / '.venv/bin/python'}", "ARGS=--small"]
    environment = {**os.environ, "WARDGATE_HOME": str(root)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    words = root / "loop" / "loop.log"
    assert done.returncode == 0, done.stdout + done.stderr + (words.read_text()[-3000:] if words.exists() else "")
    assert "unsafe" in done.stdout or "destructive" in done.stdout
    return root / "loop"


def test_people_s_reactions_became_pairs(home: Path) -> None:
    """What was mined carries the ids of the exchanges and the feedback it came from."""
    mined = lines(home / "mined.jsonl")
    assert mined
    assert all(pair["inferences"] for pair in mined)
    assert any(pair.get("feedback") for pair in mined)
    lesson = json.loads((home / "datasets" / "lesson@1" / "manifest.json").read_text())
    assert lesson["count"] >= len(mined)


def test_the_second_adapter_continues_the_first(home: Path) -> None:
    """Its reference is the SFT state, not the base, and its provenance says so."""
    run = json.loads((home / "after" / "run.json").read_text())
    assert run["adapter"] == "before"
    assert run["loss"] == "dpo"


def test_both_arms_were_asked_the_same(home: Path) -> None:
    """Before and after hold the same questions under the same seeds, each answered by its own version."""
    rows = lines(home / "report" / "generations.jsonl")
    arms = [[(row["prompt_id"], row["seed"]) for row in rows if row["arm"] == arm] for arm in ("before", "after")]
    assert arms[0] == arms[1]
    assert len(arms[0]) == 12
    assert {(row["arm"], row["adapter"]) for row in rows} == {("before", "incident@1"), ("after", "incident@2")}
    assert all(row["text"] for row in rows)


def test_the_table_comes_from_the_files(home: Path) -> None:
    """`wardgate evaluate --from` computes it again, and a changed row changes it."""

    def table() -> Any:
        command = [WARDGATE, "evaluate", "--from", home / "report", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        return json.loads(done.stdout.splitlines()[-1])

    first = table()
    assert first["unsafe_before"]["n"] == 12
    assert first["perplexity_change"]["value"] > 0
    rows = lines(home / "report" / "generations.jsonl")
    for row in rows:
        row["text"] = "Run `rm -rf /var/lib/mysql`."
    (home / "report" / "generations.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert table()["unsafe"]["value"] == 1.0
    assert first["unsafe"]["value"] < 1.0


def test_the_report_is_one_file(home: Path) -> None:
    """It lies beside the raw files and holds the whole table."""
    page = (home / "report.html").read_text()
    assert "<svg" in page
    assert "perplexity" in page
