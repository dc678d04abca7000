"""Runs texts in a real bash, in an empty throwaway root, and tells what was called with what."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType


class NoSandbox(Exception):
    """The kernel does not let this user have namespaces of their own."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of one text.

    Attributes:
        calls: Name and arguments of everything that was executed, in no order.
        status: Bash's exit status; -1 where it was stopped.
        error: The beginning of what was written to standard error.
        timed_out: Whether it was stopped.
    """

    calls: tuple[tuple[str, ...], ...]
    status: int
    error: str
    timed_out: bool


class Sandbox:
    """One root, kept for many texts; each gets a home, processes and temporary files of its own.

    Raises:
        NoSandbox: see there.
    """

    def __init__(self) -> None:
        self._where = Path(tempfile.mkdtemp(prefix="oracle-"))  # where only the sandbox itself sees its root
        program = [sys.executable, "-I", "-S", "-B", str(Path(__file__).with_name("server.py")), str(self._where)]
        self._server = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={})
        ready = self._answer()
        if "refused" in ready:
            self.close()
            raise NoSandbox(ready["refused"])

    def run(self, text: str, *, fails: bool) -> Ran:
        """Runs `text` as a script, with stubs that succeed and print or that fail and print nothing."""
        raw = text.encode("utf-8", "replace").replace(b"\0", b"").decode("latin-1")
        question = json.dumps({"text": raw, "fails": fails}).encode() + b"\n"
        assert self._server.stdin is not None
        self._server.stdin.write(question)
        self._server.stdin.flush()
        row = self._answer()
        calls = tuple(tuple(w.encode("latin-1").decode("utf-8", "replace") for w in call) for call in row["calls"])
        return Ran(calls, row["status"], row["error"], row["timed_out"])

    def _answer(self) -> dict[str, Any]:
        assert self._server.stdout is not None
        line = self._server.stdout.readline()
        if not line:
            raise NoSandbox("the sandbox ended by itself")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Ends it; nothing is left behind."""
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait()
        assert self._server.stdout is not None
        self._server.stdout.close()
        self._where.rmdir()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
