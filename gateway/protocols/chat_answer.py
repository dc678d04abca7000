"""`POST /v1/chat/completions`, the whole answer: what the gateway reads of vLLM's, and how one is refused.

A choice that no guard touched keeps vLLM's bytes; only identity, log-probabilities that were not asked for and the
`wardgate` object change.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
import orjson

from guardrails.interface import Channel, Verdict

if TYPE_CHECKING:
    from guardrails.given import Given
    from guardrails.guard import Guard

FILTERED = "content_filter"
NO_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


class Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class ToolCall(msgspec.Struct):
    function: Function
    index: int = 0
    id: str | None = None


class Message(msgspec.Struct):
    """A message or a stream's delta: the texts in it that a guard must read."""

    content: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[ToolCall] | None = None


class Logprobs(msgspec.Struct):
    content: msgspec.Raw = msgspec.Raw()


class Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int | None = 0


class Choice(msgspec.Struct):
    message: Message
    index: int = 0
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class Completion(msgspec.Struct):
    id: str
    choices: list[Choice]
    usage: Usage | None = None


_completion = msgspec.json.Decoder(Completion)


class ChoiceResult(msgspec.Struct):
    """What became of one choice."""

    index: int
    written: str
    sent: str
    finish_reason: str | None
    verdict: Verdict
    tool_calls: bytes = b""
    logprobs: tuple[bytes, ...] = ()


def read(body: bytes) -> Completion:
    """Raises `msgspec.DecodeError` where vLLM answered something else than a completion."""
    return _completion.decode(body)


def texts(message: Message) -> list[str]:
    """The texts of a message a guard must read, in the order a person would."""
    found = [text for text in (message.reasoning, message.reasoning_content, message.content, message.refusal) if text]
    for call in message.tool_calls or ():
        found += [text for text in (call.function.name, call.function.arguments) if text]
    return found


def strip_logprobs(body: bytes, logprobs: Logprobs | None) -> bytes:
    """`body` without one `logprobs` object; JSON escapes quotes in strings, so the pattern stands in none."""
    if logprobs is None:
        return body
    return body.replace(b'"logprobs":{"content":' + bytes(logprobs.content) + b"}", b'"logprobs":null', 1)


def identify(body: bytes, theirs: str, ours: str) -> bytes:
    """`body` under our id; vLLM takes ours over, other servers mint their own."""
    if theirs == ours:
        return body
    return body.replace(b'"id":' + orjson.dumps(theirs), b'"id":' + orjson.dumps(ours), 1)


def with_wardgate(body: bytes, wardgate: bytes) -> bytes:
    """`body`, one JSON object, with the `wardgate` object as its last member."""
    return body.rstrip()[:-1] + b',"wardgate":' + wardgate + b"}"


def refuse_choices(body: bytes, refusals: dict[int, str]) -> bytes:
    """`body` with the refused choices' messages replaced; their log-probabilities and tool calls go with them."""
    document = orjson.loads(body)
    for choice in document["choices"]:
        if (text := refusals.get(choice["index"])) is not None:
            choice["message"] = {"role": "assistant", "content": text, "refusal": None}
            choice["logprobs"] = None
            choice["finish_reason"] = FILTERED
            for shown in ("stop_reason", "token_ids"):
                choice.pop(shown, None)
    return orjson.dumps(document)


def refusal(inference_id: str, model: str, text: str, choices: int, wardgate: bytes) -> bytes:
    """A whole answer that never reached the model: `text` in each choice, `finish_reason` content_filter."""
    message = {"role": "assistant", "content": text, "refusal": None}
    document = {
        "id": inference_id,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {"index": index, "message": message, "logprobs": None, "finish_reason": FILTERED}
            for index in range(choices)
        ],
        "usage": NO_USAGE,
    }
    return with_wardgate(orjson.dumps(document), wardgate)


def refusal_events(inference_id: str, model: str, text: str, choices: int, wardgate: bytes, *, usage: bool) -> bytes:
    """The same as a whole stream, to its `[DONE]`."""
    head = {"id": inference_id, "object": "chat.completion.chunk", "created": int(time.time()), "model": model}
    events = []
    for index in range(choices):
        delta = {"role": "assistant", "content": text}
        events.append(
            orjson.dumps(
                head | {"choices": [{"index": index, "delta": delta, "logprobs": None, "finish_reason": None}]}
            )
        )
        last = orjson.dumps(
            head | {"choices": [{"index": index, "delta": {}, "logprobs": None, "finish_reason": FILTERED}]}
        )
        events.append(with_wardgate(last, wardgate) if index == choices - 1 else last)
    if usage:
        events.append(orjson.dumps(head | {"choices": [], "usage": NO_USAGE}))
    events.append(b"[DONE]")
    return b"".join(b"data: " + event + b"\n\n" for event in events)


def judge(completion: Completion, guard: Guard, given: Given | None = None, begun: str = "") -> list[ChoiceResult]:
    """Every choice through the guard's output channel; a refused one gets the refusal as what is sent.

    Args:
        completion: What vLLM answered.
        guard: Judges it.
        given: What was named with the request.
        begun: The beginning that the client wrote and the answer goes on from.
    """
    results = []
    for choice in completion.choices:
        verdict = guard.examine_together(texts(choice.message), Channel.OUTPUT, begun=begun, given=given)
        written = choice.message.content or ""
        calls = msgspec.json.encode(choice.message.tool_calls) if choice.message.tool_calls else b""
        stopped = verdict.action.stops
        results.append(
            ChoiceResult(
                index=choice.index,
                written=written,
                sent=guard.refusal(verdict) if stopped else written,
                finish_reason=FILTERED if stopped else choice.finish_reason,
                verdict=verdict,
                tool_calls=calls,
                logprobs=(bytes(choice.logprobs.content),) if choice.logprobs else (),
            )
        )
    return results
