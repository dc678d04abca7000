"""One database, SQLite or PostgreSQL, behind short transactions; its errors become the store's."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, exc, make_url
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store import bulk
from gateway.store.errors import StoreError, StoreGone, StoreRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Engine, Table

_BUSY_SECONDS = 30
_CONNECT_SECONDS = 5


class Database:
    """Transactions on the database at `url`; safe to use from many threads.

    Args:
        url: `sqlite:///PATH` or `postgresql://USER@HOST/NAME`.

    Raises:
        StoreError: The URL names no database of these two kinds, or a file that cannot be written.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except exc.ArgumentError as error:
            raise StoreError(f"store: {url!r} is no URL; use sqlite:///PATH or postgresql://USER@HOST/NAME") from error
        self.shown = parsed.render_as_string(hide_password=True)
        kind = parsed.get_backend_name()
        if kind == "sqlite" and parsed.database:
            _make_file(Path(parsed.database), self.shown)
            self.engine = create_engine(parsed, connect_args={"timeout": _BUSY_SECONDS})
            _prepare_sqlite(self.engine)
        elif kind == "postgresql":
            self.engine = create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                connect_args={"connect_timeout": _CONNECT_SECONDS},
                pool_pre_ping=True,
            )
        else:
            raise StoreError(f"store: {self.shown!r} is neither sqlite:///PATH nor postgresql://USER@HOST/NAME")
        self._insert: Any = sqlite.insert if kind == "sqlite" else postgresql.insert

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the database.

        Raises:
            StoreGone: It cannot be reached.
        """
        with self._translated(), self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction, committed and durable at the end of the block, undone where the block raises.

        Raises:
            StoreGone: It cannot be reached, is locked or full.
            StoreRefused: A constraint or a type forbids what was written.
        """
        with self._translated(), self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    def insert_new(self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Inserts those rows whose primary key is not there yet."""
        if self.is_sqlite:
            rows = rows[bulk.insert_new(connection, table, rows) :]
        if rows:
            connection.execute(self._insert(table).on_conflict_do_nothing(), rows)

    def upsert(self, connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
        """Inserts the row, or replaces the one with its primary key."""
        keys = [column.name for column in table.primary_key]
        changes = {name: value for name, value in row.items() if name not in keys}
        connection.execute(self._insert(table).values(row).on_conflict_do_update(index_elements=keys, set_=changes))

    def close(self) -> None:
        self.engine.dispose()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (exc.DataError, exc.IntegrityError, OverflowError) as error:
            raise StoreRefused(f"store {self.shown}: {getattr(error, 'orig', error)}") from error
        except (exc.DBAPIError, exc.TimeoutError) as error:
            raise StoreGone(f"store {self.shown}: {getattr(error, 'orig', error)}") from error


def _make_file(path: Path, shown: str) -> None:
    """Makes the file, for its owner only: what people asked is in it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise StoreError(f"store {shown}: {error}; the gateway must be able to write there") from error


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        # Transactions begin where this program says so, schema changes included, and not where the driver guesses.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # The drain lets go of an event once it is here: a commit must survive what the spool survives.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        # What retention deletes is overwritten.
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def began(connection: Connection) -> None:
        # A transaction that reads first and writes later could find the lock taken in between, and fail.
        immediate = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
