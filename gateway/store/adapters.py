"""Registered adapters: what a `name@version` means never changes, only whether it is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gateway.store import schema
from gateway.store.errors import StoreRefused
from gateway.store.records import Adapter

if TYPE_CHECKING:
    from gateway.store.connection import Database

_TABLE = schema.adapters.c


class Adapters:
    """The repository of adapters."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, adapter: Adapter) -> None:
        """Makes an adapter known; registering the same one again changes nothing.

        Raises:
            StoreRefused: This `name@version` is registered with another digest.
            StoreGone: The store cannot be reached.
        """
        mine = (_TABLE.name == adapter.name) & (_TABLE.version == adapter.version)
        with self._database.writing() as connection:
            self._database.insert_new(connection, schema.adapters, [msgspec.structs.asdict(adapter)])
            digest = connection.scalar(schema.adapters.select().with_only_columns(_TABLE.digest).where(mine))
        if digest != adapter.digest:
            raise StoreRefused(
                f"{adapter.id}: already registered with digest {digest}, this one has {adapter.digest}; "
                "an adapter never changes, register a new version"
            )

    def set_loaded(self, name: str, version: str, *, loaded: bool) -> None:
        """Says whether every vLLM should have the adapter loaded.

        Raises:
            StoreRefused: No such adapter is registered.
            StoreGone: The store cannot be reached.
        """
        mine = (_TABLE.name == name) & (_TABLE.version == version)
        with self._database.writing() as connection:
            if not connection.execute(schema.adapters.update().where(mine).values(loaded=loaded)).rowcount:
                raise StoreRefused(f"{name}@{version}: no such adapter is registered; register it first")

    def all(self) -> list[Adapter]:
        """Every adapter, oldest first.

        Raises:
            StoreGone: The store cannot be reached.
        """
        statement = schema.adapters.select().order_by(_TABLE.created_us, _TABLE.name, _TABLE.version)
        with self._database.reading() as connection:
            return [Adapter(**row._mapping) for row in connection.execute(statement)]  # noqa: SLF001 - SQLAlchemy's public name
