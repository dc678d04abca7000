from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from gateway.engine import local, supervisor
from gateway.engine.local import LocalEngine, clear, last_words, rotate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

# Like vLLM: an API server that starts an engine, that starts a worker; the worker does not heed SIGTERM and has left
# both the group and the session of the others. Each writes down its process id.
FAKE = """
import os, signal, subprocess, sys, time
role, home, code, python = sys.argv[1:]
open(os.path.join(home, role + ".pid"), "w").write(str(os.getpid()))

def start(title, role, **more):
    subprocess.Popen([title, "-ISc", code, role, home, code, python], executable=python, **more)

if role == "api":
    print("hello from the API server", flush=True)
    start("VLLM::EngineCore", "engine")
    if os.environ.get("STUBBORN"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
if role == "engine":
    start("VLLM::Worker", "worker", start_new_session=True)
if role == "worker":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(600)
"""
ROLES = ("api", "engine", "worker")
GATEWAY = """
import asyncio, json, os, sys
from pathlib import Path
from gateway.engine.local import LocalEngine

async def main():
    home = Path(sys.argv[1])
    engine = LocalEngine(json.loads(sys.argv[2]), os.environ, home, on_end=print)
    await engine.start()
    await asyncio.sleep(600)

asyncio.run(main())
"""


def command(home: Path) -> list[str]:
    return [sys.executable, "-ISc", FAKE, "api", str(home), FAKE, sys.executable]


def alive(pid: int) -> bool:
    return any(found.pid == pid for found in supervisor.processes())


def pids(home: Path) -> dict[str, int]:
    """Process ids by role, once all three have written theirs."""
    files = [home / f"{role}.pid" for role in ROLES]
    texts = [file.read_text() if file.exists() else "" for file in files]
    return {role: int(text) for role, text in zip(ROLES, texts, strict=True)} if all(texts) else {}


async def until(condition: Callable[[], object], limit: float = 5.0) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < limit
        await asyncio.sleep(0.01)
    return time.monotonic() - began


async def test_a_command_line_that_vllm_refuses_is_not_tried_again(tmp_path: Path) -> None:
    """Its first life ends at once and always would; one that began well is started again whatever it ends with."""
    refuse = "import sys; print('entry.py: error: unrecognized arguments: --x', flush=True); sys.exit(2)"
    kept = Kept(tmp_path, [sys.executable, "-ISc", refuse])
    await kept.start()
    async with asyncio.timeout(5):
        await kept.refused.wait()
    assert kept.phase is not None
    assert "unrecognized arguments: --x" in kept.phase
    await asyncio.sleep(0.2)
    assert kept.starts == 1
    await kept.stop()


async def running(home: Path, other_than: int = 0) -> dict[str, int]:
    """The three processes of a life that is not the one with that API server."""
    await until(lambda: pids(home) and pids(home)["api"] != other_than and all(map(alive, pids(home).values())))
    await asyncio.sleep(0.1)  # the supervisor has looked
    return pids(home)


class Kept(LocalEngine):
    """An engine whose deaths are written down."""

    def __init__(self, home: Path, line: list[str] | None = None, **env: str) -> None:
        self.deaths: list[str] = []
        super().__init__(line or command(home), {**os.environ, **env}, home, on_end=self.deaths.append, grace=0.3)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits a second for a restart."""
    monkeypatch.setattr(local, "FIRST_DELAY", 0.05)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Kept]:
    kept = Kept(tmp_path)
    await kept.start()
    yield kept
    await kept.stop()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose only content is the engine it keeps."""
    process = subprocess.Popen([sys.executable, "-c", GATEWAY, str(tmp_path), json.dumps(command(tmp_path))])
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("role", ["api", "worker"])
async def test_a_killed_process_is_noticed_its_siblings_end_and_another_life_begins(
    engine: Kept, tmp_path: Path, role: str
) -> None:
    """Whichever process of vLLM dies: known within 2 s, nothing of the old life stays, a new one follows."""
    before = await running(tmp_path)
    await asyncio.sleep(supervisor.LOOK)  # engines are watched from the first look that sees them
    engine.well()
    assert engine.phase is None
    os.kill(before[role], signal.SIGKILL)
    assert await until(lambda: engine.deaths) < 2
    assert engine.phase is not None
    assert ("SIGKILL" in engine.deaths[0]) == (role == "api")
    after = await running(tmp_path, before["api"])
    assert not any(alive(pid) for pid in before.values())
    assert after["api"] != before["api"]
    assert (engine.starts, len(engine.deaths)) == (2, 1)


async def test_a_killed_supervisor_leaves_nothing_and_is_replaced(engine: Kept, tmp_path: Path) -> None:
    before = await running(tmp_path)
    session = json.loads((tmp_path / "engine.json").read_bytes())["session"]
    os.kill(session, signal.SIGKILL)
    assert await until(lambda: engine.deaths) < 2
    await running(tmp_path, before["api"])
    assert not alive(before["api"])
    assert not alive(before["engine"])
    os.kill(before["worker"], signal.SIGKILL)  # it left the session, and who knew of it is dead; vLLM's own never do


async def test_stopping_ends_everything_and_starts_nothing(engine: Kept, tmp_path: Path) -> None:
    """What does not heed SIGTERM, wherever it hid, is gone too; a stop is no death."""
    before = await running(tmp_path)
    await engine.stop()
    assert not any(alive(pid) for pid in before.values())
    assert engine.deaths == []
    assert engine.starts == 1
    assert not (tmp_path / "engine.json").exists()


