"""The program inside the namespaces: runs one text after another in real bash and answers what was called with what.

It is started by `sandbox.py` and imports nothing but the standard library, so that a fork of it is cheap. A line of
JSON `{"text", "fails"}` comes in, a line `{"calls", "status", "error", "timed_out"}` goes out; texts are latin-1 of
their bytes.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import namespaces
import root

SECONDS = 3.0  # for a text and all that it leaves running
CPU_SECONDS = 2
_LINGER = 0.15
_ROW, _ERRORS = "/run/row", "/run/errors"
_ANSWER = 3


def main() -> None:
    """Builds the root, goes into it, and serves until its input ends."""
    sys.dont_write_bytecode = True
    answers = os.dup2(1, 10)
    where = Path(sys.argv[1])
    try:
        namespaces.enter()
    except OSError as refused:
        os.write(answers, json.dumps({"refused": str(refused)}).encode() + b"\n")
        return
    child = os.fork()
    if child:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    namespaces.memory(str(where), "64m")
    root.build(where)
    for device in root.DEVICES:
        namespaces.bind(f"/dev/{device}", f"{where}/dev/{device}")
    namespaces.pivot(str(where))
    namespaces.seal()
    os.write(answers, b'{"ready": true}\n')
    for line in sys.stdin:
        os.write(answers, json.dumps(run(json.loads(line))).encode() + b"\n")


def run(row: dict[str, Any]) -> dict[str, Any]:
    """One text in a root of its own, seen from outside."""
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(source)
        namespaces.unshare(namespaces.NEW_MOUNTS | namespaces.NEW_PIDS)
        inner = os.fork()
        if inner == 0:
            _first(row, sink)
        os.close(sink)
        os.waitpid(inner, 0)
        os._exit(0)
    os.close(sink)
    with os.fdopen(source, "rb") as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else {"calls": [], "status": -1, "error": "died", "timed_out": True}


def _first(row: dict[str, Any], sink: int) -> None:
    """The first process of a text's own namespace; all others die with it."""
    namespaces.processes("/proc")
    for folder, size in {"/home/user": "4m", "/tmp": "4m", "/var/tmp": "1m", "/run": "8m"}.items():
        namespaces.memory(folder, size, "1777")
    for folder in ("/run/calls", "/run/names"):
        Path(folder).mkdir()
        Path(folder).chmod(0o1777)
    Path(_ROW).write_bytes(row["text"].encode("latin-1"))
    Path("/run/fails").write_text("1\n" if row["fails"] else "0\n", "ascii")
    root.add_stubs(root.names(row["text"]), Path("/run/names"))
    bash = os.fork()
    if bash == 0:
        os.close(sink)
        _bash()
    status, late = _watched(bash)
    calls: list[list[str]] = []
    for file in sorted(Path("/run/calls").iterdir()):
        calls += _calls(file.read_bytes())
    error = Path(_ERRORS).read_bytes()[:400].decode("latin-1")
    answer = {"calls": calls, "status": status, "error": error, "timed_out": late}
    with os.fdopen(sink, "wb") as out:
        out.write(json.dumps(answer).encode())
    os._exit(0)


def _bash() -> None:
    errors = os.open(_ERRORS, os.O_WRONLY | os.O_CREAT, 0o666)
    nothing = os.open("/dev/null", os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.dup2(errors, 2)
    os.closerange(3, 256)
    os.setsid()
    os.chdir(root.HOME)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    namespaces.confine(CPU_SECONDS, 512, 1 << 30, 4 << 20)
    os.execve("/real/bash", ["bash", "-O", "expand_aliases", _ROW], root.ENVIRONMENT)


def _watched(bash: int) -> tuple[int, bool]:
    """Waits for bash, and a moment for what it leaves running: its status, and whether time ran out."""
    until = time.monotonic() + SECONDS
    status = None
    nap = 0.0005
    while time.monotonic() < until:
        try:
            pid, given = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status if status is not None else -1, False
        if pid == bash:
            status = os.waitstatus_to_exitcode(given)
            until = min(until, time.monotonic() + _LINGER)
        if pid == 0:
            time.sleep(nap)
            nap = min(nap * 1.5, 0.01)
    return status if status is not None else -1, status is None


def _calls(record: bytes) -> list[list[str]]:
    fields = record.split(b"\0")[:-1]
    calls, at = [], 0
    while at < len(fields) and fields[at].isdigit():
        count = int(fields[at]) + 2
        calls.append([field.decode("latin-1") for field in fields[at + 1 : at + count]])
        at += count
    return calls


if __name__ == "__main__":
    main()
