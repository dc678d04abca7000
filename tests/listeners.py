"""Applications that listen to an alias while an operator changes it, and write down what they heard."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any, Self

PROMPTS = ("Say hello.", "Name one thing that eats disk space.", "What do I check when a web server is slow?")


@dataclass
class Heard:
    """One answer.

    Attributes:
        began: When it was asked for, monotonic seconds.
        first: When its first text came; 0 where none did.
        status: 200, or what went wrong.
        adapter: What the gateway says answered.
        text: What was said.
    """

    began: float
    first: float = 0.0
    status: int = 0
    adapter: str = ""
    text: str = ""


@dataclass
class Listeners:
    """Threads that stream chats from `model` one after the other."""

    url: str
    key: str
    model: str = "default"
    count: int = 4
    tokens: int = 24
    heard: list[Heard] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(self.count)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(120)

    def _run(self, number: int) -> None:
        while not self._stopping.is_set():
            self.heard.append(listen(self.url, self.key, self.model, PROMPTS[number % len(PROMPTS)], self.tokens))
            number += 1


def listen(url: str, key: str, model: str, prompt: str, tokens: int = 24) -> Heard:
    """One streamed chat, from its request to its end."""
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": tokens, "stream": True}
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(
        f"{url}/v1/chat/completions", json.dumps(body | {"temperature": 0}).encode(), headers
    )
    heard = Heard(time.monotonic())
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            heard.status = answer.status
            for line in answer:
                if line.startswith(b"data: {"):
                    take(heard, json.loads(line[6:]))
    except urllib.error.HTTPError as error:
        heard.status = error.code
    except OSError:
        heard.status = -1
    return heard


def take(heard: Heard, event: dict[str, Any]) -> None:
    """One event of a stream."""
    if "error" in event:
        heard.status = -2
    for choice in event.get("choices", ()):
        piece = choice["delta"].get("content") or ""
        heard.text += piece
        if piece and not heard.first:
            heard.first = time.monotonic()
    if "wardgate" in event:
        heard.adapter = event["wardgate"]["adapter"]
