"""The supervisor as the program it is; what the gateway makes of it is tested with `local.py`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import coverage
import pytest

from gateway.engine import supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PYTHON = sys.executable
SLEEPER = f"""
import os, subprocess, sys, time
subprocess.Popen(["VLLM::EngineCore", "-ISc", "import time; time.sleep(600)"], executable={PYTHON!r})
time.sleep(600)
"""


def python() -> list[str]:
    """As the gateway starts it; where lines are counted, with the site that counts them."""
    if coverage.Coverage.current() is None:
        return [PYTHON, "-I", "-S", supervisor.__file__]
    return [PYTHON, "-m", supervisor.__name__]


class Program:
    """A running supervisor and what it has said."""

    def __init__(self, *command: str, grace: str = "0.3") -> None:
        self.process = subprocess.Popen(
            [*python(), grace, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def event(self) -> dict[str, object]:
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline()))

    def say(self, words: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(words)
        self.process.stdin.flush()

    def hang_up(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()


@pytest.fixture
def start() -> Iterator[Callable[..., Program]]:
    programs: list[Program] = []

    def made(*command: str, grace: str = "0.3") -> Program:
        programs.append(Program(*command, grace=grace))
        return programs[-1]

    yield made
    for program in programs:
        for stream in (program.process.stdin, program.process.stdout):
            assert stream is not None
            stream.close()
        program.process.wait(10)


def engine_of(program: Program) -> int:
    """The engine's process id, once the supervisor has had a look at it."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for pid in supervisor.descendants(program.process.pid):
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(supervisor.TITLE):
                time.sleep(supervisor.LOOK + 0.1)
                return pid
        time.sleep(0.02)
    raise AssertionError("no engine appeared")


def test_tells_when_its_child_ended_and_ends_itself(start: Callable[..., Program]) -> None:
    program = start(PYTHON, "-ISc", "raise SystemExit(7)")
    assert program.event()["event"] == "started"
    assert program.event() == {"event": "ended", "reason": "its API server ended with status 7"}
    assert program.process.wait(10) == 0


def test_tells_of_a_signal(start: Callable[..., Program]) -> None:
    program = start("sleep", "600")
    os.kill(int(str(program.event()["pid"])), signal.SIGSEGV)
    assert program.event()["reason"] == "its API server was killed by SIGSEGV"


def test_tells_that_a_command_does_not_exist(start: Callable[..., Program]) -> None:
    program = start("/no/such/program")
    assert "could not be started" in str(program.event()["reason"])


def test_the_end_of_the_lifeline_ends_everything(start: Callable[..., Program]) -> None:
    """What a gateway killed with -9 leaves is an end of file."""
    program = start(PYTHON, "-ISc", SLEEPER)
    api = int(str(program.event()["pid"]))
    engine = engine_of(program)
    program.hang_up()
    assert program.event()["reason"] == "the gateway is gone"
    program.process.wait(5)
    assert not {api, engine} & {found.pid for found in supervisor.processes()}


def test_a_dead_engine_ends_the_api_server_too(start: Callable[..., Program]) -> None:
    program = start(PYTHON, "-ISc", SLEEPER)
    api = int(str(program.event()["pid"]))
    engine = engine_of(program)
    began = time.monotonic()
    os.kill(engine, signal.SIGKILL)
    assert program.event()["reason"] == f"its engine (process {engine}) ended"
    assert time.monotonic() - began < 2
    program.process.wait(5)
    assert api not in {found.pid for found in supervisor.processes()}


def test_stop_asks_first(start: Callable[..., Program]) -> None:
    """A child that heeds SIGTERM may end in its own way."""
    program = start(
        PYTHON, "-ISc", "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(0)); time.sleep(9)"
    )
    program.event()
    time.sleep(0.3)
    program.say(b"stop\n")
    assert program.event()["reason"] == "it was stopped"


def test_stop_kills_when_the_time_is_up(start: Callable[..., Program]) -> None:
    """Engines that end while everything is being stopped are no news."""
    code = SLEEPER.replace("time.sleep(600)\n", "import signal; signal.signal(15, 1); time.sleep(600)\n")
    program = start(PYTHON, "-ISc", code)
    program.event()
    engine = engine_of(program)
    program.say(b"stop\n")
    os.kill(engine, signal.SIGKILL)
    assert program.event()["reason"] == "it was stopped, after its time was up"


def test_signals_meant_for_a_whole_group_do_not_end_it(start: Callable[..., Program]) -> None:
    """Who ends a service by SIGTERM to all of it wants the gateway to drain first; vLLM itself heeds signals."""
    program = start(PYTHON, "-ISc", "import time; time.sleep(600)")
    api = int(str(program.event()["pid"]))
    for number in supervisor.IGNORED:
        program.process.send_signal(number)
    time.sleep(0.2)
    assert program.process.poll() is None
    os.kill(api, signal.SIGTERM)
    assert program.event()["reason"] == "its API server was killed by SIGTERM"


def test_sees_itself_among_the_processes() -> None:
    own = next(found for found in supervisor.processes() if found.pid == os.getpid())
    assert (own.parent, own.group, own.session) == (os.getppid(), os.getpgid(0), os.getsid(0))
    assert own.pid in supervisor.descendants(1)
