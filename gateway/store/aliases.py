"""What applications call a model, and what answers them under that name now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gateway.store import schema
from gateway.store.records import Alias

if TYPE_CHECKING:
    from gateway.store.connection import Database


class Aliases:
    """The repository of aliases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, alias: Alias) -> None:
        """Makes the alias, or points it elsewhere.

        Raises:
            StoreGone: The store cannot be reached.
        """
        with self._database.writing() as connection:
            self._database.upsert(connection, schema.aliases, msgspec.structs.asdict(alias))

    def put_new(self, alias: Alias) -> None:
        """Makes the alias where there is none of that name; else leaves it as it is.

        Raises:
            StoreGone: The store cannot be reached.
        """
        with self._database.writing() as connection:
            self._database.insert_new(connection, schema.aliases, [msgspec.structs.asdict(alias)])

    def all(self) -> list[Alias]:
        """Every alias, by name.

        Raises:
            StoreGone: The store cannot be reached.
        """
        with self._database.reading() as connection:
            rows = connection.execute(schema.aliases.select().order_by(schema.aliases.c.name))
            return [Alias(name=row.name, adapter=row.adapter, changed_us=row.changed_us) for row in rows]
