"""The vLLM that belongs to this gateway: started, watched, started again, stopped.

The work is split with `supervisor.py`, which outlives us: it starts one vLLM and cleans up after it; here is decided
when the next one starts. Should somebody kill the supervisor, we kill what it leaves behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

from gateway.engine import supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FIRST_DELAY = 1.0  # seconds before the first restart; doubled with each further one
LONGEST_DELAY = 30.0
STEADY = 60.0  # seconds in good health after which a death counts as the first again
CLEANED = 5.0  # seconds until what does not die of SIGKILL is left to the kernel
KEPT_LOGS = 5
MISCALLED = "its API server ended with status 2"  # argparse's, in the supervisor's words
TAIL = 4096  # bytes of the log that are searched for vLLM's last words
log = structlog.get_logger("wardgate.engine")


class _Event(msgspec.Struct):
    event: str
    pid: int = 0
    reason: str = ""


class _Mark(msgspec.Struct):
    """What a later gateway must know to clean up after a day on which everything was killed."""

    session: int
    started: int  # the supervisor's start, clock ticks since boot
    boot: str


_read_event = msgspec.json.Decoder(_Event).decode
_read_mark = msgspec.json.Decoder(_Mark).decode


class LocalEngine:
    """One supervised vLLM.

    Args:
        command: How to start it.
        environment: Its whole environment.
        home: `WARDGATE_HOME`; its log becomes `logs/vllm.log`, rotated at each start.
        on_end: Told at once when vLLM has ended unasked, with the reason in words.
        grace: Seconds it gets to end by itself when stopped.

    Attributes:
        phase: What it is doing while it cannot be reached, in words; None once it was seen well.
        starts: How often it was started.
        refused: Set where its first life ended at its command line; it is not started again.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        home: Path,
        *,
        on_end: Callable[[str], None],
        grace: float = 10.0,
    ) -> None:
        self.phase: str | None = "vLLM is about to start"
        self.starts = 0
        self.refused = asyncio.Event()
        self._command = tuple(command)
        self._environment = dict(environment)
        self._log = home / "logs" / "vllm.log"
        self._mark = home / "engine.json"
        self._on_end = on_end
        self._grace = grace
        self._lifeline = -1
        self._well_since: float | None = None
        self._stopping = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to keep vLLM running; what an earlier gateway may have left is killed first. Returns at once after."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        await clear(self._mark)
        self._keeper = asyncio.create_task(self._keep())

    def well(self) -> None:
        """It was seen answering."""
        self.phase = None
        if self._well_since is None:
            self._well_since = time.monotonic()

    async def stop(self) -> None:
        """Ask it to end, kill it where it does not, and return when nothing of it is left."""
        self._stopping.set()
        self.phase = "vLLM is being stopped"
        if self._lifeline >= 0:
            with contextlib.suppress(OSError):
                os.write(self._lifeline, b"stop\n")
        if self._keeper is not None:
            await self._keeper

    async def _keep(self) -> None:
        delay = FIRST_DELAY
        while True:
            reason = await self._run()
            if self._stopping.is_set():
                return
            if self.starts == 1 and self._well_since is None and MISCALLED in reason:
                self.phase = f"vLLM refuses its arguments ({reason})"
                self.refused.set()
                return
            if self._well_since is not None and time.monotonic() - self._well_since >= STEADY:
                delay = FIRST_DELAY
            self._well_since = None
            self.phase = f"vLLM ended ({reason}) and is started again in {delay:.0f} s; its log is {self._log}"
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._stopping.wait()
                return
            delay = min(2 * delay, LONGEST_DELAY)

    async def _run(self) -> str:
        """One life of vLLM; why it ended."""
        self.starts += 1
        self.phase = f"vLLM is starting (its log is {self._log})"
        rotate(self._log)
        with self._log.open("ab") as output:
            # A fork of the gateway takes milliseconds, and there is nobody to serve while it lasts.
            process = subprocess.Popen(  # noqa: S603, ASYNC220
                [sys.executable, "-I", "-S", supervisor.__file__, str(self._grace), *self._command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=self._environment,
                start_new_session=True,
            )
        assert process.stdin is not None  # noqa: S101  # both are pipes, as asked for above
        self._lifeline = process.stdin.fileno()
        try:
            self._leave_mark(process.pid)
            return await self._listen(process)
        finally:
            # Reached by cancellation too: closing the lifeline has everything killed.
            self._lifeline = -1
            process.stdin.close()
            await asyncio.shield(_end(process))
            _forget(self._mark)

    async def _listen(self, process: subprocess.Popen[bytes]) -> str:
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), process.stdout)
        reason = ""
        try:
            async for line in reader:
                event = _read_event(line)
                if event.event == "started":
                    log.info("vLLM starts", process=event.pid, start=self.starts, log=str(self._log))
                else:
                    reason = self._noted(event.reason)
        finally:
            transport.close()
        return reason or self._noted("its supervisor was killed")

    def _noted(self, reason: str) -> str:
        if not self._stopping.is_set():
            words = last_words(self._log)
            reason = f"{reason}: {words}" if words and self._well_since is None else reason
            log.error("vLLM ended", reason=reason)
            self.phase = f"vLLM ended ({reason}); what it left is being cleared away"
            self._on_end(f"vLLM ended ({reason})")
        return reason

    def _leave_mark(self, pid: int) -> None:
        started = next((found.started for found in supervisor.processes() if found.pid == pid), 0)
        mark = _Mark(session=pid, started=started, boot=_boot())
        draft = self._mark.with_suffix(".tmp")
        draft.write_bytes(msgspec.json.encode(mark))
        draft.replace(self._mark)


async def clear(mark: Path) -> None:
    """Kill what an earlier gateway's vLLM left behind, should its supervisor have been killed as well."""
    left = _left_by(mark)
    if left is not None:
        await _kill_session(left)
    _forget(mark)


def _left_by(mark: Path) -> int | None:
    """The session that an earlier gateway named, where it can still be the same one."""
    try:
        left = _read_mark(mark.read_bytes())
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    leader = next((found for found in supervisor.processes() if found.pid == left.session), None)
    # A number stays taken as long as its session has members; with another leader it is somebody else's by now.
    same = left.boot == _boot() and (leader is None or leader.started == left.started)
    return left.session if same else None


def _forget(mark: Path) -> None:
    mark.unlink(missing_ok=True)


async def _end(process: subprocess.Popen[bytes]) -> None:
    """Return when neither the supervisor nor anything of its session is left."""
    # While it lives it cleans up, and knows the descendants that left the session too.
    descriptor = os.pidfd_open(process.pid)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLEANED):
            await ended.wait()
    loop.remove_reader(descriptor)
    os.close(descriptor)
    # Not waited for yet, so that its number, the session's name, cannot have become somebody else's.
    await _kill_session(process.pid)
    process.poll()


async def _kill_session(session: int) -> None:
    until = time.monotonic() + CLEANED
    while time.monotonic() < until:
        left = [found.pid for found in supervisor.processes() if session in (found.session, found.pid)]
        if not left:
            return
        for pid in left:
            supervisor.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.01)


def rotate(path: Path) -> None:
    """Make room for a new log: `vllm.log` becomes `vllm.log.1`, and so on; the oldest goes."""
    for number in range(KEPT_LOGS - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    if path.exists():
        path.replace(path.with_name(f"{path.name}.1"))


def last_words(path: Path) -> str:
    """The last line of a log that tells of an error, shortened; empty where none does."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    telling = [line.strip() for line in lines if "Error" in line or "error:" in line]
    return telling[-1][:300] if telling else ""


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
