"""`WARDGATE_HOME` as one gateway's place: locked while it runs, with a note on where it is to be found."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING, Self

import msgspec

if TYPE_CHECKING:
    from io import TextIOWrapper
    from pathlib import Path


class HomeUnusable(Exception):
    """Another gateway runs there, or nothing can be written; the message says what to do."""


class Note(msgspec.Struct):
    """What `serve.json` holds; `started` in seconds since the epoch."""

    url: str
    pid: int
    started: float


class Home:
    """The folder, held until `release` or the end of the process, however that comes."""

    def __init__(self, path: Path, lock: TextIOWrapper) -> None:
        self.path = path
        self.key_file = path / "key"
        self._note = path / "serve.json"
        self._lock = lock

    @classmethod
    def take(cls, path: Path) -> Self:
        """Lock the folder, making it first where it is not there.

        Raises:
            HomeUnusable: A running gateway holds it, or it cannot be written.
        """
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = (path / "lock").open("a")
        except OSError as error:
            raise HomeUnusable(
                f"{path} cannot be used as WARDGATE_HOME: {error}. Give a folder to write to."
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise HomeUnusable(
                f"A gateway is running on {path}{_whereabouts(path / 'serve.json')}. Stop it, or set WARDGATE_HOME to "
                "another folder for a second one."
            ) from error
        home = cls(path, lock)
        home._note.unlink(missing_ok=True)  # of one that was killed
        return home

    def announce(self, url: str) -> None:
        """Say where this gateway is found; other commands read it."""
        draft = self._note.with_suffix(".tmp")
        draft.write_bytes(msgspec.json.encode(Note(url, os.getpid(), time.time())))
        draft.replace(self._note)

    def release(self) -> None:
        self._note.unlink(missing_ok=True)
        self._lock.close()


def _whereabouts(note: Path) -> str:
    with contextlib.suppress(OSError, msgspec.DecodeError):
        found = msgspec.json.decode(note.read_bytes(), type=Note)
        return f", at {found.url} (process {found.pid})"
    return ""
