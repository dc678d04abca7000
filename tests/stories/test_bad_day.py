"""Story 3, the bad day: everything is killed with -9, at random moments and under load.

Nothing acknowledged is lost or doubled, no stream ends in silence, and no process is left behind.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from serving import Served, count_start, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.vllm

CHATS = 4
SEED = 20261122


class Client(threading.Thread):
    """An application that chats and sends feedback until told to stop; it writes down what it was promised."""

    def __init__(self, gateway: Served, number: int) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self.gateway = gateway
        self.number = number
        self.stopping = threading.Event()
        self.completed: list[str] = []
        self.acknowledged: list[tuple[str, str]] = []
        self.refused: list[tuple[int, dict[str, str]]] = []
        self.broken_with_event = 0
        self.broken_without_done = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        round_ = 0
        while not self.stopping.is_set():
            round_ += 1
            try:
                self._chat(streamed=round_ % 2 == 0)
            except OSError:
                self.broken_without_done += 1
                time.sleep(0.2)

    def _chat(self, *, streamed: bool) -> None:
        body = {
            "model": "default",
            "messages": [{"role": "user", "content": f"Say a few words about the number {self.number}."}],
            "max_tokens": 24,
            "stream": streamed,
        }
        status, headers, payload = raw_post(self.gateway, "/v1/chat/completions", body)
        if status != 200:
            self.refused.append((status, headers))
            if "error" not in json.loads(payload):
                self.wrong.append(f"{status} without an OpenAI error: {payload[:200]!r}")
            time.sleep(0.2)
            return
        if streamed:
            events = [line[6:] for line in payload.decode().split("\n\n") if line.startswith("data: ")]
            if events and events[-1] == "[DONE]":
                self._acknowledge(json.loads(events[0])["id"])
            elif events and "error" in json.loads(events[-1]):
                self.broken_with_event += 1
            else:
                self.wrong.append(f"a stream ended in silence: {payload[-200:]!r}")
        else:
            self._acknowledge(json.loads(payload)["id"])

    def _acknowledge(self, inference_id: str) -> None:
        self.completed.append(inference_id)
        key = f"{self.name}-{len(self.completed)}"
        item = {"inference_id": inference_id, "kind": "thumbs", "value": 1, "idempotency_key": key}
        status, _, payload = raw_post(self.gateway, "/v1/feedback", item)
        if status == 202:
            self.acknowledged.append((inference_id, json.loads(payload)["id"]))


class Broken(OSError):
    """The connection ended before the answer did."""


def raw_post(gateway: Served, path: str, document: Any) -> tuple[int, dict[str, str], bytes]:
    """One request on a connection of its own, so that a broken end is seen as it is: `Broken`, never a short answer."""
    host, port = gateway.url.removeprefix("http://").split(":")
    body = json.dumps(document).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {gateway.key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=120) as connection:
        connection.sendall(head.encode() + body)
        received = b""
        while part := connection.recv(65536):
            received += part
    top, split, rest = received.partition(b"\r\n\r\n")
    if not split:
        raise Broken("no answer")
    lines = top.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    if headers.get("transfer-encoding") == "chunked":
        rest = dechunk(rest)
    elif len(rest) < int(headers["content-length"]):
        raise Broken("a short answer")
    return int(lines[0].split()[1]), headers, rest


def dechunk(data: bytes) -> bytes:
    """The body of a chunked answer; `Broken` where its last chunk is missing."""
    out = b""
    while True:
        size, split, data = data.partition(b"\r\n")
        if not split:
            raise Broken("a stream cut off")
        length = int(size, 16)
        if length == 0:
            return out
        if len(data) < length + 2:
            raise Broken("a stream cut off")
        out += data[:length]
        data = data[length + 2 :]


@pytest.fixture
def load() -> Iterator[Callable[[Served], list[Client]]]:
    """Starts clients; they are stopped at the end whatever happens."""
    clients: list[Client] = []

    def start(gateway: Served) -> list[Client]:
        new = [Client(gateway, number) for number in range(CHATS)]
        clients.extend(new)
        for client in new:
            client.start()
        return new

    yield start
    for client in clients:
        client.stopping.set()


def stop(clients: list[Client]) -> None:
    for client in clients:
        client.stopping.set()
    for client in clients:
        client.join(150)
        assert not client.is_alive()


def check_kept(gateway: Served, clients: list[Client]) -> None:
    """Every answer that arrived whole has its record, every acknowledged feedback stands there once."""
    for client in clients:
        for inference_id in client.completed:
            status, record = gateway.get(f"/admin/inferences/{inference_id}")
            assert (status, record.get("outcome")) == (200, "completed"), inference_id
        for inference_id, feedback_id in client.acknowledged:
            kept = gateway.get(f"/admin/inferences/{inference_id}")[1]["feedback"]
            assert [item["id"] for item in kept] == [feedback_id]


def kill_engine_process(gateway: Served, name: str) -> None:
    """`kill -9` of one of vLLM's processes."""
    for pid in gateway.engine_pids():
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
        is_server = b"--served-model-name" in words and b"supervisor" not in words
        if (name == "api" and is_server) or (name == "engine" and b"EngineCore" in words):
            os.kill(pid, signal.SIGKILL)
            return
    raise AssertionError(f"no {name} process among {gateway.engine_pids()}")


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.02)
    return time.monotonic() - began


def test_kills_at_every_level_lose_nothing(
    tmp_path: Path, load: Callable[[Served], list[Client]], request: pytest.FixtureRequest
) -> None:
    """The API server of vLLM, its engine, then the gateway itself are killed under load; every promise is kept."""
    chance = random.Random(SEED)
    count_start(request.config, "bad day")
    gateway = serve(tmp_path / "home")
    try:
        gateway.wait_ready()
        for name in ("api", "engine"):
            clients = load(gateway)
            time.sleep(chance.uniform(2, 5))
            kill_engine_process(gateway, name)
            wait_until(lambda: gateway.get("/health/ready")[0] == 503, 10, f"readiness turns false after {name} died")
            wait_until(lambda seen=clients: any(client.refused for client in seen), 30, "requests are refused")
            count_start(request.config, f"after {name} died")
            gateway.wait_ready()
            time.sleep(2)
            stop(clients)
            assert not [wrong for client in clients for wrong in client.wrong]
            assert not sum(client.broken_without_done for client in clients)  # the gateway itself never went away
            for client in clients:
                for status, headers in client.refused:
                    assert status == 503
                    assert "retry-after" in headers
            check_kept(gateway, clients)

        clients = load(gateway)
        time.sleep(chance.uniform(2, 5))
        gateway.process.kill()
        gateway.process.wait(10)
        wait_until(lambda: not gateway.engine_pids(), 5, "nothing of vLLM is left")
        stop(clients)
        assert not [wrong for client in clients for wrong in client.wrong]

        count_start(request.config, "after the gateway died")
        again = serve(tmp_path / "home")
        try:
            again.wait_ready()
            check_kept(again, clients)
            assert again.key == gateway.key
            status, answer = again.post(
                "/v1/chat/completions",
                {"model": "default", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 8},
            )
            assert (status, answer["wardgate"]["action"]) == (200, "allow")
        finally:
            assert again.stop() == 0
            assert not again.engine_pids()
    finally:
        if gateway.process.poll() is None:
            gateway.process.kill()
