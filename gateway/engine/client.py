"""One vLLM, spoken to over HTTP on a fixed list of paths.

Nothing here builds a path from what a caller sent: vLLM opens paths (`/invocations`, `/update_weights`, `/pause`) that
ignore its own key. Whatever aiohttp raises becomes `EngineGone`, so that no other file knows the HTTP library.
"""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import msgspec
from multidict import istr
from yarl import URL

from gateway.errors import RETRY_AFTER, EngineUnavailable, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

REQUEST_ID = istr("X-Request-Id")
JSON = {istr("Content-Type"): "application/json"}
PROBE = aiohttp.ClientTimeout(total=1.0)
COMMAND = aiohttp.ClientTimeout(total=60.0)  # loading an adapter waits for the step that is running
STALE = 0.5  # seconds within which a connection that vLLM had closed shows that it had
LARGE = 1 << 20  # above this aiohttp wants a file-like body
FAILURES = (aiohttp.ClientError, OSError, TimeoutError)


class EngineGone(EngineUnavailable):
    """vLLM could not be reached, or broke off: refused, reset, cut short, silent for too long."""


class EngineSlow(EngineUnavailable):
    """A probe was accepted and not answered in time: busy, which is not dead."""


class EngineRefused(InvalidRequest):
    """vLLM is there and said no; the message is its own."""


class Model(msgspec.Struct, frozen=True):
    """One entry of vLLM's /v1/models; `parent` is None for the base model, `root` is what it was loaded from."""

    id: str
    parent: str | None = None
    root: str | None = None
    max_model_len: int | None = None


class _Models(msgspec.Struct):
    data: tuple[Model, ...]


class _Version(msgspec.Struct):
    version: str


_read_models = msgspec.json.Decoder(_Models).decode
_read_version = msgspec.json.Decoder(_Version).decode


def open_session() -> aiohttp.ClientSession:
    """The one session a process needs; to be closed by its opener, inside the same event loop."""
    return aiohttp.ClientSession(
        # uvicorn under vLLM closes idle connections after 5 s: let go of them first, or a POST meets the closing.
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=4.0),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=2.0),
        auto_decompress=False,
        headers={"Accept-Encoding": "identity"},
        skip_auto_headers=("User-Agent", "Accept"),
        read_bufsize=1 << 18,
    )


