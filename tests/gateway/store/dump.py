"""Writes dumps of a store with one of everything, for `older/`: `python dump.py FOLDER`, from the repository's root.

Once committed, a dump is never written again: it is what that version of the program left on somebody's disk.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from postgres import Server, programs
from samples import NOW_US, adapter, everything

from gateway.store.database import Store
from gateway.store.records import AdapterState, By


def fill(url: str) -> str:
    """Puts one of everything into a new store and returns its schema's version."""
    store = Store(url)
    store.keep(everything())
    by = By("home", "it was better", NOW_US)
    store.adapters.register(adapter("1"), by)
    store.aliases.make("default", "base", by)
    store.adapters.move("aiops@1", AdapterState.LOADED, by)
    store.aliases.promote("default", "aiops@1", by)
    store.keys.load()
    with store.database.reading() as connection:
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    store.close()
    return str(version)


def main(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as name:
        path = Path(name) / "store.sqlite"
        version = fill(f"sqlite:///{path}")
        connection = sqlite3.connect(path)
        (folder / f"{version}.sqlite.sql").write_text("\n".join(connection.iterdump()) + "\n")
        connection.close()
        server = Server(Path(name))
        server.start()
        try:
            url = server.url()
            fill(url)
            programs_ = programs()
            assert programs_ is not None
            command = [str(programs_ / "pg_dump"), "--inserts", "--no-owner", "--no-privileges", url]
            dumped = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ}).stdout
        finally:
            server.stop()
    # Comments, psql's own commands and an emptied search path are of no use to whoever restores it.
    lines = [line for line in dumped.splitlines() if line and not line.startswith(("--", "\\", "SELECT pg_catalog"))]
    (folder / f"{version}.postgresql.sql").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
