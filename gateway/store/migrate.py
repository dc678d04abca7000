"""Brings a store to this program's schema at start, under a lock, whoever else starts at the same moment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from gateway.store.errors import StoreError, StoreTooNew
from gateway.store.schema import VERSION, metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gateway.store.connection import Database

# Any number, so long as every gateway takes the same one and no other program on the database does.
_LOCK = 0x57415244
_FOLDER = Path(__file__).parent / "migrations"


def migrate(database: Database) -> None:
    """Creates the tables, or brings an older store up to date; returns at once where there is nothing to do.

    Raises:
        StoreTooNew: A newer program wrote this store.
        StoreGone: The store cannot be reached.
    """
    with database.reading() as connection:
        if _version(connection) == VERSION:
            return
    # SQLite's own lock: its writing transactions begin by taking it.
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        _upgrade(connection, database.shown)


def require_current(database: Database) -> None:
    """Returns where the store has this program's schema, and changes nothing: for those who only read.

    Raises:
        StoreError: It has another, or none.
        StoreGone: The store cannot be reached.
    """
    with database.reading() as connection:
        found = _version(connection)
    if found != VERSION:
        has = "no tables yet" if found is None else f"schema version {found}"
        raise StoreError(
            f"store {database.shown}: it has {has}, and this program reads version {VERSION}; start a gateway of this "
            "version on it first"
        )


def drift(database: Database) -> list[object]:
    """What differs between the store's tables and those that `schema.py` declares; empty where nothing does."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 - for tests only
    from alembic.migration import MigrationContext  # noqa: PLC0415

    with database.reading() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version


def _upgrade(connection: Connection, shown: str) -> None:
    # A third of a second that only a store pays that is not up to date.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    # Alembic reads `%` in this option as its own.
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = _version(connection)
    if found is not None and found not in known:
        raise StoreTooNew(
            f"store {shown}: its schema is version {found}, and this program knows versions up to {VERSION}; "
            "start the newer program that wrote it"
        )
    command.upgrade(config, "head")
