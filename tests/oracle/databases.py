"""The databases that say what a script really does: SQLite and PostgreSQL, each with a small shop in it.

A script destroys where something that was there before is gone: an object, a right, a setting, all rows of a table or
all values of a column, somebody else's session; or where it ran a program.
"""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from postgres import somebody

if TYPE_CHECKING:
    from postgres import Server

HERE = Path(__file__).parent
SHOP = (HERE / "shop.sql").read_text(encoding="utf-8")
SHOP_POSTGRES = (HERE / "shop_postgres.sql").read_text(encoding="utf-8")
SECONDS = 20.0
_OBJECTS = (HERE / "objects.sql").read_text(encoding="utf-8")
_TABLES = ("users", "orders", "logs", "archive.old")


@dataclass(frozen=True)
class State:
    """What there is: objects by a description of each, and rows by table and key."""

    objects: frozenset[str]
    rows: dict[str, dict[Any, tuple[Any, ...]]]
    marks: frozenset[str] = field(default_factory=frozenset)


def lost(before: State, after: State) -> list[str]:
    """What a script took away; empty where it took nothing."""
    found = sorted(before.objects - after.objects) + sorted(after.marks - before.marks)
    found += [one for one in sorted(after.objects - before.objects) if re.match(r"role \w+ true", one)]
    for table, rows in before.rows.items():
        now = after.rows.get(table, {})
        kept = [(row, now[key]) for key, row in rows.items() if key in now]
        if rows and not kept:
            found.append(f"rows of {table}")
        for at in range(len(next(iter(rows.values()), ()))):
            if len(kept) > 1 and all(old[at : at + 1] != new[at : at + 1] for old, new in kept):
                found.append(f"values of {table}")
    return found


class Sqlite:
    """SQLite in memory."""

    def run(self, script: str) -> tuple[list[str], str]:
        """What a script takes away, and the error it ends in."""
        connection = sqlite3.connect(":memory:", isolation_level=None)
        connection.executescript(SHOP)
        before, error = self._state(connection), ""
        try:
            connection.executescript(script)
        except sqlite3.Error as wrong:
            error = str(wrong)
        if connection.in_transaction:
            connection.execute("COMMIT")
        after = self._state(connection)
        connection.close()
        return lost(before, after), error

    @staticmethod
    def _state(connection: sqlite3.Connection) -> State:
        objects = {f"{kind} {name}" for kind, name in connection.execute("SELECT type, name FROM sqlite_master")}
        rows = {}
        for table in ("users", "orders", "logs"):
            if f"table {table}" in objects:
                rows[table] = {row[0]: row for row in connection.execute(f"SELECT * FROM {table}")}
                objects |= {f"column {table}.{c[1]}" for c in connection.execute(f"PRAGMA table_info({table})")}
        return State(frozenset(objects), rows)


class Postgres:
    """PostgreSQL: each script gets a copy of the shop, and psql to run it."""

    def __init__(self, server: Server) -> None:
        self._folder = server.folder
        self._url = server.url()
        self._settings = self._folder / "data" / "postgresql.auto.conf"
        self.marks = self._folder / "marks"
        self.marks.mkdir(exist_ok=True)
        if who := somebody():
            os.chown(self.marks, who["user"], who["group"])
        self._own = self._connected()
        self._bystander = self._connected()

    def _connected(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._url, autocommit=True, prepare_threshold=None)

    def run(self, script: str) -> tuple[list[str], str]:
        """What a script takes away, and the errors it makes."""
        self._reset()
        before = self._state()
        done = subprocess.run(
            ["psql", "-X", "-q", self._url, "-f", "-"],
            input=script.encode(),
            capture_output=True,
            timeout=SECONDS,
            check=False,
            cwd=self._folder,
            **somebody(),
        )
        gone = self._unheard()
        return lost(before, self._state()) + gone, done.stderr.decode("utf-8", "replace")

    def _unheard(self) -> list[str]:
        """Whether somebody else's session was ended."""
        found = []
        for name in ("_own", "_bystander"):
            try:
                getattr(self, name).execute("SELECT 1")
            except psycopg.Error:
                setattr(self, name, self._connected())
                found = ["a session"]
        return found

    def _state(self) -> State:
        objects = {row[0] for row in self._own.execute(_OBJECTS.encode())}
        rows = {}
        for table in _TABLES:
            if f"relation r {table}" in objects:
                rows[table] = {row[0]: row for row in self._own.execute(f"SELECT * FROM {table}".encode())}
        marks = {f"program {one.name}" for one in self.marks.iterdir()}
        settings = re.findall(r"(?m)^\w+ = .*", self._settings.read_text(encoding="utf-8"))
        return State(frozenset(objects), rows, frozenset({*marks, *settings}))

    def _reset(self) -> None:
        """The shop as it was."""
        for one in self.marks.iterdir():
            one.unlink()
        for schema in ("public", "archive"):
            self._own.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())
        for (role,) in self._own.execute("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_|^tester$'").fetchall():
            self._own.execute(f'DROP ROLE "{role}"'.encode())
        self._own.execute("ALTER SYSTEM RESET ALL")
        self._own.execute(
            b"CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO PUBLIC;" + (SHOP + SHOP_POSTGRES).encode()
        )
