"""A vLLM made of aiohttp, that does what a test tells it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import vllm_bytes
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class FakeVllm:
    """Loopback server with vLLM's paths; attributes say how it behaves."""

    def __init__(self) -> None:
        self.well = True
        self.answers_health_after = 0.0
        self.base = "tiny-llama"
        self.adapters: dict[str, str] = {}
        self.refuse: set[str] = set()
        self.seen: list[web.BaseRequest] = []
        self.bodies: list[bytes] = []
        self.aborted = asyncio.Event()
        self.chat: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]] = self.answer
        self.port = 0
        self._runner: web.ServerRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._runner = web.ServerRunner(web.Server(self.handle), shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.seen.append(request)
        body = await request.content.read()  # read() would keep to aiohttp's own limit of 1 MiB
        self.bodies.append(body)
        match request.path:
            case "/health":
                await asyncio.sleep(self.answers_health_after)
                return web.Response(status=200 if self.well else 503)
            case "/version":
                return web.json_response({"version": "0.32.0"})
            case "/v1/models":
                base = {"id": self.base, "parent": None, "root": "/models/tiny", "max_model_len": 2048}
                loaded = [{"id": name, "parent": self.base, "root": path} for name, path in self.adapters.items()]
                return web.json_response({"data": [base, *loaded]})
            case "/v1/load_lora_adapter":
                return self.load(json.loads(body))
            case "/v1/unload_lora_adapter":
                name = json.loads(body)["lora_name"]
                known = self.adapters.pop(name, None)
                return web.Response(status=404 if known is None else 200)
            case _:
                return await self.chat(request)

    def load(self, command: dict[str, str]) -> web.Response:
        name = command["lora_name"]
        if name in self.refuse:
            return web.json_response({"error": {"message": "rank 64 is larger than 16"}}, status=400)
        if name in self.adapters:
            message = f"The lora adapter '{name}' has already been loaded."
            return web.json_response({"error": {"message": message}}, status=400)
        self.adapters[name] = command["lora_path"]
        return web.Response(text="Success")

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"id": "chatcmpl-" + request.headers["X-Request-Id"]})


class ChattingVllm(FakeVllm):
    """Answers chats with `tokens`, streamed or whole, as the request asks.

    Attributes:
        cut_after: Events of a stream after which it hangs up; None for never.
        gap: Seconds between two events.
        error: A status and a body to answer with instead.
    """

    def __init__(self, tokens: list[str]) -> None:
        super().__init__()
        self.tokens = tokens
        self.logprobs = False
        self.cut_after: int | None = None
        self.gap = 0.0
        self.error: tuple[int, bytes] | None = None
        self.chat = self.converse

    @property
    def asked(self) -> dict[str, Any]:
        """The last chat's request."""
        chats = [body for request, body in zip(self.seen, self.bodies, strict=True) if "chat" in request.path]
        document: dict[str, Any] = json.loads(chats[-1])
        return document

    async def converse(self, request: web.BaseRequest) -> web.StreamResponse:
        if self.error is not None:
            return web.Response(status=self.error[0], body=self.error[1])
        if not self.asked.get("stream"):
            await asyncio.sleep(self.gap)
            body = vllm_bytes.completion(["".join(self.tokens)], logprobs=self.logprobs)
            return web.Response(body=body, content_type="application/json")
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        try:
            for event in vllm_bytes.stream(self.tokens, logprobs=self.logprobs).split(b"\n\n")[: self.cut_after or -1]:
                await response.write(event + b"\n\n")
                await asyncio.sleep(self.gap)
        except (ConnectionError, asyncio.CancelledError):
            self.aborted.set()
            raise
        if self.cut_after is not None and request.transport is not None:
            request.transport.abort()
        return response


class ProbedVllm(ChattingVllm):
    """Knows which names it serves, and scores a conversation by whose weights it has under the name.

    Attributes:
        logprobs_of: By folder, the log-probability of every token; the base model has 0.
    """

    def __init__(self) -> None:
        super().__init__(["Yes", "."])
        self.logprobs_of: dict[str, float] = {}
        self.chat = self.serve

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = self.asked
        name = asked["model"]
        if name != self.base and name not in self.adapters:
            return web.json_response({"error": {"message": f"The model {name} does not exist."}}, status=404)
        if "prompt_logprobs" not in asked:
            return await self.converse(request)
        logprob = 0.0 if name == self.base else self.logprobs_of.get(self.adapters[name], -1.0)
        words = " ".join(message["content"] for message in asked["messages"]).split()
        scored: list[Any] = [None, *({str(len(word)): {"logprob": logprob}} for word in words)]
        document = json.loads(vllm_bytes.completion(["Yes"]))
        return web.json_response(document | {"prompt_logprobs": scored})
