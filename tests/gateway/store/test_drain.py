"""The drain: nothing lost, nothing doubled, whatever dies and whenever."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from samples import escalation, everything, feedback, inference

from gateway.store import drain as drain_module
from gateway.store.database import Store
from gateway.store.drain import Drain
from gateway.store.errors import StoreGone
from gateway.store.inferences import Wanted
from gateway.store.spool import Spool, SpoolFailed
from gateway.store.spool_file import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.store.records import Event

ROOT = Path(__file__).parents[3]


def kept(store: Store) -> list[str]:
    """Ids of everything in the store."""
    return [
        *(one.id for one in store.inferences.newest(10**6, None, Wanted())),
        *(one.id for one, _ in store.feedback.newest(10**6, None)),
        *(one.id for one in store.escalations.newest(10**6, None)),
    ]


async def fill(spool: Spool, events: Sequence[Event]) -> None:
    await asyncio.gather(*(spool.append(event) for event in events))


async def test_everything_moves_to_the_store(spool: Spool, store: Store) -> None:
    await fill(spool, everything())
    assert Drain(spool, store).empty(10)
    assert spool.depth() == (0, None)
    assert store.feedback.get(feedback(1).id) == (feedback(1, about=1), True)
    assert sorted(kept(store)) == sorted({event.id for event in everything()})


async def test_feedback_before_its_inference_is_fine(spool: Spool, store: Store) -> None:
    drain = Drain(spool, store)
    for event in (feedback(1, about=1), inference(1)):
        await spool.append(event)
        drain.step()
    assert store.feedback.about(inference(1).id) == [(feedback(1, about=1), False)]
    assert store.inferences.get(inference(1).id) is not None


async def test_more_than_a_batch_moves_in_several(spool: Spool, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain_module, "_BATCH", 7)
    await fill(spool, [feedback(number) for number in range(20)])
    drain = Drain(spool, store)
    assert [drain.step(), drain.step(), drain.step(), drain.step()] == [True, True, False, False]
    assert len(kept(store)) == 20


async def test_a_batch_is_bounded_in_bytes(spool: Spool, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain_module, "_BATCH_BYTES", 100)
    await fill(spool, [feedback(number) for number in range(3)])
    assert Drain(spool, store).step()
    assert spool.depth()[0] == 2


async def test_emptying_stops_when_its_time_is_over(
    spool: Spool, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain_module, "_BATCH", 1)
    await fill(spool, [feedback(number) for number in range(5)])
    assert not Drain(spool, store).empty(-1)
    assert spool.depth()[0] == 4


class Killed(BaseException):
    """Stands for a kill at this very place."""


@pytest.mark.parametrize("place", ["before_keep", "after_keep", "after_forget"])
async def test_a_kill_between_any_two_steps_loses_and_doubles_nothing(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    spool = Spool.open(tmp_path)
    await fill(spool, everything())

    def killing(function: Callable[..., None], *, first: bool) -> Callable[..., None]:
        def wrapped(*arguments: object) -> None:
            if not first:
                function(*arguments)
            raise Killed

        return wrapped

    with monkeypatch.context() as patch:
        target, name = (spool, "forget") if place == "after_forget" else (store, "keep")
        patch.setattr(target, name, killing(getattr(target, name), first=place == "before_keep"))
        with pytest.raises(Killed):
            Drain(spool, store).step()
    spool.close()
    again = Spool.open(tmp_path)
    assert Drain(again, store).empty(10)
    assert sorted(kept(store)) == sorted({event.id for event in everything()})
    again.close()


async def test_one_bad_event_is_put_aside_and_holds_up_nobody(
    spool: Spool, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    await fill(spool, [inference(1), inference(2, created_us=2**63), feedback(1)])
    assert Drain(spool, store).empty(10)
    assert sorted(kept(store)) == [inference(1).id, feedback(1).id]
    assert "put aside" in caplog.text
    with contextlib.closing(connect(spool.path)) as connection:
        assert connection.execute("SELECT id FROM refused").fetchall() == [(inference(2).id,)]


@pytest.mark.parametrize("body", [b"\xff", b"\x80", b""])
async def test_what_cannot_be_read_is_put_aside(spool: Spool, store: Store, body: bytes) -> None:
    await fill(spool, [feedback(1), feedback(2), feedback(3)])
    with contextlib.closing(connect(spool.path)) as connection:
        connection.execute("UPDATE events SET body = ? WHERE id = ?", (body, feedback(2).id))
    assert Drain(spool, store).empty(10)
    assert sorted(kept(store)) == [feedback(1).id, feedback(3).id]


async def test_a_spool_that_cannot_be_read_is_an_error(spool: Spool, store: Store) -> None:
    await fill(spool, [feedback(1)])
    spool.path.unlink()
    with pytest.raises(SpoolFailed):
        Drain(spool, store).step()


async def test_it_runs_beside_the_gateway_and_waits_out_a_store_that_is_gone(
    spool: Spool, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The gateway goes on acknowledging meanwhile."""
    monkeypatch.setattr(drain_module, "_PAUSE_SECONDS", 0.005)
    keep, gone = store.keep, True

    def sometimes(events: Sequence[Event]) -> None:
        if gone:
            raise StoreGone("not there")
        keep(events)

    monkeypatch.setattr(store, "keep", sometimes)
    running = asyncio.create_task(Drain(spool, store).run())
    for number in range(5):
        await spool.append(feedback(number))
        await asyncio.sleep(0.01)
    assert spool.depth()[0] == 5
    assert kept(store) == []
    gone = False
    await until(lambda: spool.depth()[0] == 0)
    await fill(spool, [escalation(1)])
    await until(lambda: spool.depth()[0] == 0)
    running.cancel()
    assert len(kept(store)) == 6
    assert caplog.text.count("cannot be written") == 1
    assert caplog.text.count("can be written again") == 1


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - what is waited for is in another thread
            await asyncio.sleep(0.01)


