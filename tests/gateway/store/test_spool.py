"""The spool: what is acknowledged is on disk, once; what failed is acknowledged to nobody."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from samples import escalation, feedback, inference, retraction

from gateway.store import spool as spool_module
from gateway.store.errors import StoreGone
from gateway.store.pending import Pending
from gateway.store.records import Escalation, Event, Feedback
from gateway.store.spool import Spool, SpoolFailed
from gateway.store.spool_file import connect

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]


def kept(home: Path) -> list[str]:
    """Ids in the spool files under `home`, in order."""
    ids: list[str] = []
    for path in (home / "spool").glob("*.sqlite"):
        connection = connect(path)
        ids += [row[0] for row in connection.execute("SELECT id FROM events ORDER BY seq")]
        connection.close()
    return ids


async def test_what_is_appended_is_kept_and_found(spool: Spool) -> None:
    events = [inference(1), feedback(1, about=1), retraction(1), escalation(1, about=1)]
    for event in events:
        await spool.append(event)
        assert spool.find(event.id) is not None
    assert spool.pending.about(inference(1).id) == [events[0], events[1], events[3]]
    assert spool.pending.newest(Escalation, 5, lambda _: True) == [events[3]]
    assert spool.pending.retractions() == {(feedback(1).id, "default")}
    assert spool.find("chatcmpl-x") is None
    assert spool.depth()[0] == 4


async def test_events_appended_together_are_committed_together(spool: Spool, tmp_path: Path) -> None:
    await spool.append(inference(1), escalation(1, about=1))
    assert kept(tmp_path) == [inference(1).id, escalation(1).id]


async def test_concurrent_appends_of_every_kind_are_all_kept(spool: Spool, tmp_path: Path) -> None:
    events = [make(number) for number in range(200) for make in (inference, feedback, escalation)]
    await asyncio.gather(*(spool.append(event) for event in events))
    assert sorted(kept(tmp_path)) == sorted(event.id for event in events)
    assert spool.depth()[0] == 600


@pytest.mark.parametrize("make", [inference, feedback])
async def test_a_flood_in_one_turn_of_the_loop_is_kept(spool: Spool, make: Callable[[int], Event]) -> None:
    await asyncio.gather(*(spool.append(make(number)) for number in range(8000)))
    assert spool.depth()[0] == 8000


async def test_an_append_returns_only_after_the_commit(spool: Spool, tmp_path: Path) -> None:
    """Another connection sees the row as soon as the append has returned, by either path."""
    for number in range(50):
        event = inference(number) if number % 2 else feedback(number)
        await spool.append(event)
        assert kept(tmp_path)[-1] == event.id


async def test_while_the_writer_is_busy_inferences_wait_their_turn_off_the_loop(spool: Spool, tmp_path: Path) -> None:
    with spool._committing:
        waiting = asyncio.create_task(spool.append(inference(1)))
        await asyncio.sleep(0.02)
        assert not waiting.done()
        assert kept(tmp_path) == []
    await waiting
    assert kept(tmp_path) == [inference(1).id]


async def test_a_slow_disk_is_left_to_the_writer_thread(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "_SLOW_SECONDS", -1.0)
    await spool.append(inference(1))
    threads: list[str] = []
    commit = spool._commit
    monkeypatch.setattr(
        spool, "_commit", lambda group: (threads.append(threading.current_thread().name), commit(group))[1]
    )
    await spool.append(inference(2))
    assert threads == ["spool"]


async def test_a_cancelled_caller_disturbs_nobody(spool: Spool, tmp_path: Path) -> None:
    tasks = [asyncio.create_task(spool.append(feedback(number))) for number in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    assert [error for error in await asyncio.gather(*tasks, return_exceptions=True) if error] != []
    await spool.append(feedback(9))
    assert kept(tmp_path) == [feedback(number).id for number in (0, 1, 2, 9)]
    assert spool._queued_bytes == 0


@pytest.mark.parametrize("make", [inference, feedback])
async def test_a_full_disk_fails_every_waiter_and_later_heals(spool: Spool, make: Callable[[int], Event]) -> None:
    await spool.append(make(0))
    (pages,) = spool._cursor.execute("PRAGMA page_count").fetchone()
    spool._cursor.execute(f"PRAGMA max_page_count={pages + 1}")
    big = [msgspec.structs.replace(make(number), user="x" * 50_000) for number in range(1, 4)]
    results = await asyncio.gather(*(spool.append(event) for event in big), return_exceptions=True)
    assert [type(result) for result in results] == [SpoolFailed] * 3
    assert "full" in str(results[0])
    spool._cursor.execute("PRAGMA max_page_count=1000000")
    await spool.append(big[0])
    assert spool.depth()[0] == 2
    assert spool.find(big[1].id) is None


async def test_more_than_may_wait_is_refused(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "_QUEUED_BYTES", 10)
    first = asyncio.create_task(spool.append(feedback(1)))
    await asyncio.sleep(0)
    with pytest.raises(SpoolFailed, match="too slow"):
        await spool.append(feedback(2))
    await first


async def test_text_that_is_no_unicode_is_refused(spool: Spool) -> None:
    with pytest.raises(SpoolFailed, match="surrogates"):
        await spool.append(feedback(1, text="\ud800"))
    assert spool.depth() == (0, None)


async def test_a_closed_spool_refuses(spool: Spool) -> None:
    spool.close()
    for event in (inference(1), feedback(1)):
        with pytest.raises(SpoolFailed, match="closed"):
            await spool.append(event)
    with pytest.raises(SpoolFailed):
        spool.forget(1)
    spool.close()


async def test_closing_commits_what_waits(spool: Spool, tmp_path: Path) -> None:
    waiting = asyncio.gather(*(spool.append(feedback(number)) for number in range(10)))
    await asyncio.sleep(0)  # they are appended
    await asyncio.sleep(0)  # and handed to the writer
    await asyncio.to_thread(spool.close)
    await waiting
    assert len(kept(tmp_path)) == 10


async def test_depth_follows_what_is_forgotten_and_refused(spool: Spool) -> None:
    began = time.time_ns() // 1000
    for number in range(5):
        await spool.append(feedback(number))
    records, oldest = spool.depth()
    assert records == 5
    assert oldest is not None
    assert began <= oldest <= time.time_ns() // 1000
    spool.forget(2)
    assert spool.depth()[0] == 3
    later = spool.depth()[1]
    assert later is not None
    assert later > oldest
    spool.refuse(3, "not wanted")
    assert spool.depth()[0] == 2
    spool.forget(9)
    assert spool.depth() == (0, None)


async def test_what_the_store_refused_is_offered_again_at_the_next_start(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path)
    await spool.append(feedback(1))
    spool.refuse(1, "not wanted")
    assert spool.depth() == (0, None)
    spool.close()
    again = Spool.open(tmp_path)
    assert again.depth()[0] == 1
    assert again.find(feedback(1).id) == feedback(1)
    again.close()


async def test_the_log_is_emptied_when_it_has_grown(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    await spool.append(inference(1))
    spool.checkpoint()
    assert spool._logged_bytes > 0
    monkeypatch.setattr(spool_module, "_LOG_BYTES", 1)
    spool.checkpoint()
    assert spool._logged_bytes == 0
    with sqlite3.connect(f"{spool.path.as_uri()}?immutable=1", uri=True) as without_log:
        assert without_log.execute("SELECT count(*) FROM events").fetchone() == (1,)
    without_log.close()


async def test_an_orphans_events_are_taken_over(tmp_path: Path) -> None:
    """Of two gateways that ended, the next one takes both files over and leaves one."""
    one, other = Spool.open(tmp_path), Spool.open(tmp_path)
    assert one.path != other.path
    await one.append(feedback(1))
    await other.append(feedback(2))
    both = Pending(tmp_path / "spool").newest(Feedback, 9, lambda _: True)
    assert [event.id for event in both] == [feedback(2).id, feedback(1).id]
    one.close()
    other.close()
    next_one = Spool.open(tmp_path)
    assert sorted(kept(tmp_path)) == [feedback(1).id, feedback(2).id]
    assert next_one.depth()[0] == 2
    assert len(list((tmp_path / "spool").glob("*.sqlite"))) == 1
    assert len(list((tmp_path / "spool").glob("*.lock"))) == 1
    next_one.close()


async def test_a_running_gateways_file_is_left_alone(spool: Spool, tmp_path: Path) -> None:
    await spool.append(feedback(1))
    other = Spool.open(tmp_path)
    assert other.path != spool.path
    assert other.depth()[0] == 0
    other.close()


@pytest.mark.parametrize("others", [0, 1])
async def test_a_damaged_file_is_put_aside_and_the_gateway_starts(tmp_path: Path, others: int) -> None:
    for _ in range(others):
        Spool.open(tmp_path).close()
    damaged = tmp_path / "spool" / "zz.sqlite"
    damaged.parent.mkdir(exist_ok=True)
    damaged.write_bytes(b"no database at all" * 1000)
    spool = Spool.open(tmp_path)
    await spool.append(feedback(1))
    assert damaged.with_suffix(".damaged").exists()
    spool.close()


async def test_an_orphan_that_cannot_be_taken_over_now_is_left_for_later(tmp_path: Path) -> None:
    one, other = Spool.open(tmp_path), Spool.open(tmp_path)
    await one.append(feedback(1))
    await other.append(feedback(2))
    one.close()
    other.close()
    busy = connect(max(one.path, other.path))
    busy.execute("BEGIN EXCLUSIVE")
    patience = pytest.MonkeyPatch()
    patience.setattr("gateway.store.spool_file._BUSY_SECONDS", 0.05)
    third = Spool.open(tmp_path)
    assert third.depth()[0] == 1
    patience.undo()
    third.close()
    busy.close()
    assert sorted(kept(tmp_path)) == [feedback(1).id, feedback(2).id]


async def test_a_file_taken_over_between_listing_and_reading_is_no_error(spool: Spool, tmp_path: Path) -> None:
    (tmp_path / "spool" / "aa.sqlite").symlink_to("gone")
    await spool.append(feedback(1))
    assert spool.find(feedback(1).id) == feedback(1)


def test_a_file_that_cannot_be_read_is_an_error(spool: Spool, tmp_path: Path) -> None:
    (tmp_path / "spool" / "aa.sqlite").mkdir()
    with pytest.raises(StoreGone, match=r"aa\.sqlite"):
        spool.find(feedback(1).id)


def test_the_files_are_for_their_owner_only(spool: Spool) -> None:
    for path in spool.path.parent.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file, no folder")
    with pytest.raises(SpoolFailed, match="must be able to write there"):
        Spool.open(tmp_path)


def program(tmp_path: Path, body: str) -> list[str]:
    """A command that runs `body` with an open spool."""
    source = f"""
