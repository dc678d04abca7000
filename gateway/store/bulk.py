"""Many rows into SQLite with few steps.

Python's driver steps through `executemany` row by row and lets go of the interpreter's lock at each step; beside a busy
event loop every row then waits for its turn, and the loop pays for the change. A statement of many rows is one step.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from gateway.store.schema import Content

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Table

ROWS = 40  # in one statement; always the same, so that the driver finds it prepared


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Inserts what fills whole statements; rows whose primary key is there already change nothing.

    Every row names every column. Returns how many rows were taken; the rest is the caller's.
    """
    names, contents, statement = _plan(table)
    taken = len(rows) - len(rows) % ROWS
    for start in range(0, taken, ROWS):
        values: list[Any] = []
        for row in rows[start : start + ROWS]:
            bound = [row[name] for name in names]
            for index, kind in contents:
                bound[index] = kind.process_bind_param(bound[index], connection.dialect)
            values += bound
        connection.exec_driver_sql(statement, tuple(values))
    return taken


@cache
def _plan(table: Table) -> tuple[tuple[str, ...], tuple[tuple[int, Content], ...], str]:
    """The columns' names, which of them hold text from outside, and the statement."""
    names = tuple(column.name for column in table.columns)
    kinds = tuple((index, column.type) for index, column in enumerate(table.columns))
    contents = tuple((index, kind) for index, kind in kinds if isinstance(kind, Content))
    row = f"({', '.join('?' * len(names))})"
    # The names are our own schema's, never a caller's text.
    into = f"INSERT INTO {table.name} ({', '.join(names)})"
    return names, contents, f"{into} VALUES {', '.join([row] * ROWS)} ON CONFLICT DO NOTHING"
