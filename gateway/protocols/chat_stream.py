"""`POST /v1/chat/completions`, the streamed answer: vLLM's events in, what may leave out.

An event leaves when every text in it is released by its guard; until then it waits in its choice's queue with its
log-probabilities. What leaves untouched keeps vLLM's bytes. The last event that has choices is kept back for `closing`:
it carries the final `wardgate` object, and the exchange sends it only once the record is committed.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from gateway.protocols.chat_answer import (
    FILTERED,
    ChoiceResult,
    Logprobs,
    Message,
    Usage,
    identify,
    strip_logprobs,
    with_wardgate,
)
from guardrails.interface import merged

if TYPE_CHECKING:
    from guardrails.given import Given
    from guardrails.guard import Guard
    from guardrails.stream import GuardStream


class StreamChoice(msgspec.Struct):
    delta: Message
    index: int = 0
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class StreamEvent(msgspec.Struct):
    choices: list[StreamChoice] = []
    id: str = ""
    usage: Usage | None = None
    error: Any = None  # not `Raw | None`, which msgspec takes for null alone


_event = msgspec.json.Decoder(StreamEvent)


class StreamBroken(Exception):
    """vLLM reported an error inside the stream, sent what is no event, or ended before its choices did."""


class _Text:
    """One text of one choice under its guard."""

    __slots__ = ("guard", "length", "pieces", "released")

    def __init__(self, guard: GuardStream) -> None:
        self.guard = guard
        self.pieces: list[str] = []
        self.length = 0
        self.released = 0

    def feed(self, piece: str) -> None:
        self.pieces.append(piece)
        self.length += len(piece)
        self.released = self.guard.feed(piece)

    @property
    def written(self) -> str:
        return "".join(self.pieces)


class _Choice:
    """One choice: its texts, the events that wait for them, and what came of it."""

    __slots__ = ("calls", "ended", "finish_reason", "logprobs", "refusal", "sent", "texts", "waiting")

    def __init__(self) -> None:
        self.texts: dict[str, _Text] = {}
        self.calls: dict[int, dict[str, Any]] = {}
        self.waiting: deque[tuple[bytes, tuple[tuple[_Text, int], ...]]] = deque()
        self.logprobs: list[bytes] = []
        self.ended = False
        self.finish_reason: str | None = None
        self.refusal = ""
        self.sent = 0

    @property
    def content(self) -> _Text | None:
        return self.texts.get("content")

    def stopped(self) -> bool:
        return any(text.guard.stopped for text in self.texts.values())

    def result(self, index: int, guard: Guard) -> ChoiceResult:
        written = self.content.written if self.content else ""
        return ChoiceResult(
            index=index,
            written=written,
            sent=written[: self.sent] + self.refusal,
            finish_reason=self.finish_reason,
            verdict=merged([text.guard.verdict() for text in self.texts.values()] or [guard.stream().verdict()]),
            tool_calls=orjson.dumps(list(self.calls.values())) if self.calls else b"",
            logprobs=tuple(self.logprobs),
        )


class ChatStream:
    """The relay of one streamed answer.

    Attributes:
        finished: Every choice has ended.
        cut: The last one ended at a finding: nothing more is wanted of vLLM.
        begun: Content has left: the first token is out.
        usage: Token counts, once known.
    """

    def __init__(
        self,
        guard: Guard,
        inference_id: str,
        *,
        choices: int,
        keep_logprobs: bool,
        keep_usage: bool,
        given: Given | None = None,
        begun: str = "",
    ) -> None:
        """Relay one answer of `choices`, which goes on from what the client has `begun`."""
        self.finished = False
        self.cut = False
        self.begun = False
        self.usage: Usage | None = None
        self._guard = guard
        self._given = given
        self._begun = begun
        self._id = inference_id
        self._keep_logprobs = keep_logprobs
        self._keep_usage = keep_usage
        self._choices = [_Choice() for _ in range(choices)]
        self._open = choices
        self._buffer = b""
        self._head: dict[str, Any] = {}
        self._last = b""
        self._usage_event = b""

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes as vLLM sent them; return the bytes that may leave now.

        Raises:
            StreamBroken: See there. What was held is lost with it, and nothing more may be sent but an error.
        """
        parts = (self._buffer + chunk if self._buffer else chunk).split(b"\n\n")
        self._buffer = parts.pop()
        out: list[bytes] = []
        for part in parts:
            if self.cut:
                break
            if part == b"data: [DONE]":
                self._ended()
            elif part.startswith(b"data: "):
                self._payload(part[6:], out)
        return b"".join(out)

    def closing(self, wardgate: bytes) -> bytes:
        """The end of the stream: the last event with choices, usage where it was asked for, and `[DONE]`."""
        events = [with_wardgate(self._last, wardgate), self._usage_event, b"[DONE]"]
        return b"".join(b"data: " + event + b"\n\n" for event in events if event)

    def results(self) -> list[ChoiceResult]:
        """What became of each choice, as far as it came."""
        return [choice.result(index, self._guard) for index, choice in enumerate(self._choices)]

    def _ended(self) -> None:
        if self._open:
            raise StreamBroken("the model server ended it before its choices had ended")

    def _payload(self, payload: bytes, out: list[bytes]) -> None:
        try:
            event = _event.decode(payload)
        except msgspec.DecodeError as error:
            raise StreamBroken("the model server sent an event that is none") from error
        if event.error is not None:
            raise StreamBroken("the model server reported an error in its stream")
        if len(event.choices) == 1:
            if not self._head:
                self._remember(payload)
            self._one(event, event.choices[0], payload, out)
        elif event.choices:
            document = orjson.loads(payload)
            for choice in document["choices"]:
                self._payload(orjson.dumps(document | {"choices": [choice]}), out)
        elif event.usage is not None:
            self.usage = event.usage
            if self._keep_usage:
                self._usage_event = identify(payload, event.id, self._id)

    def _remember(self, payload: bytes) -> None:
        """Keep the members that every event of this stream shares, for the events that are our own."""
        document = orjson.loads(payload)
        self._head = {key: document[key] for key in ("object", "created", "model") if key in document}

    def _one(self, event: StreamEvent, part: StreamChoice, payload: bytes, out: list[bytes]) -> None:
        if not 0 <= part.index < len(self._choices):
            raise StreamBroken("the model server sent a choice that was not asked for")
        choice = self._choices[part.index]
        if choice.ended:
            return
        frame = payload if event.id == self._id else identify(payload, event.id, self._id)
        if part.logprobs is not None:
            choice.logprobs.append(bytes(part.logprobs.content))
            if not self._keep_logprobs:
                frame = strip_logprobs(frame, part.logprobs)
        needs = self._read(choice, part.delta)
        if part.finish_reason is not None:
            for text in choice.texts.values():
                text.released = text.guard.finish()
        if choice.stopped():
            self._stop(part.index, choice, out)
            return
        choice.waiting.append((frame, needs))
        last = self._flush(choice, out, keep_last=part.finish_reason is not None and self._open == 1)
        if part.finish_reason is not None:
            choice.ended = True
            choice.finish_reason = part.finish_reason
            self._open -= 1
            self._last = last
            self.finished = not self._open

    def _read(self, choice: _Choice, delta: Message) -> tuple[tuple[_Text, int], ...]:
        """Feed the delta's texts to their guards; the offsets each must have released before the event may leave."""
        if delta.content and not (delta.tool_calls or delta.reasoning or delta.reasoning_content or delta.refusal):
            return (self._feed(choice, "content", delta.content),)
        named = ((name, getattr(delta, name)) for name in ("reasoning", "reasoning_content", "content", "refusal"))
        needs = [self._feed(choice, name, piece) for name, piece in named if piece]
        for call in delta.tool_calls or ():
            known = choice.calls.setdefault(call.index, {"id": call.id, "name": "", "arguments": ""})
            for name in ("name", "arguments"):
                if piece := getattr(call.function, name):
                    known[name] += piece
                    needs.append(self._feed(choice, f"tool_calls[{call.index}].{name}", piece))
        return tuple(needs)

    def _feed(self, choice: _Choice, name: str, piece: str) -> tuple[_Text, int]:
        text = choice.texts.get(name)
        if text is None:
            before = next(reversed(choice.texts.values()), None)
            text = choice.texts[name] = _Text(self._guard.stream(self._given, before.guard if before else None))
            if self._begun and name == "content":
                text.guard.prime(self._begun)
        text.feed(piece)
        return text, text.length

    def _flush(self, choice: _Choice, out: list[bytes], *, keep_last: bool = False) -> bytes:
        """Send the waiting events whose texts are released, in order; hand the last one back if it is to be kept."""
        waiting = choice.waiting
        while waiting:
            frame, needs = waiting[0]
            for text, end in needs:
                if text.released < end:
                    return b""
            waiting.popleft()
            for text, end in needs:
                if text is choice.texts.get("content"):
                    choice.sent = end
                    self.begun = True
            if keep_last and not waiting:
                return frame
            out.append(b"data: " + frame + b"\n\n")
        return b""

    def _stop(self, index: int, choice: _Choice, out: list[bytes]) -> None:
        """End a choice at its finding: what is released before it, then the refusal, then `content_filter`."""
        self._flush(choice, out)
        content = choice.content
        if content is not None and content.released > choice.sent:
            # An event that ends inside the finding is cut; its log-probabilities cover the whole, so they go.
            out.append(self._own(index, {"content": content.written[choice.sent : content.released]}))
            choice.sent = content.released
        choice.waiting.clear()
        verdict = merged(text.guard.verdict() for text in choice.texts.values())
        choice.refusal = ("\n\n" if choice.sent else "") + self._guard.refusal(verdict)
        out.append(self._own(index, {"content": choice.refusal}))
        choice.ended = True
        choice.finish_reason = FILTERED
        self._open -= 1
        last = self._own(index, {}, FILTERED)
        if self._open:
            out.append(last)
            return
        self._last = last[6:-2]
        self.finished = self.cut = True

    def _own(self, index: int, delta: dict[str, str], finish_reason: str | None = None) -> bytes:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return b"data: " + orjson.dumps({"id": self._id, **self._head, "choices": [choice]}) + b"\n\n"