class EngineReply:
    """An answer whose head has arrived. Read it to its end, or close it: closing aborts the generation."""

    __slots__ = ("_client", "_response", "headers", "status")

    def __init__(self, client: EngineClient, response: aiohttp.ClientResponse) -> None:
        self._client: EngineClient | None = client
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    async def read(self) -> bytes:
        """The whole body.

        Raises:
            EngineGone: It ended before its end.
        """
        client = self._client
        try:
            return await self._response.read()
        except FAILURES as error:
            raise self._gone(client, error) from error
        finally:
            self._done()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes, in the pieces the socket gave.

        Raises:
            EngineGone: It ended before its end.
        """
        client = self._client
        readany = self._response.content.readany
        try:
            while piece := await readany():
                yield piece
        except FAILURES as error:
            raise self._gone(client, error) from error
        finally:
            self._done()

    async def close(self) -> None:
        """Let go. A body that is not at its end is cut off, and vLLM stops generating it. May be called twice."""
        self._done()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._done()

    def _gone(self, client: EngineClient | None, error: BaseException) -> EngineGone:
        return client.gone(error) if client is not None else EngineGone(str(error), headers=RETRY_AFTER)

    def _done(self) -> None:
        if (client := self._client) is not None:
            self._client = None
            client.in_flight -= 1
            self._response.close()


class EngineClient:
    """One vLLM server.

    Attributes:
        url: Its base URL, without a trailing slash; also the name of the replica.
        in_flight: Exchanges that have begun and not ended; what the pool balances by.
        on_gone: Called with (client, refused) when an exchange found vLLM gone, before the exchange hears of it;
            `refused` says that nobody listens, otherwise one connection broke.
    """

    def __init__(self, base_url: str, session: aiohttp.ClientSession, key: str = "") -> None:
        self.url = base_url.rstrip("/")
        self.in_flight = 0
        self.on_gone: Callable[[EngineClient, bool], None] | None = None
        self._request = session.request
        root = URL(self.url)
        self._chat, self._health, self._version, self._models, self._load, self._unload = (
            root.joinpath(path)
            for path in (
                "v1/chat/completions",
                "health",
                "version",
                "v1/models",
                "v1/load_lora_adapter",
                "v1/unload_lora_adapter",
            )
        )
        authorization = {istr("Authorization"): f"Bearer {key}"} if key else {}
        self._headers = JSON | authorization
        # A probe opens its own connection: a host that vanished answers nothing on an old one, and refuses no sooner.
        self._probe = authorization | {istr("Connection"): "close"}

    async def chat(self, body: bytes, request_id: str) -> EngineReply:
        """Send a chat completion; the reply's head is there when this returns.

        Args:
            body: JSON, as vLLM is to see it.
            request_id: The inference id; vLLM's own answer id becomes the same.

        Raises:
            EngineGone: vLLM could not be reached, or hung up without an answer.
        """
        headers = self._headers.copy()
        headers[REQUEST_ID] = request_id.removeprefix("chatcmpl-")
        self.in_flight += 1
        began = time.monotonic()
        try:
            try:
                response = await self._post(body, headers)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                # uvicorn closes a connection after a crash: whoever is next on it has not been heard.
                if isinstance(error, aiohttp.ClientConnectorError) or time.monotonic() - began > STALE:
                    raise
                response = await self._post(body, headers)
        except FAILURES as error:
            self.in_flight -= 1
            raise self.gone(error) from error
        except BaseException:
            self.in_flight -= 1  # cancelled: the client left while vLLM had not answered yet
            raise
        return EngineReply(self, response)

    def _post(self, body: bytes, headers: dict[istr, str]) -> Awaitable[aiohttp.ClientResponse]:
        data = body if len(body) < LARGE else io.BytesIO(body)
        return self._request("POST", self._chat, data=data, headers=headers, allow_redirects=False)

    async def health(self) -> None:
        """Return when vLLM and its engine are well.

        Raises:
            EngineGone: Nobody listens, or vLLM says that its engine is dead.
            EngineSlow: Somebody listens and did not answer within a second.
        """
        status, _ = await self._ask("GET", self._health, PROBE, headers=self._probe)
        if status != 200:
            raise EngineGone(f"vLLM at {self.url} says it is not well: status {status}.", headers=RETRY_AFTER)

    async def version(self) -> str:
        """The version that vLLM says it is."""
        return _read_version(await self._get(self._version)).version

    async def models(self) -> tuple[Model, ...]:
        """What vLLM serves: the base model (under each of its names) and the adapters it has loaded."""
        return _read_models(await self._get(self._models)).data

    async def load_adapter(self, name: str, path: str) -> None:
        """Load an adapter from a directory that vLLM can read; loading one that is there already changes nothing.

        Raises:
            EngineRefused: vLLM would not have it (rank, target modules, a path it cannot read).
            EngineGone: vLLM could not be reached.
        """
        status, answer = await self._command(self._load, {"lora_name": name, "lora_path": path})
        if status != 200 and b"already been loaded" not in answer:
            raise EngineRefused(f"vLLM did not load adapter {name!r} from {path!r}: {_message(answer)}")

    async def unload_adapter(self, name: str) -> None:
        """Forget an adapter; one that is not there is forgotten already.

        Raises:
            EngineRefused: vLLM said no.
            EngineGone: vLLM could not be reached.
        """
        status, answer = await self._command(self._unload, {"lora_name": name})
        if status not in (200, 404):
            raise EngineRefused(f"vLLM did not unload adapter {name!r}: {_message(answer)}")

    def gone(self, error: BaseException) -> EngineGone:
        """The error to raise for what aiohttp said, after telling who watches."""
        if self.on_gone is not None:
            self.on_gone(self, isinstance(error, aiohttp.ClientConnectorError))
        return EngineGone(
            f"vLLM at {self.url} went away: {str(error) or type(error).__name__}.",
            code="engine_unavailable",
            headers=RETRY_AFTER,
        )

    async def _get(self, url: URL) -> bytes:
        status, body = await self._ask("GET", url, COMMAND, headers=self._headers)
        if status != 200:
            raise EngineRefused(f"{url} answered {status}: {_message(body)}")
        return body

    async def _command(self, url: URL, command: dict[str, str]) -> tuple[int, bytes]:
        return await self._ask("POST", url, COMMAND, headers=self._headers, data=msgspec.json.encode(command))

    async def _ask(self, method: str, url: URL, limit: aiohttp.ClientTimeout, **more: Any) -> tuple[int, bytes]:
        try:
            async with self._request(method, url, timeout=limit, allow_redirects=False, **more) as response:
                return response.status, await response.read()
        except aiohttp.ConnectionTimeoutError as error:
            raise EngineGone(f"vLLM at {self.url} took no connection: {error}.", headers=RETRY_AFTER) from error
        except TimeoutError as error:
            raise EngineSlow(f"vLLM at {self.url} did not answer in time.", headers=RETRY_AFTER) from error
        except FAILURES as error:
            raise EngineGone(f"vLLM at {self.url} is not there: {error}.", headers=RETRY_AFTER) from error


def _message(body: bytes) -> str:
    """What vLLM said, whichever of its two error shapes it chose."""
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body[:200].decode("utf-8", "replace")
    error = found.get("error", found) if isinstance(found, dict) else found
    return str(error.get("message", error) if isinstance(error, dict) else error)
