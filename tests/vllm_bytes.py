"""vLLM's own bytes, as version 0.32 writes them, for tests that need no vLLM."""

from __future__ import annotations

import json
from typing import Any

ID = "chatcmpl-upstream"
MODEL = "tiny-llama"


def _dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def event(index: int, delta: dict[str, Any], *, logprob: bool = False, **more: Any) -> bytes:
    """One event of a stream; with `logprob`, a log-probability for the delta's content."""
    token = delta.get("content") or ""
    content = [{"token": token, "logprob": -0.5, "bytes": list(token.encode()), "top_logprobs": []}]
    choice = {"index": index, "delta": delta, "logprobs": {"content": content} if logprob else None}
    choice |= {"finish_reason": None} | more
    head = {"id": ID, "object": "chat.completion.chunk", "created": 1700000000, "model": MODEL}
    return b"data: " + _dump(head | {"choices": [choice]}) + b"\n\n"


def usage_event(prompt: int = 7, completion: int = 5) -> bytes:
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    head = {"id": ID, "object": "chat.completion.chunk", "created": 1700000000, "model": MODEL}
    return b"data: " + _dump(head | {"choices": [], "usage": usage}) + b"\n\n"


def stream(tokens: list[str], *, logprobs: bool = False, finish: str = "stop", index: int = 0) -> bytes:
    """A whole stream of one choice, to its `[DONE]`."""
    events = [event(index, {"role": "assistant", "content": ""})]
    events += [event(index, {"content": token}, logprob=logprobs) for token in tokens]
    events.append(event(index, {"content": ""}, finish_reason=finish, stop_reason=None))
    return b"".join([*events, usage_event(completion=len(tokens)), b"data: [DONE]\n\n"])


def completion(texts: list[str], *, logprobs: bool = False, **message: Any) -> bytes:
    """A whole answer with one choice a text."""
    choices = []
    for index, text in enumerate(texts):
        content = [{"token": text, "logprob": -0.25, "bytes": list(text.encode()), "top_logprobs": []}]
        choices.append(
            {
                "index": index,
                "message": {"role": "assistant", "content": text, "refusal": None, **message},
                "logprobs": {"content": content} if logprobs else None,
                "finish_reason": "stop",
                "stop_reason": None,
            }
        )
    usage = {"prompt_tokens": 7, "total_tokens": 12, "completion_tokens": 5, "prompt_tokens_details": None}
    head = {"id": ID, "object": "chat.completion", "created": 1700000000, "model": MODEL}
    return _dump(head | {"choices": choices, "usage": usage})


def contents(data: bytes) -> str:
    """The text of a stream's content deltas, all choices after one another."""
    return "".join(choice["delta"].get("content") or "" for event in events(data) for choice in event["choices"])


def events(data: bytes) -> list[dict[str, Any]]:
    """Every JSON event of a stream."""
    return [json.loads(line[6:]) for line in data.decode().split("\n\n") if line.startswith("data: {")]
