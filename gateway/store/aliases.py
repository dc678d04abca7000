"""What applications call a model, and what answers them under that name now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.store import schema
from gateway.store.errors import StoreRefused
from gateway.store.records import AdapterState, Alias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Row

    from gateway.store.changes import Changes
    from gateway.store.connection import Database
    from gateway.store.records import By, Change

SUBJECT = "alias"
BASE = "base"  # the target that is no adapter
_TABLE = schema.aliases.c


class Aliases:
    """The repository of aliases. One change at a time, whoever makes it: the last one stands, the book has all."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes

    def make(self, name: str, adapter: str, by: By) -> bool:
        """Makes the alias where there is none of that name, else leaves it as it is; whether it is new.

        Raises:
            StoreGone: The store cannot be reached.
        """
        with self._database.writing() as connection:
            self._changes.alone(connection)
            if self._found(connection, name) is not None:
                return False
            self._point(connection, by, name, "made", ("", adapter))
        return True

    def promote(self, name: str, adapter: str, by: By) -> Alias:
        """Points the alias to an adapter that is loaded, or to `base`; makes it where it is new.

        Raises:
            StoreRefused: The adapter is not registered or not loaded; the alias is what it was.
            StoreGone: The store cannot be reached.
        """
        with self._database.writing() as connection:
            self._changes.alone(connection)
            found = self._found(connection, name)
            if found is not None and found.adapter == adapter:
                return Alias(name, adapter, found.changed_us)
            self._servable(connection, adapter)
            return self._point(connection, by, name, "promoted", (found.adapter if found else "", adapter))

    def rollback(self, name: str, by: By) -> Alias:
        """Points the alias to what it served before its last promotion that still stands.

        Raises:
            StoreRefused: There is no such alias, nothing before, or that is not loaded any more.
            StoreGone: The store cannot be reached.
        """
        with self._database.writing() as connection:
            self._changes.alone(connection)
            before = previous(self._changes.of(connection, SUBJECT, name))
            found = self._found(connection, name)
            if found is None or before is None:
                raise StoreRefused(
                    f"{name}: there is nothing to roll back to: this alias "
                    + ("does not exist" if found is None else f"has served nothing but {found.adapter!r}")
                )
            self._servable(connection, before)
            return self._point(connection, by, name, "rolled_back", (found.adapter, before))

    def before(self, name: str) -> str | None:
        """What a rollback would point the alias to; None where there is nothing.

        Raises:
            StoreGone: The store cannot be reached.
        """
        return previous(self._changes.about(SUBJECT, name))

    def all(self) -> list[Alias]:
        """Every alias, by name.

        Raises:
            StoreGone: The store cannot be reached.
        """
        with self._database.reading() as connection:
            rows = connection.execute(schema.aliases.select().order_by(_TABLE.name))
            return [Alias(name=row.name, adapter=row.adapter, changed_us=row.changed_us) for row in rows]

    def _point(self, connection: Connection, by: By, name: str, action: str, targets: tuple[str, str]) -> Alias:
        after = targets[1]
        row = {"name": name, "adapter": after, "changed_us": by.at_us}
        self._database.upsert(connection, schema.aliases, row)
        self._changes.add(connection, by, (SUBJECT, name), action, targets)
        return Alias(name, after, by.at_us)

    @staticmethod
    def _found(connection: Connection, name: str) -> Row[Any] | None:
        return connection.execute(schema.aliases.select().where(_TABLE.name == name)).first()

    @staticmethod
    def _servable(connection: Connection, adapter: str) -> None:
        if adapter == BASE:
            return
        name, _, version = adapter.partition("@")
        table = schema.adapters.c
        mine = (table.name == name) & (table.version == version)
        state = connection.scalar(schema.adapters.select().with_only_columns(table.state).where(mine))
        if state is None:
            raise StoreRefused(f"{adapter}: no such adapter is registered; register it first")
        if state != AdapterState.LOADED:
            raise StoreRefused(f"{adapter}: it is {state}, and only what is loaded can be served; load it first")


def previous(changes: Iterable[Change]) -> str | None:
    """What an alias served before its last promotion that was not rolled back; None where there is no such."""
    served: list[str] = []
    for change in changes:
        if change.action == "rolled_back":
            served.pop()
        else:
            served.append(change.after)
    return served[-2] if len(served) > 1 else None
