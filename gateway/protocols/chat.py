"""`POST /v1/chat/completions`, the request: where its texts stand, and what is passed on to vLLM."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from gateway.errors import InvalidRequest, shown
from gateway.protocols import extras, fields
from gateway.protocols.interface import Extras, Slot
from guardrails.escalation import Turn
from guardrails.interface import Channel
from guardrails.parameters import UnboundParameter, bind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

API = "chat"
MOST_CHOICES = 128
DEEPEST = 128  # levels of nesting; the JSON writer gives up at 254, and no schema comes near

# OpenAI's two names for who asks. Kept as a keyed hash only, so they stay in no document.
_USER = ("user", "safety_identifier")

# A schema can force text: its string values are judged, its structure is not.
_FORCING = ("response_format", "structured_outputs")
_ROLE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")


@dataclass(slots=True)
class ChatRequest:
    """One request, checked as far as the gateway reads it. vLLM checks the rest.

    Attributes:
        document: The JSON document as it came, without `wardgate` and without who asks.
        model: The alias, version or base model asked for.
        choices: How many choices (`n`) were asked for.
        wants_logprobs: The client asked for log-probabilities itself.
        wants_usage: The client of a stream asked for the usage chunk.
        allowed: Fields that policy lets pass unjudged.
    """

    document: dict[str, Any]
    model: str
    stream: bool
    choices: int
    wants_logprobs: bool
    wants_usage: bool
    extras: Extras
    allowed: Collection[str] = field(default=())

    def bind(self) -> None:
        """Fill the messages' placeholders with the parameters, which are checked by then.

        Raises:
            InvalidRequest: `unbound_parameter`: a placeholder without a value, or a value without a placeholder.
        """
        if self.extras.parameters is None:
            return
        places = list(_message_texts(self.document["messages"]))
        try:
            filled = bind([place.text for place in places], self.extras.parameters)
        except UnboundParameter as error:
            raise InvalidRequest(
                str(error), code="unbound_parameter", param=f"wardgate.parameters.{error.name}"
            ) from error
        for place, text in zip(places, filled, strict=True):
            place.container[place.key] = text

    def slots(self) -> Iterator[Slot]:
        """Every text of the request that a guard must read, once parameters are bound."""
        messages = self.document["messages"]
        for place in _message_texts(messages):
            if place.role == "assistant":
                continue  # what the model said went through the guard when it was said
            yield Slot(place.name, place.text, Channel.PROMPT)
        if self.document.get("continue_final_message") and messages[-1].get("role") == "assistant":
            last = list(_message_texts(messages[-1:]))
            for place in last:
                yield Slot(f"messages[{len(messages) - 1}]", place.text, Channel.OUTPUT)
        for name in ("tools", *_FORCING, "stop"):
            if name not in self.allowed and (value := self.document.get(name)) is not None:
                for text in _strings(value):
                    yield Slot(name, text, Channel.PROMPT)
        for name, text in self.extras.facts:
            yield Slot(f"wardgate.{name}", text, Channel.PROMPT)

    def words(self) -> Iterator[str]:
        """Everything that names something before an answer is written, whoever said it."""
        for message in self.document["messages"]:
            yield from _strings(message)
        for name in ("tools", *_FORCING):
            yield from _strings(self.document.get(name))
        yield from (parameter.value for parameter in (self.extras.parameters or {}).values())
        yield from (text for _, text in self.extras.facts)

    def said(self) -> list[str]:
        """What the users of the conversation said, for what their turns say together."""
        return [place.text for place in _message_texts(self.document["messages"]) if place.role == "user"]

    def begun(self) -> str:
        """What the client wrote of the answer itself, where the model is to go on from it."""
        last = self.document["messages"][-1]
        if not self.document.get("continue_final_message") or last.get("role") != "assistant":
            return ""
        return "".join(place.text for place in _message_texts([last]) if place.key in ("content", "text"))

    def turns(self) -> list[Turn]:
        """The conversation as the escalation rules read it."""
        return [Turn(place.role, place.text) for place in _message_texts(self.document["messages"])]

    def forward(self, engine_model: str, *, ask_logprobs: bool) -> bytes:
        """The body for vLLM: the client's own document with the model resolved, and what the record needs asked for."""
        document = self.document | {"model": engine_model}
        if ask_logprobs:
            document["logprobs"] = True
        if self.stream:
            document["stream_options"] = (document.get("stream_options") or {}) | {"include_usage": True}
        return orjson.dumps(document)

    def record(self) -> bytes:
        """The request as it is kept: parameters bound, as sent by the client otherwise."""
        return orjson.dumps(self.document)


