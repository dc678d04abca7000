"""A stored exchange as the rules read it: the prompt as turns, the answers as text, and what stands in the way."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from gateway.preferences.pairs import Message
from gateway.store.records import FeedbackKind, Outcome

if TYPE_CHECKING:
    from gateway.store.evidence import Told
    from gateway.store.records import Answer, Feedback, Inference

FILTERED = "content_filter"
# OpenAI's newer name for whoever sets the rules.
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


class _Part(msgspec.Struct):
    type: str
    text: str = ""


class _Turn(msgspec.Struct):
    role: str
    content: str | list[_Part] | None = None
    tool_calls: Any = None


class _Request(msgspec.Struct):
    messages: Annotated[list[_Turn], msgspec.Meta(min_length=1)]
    tools: Any = None
    functions: Any = None


_read = msgspec.json.Decoder(_Request).decode


class Unusable(Exception):
    """Nothing can be learned from this; the message is a short reason, counted by it."""


@dataclass(frozen=True)
class Exchange:
    """One exchange of which prompt and answers are known.

    Attributes:
        prompt: Every turn up to the answer, system turns included.
        answers: The choices, in order.
        findings: What the guard found, each with its `stage`.
        feedback: What its own project said of it and did not take back, oldest first.
        worse: It lost a comparison.
    """

    inference: Inference
    prompt: tuple[Message, ...]
    feedback: tuple[Feedback, ...]
    worse: bool = False

    @property
    def id(self) -> str:
        return self.inference.id

    @property
    def answers(self) -> tuple[Answer, ...]:
        return self.inference.answers

    @property
    def stopped(self) -> bool:
        return self.inference.outcome is Outcome.STOPPED

    @cached_property
    def key(self) -> bytes:
        """The same for the same prompt in the same project, and for no other."""
        turns = [(turn.role, turn.content) for turn in self.prompt]
        return hashlib.blake2b(msgspec.json.encode([self.inference.project, turns]), digest_size=16).digest()

    @cached_property
    def findings(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = msgspec.json.decode(self.inference.findings)
        return found

    def said(self, kind: FeedbackKind) -> list[Feedback]:
        """The feedback of one kind, oldest first."""
        return [one for one in self.feedback if one.kind is kind]

    def good(self, answer: Answer) -> str:
        """The answer, as one to be learned: whole, and as a person saw it.

        Raises:
            Unusable: It is not.
        """
        if answer.finish_reason == FILTERED or self.stopped:
            raise Unusable("stopped")
        text = self.bad(answer)
        if answer.finish_reason != "stop":
            raise Unusable("truncated")  # learned, it would teach to end in the middle
        if answer.sent != text:
            raise Unusable("rewritten")  # people saw another text than the model wrote
        return text

    def bad(self, answer: Answer) -> str:
        """The answer, as one to be unlearned: what the model wrote, whether it came to its end or not.

        Raises:
            Unusable: There is no text, or it is a part of something else.
        """
        if answer.tool_calls:
            raise Unusable("tool_calls")
        if not answer.written.strip():
            raise Unusable("model_never_answered" if self.stopped else "empty_answer")
        return answer.written


def exchange_of(told: Told, *, worse: bool = False) -> Exchange:
    """The exchange, if its prompt is text that a model can be shown again.

    Raises:
        Unusable: It was not to be stored, broke off, or its prompt holds more than turns of text.
    """
    inference = told.inference
    if not inference.stored:
        raise Unusable("not_stored")
    if inference.outcome in (Outcome.CLIENT_GONE, Outcome.ENGINE_FAILED):
        raise Unusable("broken_off")
    own = tuple(one for one in told.feedback if one.project == inference.project)
    return Exchange(inference, _prompt(inference.request), own, worse)


def _prompt(request: bytes) -> tuple[Message, ...]:
    try:
        document = _read(request)
    except msgspec.MsgspecError as error:
        raise Unusable("request_unreadable") from error
    if document.tools or document.functions:
        raise Unusable("tools_offered")  # the template wrote them into the prompt, and a pair has no place for them
    turns = tuple(map(_turn, document.messages))
    if turns[-1].role == "assistant":
        raise Unusable("answer_continued")
    if not any(turn.content.strip() for turn in turns):
        raise Unusable("no_prompt")
    return turns


def _turn(turn: _Turn) -> Message:
    role, content = _ROLES.get(turn.role), turn.content
    if isinstance(content, list):
        if any(part.type != "text" for part in content):
            raise Unusable("prompt_not_text")
        content = "\n".join(part.text for part in content)  # as vLLM joins them
    if role is None or turn.tool_calls or content is None:
        raise Unusable("prompt_not_text")
    return Message(role, content)  # type: ignore[arg-type]  # the table has these three only
