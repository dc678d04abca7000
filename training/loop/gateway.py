"""The gateway that the loop plays against: started as a user starts it, spoken to over HTTP, commanded by the CLI."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

WARDGATE = Path(sys.executable).with_name("wardgate")
READY = 900.0  # seconds for vLLM; one to two minutes where nothing else runs
PATIENCE = aiohttp.ClientTimeout(total=300)
AT_ONCE = 16  # questions in flight: more make vLLM's decoding no faster here


class LoopFailed(Exception):
    """A step of the loop did not do what it must; the message says which and where its words are."""


def run(home: Path, *words: str, log: Path) -> dict[str, Any]:
    """A `wardgate` command with `--json`; its last line. What it says goes to `log`.

    Raises:
        LoopFailed: It did not end well.
    """
    # Two threads that wait for each other by spinning take ten times as long once anything else wants a core.
    environment = os.environ | {"WARDGATE_HOME": str(home), "HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    with log.open("a") as said:
        said.write(f"$ wardgate {' '.join(words)}\n")
        said.flush()
        done = subprocess.run(  # noqa: S603  # our own program and words
            [WARDGATE, *words, "--json"], env=environment, stdout=subprocess.PIPE, stderr=said, text=True, check=False
        )
        said.write(done.stdout)
    if done.returncode:
        last = log.read_text(errors="replace").strip().splitlines()[-1]
        raise LoopFailed(f"`wardgate {' '.join(words)}` ended with {done.returncode}: {last} (all of it: {log})")
    lines = done.stdout.strip().splitlines()
    document: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return document


class Gateway:
    """`wardgate serve` on the loop's own home.

    Attributes:
        url: Where it listens.
    """

    def __init__(self, home: Path, process: subprocess.Popen[bytes], url: str, session: aiohttp.ClientSession) -> None:
        self.home = home
        self.url = url
        self._process = process
        self._session = session
        self._turn = asyncio.Semaphore(AT_ONCE)

    @classmethod
    @contextlib.asynccontextmanager
    async def serving(cls, home: Path, arguments: Sequence[str] = ()) -> AsyncIterator[Self]:
        """The gateway while the block lasts; ended by SIGTERM afterwards.

        Raises:
            LoopFailed: It did not get ready.
        """
        log = home / "serve.log"
        environment = os.environ | {"WARDGATE_HOME": str(home)}
        with log.open("ab") as said:
            process = subprocess.Popen(  # noqa: ASYNC220, S603  # returns at once
                [WARDGATE, "serve", "--port", "0", *arguments], env=environment, stdout=said, stderr=said
            )
        try:
            url, key = await _found(home, process)
            headers = {"Authorization": f"Bearer {key}"}
            async with aiohttp.ClientSession(headers=headers, timeout=PATIENCE) as session:
                gateway = cls(home, process, url, session)
                await gateway._ready()
                yield gateway
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(process.wait)

    async def post(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        """The answer to a POST.

        Raises:
            LoopFailed: It was refused.
        """
        async with self._turn, self._session.post(self.url + path, json=document) as answer:
            body: dict[str, Any] = await answer.json()
            if answer.status >= 300:
                raise LoopFailed(f"POST {path} answered {answer.status}: {body}")
            return body

    async def get(self, path: str) -> dict[str, Any]:
        """The answer to a GET.

        Raises:
            LoopFailed: It was refused.
        """
        async with self._turn, self._session.get(self.url + path) as answer:
            body: dict[str, Any] = await answer.json()
            if answer.status >= 300:
                raise LoopFailed(f"GET {path} answered {answer.status}: {body}")
            return body

    async def stream(self, document: dict[str, Any]) -> list[dict[str, Any]]:
        """Every event of a streamed chat, to its `[DONE]`.

        Raises:
            LoopFailed: It was refused, or ended without.
        """
        events: list[dict[str, Any]] = []
        asked = self._session.post(f"{self.url}/v1/chat/completions", json=document | {"stream": True})
        async with asked as answer:
            async for line in answer.content:
                data = line.strip().removeprefix(b"data: ")
                if data == b"[DONE]":
                    return events
                if data:
                    events.append(json.loads(data))
        raise LoopFailed(f"a stream answered {answer.status} and ended without [DONE]: {events[-1:]}")

    async def _ready(self) -> None:
        began = time.monotonic()
        while time.monotonic() - began < READY and self._process.poll() is None:
            with contextlib.suppress(aiohttp.ClientError):
                async with self._session.get(f"{self.url}/health/ready") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.5)
        raise LoopFailed(f"the gateway did not get ready; its words are in {self.home / 'serve.log'}")


async def _found(home: Path, process: subprocess.Popen[bytes]) -> tuple[str, str]:
    began = time.monotonic()
    while time.monotonic() - began < 60 and process.poll() is None:
        with contextlib.suppress(OSError, ValueError, KeyError):
            about = json.loads((home / "serve.json").read_text())
            if about["pid"] == process.pid:
                return about["url"], (home / "key").read_text().strip()
        await asyncio.sleep(0.1)
    raise LoopFailed(f"the gateway did not start; its words are in {home / 'serve.log'}")