import asyncio, os, sys
from pathlib import Path
sys.path.insert(0, {str(ROOT / "tests")!r})
from gateway.store.spool import Spool
from samples import feedback, inference

async def main():
    spool = Spool.open(Path({str(tmp_path)!r}))
    {body}
asyncio.run(main())
"""
    return [sys.executable, "-c", source]


def test_feedback_is_synced_before_it_is_acknowledged(tmp_path: Path) -> None:
    """A kill cannot show it: the order of system calls does. An inference is committed without a sync."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    body = """
    await spool.append(inference(1)); os.write(1, b"INFERENCE\\n")
    await spool.append(feedback(1)); os.write(1, b"FEEDBACK\\n")
    await spool.append(inference(2)); os.write(1, b"INFERENCE\\n")
    """
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-y", "-o", str(trace), "-e", "trace=fsync,fdatasync,write,pwrite64"]
    subprocess.run([*command, *program(tmp_path, body)], check=True, timeout=60, cwd=ROOT, stdout=subprocess.DEVNULL)
    lines = trace.read_text().splitlines()
    acknowledged = [index for index, line in enumerate(lines) if 'INFERENCE\\n"' in line or 'FEEDBACK\\n"' in line]
    synced = [index for index, line in enumerate(lines) if "sync(" in line and "-wal>" in line]
    written = [index for index, line in enumerate(lines) if "pwrite64(" in line and "-wal>" in line]
    first, second, third = acknowledged
    assert [index for index in synced if first < index < second]
    assert max(index for index in written if index < second) < max(index for index in synced if index < second)
    assert not [index for index in synced if second < index < third]


@pytest.mark.parametrize("seconds", [0.05, 0.15, 0.3])
def test_kill_loses_nothing_that_was_acknowledged(tmp_path: Path, seconds: float) -> None:
    body = """
    async def forever(start):
        for number in range(start, start + 10**6):
            event = inference(number) if number % 2 else feedback(number)
            await spool.append(event)
            os.write(1, event.id.encode() + b"\\n")
    await asyncio.gather(*(forever(start * 10**6) for start in range(8)))
    """
    process = subprocess.Popen(program(tmp_path, body), stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    acknowledged = process.stdout.readline()
    os.set_blocking(process.stdout.fileno(), True)
    reader = threading.Timer(seconds, process.kill)
    reader.start()
    acknowledged += process.stdout.read()
    process.wait(10)
    process.stdout.close()
    again = Spool.open(tmp_path)
    ids = kept(tmp_path)
    assert set(acknowledged.decode().splitlines()) <= set(ids)
    assert len(ids) == len(set(ids)) == again.depth()[0]
    again.close()
