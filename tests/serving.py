"""Start the product as a user does, for the tests that need the real thing.

vLLM takes about a minute to start: the session's one is shared, and every start is counted and reported.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
WARDGATE = ROOT / ".venv" / "bin" / "wardgate"
READY_SECONDS = 600  # measured 60; a machine may be three times slower and busy with other things
STARTS = pytest.StashKey[list[str]]()


@dataclass
class Served:
    """A gateway that was started as a user would start it.

    Attributes:
        home: Its `WARDGATE_HOME`.
        process: The `wardgate serve` process, or what it was started through.
        pid: The gateway's own, known once it answers.
        url: Base URL, known once it answers.
        key: The key with every scope.
    """

    home: Path
    process: subprocess.Popen[bytes]
    url: str = ""
    key: str = ""
    pid: int = 0
    engine_groups: set[int] = field(default_factory=set)

    def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON document of a GET with the key."""
        return self.call("GET", path)

    def post(self, path: str, document: Any) -> tuple[int, Any]:
        """Status and JSON document of a POST with the key."""
        return self.call("POST", path, document)

    def call(self, method: str, path: str, document: Any = None) -> tuple[int, Any]:
        data = None if document is None else json.dumps(document).encode()
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def wait_live(self, seconds: float = 60) -> float:
        """Wait until the gateway answers at all; seconds it took."""
        return self._wait("/health/live", seconds)

    def wait_ready(self, seconds: float = READY_SECONDS) -> float:
        """Wait until chats are answered; seconds it took."""
        self.wait_live()
        return self._wait("/health/ready", seconds)

    def engine_pids(self) -> list[int]:
        """Processes of the vLLM that this gateway started, found by their process groups.

        vLLM renames its processes over their environment, so only its API server can be told by the home in it.
        """
        mark = f"WARDGATE_HOME={self.home}".encode()
        groups: dict[int, list[int]] = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == self.process.pid:
                continue
            pid = int(folder.name)
            try:
                group = os.getpgid(pid)
                serves = b"--served-model-name" in (folder / "cmdline").read_bytes()
                if serves and mark in (folder / "environ").read_bytes().split(b"\0"):
                    self.engine_groups.add(group)
            except OSError:
                continue
            groups.setdefault(group, []).append(pid)
        own = os.getpgid(0)
        return [pid for group in self.engine_groups if group != own for pid in groups.get(group, [])]

    def stop(self, seconds: float = 90) -> int:
        """End it as an operator does; its exit status."""
        if self.process.poll() is None:
            os.kill(self.pid or self.process.pid, signal.SIGTERM)
        return self.process.wait(seconds)

    def log(self) -> str:
        return (self.home / "serve.log").read_text(errors="replace")

    def _wait(self, path: str, seconds: float) -> float:
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if self.process.poll() is not None:
                raise AssertionError(f"wardgate serve ended with {self.process.returncode}:\n{self.log()}")
            try:
                self._read_home()
                if self.url and self.get(path)[0] == 200:
                    return time.monotonic() - began
            except (OSError, ValueError):
                pass
            time.sleep(0.1)
        raise AssertionError(f"{path} was not well within {seconds} s:\n{self.log()[-4000:]}")

    def _read_home(self) -> None:
        about = json.loads((self.home / "serve.json").read_text())
        # Of the session we started, so not left behind by an earlier gateway on this home.
        if os.getsid(about["pid"]) == self.process.pid:
            self.pid = about["pid"]
            self.url = about["url"]
            self.key = (self.home / "key").read_text().strip()


def serve(home: Path, *arguments: str, command: tuple[str, ...] = (), cwd: Path = ROOT, **env: str) -> Served:
    """Start `wardgate serve` with `arguments`, or `command` in another clone at `cwd`; it is not waited for."""
    home.mkdir(parents=True, exist_ok=True)
    models = ROOT / "var" / "models"
    models.mkdir(parents=True, exist_ok=True)
    if not (home / "models").exists():
        (home / "models").symlink_to(models)  # the embedded model is made once for all homes of the tests
    line = command or (str(WARDGATE), "serve", "--port", "0", *arguments)
    # Another clone is nobody's virtual environment, and its copies of our files are not to be measured.
    inherited = {
        name: value for name, value in os.environ.items() if not (command and name.startswith(("VIRTUAL", "COV")))
    }
    environment = {**inherited, "WARDGATE_HOME": str(home), **env}
    with (home / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            line, cwd=cwd, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    return Served(home, process)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Served]:
    """The session's shared gateway: defaults throughout, the embedded model in a real vLLM."""
    count_start(request.config, "shared")
    gateway = serve(tmp_path_factory.mktemp("home"))
    try:
        gateway.wait_ready()
        yield gateway
    finally:
        gateway.stop()


@pytest.fixture(scope="session")
def vllm_url(served: Served) -> str:
    """The shared gateway's vLLM, for gateways with settings of their own."""
    for pid in served.engine_pids():
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        if "--served-model-name" in words:
            return f"http://127.0.0.1:{words[words.index('--port') + 1]}"
    raise AssertionError("the shared gateway has no vLLM of its own")


def count_start(config: pytest.Config, why: str) -> None:
    """Note that a vLLM is started."""
    config.stash.setdefault(STARTS, []).append(why)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how often vLLM was started, and for what."""
    if starts := config.stash.get(STARTS, None):
        terminalreporter.write_line(f"vLLM starts: {len(starts)} ({', '.join(starts)})")
