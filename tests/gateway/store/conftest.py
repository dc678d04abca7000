"""A store of each kind, so that every test of it runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from gateway.store.database import Store
from gateway.store.schema import metadata
from gateway.store.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postgres import Server


@pytest.fixture(scope="session")
def used(postgres: Server) -> str:
    """The URL of a database on PostgreSQL that many tests use in turn: making one takes longer than a test."""
    url = postgres.url()
    Store(url).close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store' / 'store.sqlite'}"
    address: str = request.getfixturevalue("used")
    with psycopg.connect(address) as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(f"DELETE FROM {table.name}".encode())
    return address


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store(url)
    yield opened
    opened.close()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool.open(tmp_path)
    yield opened
    opened.close()