async def test_stopping_has_a_time_limit(tmp_path: Path) -> None:
    """An API server that ignores SIGTERM is killed after the grace."""
    kept = Kept(tmp_path, STUBBORN="1")
    await kept.start()
    before = await running(tmp_path)
    began = time.monotonic()
    await kept.stop()
    assert 0.25 < time.monotonic() - began < 3
    assert not any(alive(pid) for pid in before.values())


async def test_stopping_before_a_restart_is_due_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "FIRST_DELAY", 30.0)
    kept = Kept(tmp_path, [sys.executable, "-c", "raise SystemExit(3)"])
    await kept.start()
    await until(lambda: kept.phase and "started again in 30 s" in kept.phase)
    await kept.stop()
    assert kept.starts == 1
    assert "status 3" in kept.deaths[0]


async def test_restarts_come_later_and_later_until_it_was_steady(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The delay doubles up to its limit, and begins anew after a healthy minute."""
    monkeypatch.setattr(local, "LONGEST_DELAY", 0.2)
    kept = Kept(tmp_path, [sys.executable, "-ISc", "import sys; sys.exit(1)"])
    phases: list[str | None] = []
    monkeypatch.setattr(local, "_forget", lambda mark: phases.append(kept.phase))
    await kept.start()
    await until(lambda: kept.starts == 4)
    monkeypatch.setattr(local, "STEADY", 0.0)
    kept.well()
    await kept.stop()
    assert len(kept.deaths) >= 3


async def test_the_last_words_of_a_vllm_that_never_came_up_are_told(tmp_path: Path) -> None:
    """A wrong argument shows in readiness, without a look into the log."""
    kept = Kept(tmp_path, [sys.executable, "-ISc", "raise ValueError('max_lora_rank must be 16')"])
    await kept.start()
    await until(lambda: kept.deaths)
    await kept.stop()
    assert "ValueError: max_lora_rank must be 16" in kept.deaths[0]


async def test_a_command_that_cannot_be_started_says_so(tmp_path: Path) -> None:
    kept = Kept(tmp_path, [str(tmp_path / "nothing")])
    await kept.start()
    await until(lambda: kept.deaths)
    await kept.stop()
    assert "could not be started" in kept.deaths[0]


async def test_output_goes_to_the_log(engine: Kept, tmp_path: Path) -> None:
    await running(tmp_path)
    assert "hello from the API server" in (tmp_path / "logs" / "vllm.log").read_text()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_gateway_that_dies_takes_all_of_vllm_with_it(
    gateway: subprocess.Popen[bytes], tmp_path: Path, number: signal.Signals
) -> None:
    """However the gateway goes, nothing of vLLM is left 5 s later, without any next start."""
    before = await running(tmp_path)
    session = json.loads((tmp_path / "engine.json").read_bytes())["session"]
    gateway.send_signal(number)
    gateway.wait()
    await until(lambda: not any(alive(pid) for pid in (*before.values(), session)))


async def test_what_two_kills_left_is_cleared_at_the_next_start(
    gateway: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """Gateway and supervisor killed at once leave orphans of the session; the next start ends them first."""
    before = await running(tmp_path)
    session = json.loads((tmp_path / "engine.json").read_bytes())["session"]
    gateway.send_signal(signal.SIGSTOP)
    os.kill(session, signal.SIGKILL)
    gateway.kill()
    gateway.wait()
    assert alive(before["engine"])
    await clear(tmp_path / "engine.json")
    assert not alive(before["engine"])
    assert not (tmp_path / "engine.json").exists()
    os.kill(before["worker"], signal.SIGKILL)


async def test_a_number_that_belongs_to_somebody_else_by_now_is_left_alone(tmp_path: Path) -> None:
    """A session number that was given out again, or is from before a reboot, names nobody we may kill."""
    mark = tmp_path / "engine.json"
    boot = local._boot()
    innocent = await asyncio.create_subprocess_exec("sleep", "600", start_new_session=True)
    try:
        for started, when in ((1, boot), (0, "another boot")):
            mark.write_text(json.dumps({"session": innocent.pid, "started": started, "boot": when}))
            await clear(mark)
            assert not mark.exists()
        mark.write_text("{half")
        await clear(mark)
        assert alive(innocent.pid)
    finally:
        innocent.kill()
        await innocent.wait()


def test_logs_are_kept_a_few_starts_long(tmp_path: Path) -> None:
    path = tmp_path / "vllm.log"
    for number in range(8):
        rotate(path)
        path.write_text(str(number))
    names = sorted(found.name for found in tmp_path.iterdir())
    assert names == ["vllm.log", *(f"vllm.log.{number}" for number in range(1, 6))]
    assert (tmp_path / "vllm.log.5").read_text() == "2"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("INFO all is well\n", ""),
        ("Traceback\nValueError: no\n  KeyError: yes\nend\n", "KeyError: yes"),
        (
            "api_server.py: error: unrecognized arguments: --frob\n",
            "api_server.py: error: unrecognized arguments: --frob",
        ),
        ("Error " + "x" * 9000 + "\nlast\n", ""),
    ],
)
def test_last_words(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "log"
    path.write_text(text)
    assert last_words(path) == words


def test_a_log_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert last_words(tmp_path / "log") == ""
