"""Registered adapters: what a `name@version` means never changes, only where it is in its life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gateway.store import schema
from gateway.store.errors import StoreRefused
from gateway.store.records import LEGAL, Adapter, AdapterState

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from gateway.store.changes import Changes
    from gateway.store.connection import Database
    from gateway.store.records import By

SUBJECT = "adapter"
_TABLE = schema.adapters.c


class Adapters:
    """The repository of adapters."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes

    def register(self, adapter: Adapter, by: By) -> bool:
        """Makes an adapter known; registering the same one again changes nothing. Whether it is new.

        Raises:
            StoreRefused: This `name@version` is registered with another digest.
            StoreGone: The store cannot be reached.
        """
        row = {
            "name": adapter.name,
            "version": adapter.version,
            "path": adapter.path,
            "digest": adapter.digest,
            "base_digest": adapter.base_digest,
            "rank": adapter.rank,
            "created_us": adapter.created_us,
            "state": adapter.state.value,
            "provenance": adapter.provenance.decode(),
            "probe": adapter.probe.decode(),
        }
        with self._database.writing() as connection:
            self._changes.alone(connection)
            found = self._found(connection, adapter.id)
            if found is None:
                connection.execute(schema.adapters.insert().values(row))
                self._changes.add(connection, by, (SUBJECT, adapter.id), "registered", ("", adapter.state.value))
            elif found.digest != adapter.digest:
                raise StoreRefused(
                    f"{adapter.id}: already registered with digest {found.digest}, this one has {adapter.digest}; "
                    "an adapter never changes, register a new version"
                )
        return found is None

    def move(self, id: str, state: AdapterState, by: By) -> bool:  # noqa: A002 - the records' word
        """Puts an adapter into another state; whether it was in another before.

        Raises:
            StoreRefused: No such adapter is registered, it may not go there from where it is, or an alias serves it.
            StoreGone: The store cannot be reached.
        """
        with self._database.writing() as connection:
            self._changes.alone(connection)
            found = self._known(connection, id)
            before = AdapterState(found.state)
            if before is state:
                return False
            if state not in LEGAL[before]:
                raise StoreRefused(f"{id}: it is {before}, and what is {before} cannot become {state}")
            serving = self._serving(connection, id)
            if serving and state is not AdapterState.FAILED:
                raise StoreRefused(
                    f"{id}: the alias {serving!r} serves it, so that it cannot become {state}; "
                    "promote another adapter or roll back first"
                )
            connection.execute(schema.adapters.update().where(_is(id)).values(state=state.value))
            self._changes.add(connection, by, (SUBJECT, id), state.value, (before.value, state.value))
        return True

    def keep_probe(self, id: str, probe: bytes, by: By) -> None:  # noqa: A002 - the records' word
        """Keeps what an adapter answered, to be held against what it answers later.

        Raises:
            StoreRefused: No such adapter is registered.
            StoreGone: The store cannot be reached.
        """
        with self._database.writing() as connection:
            self._changes.alone(connection)
            state = self._known(connection, id).state
            connection.execute(schema.adapters.update().where(_is(id)).values(probe=probe.decode()))
            self._changes.add(connection, by, (SUBJECT, id), "probed", (state, state))

    def get(self, id: str) -> Adapter | None:  # noqa: A002 - the records' word
        """One adapter; None where there is none of that name.

        Raises:
            StoreGone: The store cannot be reached.
        """
        with self._database.reading() as connection:
            row = self._found(connection, id)
        return None if row is None else _adapter(row)

    def all(self) -> list[Adapter]:
        """Every adapter, oldest first.

        Raises:
            StoreGone: The store cannot be reached.
        """
        statement = schema.adapters.select().order_by(_TABLE.created_us, _TABLE.name, _TABLE.version)
        with self._database.reading() as connection:
            return [_adapter(row) for row in connection.execute(statement)]

    def _known(self, connection: Connection, id: str) -> Row[Any]:  # noqa: A002 - the records' word
        found = self._found(connection, id)
        if found is None:
            raise StoreRefused(f"{id}: no such adapter is registered; register it first")
        return found

    @staticmethod
    def _found(connection: Connection, id: str) -> Row[Any] | None:  # noqa: A002 - the records' word
        return connection.execute(schema.adapters.select().where(_is(id))).first()

    @staticmethod
    def _serving(connection: Connection, id: str) -> str | None:  # noqa: A002 - the records' word
        return connection.scalar(select(schema.aliases.c.name).where(schema.aliases.c.adapter == id).limit(1))


def _is(id: str) -> Any:  # noqa: A002 - the records' word
    name, _, version = id.partition("@")
    return (_TABLE.name == name) & (_TABLE.version == version)


def _adapter(row: Row[Any]) -> Adapter:
    return Adapter(
        name=row.name,
        version=row.version,
        path=row.path,
        digest=row.digest,
        base_digest=row.base_digest,
        rank=row.rank,
        created_us=row.created_us,
        state=AdapterState(row.state),
        provenance=row.provenance.encode(),
        probe=row.probe.encode(),
    )
