"""A real PostgreSQL for tests: started once a session from Debian's programs, quick because it forgets at a crash."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a crash would lose does not matter here.
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=40", "shared_buffers=16MB")
SECONDS = 60.0


def programs() -> Path | None:
    """The folder of PostgreSQL's programs: Debian's newest, or what PATH names."""
    known = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    found = str(known[-1]) if known else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def somebody() -> dict[str, Any]:
    """Who runs it: PostgreSQL refuses to be run by root."""
    if os.getuid() != 0:
        return {}
    user = next((user for user in pwd.getpwall() if user.pw_name == "postgres"), pwd.getpwnam("nobody"))
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class Server:
    """A running server; `url` of a new, empty database each time it is asked for one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        found = programs()
        assert found is not None
        if who := somebody():
            os.chown(self.folder, who["user"], who["group"])
        data = self.folder / "data"
        if not data.exists():
            initdb = [found / "initdb", "-D", data, "-U", "tester", "-A", "trust", "--no-sync", "-E", "UTF8"]
            subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, timeout=SECONDS, cwd=self.folder, **who)
        settings = [word for setting in QUICK for word in ("-c", setting)]
        command = [found / "postgres", "-D", data, "-k", self.folder, "-c", "listen_addresses=", *settings]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **who)
        until = time.monotonic() + SECONDS
        while True:
            try:
                psycopg.connect(self._address("postgres")).close()
            except psycopg.OperationalError:
                if time.monotonic() > until or self.process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(SECONDS)

    def url(self) -> str:
        name = f"test_{uuid4().hex}"
        # Version 15's default way is three times as slow where nothing is synced; versions before know only this one.
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            strategy = "STRATEGY file_copy" if connection.info.server_version >= 150000 else ""
            connection.execute(f'CREATE DATABASE "{name}" {strategy}'.encode())
        return self._address(name)

    def _address(self, name: str) -> str:
        return f"postgresql://tester@/{name}?host={self.folder}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The session's server. Without PostgreSQL's programs the test is skipped, which in CI is a failure."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    server = Server(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
