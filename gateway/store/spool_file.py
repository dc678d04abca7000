"""One SQLite file a gateway process, locked as long as the process lives; what a dead one left is taken over.

The lock is a `flock` on a file beside the database: closing a second descriptor of the database itself would drop
SQLite's own POSIX locks (sqlite.org/howtocorrupt.html, section 2.2). The kernel lets go of it when the process dies.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

if TYPE_CHECKING:
    from pathlib import Path

_LOG = logging.getLogger(__name__)
# Larger pages than SQLite's own 4096: a record of a chat with log-probabilities then touches fewer of them.
_PAGE_BYTES = 8192
# The drain checkpoints, off the event loop; an append does so only where the drain does not come to it (256 MiB).
_CHECKPOINT_PAGES = 32768
_BUSY_SECONDS = 5.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, about TEXT NOT NULL, kind TEXT NOT NULL,
    spooled_us INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS refused (
    id TEXT NOT NULL, about TEXT NOT NULL, kind TEXT NOT NULL,
    spooled_us INTEGER NOT NULL, body BLOB NOT NULL, reason TEXT NOT NULL
);
"""
_COLUMNS = "id, about, kind, spooled_us, body"


class Claim(NamedTuple):
    """A spool file that is this process's own; hold on to it, `release` lets go."""

    path: Path
    descriptor: int

    def release(self) -> None:
        os.close(self.descriptor)


def connect(path: Path) -> sqlite3.Connection:
    """A connection to an existing spool file, usable from any one thread at a time, in autocommit mode.

    Raises:
        sqlite3.Error: The file is not there, cannot be read, or is no database.
    """
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
    # Debian's SQLite overwrites what is deleted, which would write every event twice; its pages are used again at once.
    connection.execute("PRAGMA secure_delete=FAST")
    return connection


def take(directory: Path) -> tuple[Claim, sqlite3.Connection]:
    """This process's spool file, with everything that dead processes left in it.

    A damaged file is put aside under the name `*.damaged`, and said so in the log; what is left of it is not lost.

    Raises:
        OSError: `directory` cannot be made or written to.
        sqlite3.Error: A new file could not be set up.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    own: tuple[Claim, sqlite3.Connection] | None = None
    for path in sorted(directory.glob("*.sqlite")):
        claim = _claim(path)
        if claim is None:
            continue
        try:
            if own is None:
                own = claim, _set_up(path)
            else:
                _adopt(own[1], claim)
        except sqlite3.OperationalError as error:
            # A full disk or the like: the file is left as it is for the next start.
            _LOG.warning("spool file %s was left alone: %s", path.name, error)
            claim.release()
        except sqlite3.DatabaseError as error:
            _LOG.exception("spool file %s is damaged and was put aside", path.name, exc_info=error)
            path.rename(path.with_suffix(".damaged"))
            claim.release()
    return own or _new(directory)


def _claim(path: Path) -> Claim | None:
    lock = path.with_suffix(".lock")
    descriptor = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held the lock until now may have removed the pair.
        if path.exists() and os.fstat(descriptor).st_ino == lock.stat().st_ino:
            return Claim(path, descriptor)
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _new(directory: Path) -> tuple[Claim, sqlite3.Connection]:
    path = directory / f"{uuid4().hex}.sqlite"
    lock = os.open(path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    # Locked before the database has its name: nobody can mistake it for an orphan.
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    # Complete before it has its name: a reader never meets a file without its tables.
    draft = path.with_suffix(".draft")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    _set_up(draft).close()
    draft.rename(path)
    folder = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return Claim(path, lock), connect(path)


def _set_up(path: Path) -> sqlite3.Connection:
    connection = connect(path)
    try:
        connection.execute(f"PRAGMA page_size={_PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(_SCHEMA)
        # What the store refused is offered again: the store, or this program, may be another by now.
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"INSERT INTO events ({_COLUMNS}) SELECT {_COLUMNS} FROM refused")  # noqa: S608 - own names
            connection.execute("DELETE FROM refused")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _adopt(connection: sqlite3.Connection, orphan: Claim) -> None:
    """Copies an orphan's rows, then removes it; a crash in between doubles rows that the drain tells by their id."""
    _set_up(orphan.path).close()
    connection.execute("ATTACH DATABASE ? AS orphan", (f"{orphan.path.as_uri()}?mode=rw",))
    try:
        connection.execute("PRAGMA main.synchronous=FULL")
        connection.execute(
            f"INSERT INTO events ({_COLUMNS}) SELECT {_COLUMNS} FROM orphan.events ORDER BY seq"  # noqa: S608 - own names
        )
    finally:
        connection.execute("DETACH DATABASE orphan")
    orphan.path.unlink()
    orphan.path.with_suffix(".lock").unlink()
    orphan.release()
