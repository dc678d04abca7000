"""Retention: what is older than the setting says is gone, whatever it is; what is not, stays."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

import msgspec
from samples import everything, inference

from gateway.store import retention as retention_module
from gateway.store.database import Store
from gateway.store.errors import StoreGone
from gateway.store.inferences import Wanted
from gateway.store.retention import Retention
from gateway.store.spool_file import connect

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from gateway.store.records import Event
    from gateway.store.spool import Spool

DAY_US = 86_400_000_000


def aged(days: float, suffix: str) -> list[Event]:
    """One of everything, `days` old."""
    created_us = int(time.time() * 1e6 - days * DAY_US)
    return [
        msgspec.structs.replace(event, id=event.id + suffix, created_us=created_us)  # type: ignore[type-var]  # all structs
        for event in everything()
    ]


def rows(store: Store) -> dict[str, int]:
    tables = ("inferences", "answers", "findings", "feedback", "retractions", "escalations")
    with store.database.reading() as connection:
        return {name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in tables}


def test_what_is_too_old_is_erased_with_all_its_parts(spool: Spool, store: Store) -> None:
    store.keep(aged(29.9, "-young") + aged(30.1, "-old"))
    assert Retention(store.database, spool, 30).erase() == 5
    assert rows(store) == {
        "inferences": 1,
        "answers": 1,
        "findings": 1,
        "feedback": 2,
        "retractions": 1,
        "escalations": 1,
    }
    assert [one.id for one in store.inferences.newest(9, None, Wanted())] == [inference(1).id + "-young"]
    assert Retention(store.database, spool, 30).erase() == 0


def test_much_is_erased_in_batches(spool: Spool, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention_module, "_BATCH", 3)
    monkeypatch.setattr(retention_module, "_BREATH_SECONDS", 0)
    store.keep([inference(number, created_us=number) for number in range(7)])
    assert Retention(store.database, spool, 1).erase() == 7


async def test_what_the_store_refused_is_erased_too(spool: Spool, store: Store) -> None:
    await spool.append(inference(1))
    await spool.append(inference(2))
    spool.refuse(1, "no")
    spool.refuse(2, "no")
    with contextlib.closing(connect(spool.path)) as connection:
        connection.execute("UPDATE refused SET spooled_us = 1 WHERE id = ?", (inference(1).id,))
        Retention(store.database, spool, 1).erase()
        assert connection.execute("SELECT id FROM refused").fetchall() == [(inference(2).id,)]


def test_what_was_erased_is_not_left_in_sqlites_file(spool: Spool, tmp_path: Path) -> None:
    path, secret = tmp_path / "store.sqlite", "correct horse battery staple"
    store = Store(f"sqlite:///{path}")
    store.keep([inference(number, created_us=1, request=f'"{secret}"'.encode()) for number in range(20)])
    Retention(store.database, spool, 1).erase()
    store.close()
    assert secret.encode() not in path.read_bytes()


async def test_it_runs_beside_the_gateway(
    spool: Spool, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that is gone ends nothing: the next round erases."""
    monkeypatch.setattr(retention_module, "_EVERY_SECONDS", 0.01)
    caplog.set_level("INFO")
    store.keep([inference(1, created_us=1)])
    retention = Retention(store.database, spool, 1)
    erase, failures = retention.erase, iter([StoreGone("not there")])

    def first_gone() -> int:
        for failure in failures:
            raise failure
        return erase()

    monkeypatch.setattr(retention, "erase", first_gone)
    running = asyncio.create_task(retention.run())
    async with asyncio.timeout(10):
        while rows(store)["inferences"]:  # noqa: ASYNC110 - what is waited for is in another thread
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    running.cancel()
    assert "could not be erased" in caplog.text
    assert "erased 1 records" in caplog.text
