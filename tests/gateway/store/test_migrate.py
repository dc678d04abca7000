"""Every store this program ever wrote opens with this program, and both databases have the same schema.

`older/` holds dumps of each schema version, with data, as SQL. After a new version, add its dumps:
`python tests/gateway/store/dump.py FOLDER` writes them.
"""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import psycopg
import pytest
from samples import NOW_US, adapter, escalation, everything, feedback, inference
from sqlalchemy import text

from gateway.store.connection import Database
from gateway.store.database import Store
from gateway.store.errors import StoreError, StoreTooNew
from gateway.store.migrate import drift, require_current
from gateway.store.records import AdapterState, Alias, By
from gateway.store.schema import VERSION

if TYPE_CHECKING:
    from postgres import Server

OLDER = sorted((Path(__file__).parent / "older").glob("*.sql"))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without a store: these tests spoil it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    server: Server = request.getfixturevalue("postgres")
    return server.url()


def restore(dump: Path, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a database as it was dumped."""
    script = dump.read_text()
    if dump.name.endswith(".sqlite.sql"):
        path = tmp_path / "store.sqlite"
        with sqlite3.connect(path) as connection:
            connection.executescript(script)
        connection.close()
        return f"sqlite:///{path}"
    server: Server = request.getfixturevalue("postgres")
    url = server.url()
    with psycopg.connect(url, autocommit=True) as connection_:
        connection_.execute(script.encode())
    return url


@pytest.mark.parametrize("dump", OLDER, ids=lambda path: path.name)
def test_an_older_store_is_migrated_with_its_data(dump: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    store = Store(restore(dump, tmp_path, request))
    assert drift(store.database) == []
    kept = store.inferences.get(inference(1).id)
    assert kept is not None
    assert msgspec.structs.replace(kept, answers=()) == msgspec.structs.replace(everything()[0], answers=())
    assert [answer.sent for answer in kept.answers] == ["Check disk"]
    assert len(msgspec.json.decode(kept.answers[0].logprobs[0])) == 2
    assert store.feedback.about(inference(1).id) == [(feedback(1, about=1), True), (feedback(2, about=1), False)]
    assert store.escalations.newest(9, None) == [escalation(1, about=1)]
    assert store.adapters.all() == [msgspec.structs.replace(adapter("1"), state=AdapterState.LOADED)]
    assert store.aliases.all() == [Alias("default", "aiops@1", NOW_US)]
    assert {change.after for change in store.changes.about("alias", "default")} >= {"aiops@1"}
    assert store.aliases.promote("default", "base", By("me", "", NOW_US + 1)).adapter == "base"
    assert store.aliases.rollback("default", By("me", "", NOW_US)) == Alias("default", "aiops@1", NOW_US)
    assert store.keys.load()[1] == 1
    store.keep(everything())
    assert len(store.feedback.newest(9, None)) == 2
    store.close()


def test_each_version_has_its_dumps(store: Store) -> None:
    with store.database.reading() as connection:
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    assert version == VERSION
    assert f"{version}.{store.database.engine.dialect.name}.sql" in {path.name for path in OLDER}


def test_migrations_make_what_the_schema_declares(store: Store) -> None:
    assert drift(store.database) == []


def test_a_changed_schema_is_noticed(store: Store) -> None:
    with store.database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE aliases ADD COLUMN surprise TEXT")
        connection.exec_driver_sql("DROP INDEX ix_feedback_inference_id")
    assert len(drift(store.database)) == 2


def test_gateways_that_start_together_make_one_schema(url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        stores = list(threads.map(Store, [url] * 4))
    keys = [store.keys.load() for store in stores]
    assert keys == [keys[0]] * 4
    assert drift(stores[0].database) == []
    for store in stores:
        store.close()


def test_a_store_of_a_newer_program_is_left_alone(store: Store, url: str) -> None:
    store.keep([inference(1)])
    with store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreTooNew, match=rf"version 9999.*up to {VERSION}"):
        Store(url)
    database = Database(url)
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM inferences").scalar() == 1
    database.close()


def test_what_is_opened_again_is_not_touched(store: Store, url: str) -> None:
    store.keep([inference(1)])
    again = Store(url)
    assert again.inferences.get(inference(1).id) is not None
    again.close()


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'new' / 'store.sqlite'}")
    store.keep([inference(1)])
    assert [path for path in (tmp_path / "new").iterdir() if path.stat().st_mode & 0o077] == []
    store.close()


def test_who_only_reads_changes_nothing(url: str, tmp_path: Path) -> None:
    """A store of another version, or without tables, is told apart from one of this version."""
    Store(url).close()
    database = Database(url)
    require_current(database)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(StoreError, match="it has schema version 0000, and this program reads version"):
        require_current(database)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :now"), {"now": VERSION})
    database.close()
    empty = Database(f"sqlite:///{tmp_path}/empty.sqlite")
    with pytest.raises(StoreError, match="it has no tables yet"):
        require_current(empty)
    empty.close()