async def test_a_postgres_that_restarts_is_waited_for(
    spool: Spool, postgres: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from postgres import Server  # noqa: PLC0415 - the fixture of the same name

    assert isinstance(postgres, Server)
    store = Store(postgres.url())
    drain = Drain(spool, store)
    await fill(spool, [feedback(1)])
    postgres.stop()
    try:
        with pytest.raises(StoreGone):
            drain.step()
    finally:
        postgres.start()
    assert drain.empty(20)
    assert kept(store) == [feedback(1).id]
    store.close()


KILLED = """
import asyncio, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from gateway.store import drain as d
from gateway.store.database import Store
from gateway.store.spool import Spool
from samples import escalation, feedback, inference
d._PAUSE_SECONDS = 0.001

async def main():
    spool, store, start = Spool.open(Path(sys.argv[2])), Store(sys.argv[3]), int(sys.argv[4])
    running = asyncio.create_task(d.Drain(spool, store).run())
    async def forever(first):
        for number in range(first, first + 10**5):
            for event in (inference(number), feedback(number, about=number), escalation(number, about=number)):
                await spool.append(event)
                os.write(1, event.id.encode() + b"\\n")
    await asyncio.gather(*(forever(start + k * 10**5) for k in range(4)), running)
asyncio.run(main())
"""


def test_kills_at_random_moments_lose_and_double_nothing(tmp_path: Path, url: str) -> None:
    """Two gateways in a row, each killed while it takes and drains; the next takes the spool over."""
    Store(url).close()
    acknowledged: list[str] = []
    for life in range(2):
        command = [sys.executable, "-c", KILLED, str(ROOT / "tests"), str(tmp_path), url, str(life * 10**6)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(random.uniform(0.01, 0.3))
        os.kill(process.pid, signal.SIGKILL)
        acknowledged += (first + process.stdout.read()).decode().split()
        process.wait(10)
        process.stdout.close()
    store, spool = Store(url), Spool.open(tmp_path)
    assert Drain(spool, store).empty(60)
    ids = kept(store)
    assert len(ids) == len(set(ids))
    assert set(acknowledged) <= set(ids)
    assert len(acknowledged) > 3
    with store.database.reading() as connection:
        answers = connection.exec_driver_sql("SELECT count(*), count(DISTINCT inference_id) FROM answers").one()
        assert answers[0] == answers[1] == len([one for one in ids if one.startswith("chatcmpl-")])
    spool.close()
    store.close()


def test_an_older_gateways_events_are_still_read(spool: Spool, store: Store) -> None:
    """A field that a later version added has its default; what is spooled survives an upgrade."""
    body = (
        b"\x87\xa4type\xa8feedback\xa2id\xa4fb-1\xaacreated_us\x01\xacinference_id\xa1c\xa4kind\xa6thumbs"
        b"\xa7project\xa1p\xa5value\x01"
    )
    with contextlib.closing(sqlite3.connect(spool.path, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO events (id, about, kind, spooled_us, body) VALUES ('fb-1', 'c', 'feedback', 1, ?)", (body,)
        )
    Drain(spool, store).step()
    assert kept(store) == ["fb-1"]
