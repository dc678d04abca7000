"""Brings a store to this program's schema at start, under a lock, whoever else starts at the same moment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from gateway.store.errors import StoreTooNew
from gateway.store.schema import metadata

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
    # SQLite's own lock: its writing transactions begin by taking it.
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config = _config(connection)
        scripts = ScriptDirectory.from_config(config)
        known = {script.revision for script in scripts.walk_revisions()}
        found = MigrationContext.configure(connection).get_current_revision()
        if found is not None and found not in known:
            raise StoreTooNew(
                f"store {database.shown}: its schema is version {found}, and this program knows versions up to "
                f"{scripts.get_current_head()}; start the newer program that wrote it"
            )
        if found != scripts.get_current_head():
            command.upgrade(config, "head")


def drift(database: Database) -> list[object]:
    """What differs between the store's tables and those that `schema.py` declares; empty where nothing does."""
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return list(compare_metadata(context, metadata))


def _config(connection: Connection) -> Config:
    config = Config()
    # Alembic reads `%` in this option as its own.
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
