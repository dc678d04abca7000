"""`wardgate pairs mine`: from a running gateway's feedback to a dataset, and how it says no."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from fake_vllm import ChattingVllm
from pairs_made import exchange, says, told
from serving import WARDGATE

from gateway.preferences.pairs import read_pairs
from gateway.store.database import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

DESTRUCTIVE = "To free the disk, run rm -rf /var/lib/postgresql now."


def mine(home: Path, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WARDGATE_")}
    done = subprocess.run(
        [WARDGATE, "pairs", "mine", *words],
        cwd=home,
        env={**environment, "WARDGATE_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stderr + done.stdout
    return done


def filled(home: Path) -> None:
    """The home's store with one edit in it."""
    store = Store(f"sqlite:///{home}/store.sqlite3")
    one = told(1, "bad", says(1, "edit", text="good"))
    store.keep([one.inference, *one.feedback])
    store.close()


async def test_what_people_did_over_http_becomes_a_dataset(
    tmp_path: Path, open_house: Callable[..., AbstractAsyncContextManager[Any]]
) -> None:
    """Real exchanges and real feedback, mined while the gateway runs: an edit, thumbs, a stop, one taken back."""
    engine = ChattingVllm([])
    engine.base = "org/base-model"
    await engine.start()
    async with open_house(served=True, engine=engine.url) as house:

        async def ask(answer: str, text: str, **wardgate: Any) -> str:
            engine.tokens = [answer]
            messages: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]
            extra = {"wardgate": wardgate}
            got = await house.openai.chat.completions.create(model="default", messages=messages, extra_body=extra)
            return str(got.id)

        async def say(about: str, kind: str, value: object = None, text: str | None = None) -> str:
            sent = {"inference_id": about, "kind": kind, "value": value, "text": text, "user_id": "kim"}
            answer = await house.http.post("/v1/feedback", json=sent)
            assert answer.status_code == 202
            return str(answer.json()["id"])

        async with asyncio.timeout(20):
            while (await house.http.get("/health/ready")).status_code != 200:  # noqa: ASYNC110 - seen from outside
                await asyncio.sleep(0.02)
        bound = {"parameters": {"host": {"value": "web-01", "type": "host"}}}
        edited = await ask("Reboot it.", "{{host}} is slow. What now?", **bound)
        await say(edited, "edit", text="Run `uptime` on web-01.")
        liked, disliked = await ask("Look at the logs.", "Down?"), await ask("No idea.", "Down?")
        await say(liked, "thumbs", 1)
        await say(disliked, "thumbs", -1)
        stopped = await ask(DESTRUCTIVE, "The disk is full.")
        unstored = await ask("Bad.", "Secret?", store=False)
        await say(unstored, "edit", text="Good.")
        taken_back = await say(await ask("Fine.", "Well?"), "edit", text="Great.")
        await house.http.delete(f"/v1/feedback/{taken_back}")
        while await asyncio.to_thread(house.drain.step):
            pass
        done = await asyncio.to_thread(mine, tmp_path, "--dataset", "incidents", "--json")
        again = await asyncio.to_thread(mine, tmp_path, "--dataset", "incidents", "--json")
    await engine.stop()
    result = json.loads(done.stdout)
    assert (result["dataset"], result["pairs"]) == ("incidents@1", 3)
    assert result["signals"] == {"edit": 1, "guard_stop": 1, "thumbs": 1}
    assert result["skipped"] == {"exchange.not_stored": 1, "feedback_taken_back": 1}
    assert json.loads(again.stdout)["dataset"] == "incidents@1"
    pairs = read_pairs(tmp_path / "datasets/incidents@1/pairs.jsonl")
    assert [(pair.origin, pair.inferences) for pair in pairs] == [
        ("edit", (edited,)),
        ("thumbs", (liked, disliked)),
        ("guard_stop", (stopped,)),
    ]
    assert [turn.content for turn in pairs[0].prompt] == ["Be brief.", "web-01 is slow. What now?"]
    assert (pairs[0].chosen, pairs[0].rejected) == ("Run `uptime` on web-01.", "Reboot it.")
    assert (pairs[2].chosen, pairs[2].rejected) == ("Run `systemctl restart postgresql`.", DESTRUCTIVE)
    manifest = json.loads((tmp_path / "datasets/incidents@1/manifest.json").read_text())
    assert manifest["sources"] == [{"name": f"sqlite:///{tmp_path}/store.sqlite3"}]
    assert manifest["options"]["per_user"] == 200


def test_a_person_reads_what_was_made(tmp_path: Path) -> None:
    filled(tmp_path)
    assert mine(tmp_path, "--out", "pairs.jsonl").stdout == "1 pair from 1 exchange: pairs.jsonl\n  edit: 1\n"
    assert read_pairs(tmp_path / "pairs.jsonl")[0].inferences == (exchange(1).id,)
    assert read_pairs(tmp_path / "pairs.jsonl")[0].chosen == "good"


@pytest.mark.parametrize("since", ["2026-05-28", "2026-05-28T20:26:40Z", "9000d"])
def test_since_is_a_date_a_moment_or_ago(tmp_path: Path, since: str) -> None:
    filled(tmp_path)
    mine(tmp_path, "--since", since, "--out", "-")
    mine(tmp_path, "--since", "2099-01-01T00:00", "--out", "-", status=1)


def test_edits_must_pass_the_guard(tmp_path: Path) -> None:
    """Nobody teaches the model a destructive command by writing it into an edit."""
    store = Store(f"sqlite:///{tmp_path}/store.sqlite3")
    one = told(1, "bad", says(1, "edit", text=DESTRUCTIVE))
    store.keep([one.inference, *one.feedback])
    store.close()
    assert "edit: guard stops the edit: 1" in mine(tmp_path, "--dataset", "x", status=1).stdout
    (tmp_path / "policy.yaml").write_text("checks:\n  commands:\n    rules:\n      files.delete-tree: escalate\n")
    mine(tmp_path, "--dataset", "x", "--policy", "policy.yaml", status=1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--dataset NAME or --out FILE"),
        (("--out", "x", "--dataset", "y"), "--dataset NAME or --out FILE"),
        (("--out", "x"), "there is no store at"),
        (("--out", "x", "--store", "mysql://x"), "only sqlite:///PATH and postgresql"),
        (("--out", "x", "--store", "postgresql:///x?host=/nowhere"), "store postgresql"),
        (("--out", "x", "--since", "yesterday"), "'yesterday' is no moment"),
        (("--out", "x", "--per-user", "0"), "--per-user: 0 is not above 0"),
        (("--out", "x", "--policy", "nothing.yaml"), "nothing.yaml"),
        (("--out", "x", "--project", ""), "there is no store at"),
    ],
)
def test_bad_use_is_exit_status_2(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """And makes no store."""
    done = mine(tmp_path, *words, status=2)
    assert said in done.stderr
    assert not list(tmp_path.glob("*.sqlite3"))
    assert not (tmp_path / "x").exists()


def test_it_has_help_with_an_example(tmp_path: Path) -> None:
    assert "Example" in mine(tmp_path, "--help").stdout