def read(body: bytes, allowed: Collection[str]) -> ChatRequest:
    """Parse and check a request body.

    Raises:
        InvalidRequest: Not JSON, or a field the gateway reads has the wrong type.
        UnsupportedParameter: A field that carries text past the guards, or shows more than the answer.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"The body is not valid JSON: {error}.", code="invalid_json") from error
    if not isinstance(document, dict):
        raise InvalidRequest("The body must be a JSON object.", code="invalid_json")
    _check_depth(body, document)
    fields.refuse(document, allowed)
    _check_messages(document.get("messages"))
    _typed(document, "structured_outputs", dict, "an object")  # vLLM answers anything else with a 500
    wardgate = extras.read(document.pop("wardgate", None), _user(document))
    if document.get("store") is False:
        wardgate = replace(wardgate, store=False)
    options = _typed(document, "stream_options", dict, "an object") or {}
    return ChatRequest(
        document=document,
        model=_model(document),
        stream=bool(_typed(document, "stream", bool, "true or false")),
        choices=_choices(document),
        wants_logprobs=bool(_typed(document, "logprobs", bool, "true or false")),
        wants_usage=bool(options.get("include_usage")),
        extras=wardgate,
        allowed=allowed,
    )


@dataclass(slots=True)
class _Place:
    container: dict[str, Any]
    key: str
    text: str
    name: str
    role: str


def _message_texts(messages: list[dict[str, Any]]) -> Iterator[_Place]:
    for index, message in enumerate(messages):
        role = message["role"]
        content = message.get("content")
        if isinstance(content, str):
            yield _Place(message, "content", content, f"messages[{index}].content", role)
        elif isinstance(content, list):
            for number, part in enumerate(content):
                for key, value in part.items():
                    if isinstance(value, str) and key != "type":
                        yield _Place(part, key, value, f"messages[{index}].content[{number}].{key}", role)
        for key in ("name", "reasoning", "reasoning_content"):
            if isinstance(message.get(key), str):
                yield _Place(message, key, message[key], f"messages[{index}].{key}", role)


def _strings(value: object) -> Iterator[str]:
    """Every string inside a JSON value, keys included: a schema's property names reach the model as well."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)


def _typed(document: dict[str, Any], name: str, kind: type, words: str) -> Any:
    value = document.get(name)
    if value is not None and not isinstance(value, kind):
        raise _wrong(name, words, value)
    return value


def _check_depth(body: bytes, document: dict[str, Any]) -> None:
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        inside = (item.values() if isinstance(item, dict) else item for item in level)
        level = [child for children in inside for child in children if isinstance(child, dict | list)]
        if not level:
            return
    raise InvalidRequest(f"The body is nested deeper than {DEEPEST} levels. Flatten it.", code="invalid_json")


def _user(document: dict[str, Any]) -> str:
    """Who asks, taken out of the document."""
    named = [_typed(document, name, str, "a string") for name in _USER]
    for name in _USER:
        document.pop(name, None)
    return next(filter(None, named), "")


def _model(document: dict[str, Any]) -> str:
    model = _typed(document, "model", str, "a string")
    if not model:
        raise InvalidRequest(
            "'model' is missing. Name an alias, such as 'default'.", param="model", code="missing_field"
        )
    return str(model)


def _choices(document: dict[str, Any]) -> int:
    count = document.get("n")
    if count is None:
        return 1
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST_CHOICES:
        raise InvalidRequest(
            f"'n' must be a whole number from 1 to {MOST_CHOICES}, got {shown(count)}.", param="n", code="invalid_value"
        )
    return count


def _check_messages(messages: object) -> None:
    if not isinstance(messages, list) or not messages:
        raise _wrong("messages", "a non-empty array of messages", messages)
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        if not isinstance(message, dict):
            raise _wrong(where, "an object", message)
        if not isinstance(message.get("role"), str):
            raise _wrong(f"{where}.role", "a string", message.get("role"))
        if not _ROLE.fullmatch(message["role"]):
            # A chat template writes the role out as it stands, so anything else would be text that no guard reads.
            raise InvalidRequest(
                f"'{where}.role' must be a role's name, such as 'user', got {message['role']!r:.60}.",
                param=f"{where}.role",
                code="invalid_value",
            )
        content = message.get("content")
        if content is not None and not isinstance(content, str | list):
            raise _wrong(f"{where}.content", "a string or an array of parts", content)
        if isinstance(content, list):
            for number, part in enumerate(content):
                if not isinstance(part, dict):
                    raise _wrong(f"{where}.content[{number}]", "an object", part)


def _wrong(param: str, words: str, value: object) -> InvalidRequest:
    return InvalidRequest(f"'{param}' must be {words}, got {shown(value)}.", param=param, code="invalid_type")
