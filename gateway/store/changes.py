"""The registry's book: every change of an adapter or an alias, with who, when and why, never altered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from gateway.store import schema
from gateway.store.records import Change

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gateway.store.connection import Database
    from gateway.store.records import By

_TABLE = schema.registry_changes.c


class Changes:
    """The repository of changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def alone(self, connection: Connection) -> None:
        """Have the transaction be the only one that changes the registry, until it ends; others wait."""
        # SQLite's writing transactions are alone from their beginning.
        if not self._database.is_sqlite:
            connection.execute(text("LOCK TABLE registry_changes IN SHARE ROW EXCLUSIVE MODE"))

    def add(self, connection: Connection, by: By, about: tuple[str, str], action: str, values: tuple[str, str]) -> None:
        """Writes the next line: about (subject, name), values before and after; the transaction is to be `alone`."""
        (subject, name), (before, after) = about, values
        number = (connection.scalar(select(func.max(_TABLE.number))) or 0) + 1
        connection.execute(
            schema.registry_changes.insert().values(
                number=number,
                changed_us=by.at_us,
                subject=subject,
                name=name,
                action=action,
                before=before,
                after=after,
                who=by.who,
                why=by.why,
            )
        )

    def of(self, connection: Connection, subject: str, name: str) -> list[Change]:
        """What happened to one adapter or alias, oldest first, as the transaction sees it."""
        mine = (_TABLE.subject == subject) & (_TABLE.name == name)
        rows = connection.execute(schema.registry_changes.select().where(mine).order_by(_TABLE.number))
        return [Change(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name

    def about(self, subject: str, name: str) -> list[Change]:
        """What happened to one adapter or alias, oldest first.

        Raises:
            StoreGone: The store cannot be reached.
        """
        with self._database.reading() as connection:
            return self.of(connection, subject, name)

    def last(self) -> int:
        """The number of the newest change; 0 where there is none.

        Raises:
            StoreGone: The store cannot be reached.
        """
        with self._database.reading() as connection:
            return connection.scalar(select(func.max(_TABLE.number))) or 0
