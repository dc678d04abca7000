"""The operator: adapters are registered, loaded, promoted and rolled back while people are being answered.

Two adapters that each know one word answer here, so that a wrong version is heard at once.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from listeners import Heard, Listeners, listen
from serving import ROOT, WARDGATE, Served, count_start, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.vllm

WORDS = {"words@1": "Alpha", "words@2": "Bravo"}
SWAPS = 12
SEED = 20261125


@pytest.fixture(scope="module")
def folders(served: Served, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder with an adapter for each of the words."""
    made = tmp_path_factory.mktemp("words")
    places = {id_: made / id_ for id_ in WORDS}
    model = served.home / "models" / "SmolLM2-135M-Instruct"
    wanted = [part for id_, word in WORDS.items() for part in (str(places[id_]), word)]
    command = [sys.executable, str(ROOT / "tests" / "one_word.py"), str(model), *wanted]
    subprocess.run(command, check=True, timeout=900, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    return places


@pytest.fixture(scope="module")
def gateway(vllm_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The operator's gateway: a home of its own in front of the session's vLLM."""
    started = begin(tmp_path_factory.mktemp("operator"), vllm_url)
    try:
        yield started
    finally:
        started.stop()


def begin(home: Path, vllm_url: str) -> Served:
    started = serve(home, "--upstream", vllm_url, "--aligned", "none")
    started.wait_ready(120)
    return started


def wardgate(gateway: Served, *words: str) -> subprocess.CompletedProcess[str]:
    """`wardgate adapters …` as the operator types it on this home."""
    environment = {**os.environ, "WARDGATE_HOME": str(gateway.home)}
    command = [WARDGATE, "adapters", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)


def say_yes(gateway: Served, *words: str) -> str:
    done = wardgate(gateway, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def wrong(heard: list[Heard]) -> list[Heard]:
    """Answers that failed, or in which anything but the one word of the adapter was said that is named in them."""
    return [
        one
        for one in heard
        if one.status != 200 or not one.text or set(re.findall(r"\w+", one.text)) != {WORDS.get(one.adapter, "?")}
    ]


def promote(gateway: Served, adapter: str) -> tuple[float, float]:
    """Promote over HTTP; the moments at which the operator asks and knows."""
    asked = time.monotonic()
    status, answer = gateway.post("/admin/aliases/default/promote", {"adapter": adapter})
    assert (status, answer["answering"]) == (200, adapter)
    return asked, time.monotonic()


def test_an_operator_registers_loads_promotes_and_rolls_back(gateway: Served, folders: dict[str, Path]) -> None:
    """Every step on the command line, under load: nobody's request fails, and nobody hears the wrong word."""
    for id_ in WORDS:
        assert f"{id_}: registered, rank 8" in say_yes(gateway, "register", id_, str(folders[id_]))
        told = say_yes(gateway, "load", id_)
        assert f"{id_}: loaded" in told
        assert "warning" not in told
    assert wardgate(gateway, "register", "words@1", str(folders["words@2"])).returncode == 1
    assert "default answers from words@1" in say_yes(gateway, "promote", "words@1", "--alias", "default")
    with Listeners(gateway.url, gateway.key) as listeners:
        time.sleep(1)
        moments = []
        for id_ in [*WORDS][::-1] * (SWAPS // 2):
            moments.append((*promote(gateway, id_), id_))
            time.sleep(0.4)
        say_yes(gateway, "load", "words@2")  # once more, while others decode
        assert "default answers from words@2" in say_yes(gateway, "rollback", "--alias", "default")
        time.sleep(1)
    assert not wrong(listeners.heard)
    assert {one.adapter for one in listeners.heard} == set(WORDS)
    for (_, since, id_), (until, _, _) in itertools.pairwise(moments):
        between = {one.adapter for one in listeners.heard if since < one.began < until}
        assert between <= {id_}, "a request that began after a promote met the old version"
    seen = json.loads(say_yes(gateway, "list", "--json"))["data"]
    assert {one["id"]: (one["state"], one["aliases"]) for one in seen} == {
        "words@1": ("loaded", []),
        "words@2": ("served", ["default"]),
    }
    history = gateway.get("/admin/aliases/default")[1]["history"]
    assert [(one["action"], one["who"]) for one in history][-2:] == [("promoted", "home"), ("rolled_back", "home")]
    info = [line for line in metrics(gateway) if line.startswith("wardgate_adapter_info")]
    assert info == ['wardgate_adapter_info{adapter="words@2",alias="default"} 1.0']


def metrics(gateway: Served) -> list[str]:
    command = ["curl", "-s", "-H", f"x-api-key: {gateway.key}", f"{gateway.url}/metrics"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()


def test_a_broken_or_unsafe_adapter_is_refused(gateway: Served, folders: dict[str, Path], tmp_path: Path) -> None:
    """By name and mend, before any vLLM hears of it."""
    good = folders["words@1"]
    cut, pickled, changed = (shutil.copytree(good, tmp_path / name) for name in ("cut", "pickled", "changed"))
    weights = (good / "adapter_model.safetensors").read_bytes()
    (cut / "adapter_model.safetensors").write_bytes(weights[:-100])
    (pickled / "adapter_model.bin").write_bytes(b"\x80\x04.")
    config = json.loads((good / "adapter_config.json").read_text())
    (changed / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": "org/other-model"}))
    for folder, words in ((cut, "cut short"), (pickled, "a pickle can run code"), (changed, "'org/other-model'")):
        done = wardgate(gateway, "register", "bad@1", str(folder))
        assert done.returncode == 1
        assert words in done.stderr
    assert "no such adapter" in wardgate(gateway, "load", "bad@1").stderr


def test_a_gateway_killed_while_it_promotes_serves_the_old_or_the_new(
    gateway: Served, vllm_url: str, folders: dict[str, Path]
) -> None:
    """`kill -9` at random moments of a promotion; whatever the alias says then, that word is heard."""
    chance = random.Random(SEED)
    for round_ in range(3):
        target = [*WORDS][round_ % 2]
        promoting = threading.Thread(target=lambda: wardgate(gateway, "promote", target, "--alias", "default"))  # noqa: B023
        promoting.start()
        time.sleep(chance.uniform(0.2, 0.6))
        os.kill(gateway.pid, signal.SIGKILL)
        gateway.process.wait(30)
        promoting.join(60)
        again = begin(gateway.home, vllm_url)
        gateway.process, gateway.pid, gateway.url = again.process, again.pid, again.url
        (alias,) = gateway.get("/admin/aliases")[1]["data"]
        heard = listen(gateway.url, gateway.key, "default", "Say hello.")
        assert heard.adapter == alias["adapter"] == alias["answering"]
        assert not wrong([heard])


def test_what_was_promoted_is_served_again_after_vllm_restarted(
    gateway: Served, served: Served, request: pytest.FixtureRequest
) -> None:
    """A vLLM that died has forgotten its adapters; it gets no request before it has them back, and they are probed."""
    count_start(request.config, "operator's vLLM dies")
    promote(gateway, "words@2")
    api = next(
        pid for pid in served.engine_pids() if b"--served-model-name" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    os.kill(api, signal.SIGKILL)
    until = time.monotonic() + 30
    while gateway.get("/health/ready")[0] == 200 and time.monotonic() < until:
        time.sleep(0.1)
    served.wait_ready()
    gateway.wait_ready(60)
    assert not wrong([listen(gateway.url, gateway.key, name, "Say hello.") for name in ("default", "words@1")])


def test_a_merged_model_answers_under_the_adapters_name(
    gateway: Served, tmp_path: Path, request: pytest.FixtureRequest, folders: dict[str, Path]
) -> None:
    """Base and adapter as one checkpoint, within the tolerance; answers, records and metrics name the adapter."""
    out = tmp_path / "merged"
    told = json.loads(say_yes(gateway, "merge", "words@2", "--out", str(out), "--json"))
    assert told["distance"] <= told["tolerance"]
    assert wardgate(gateway, "merge", "words@2", "--out", str(out)).returncode == 1
    count_start(request.config, "merged")
    merged = serve(tmp_path / "home", "--model", str(out))
    try:
        merged.wait_ready()
        for name in ("default", "words@2"):
            heard = listen(merged.url, merged.key, name, "Say hello.")
            assert (heard.adapter, wrong([heard])) == ("words@2", [])
        (record,) = merged.get("/admin/inferences?limit=1")[1]["data"]
        assert (record["adapter"], record["base_model"]) == ("words@2", "words@2")
        assert 'wardgate_adapter_info{adapter="words@2",alias="default"} 1.0' in metrics(merged)
        assert merged.get("/admin/aliases")[1]["data"][0]["answering"] == "words@2"
    finally:
        merged.stop()
