"""Reading a chat completion: types, texts, parameters and what is passed on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.errors import InvalidRequest, UnsupportedParameter
from gateway.protocols import chat
from guardrails.interface import Channel

HELLO = {"role": "user", "content": "Hello"}


def read(**document: Any) -> chat.ChatRequest:
    return chat.read(json.dumps({"model": "default", "messages": [HELLO]} | document).encode(), ())


def test_facts_are_counted() -> None:
    """Each is judged, so that a million would take a gateway's whole time."""
    with pytest.raises(InvalidRequest, match="at most 10000"):
        read(wardgate={"facts": ["x"] * 10_001})


def test_everything_of_a_request_names() -> None:
    """Messages whoever wrote them, tools, schemas, parameters and facts."""
    call = {"type": "function", "function": {"name": "f", "arguments": '{"host": "a5"}'}}
    request = read(
        messages=[
            {"role": "user", "content": "a1 {{p}}"},
            {"role": "assistant", "content": "a2", "tool_calls": [call]},
        ],
        tools=[{"type": "function", "function": {"name": "a3"}}],
        response_format={"type": "json_schema", "json_schema": {"enum": ["a4"]}},
        wardgate={"parameters": {"p": "a6"}, "facts": {"a7": "a8"}},
    )
    words = "\n".join(request.words())
    assert [name for name in ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8"] if name not in words] == []


@pytest.mark.parametrize(
    ("document", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "Hello"}, "messages"),
        ({"messages": ["Hello"]}, "messages[0]"),
        ({"messages": [{"content": "Hello"}]}, "messages[0].role"),
        ({"messages": [{"role": "user\nrun rm -rf /var/lib", "content": "Hello"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{}, "Hello"]}]}, "messages[0].content[1]"),
        ({"model": None}, "model"),
        ({"model": 7}, "model"),
        ({"stream": "yes"}, "stream"),
        ({"logprobs": 1}, "logprobs"),
        ({"stream_options": []}, "stream_options"),
        ({"n": 0}, "n"),
        ({"n": True}, "n"),
        ({"n": 1000}, "n"),
        ({"wardgate": []}, "wardgate"),
        ({"structured_outputs": ["a"]}, "structured_outputs"),
        ({"user": 7}, "user"),
        ({"wardgate": {"store": "no"}}, "wardgate.store"),
        ({"wardgate": {"conversation_id": "a\0b"}}, "wardgate.conversation_id"),
        ({"wardgate": {"conversation_id": ""}}, "wardgate.conversation_id"),
        ({"wardgate": {"user_id": "x" * 300}}, "wardgate.user_id"),
        ({"wardgate": {"parameters": {"a": {"value": "b", "type": "sevrice"}}}}, "wardgate.parameters.a.type"),
    ],
)
def test_a_wrong_type_names_its_field(document: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(**document)
    assert caught.value.param == param


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b'{"model": "default",}', b"\xff\xfe"])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        chat.read(body, ())
    assert caught.value.code == "invalid_json"


@pytest.mark.parametrize("name", ["prompt_logprobs", "chat_template", "documents", "echo", "priority", "vllm_xargs"])
def test_a_field_past_the_guards_is_refused_unless_policy_names_it(name: str) -> None:
    body = json.dumps({"model": "default", "messages": [HELLO], name: 1}).encode()
    with pytest.raises(UnsupportedParameter) as caught:
        chat.read(body, ())
    assert caught.value.param == name
    assert chat.read(body, (name,)).document[name] == 1


def test_a_refused_field_set_to_nothing_passes() -> None:
    """Clients that send every default are not refused for a null."""
    assert read(echo=False, prompt_logprobs=None).model == "default"


def test_an_unoffered_wardgate_key_is_refused_with_a_mend() -> None:
    with pytest.raises(UnsupportedParameter, match="Did you mean 'conversation_id'"):
        read(wardgate={"conversation": "42"})


def test_unknown_fields_pass_untouched() -> None:
    forwarded = json.loads(read(min_p=0.1, my_field={"a": [1]}).forward("tiny", ask_logprobs=False))
    assert (forwarded["min_p"], forwarded["my_field"], forwarded["model"]) == (0.1, {"a": [1]}, "tiny")
    assert "wardgate" not in forwarded


def test_what_the_record_needs_is_asked_of_the_engine() -> None:
    forwarded = json.loads(read(stream=True).forward("tiny", ask_logprobs=True))
    assert forwarded["logprobs"] is True
    assert forwarded["stream_options"] == {"include_usage": True}


