"""The one way a request takes: authenticate → bind → guard → choose adapter → vLLM → guard → record → answer.

Nothing that a guard has not released leaves, and the last byte of an answer leaves only when its record is committed.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

import msgspec
import orjson

from gateway.access import Scope
from gateway.account import Account
from gateway.conversations import Conversations
from gateway.errors import RETRY_AFTER, ApiError, EngineTimeout, EngineUnavailable, InvalidRequest, StoreUnavailable
from gateway.permits import sign_answer
from gateway.protocols import chat, chat_answer
from gateway.protocols.chat_stream import ChatStream, StreamBroken
from gateway.store.records import Outcome
from gateway.store.spool import SpoolFailed
from guardrails.escalation import Signals, assess
from guardrails.given import Given
from guardrails.interface import Channel

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.access import Access
    from gateway.adapters.registry import Registry
    from gateway.engine.client import EngineReply
    from gateway.engine.pool import EnginePool
    from gateway.guarding import Guarding
    from gateway.hand_over import HandOver
    from gateway.ids import Minter
    from gateway.metrics import Metrics
    from gateway.protocols.chat import ChatRequest
    from gateway.protocols.chat_answer import ChoiceResult
    from gateway.store.spool import Spool
    from guardrails.interface import Verdict
    from guardrails.permits.keys import SigningKey

# Below this many characters the guard runs on the event loop: handing over to a thread costs more than it saves.
INLINE_CHARACTERS = 16_000
CLIENT_GONE = 499  # never sent: what nginx writes down where the client left before the answer


class Outlet(Protocol):
    """Where an answer goes; the route's side of the connection.

    Attributes:
        opened: A status has been sent, so an error can only be an event.
        gone: The client has hung up.
    """

    opened: bool
    gone: bool

    def when_gone(self, callback: Callable[[], object]) -> None: ...

    async def whole(self, body: bytes, action: str) -> None: ...

    async def open(self, action: str) -> None: ...

    async def write(self, data: bytes) -> None: ...

    async def close(self, data: bytes) -> None: ...


class Exchange:
    """Everything a chat completion needs, and the order it happens in."""

    def __init__(
        self,
        *,
        access: Access,
        guarding: Guarding,
        registry: Registry,
        pool: EnginePool,
        spool: Spool,
        minter: Minter,
        metrics: Metrics,
        hand_over: HandOver,
        engine_timeout: float,
        permit_key: SigningKey | None = None,
    ) -> None:
        self._access = access
        self._guarding = guarding
        self._registry = registry
        self._pool = pool
        self._spool = spool
        self._minter = minter
        self._metrics = metrics
        self._hand_over = hand_over
        self._engine_timeout = engine_timeout
        self._permit_key = permit_key
        self._conversations = Conversations()

    async def chat(self, body: bytes, authorization: bytes | None, api_key: bytes | None, out: Outlet) -> None:
        """Answer one chat completion.

        Raises:
            ApiError: While nothing has been sent; the route sends it. Later failures are sent from here, as an event.
        """
        began = time.perf_counter()
        account = None
        try:
            caller = self._access.authorize(authorization, api_key, Scope.CHAT)
            guard = self._guarding.guard  # taken once: what begins under it ends under it
            request = chat.read(body, guard.policy.allow_fields)
            target = self._registry.resolve(request.model)
            account = Account(self._minter.mint(), chat.API, caller, target, request, guard=guard)
            if request.extras.user_id:
                account.user = self._minter.user_hash(request.extras.user_id)
            await self._judge_input(request, account)
            if account.action.stops:
                await self._refuse(request, account, out)
            else:
                await self._ask_while_wanted(request, account, out)
        except ApiError as error:
            if account is None or not account.closed:
                action = "" if account is None else account.action
                self._metrics.request_done(chat.API, error.status, action, time.perf_counter() - began)
            raise

    async def _ask_while_wanted(self, request: ChatRequest, account: Account, out: Outlet) -> None:
        """Ask vLLM, and give up when the client does."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - an ASGI call always runs in one

        def left() -> None:
            if not account.closed:
                task.cancel()

        out.when_gone(left)
        try:
            await self._ask(request, account, out)
        except asyncio.CancelledError:
            if not out.gone:
                raise
            task.uncancel()
            await self._keep(request, account, Outcome.CLIENT_GONE, CLIENT_GONE)

    async def _judge_input(self, request: ChatRequest, account: Account) -> None:
        """Parameters are judged as values, then filled in, then every text is judged as it will reach the model."""
        began = time.perf_counter()
        examine = account.guard.examine
        verdicts: list[tuple[str, Verdict]] = []
        for name, given in (request.extras.parameters or {}).items():
            verdict = examine(str(given.value), Channel.PARAMETER, type=given.type, values=given.values)
            verdicts.append((f"wardgate.parameters.{name}", verdict))
        if not any(verdict.action.stops for _, verdict in verdicts):
            request.bind()
            slots = list(request.slots())

            def judge() -> list[tuple[str, Verdict]]:
                found = [(slot.name, examine(slot.text, slot.channel)) for slot in slots]
                said = request.said()
                if len(said) > 1 and not any(verdict.action.stops for _, verdict in found):
                    found.append(("messages", account.guard.examine_window(said)))
                return found

            small = sum(len(slot.text) for slot in slots) < INLINE_CHARACTERS
            verdicts += judge() if small else await asyncio.to_thread(judge)
        account.judged_input(verdicts)
        account.guard_input_seconds = time.perf_counter() - began
        self._metrics.guard_ran("input", account.guard_input_seconds)

    async def _refuse(self, request: ChatRequest, account: Account, out: Outlet) -> None:
        """Answer a stopped request without asking the model."""
        text = account.guard.refusal(account.input)
        model = account.target.engine_model
        account.refused(text, request.choices)
        status = account.guard.policy.blocked_status
        await self._keep(request, account, Outcome.STOPPED, status)
        if status != 200:
            raise InvalidRequest(text, code=chat_answer.FILTERED, wardgate=account.wardgate())
        if request.stream:
            await out.open(account.action)
            await out.close(
                chat_answer.refusal_events(
                    account.id, model, text, request.choices, account.wardgate(), usage=request.wants_usage
                )
            )
        else:
            await out.whole(
                chat_answer.refusal(account.id, model, text, request.choices, account.wardgate()), account.action
            )

    async def _ask(self, request: ChatRequest, account: Account, out: Outlet) -> None:
        """Ask vLLM, and relay what the guard lets through."""
        body = request.forward(account.target.engine_model, ask_logprobs=account.guard.policy.logprobs)
        try:
            async with asyncio.timeout(self._engine_timeout) as patience:
                asked = time.perf_counter()
                reply = await self._open(body, account.id)
                account.engine_seconds += time.perf_counter() - asked
                async with reply:
                    if reply.status != 200:
                        raise upstream_error(reply.status, await reply.read())
                    if request.stream:
                        await self._stream(request, account, reply, out, patience)
                    else:
                        await self._whole(request, account, reply, out)
        except TimeoutError:
            if account.sending:  # vLLM is not to blame: the client takes nothing
                await self._keep(request, account, Outcome.CLIENT_GONE, CLIENT_GONE)
                return
            failure: ApiError = EngineTimeout("The model server took too long.", code="engine_timeout")
        except StreamBroken as broken:
            failure = EngineUnavailable(f"The answer broke off: {broken}.", code="engine_failed", headers=RETRY_AFTER)
        except (EngineUnavailable, StoreUnavailable) as failed:
            failure = failed
        else:
            return
        await self._fail(request, account, out, failure)

    async def _open(self, body: bytes, inference_id: str) -> EngineReply:
        client = self._pool.pick()
        reply = await client.chat(body, inference_id)
        if reply.status != 404 or self._pool.prepare is None:
            return reply
        # It has lost an adapter that the registry knows: it gets it back, and is asked once more.
        await reply.close()
        await self._pool.prepare(client)
        return await client.chat(body, inference_id)

    async def _whole(self, request: ChatRequest, account: Account, reply: EngineReply, out: Outlet) -> None:
        asked = time.perf_counter()
        body = await reply.read()
        began = time.perf_counter()
        account.engine_seconds += began - asked
        try:
            completion = chat_answer.read(body)
        except msgspec.DecodeError as error:
            raise StreamBroken("the model server sent what is no completion") from error
        given = Given(request.words)
        if len(body) < INLINE_CHARACTERS:
            results = chat_answer.judge(completion, account.guard, given, request.begun())
        else:
            results = await asyncio.to_thread(chat_answer.judge, completion, account.guard, given, request.begun())
        account.guard_output_seconds = time.perf_counter() - began
        account.judged_output(results, completion.usage)
        await self._sign(account, results)
        refusals = {result.index: result.sent for result in results if result.verdict.action.stops}
        if refusals:
            body = chat_answer.refuse_choices(body, refusals)
        if not request.wants_logprobs:
            for choice in completion.choices:
                body = chat_answer.strip_logprobs(body, choice.logprobs)
        body = chat_answer.identify(body, completion.id, account.id)
        await self._keep(request, account, Outcome.STOPPED if refusals else Outcome.COMPLETED, 200)
        await out.whole(chat_answer.with_wardgate(body, account.wardgate()), account.action)

    async def _stream(
        self, request: ChatRequest, account: Account, reply: EngineReply, out: Outlet, patience: asyncio.Timeout
    ) -> None:
        relay = ChatStream(
            account.guard,
            account.id,
            choices=request.choices,
            keep_logprobs=request.wants_logprobs,
            keep_usage=request.wants_usage,
            given=Given(request.words),
            begun=request.begun(),
        )
        action = account.action
        self._metrics.stream_opened()
        try:
            await self._pump(account, reply, relay, out, patience)
        finally:
            self._metrics.stream_closed()
            results = relay.results()
            account.judged_output(results, relay.usage)
        await self._sign(account, results)
        stopped = account.output is not None and account.output.action.stops
        await self._keep(request, account, Outcome.STOPPED if stopped else Outcome.COMPLETED, 200)
        if not out.opened:
            await out.open(action)
        await out.close(relay.closing(account.wardgate()))

    async def _pump(
        self, account: Account, reply: EngineReply, relay: ChatStream, out: Outlet, patience: asyncio.Timeout
    ) -> None:
        """Move vLLM's chunks through the relay until every choice has ended.

        Raises:
            StreamBroken: vLLM stopped before that.
        """
        action = account.action
        clock = time.perf_counter
        loop = asyncio.get_running_loop()
        waited = clock()
        async for chunk in reply.chunks():
            came = clock()
            account.engine_seconds += came - waited
            data = relay.feed(chunk)
            account.guard_output_seconds += clock() - came
            if data:
                if not out.opened:
                    await out.open(action)
                if relay.begun and account.first_token_seconds is None:
                    account.first_token_seconds = clock() - account.started
                account.sending = True
                await out.write(data)
                account.sending = False
            if relay.cut:
                return
            patience.reschedule(loop.time() + self._engine_timeout)
            waited = clock()
        if not relay.finished:
            raise StreamBroken("the model server hung up")

    async def _sign(self, account: Account, results: list[ChoiceResult]) -> None:
        """Sign for the answer's commands, where there is a key."""
        key = self._permit_key
        if key is None:
            return
        if sum(len(result.sent) + len(result.tool_calls) for result in results) < INLINE_CHARACTERS:
            account.permits = sign_answer(key, account.guard, account, results)
        else:
            account.permits = await asyncio.to_thread(sign_answer, key, account.guard, account, results)

    async def _fail(self, request: ChatRequest, account: Account, out: Outlet, failure: ApiError) -> None:
        """Tell the client, whichever way is still open, that there will be no (further) answer."""
        if not isinstance(failure, StoreUnavailable):
            try:
                await self._keep(request, account, Outcome.ENGINE_FAILED, failure.status, failure.message)
                failure.wardgate = account.wardgate()
            except StoreUnavailable as lost:
                failure = lost
        if not out.opened:
            raise failure
        await out.close(failure.event())

    async def _keep(
        self, request: ChatRequest, account: Account, outcome: Outcome, status: int, error: str = ""
    ) -> None:
        """Commit the record, and the escalation if there is one. After this the exchange no longer minds the client.

        Raises:
            StoreUnavailable: The record could not be committed; the answer's end must not leave.
        """
        account.closed = True
        if outcome is not Outcome.CLIENT_GONE:
            self._hand_over_if_needed(request, account, failed=outcome is Outcome.ENGINE_FAILED)
        if account.action.stops:
            self._conversations.blocked(account.caller.project, account.extras.conversation_id)
        record = account.inference(outcome, status, self._pool.facts, error)
        try:
            if account.escalation is None:
                await self._spool.append(record)
            else:
                await self._spool.append(record, account.kept(account.escalation))
        except SpoolFailed as failed:
            status = StoreUnavailable.status
            raise StoreUnavailable(
                "The record of this exchange could not be kept, so its answer is held back. Try again shortly.",
                code="store_unavailable",
                headers=RETRY_AFTER,
            ) from failed
        finally:
            account.count(self._metrics, status)

    def _hand_over_if_needed(self, request: ChatRequest, account: Account, *, failed: bool) -> None:
        blocks = self._conversations.blocks(account.caller.project, account.extras.conversation_id)
        signals = Signals(input=account.input, output=account.output, engine_failed=failed, blocks_before=blocks)
        assessment = assess(request.turns(), signals, account.guard.policy.escalation)
        if assessment is not None:
            account.escalation = self._hand_over.record(assessment, account.id, account.caller.project)


def upstream_error(status: int, body: bytes) -> ApiError:
    """What vLLM refused, as the caller's mistake where it is one and as our failure where it is not.

    A 404 means that vLLM has lost an adapter that the registry knows: not the caller's doing.
    """
    if status >= 500 or status == 404:
        return EngineUnavailable(
            f"The model server failed with status {status}.", code="engine_failed", headers=RETRY_AFTER
        )
    try:
        error = orjson.loads(body)["error"]
        message, param = str(error["message"]), error.get("param")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        message, param = f"The model server refused the request with status {status}.", None
    # vLLM counts from the request (`body.stop`), OpenAI and we from the body.
    param = param.removeprefix("body.") if isinstance(param, str) else None
    return InvalidRequest(message, code="invalid_request", param=param)
