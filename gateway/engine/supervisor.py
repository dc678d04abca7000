"""Starts one vLLM and lets nothing of it outlive the gateway.

A program of its own, standard library only, in a session of its own, started as
`python -I -S supervisor.py GRACE COMMAND…`. A gateway killed with -9 can clean up nothing, and vLLM's engine outlives
its API server, whose death no parent-death signal carries on; so somebody must stay who sees both.

Standard input is the lifeline, a pipe whose other end only the gateway holds. A line `stop` asks vLLM to end within
GRACE seconds. End of file says that the gateway is gone, however it went: everything is killed at once.
Standard output tells the gateway, one JSON object a line: `{"event": "started", "pid"}`, then
`{"event": "ended", "reason"}`. Standard error is vLLM's log.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
TITLE = b"VLLM::"  # how vLLM's engine and workers name themselves
LOOK = 0.5  # seconds between two looks for new processes of vLLM
LAST_WORDS = 0.5  # seconds the API server gets to end by itself after its engine died
CLEANED = 4.0  # seconds until a process that does not die of SIGKILL (a stuck device) is left to the kernel
DEAD = frozenset("ZXx")
IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Process(NamedTuple):
    """One line of /proc; `started` in clock ticks since boot."""

    pid: int
    parent: int
    group: int
    session: int
    started: int


def processes() -> list[Process]:
    """Every process that is alive and may be seen; zombies are not."""
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208  # a Path for each process would triple the cost of a look
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123  # likewise
                line = file.read()
        except OSError:
            continue  # it ended while we looked
        fields = line[line.rindex(b")") + 2 :].split()
        if fields[0].decode() not in DEAD:
            found.append(Process(int(name), int(fields[1]), int(fields[2]), int(fields[3]), int(fields[19])))
    return found


def descendants(root: int) -> list[int]:
    """Processes below `root`, whatever group or session they moved to."""
    children: dict[int, list[int]] = {}
    for process in processes():
        children.setdefault(process.parent, []).append(process.pid)
    found: list[int] = []
    todo = list(children.get(root, ()))
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, ())
    return found


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")


class Supervisor:
    """The program's state: the API server it started and the engine processes it has seen."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._api = 0
        self._status: int | None = None
        self._engines: dict[int, int] = {}  # pidfd → pid
        self._seen: set[int] = set()
        self._poll = select.poll()

    def run(self, command: list[str]) -> None:
        """Start `command` and stay until it, its engine or the gateway has ended and nothing is left."""
        _prctl(PR_SET_CHILD_SUBREAPER, 1)  # a descendant that loses its parent becomes our child, and is found
        for number in IGNORED:
            signal.signal(number, signal.SIG_IGN)  # who ends a whole control group wants the gateway to drain first
        try:
            self._start(command)
            self._tell(event="started", pid=self._api)
            reason = self._watch()
        except OSError as error:
            reason = f"it could not be started: {error}"
        self._kill_all()
        self._tell(event="ended", reason=reason)
        self._wait_until_gone()

    def _start(self, command: list[str]) -> None:
        def in_child() -> None:
            for number in IGNORED:
                signal.signal(number, signal.SIG_DFL)
            _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # should we be killed, the API server goes with us

        # Between fork and exec this single-threaded program may run Python.
        child = subprocess.Popen(  # noqa: S603  # the gateway's own command line
            command,
            stdin=subprocess.DEVNULL,
            stdout=2,
            stderr=2,
            process_group=0,
            preexec_fn=in_child,  # noqa: PLW1509
        )
        self._api = child.pid
        child.returncode = 0  # waited for here, as one of many: let subprocess forget it
        self._poll.register(0, select.POLLIN | select.POLLHUP)
        self._poll.register(os.pidfd_open(self._api), select.POLLIN)

    def _watch(self) -> str:
        """Why it is over, in words."""
        stop_at: float | None = None
        while True:
            self._look()
            wait = LOOK if stop_at is None else max(0.0, min(LOOK, stop_at - time.monotonic()))
            ready = {descriptor for descriptor, _ in self._poll.poll(wait * 1000)}
            self._reap()
            if 0 in ready:
                if b"stop" not in os.read(0, 64):
                    return "the gateway is gone"
                stop_at = time.monotonic() + self._grace
                kill(self._api, signal.SIGTERM)
            if self._status is not None:
                return self._ended("its API server", self._status) if stop_at is None else "it was stopped"
            gone = self._forget(ready)
            if stop_at is not None:
                if time.monotonic() >= stop_at:
                    return "it was stopped, after its time was up"
            elif gone:
                self._hear_last_words()
                return f"its engine (process {gone[0]}) ended"

    def _look(self) -> None:
        """Watch engine processes that have appeared: the kernel tells of their end at once."""
        for pid in descendants(os.getpid()):
            if pid in self._seen:
                continue
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(TITLE):
                    descriptor = os.pidfd_open(pid)
                    self._seen.add(pid)
                    self._engines[descriptor] = pid
                    self._poll.register(descriptor, select.POLLIN)

    def _forget(self, ready: set[int]) -> list[int]:
        """The engine processes that have ended; they are watched no more."""
        gone = []
        for descriptor in ready & self._engines.keys():
            self._poll.unregister(descriptor)
            os.close(descriptor)
            gone.append(self._engines.pop(descriptor))
            self._seen.discard(gone[-1])
        return gone

    def _hear_last_words(self) -> None:
        """Let the API server end its streams with an error event and write its log."""
        until = time.monotonic() + LAST_WORDS
        while self._status is None and time.monotonic() < until:
            time.sleep(0.02)
            self._reap()

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._api:
                    self._status = status

    def _kill_all(self) -> None:
        if self._api and self._status is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._api, signal.SIGKILL)
        for pid in descendants(os.getpid()):
            kill(pid)

    def _wait_until_gone(self) -> None:
        """Kill again what was born while it was killed."""
        until = time.monotonic() + CLEANED
        while time.monotonic() < until:
            self._reap()
            left = descendants(os.getpid())
            if not left:
                return
            for pid in left:
                kill(pid)
            time.sleep(0.01)

    @staticmethod
    def _ended(who: str, status: int) -> str:
        if os.WIFSIGNALED(status):
            return f"{who} was killed by {signal.Signals(os.WTERMSIG(status)).name}"
        return f"{who} ended with status {os.waitstatus_to_exitcode(status)}"

    @staticmethod
    def _tell(**event: object) -> None:
        with contextlib.suppress(
            OSError
        ):  # nobody listens: the gateway is gone, and the work is to be done all the same
            os.write(1, json.dumps(event).encode() + b"\n")


if __name__ == "__main__":
    Supervisor(float(sys.argv[1])).run(sys.argv[2:])