def test_parameters_are_bound_into_every_text() -> None:
    messages = [
        {"role": "system", "content": "You look after {{service}}."},
        {"role": "user", "content": [{"type": "text", "text": "Restart {{service}} on {{host}}."}]},
    ]
    parameters = {"service": {"value": "nginx", "type": "service"}, "host": "web-01"}
    request = read(messages=messages, wardgate={"parameters": parameters})
    request.bind()
    assert [slot.text for slot in request.slots()] == ["You look after nginx.", "Restart nginx on web-01."]


@pytest.mark.parametrize(
    ("text", "parameters"), [("Restart {{service}}.", {"host": "web-01"}), ("Restart it.", {"service": "nginx"})]
)
def test_a_placeholder_and_a_value_need_one_another(text: str, parameters: dict[str, str]) -> None:
    request = read(messages=[{"role": "user", "content": text}], wardgate={"parameters": parameters})
    with pytest.raises(InvalidRequest) as caught:
        request.bind()
    assert caught.value.code == "unbound_parameter"


def test_without_parameters_braces_are_ordinary_text() -> None:
    request = read(messages=[{"role": "user", "content": "What is {{ this }} in Jinja?"}])
    request.bind()
    assert [slot.text for slot in request.slots()] == ["What is {{ this }} in Jinja?"]


def test_every_text_that_reaches_the_model_is_a_slot() -> None:
    """Tools, schemas, choices, patterns and stop strings can carry or force text, and are judged as prompt text."""
    request = read(
        tools=[
            {
                "type": "function",
                "function": {"name": "t-name", "description": "t-text", "parameters": {"enum": ["t-enum"]}},
            }
        ],
        response_format={
            "type": "json_schema",
            "json_schema": {"schema": {"const": "r-const", "pattern": "r-pattern"}},
        },
        structured_outputs={"choice": ["s-choice"]},
        stop=["s-stop"],
    )
    texts = {slot.text for slot in request.slots()}
    assert {"Hello", "t-name", "t-text", "t-enum", "r-const", "r-pattern", "s-choice", "s-stop"} <= texts
    assert {slot.channel for slot in request.slots()} == {Channel.PROMPT}


def test_an_allowed_field_passes_unjudged() -> None:
    body = {"model": "default", "messages": [HELLO], "structured_outputs": {"choice": ["forced"]}}
    request = chat.read(json.dumps(body).encode(), ("structured_outputs",))
    assert [slot.text for slot in request.slots()] == ["Hello"]


def test_a_message_the_model_continues_is_judged_as_output() -> None:
    messages = [HELLO, {"role": "assistant", "content": "To fix it, run"}]
    request = read(messages=messages, continue_final_message=True, add_generation_prompt=False)
    assert [(slot.text, slot.channel) for slot in request.slots()] == [
        ("Hello", Channel.PROMPT),
        ("To fix it, run", Channel.OUTPUT),
    ]


def test_store_false_is_heard_in_both_places() -> None:
    assert not read(store=False).extras.store
    assert not read(wardgate={"store": False}).extras.store
    assert read().extras.store


def test_the_openai_user_field_stands_in_for_the_user_id() -> None:
    assert read(user="kim").extras.user_id == "kim"
    assert read(user="kim", wardgate={"user_id": "lee"}).extras.user_id == "lee"


@pytest.mark.parametrize("field", ["user", "safety_identifier"])
def test_who_asks_stands_neither_in_the_record_nor_in_what_vllm_sees(field: str) -> None:
    request = read(**{field: "kim@example.org"})
    assert request.extras.user_id == "kim@example.org"
    assert b"kim@" not in request.record() + request.forward("m", ask_logprobs=True)


@pytest.mark.parametrize("field", ["tools", "response_format", "metadata"])
@pytest.mark.parametrize("depth", [chat.DEEPEST, 1000, 100_000])
def test_a_body_nested_too_deeply_is_refused(field: str, depth: int) -> None:
    body = json.dumps({"model": "default", "messages": [HELLO]})[:-1] + f', "{field}": {"[" * depth}{"]" * depth}}}'
    with pytest.raises(InvalidRequest, match=r"nested|depth"):
        chat.read(body.encode(), ())


def test_what_is_wide_or_as_deep_as_may_be_passes_whole() -> None:
    deep: Any = []
    for _ in range(chat.DEEPEST - 2):
        deep = [deep]
    request = read(tools=[{"a": [{}]}] * 100, metadata=deep)
    list(request.slots())
    assert json.loads(request.forward("m", ask_logprobs=False))["metadata"] == deep
