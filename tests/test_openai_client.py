"""The official OpenAI client against the real gateway and the real vLLM: all it can ask for, as its own types say."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from gateway.adapters.aligned import BUILT_IN, NAME, read_card
from gateway.engine import embedded

if TYPE_CHECKING:
    from serving import Served

pytestmark = pytest.mark.vllm

ASK: list[Any] = [{"role": "user", "content": "Name one color."}]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "restart",
        "description": "Restart a service by its name.",
        "strict": True,  # without it vLLM 0.32 holds the model to a tool's name, not to its schema
        "parameters": {
            "type": "object",
            "properties": {"service": {"type": "string", "enum": ["nginx", "redis"]}},
            "required": ["service"],
        },
    },
}


@pytest.fixture
def client(served: Served) -> OpenAI:
    return OpenAI(base_url=f"{served.url}/v1", api_key=served.key, max_retries=0, timeout=120)


@pytest.fixture
def asynchronous(served: Served) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{served.url}/v1", api_key=served.key, max_retries=0, timeout=120)


def test_models_are_listed_and_found(client: OpenAI) -> None:
    """The alias answers from the adapter that comes with the program, the base model's own name from the base."""
    names = {model.id for model in client.models.list()}
    assert {"default", "SmolLM2-135M-Instruct"} <= names
    assert client.models.retrieve("default").object == "model"
    card = read_card(BUILT_IN)
    assert card is not None
    for name, answering in (("default", f"{NAME}@{card.version}"), (embedded.NAME, embedded.NAME)):
        answer = client.chat.completions.create(model=name, messages=ASK, max_tokens=4)
        assert answer.model == answering


def test_a_plain_answer_has_usage_and_no_unasked_logprobs(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="default", messages=ASK, max_tokens=6)
    assert answer.usage is not None
    assert answer.usage.completion_tokens <= 6
    assert answer.choices[0].logprobs is None
    assert answer.id.startswith("chatcmpl-")


async def test_the_asynchronous_client_streams_side_by_side(asynchronous: AsyncOpenAI) -> None:
    async def one() -> str:
        stream = await asynchronous.chat.completions.create(model="default", messages=ASK, max_tokens=12, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

    assert all(await asyncio.gather(*(one() for _ in range(4))))


def test_stream_and_whole_answer_agree(client: OpenAI) -> None:
    """At temperature 0 the same text comes either way, usage included where asked for."""
    settings: Any = {"model": "default", "messages": ASK, "max_tokens": 16, "temperature": 0}
    whole = client.chat.completions.create(**settings)
    chunks = list(client.chat.completions.create(**settings, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage
    assert {chunk.id for chunk in chunks} == {chunks[0].id}


def test_logprobs_come_where_asked_for(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="default", messages=ASK, max_tokens=4, logprobs=True, top_logprobs=2)
    logprobs = answer.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content
    assert all(len(token.top_logprobs) == 2 and token.logprob <= 0 for token in logprobs.content)


def test_several_choices_and_stop_strings(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="default", messages=ASK, max_tokens=12, n=3, stop=["."])
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert all("." not in (choice.message.content or "") for choice in answer.choices)
    indices = set()
    for chunk in client.chat.completions.create(model="default", messages=ASK, max_tokens=8, n=2, stream=True):
        indices |= {choice.index for choice in chunk.choices}
    assert indices == {0, 1}


def test_a_json_schema_is_followed(client: OpenAI) -> None:
    schema = {"type": "object", "properties": {"color": {"enum": ["red", "blue"]}}, "required": ["color"]}
    answer = client.chat.completions.create(
        model="default",
        messages=ASK,
        max_tokens=40,
        response_format={"type": "json_schema", "json_schema": {"name": "color", "schema": schema}},
    )
    assert json.loads(answer.choices[0].message.content or "")["color"] in ("red", "blue")


@pytest.mark.parametrize("choice", ["auto", "required", {"type": "function", "function": {"name": "restart"}}])
@pytest.mark.parametrize("stream", [False, True])
def test_tools_are_called_as_chosen(client: OpenAI, choice: Any, stream: bool) -> None:
    """Required and named choices give arguments that fit a strict schema; auto is the model's decision."""
    asked: Any = {
        "model": "default",
        "messages": ASK,
        "tools": [TOOL],
        "tool_choice": choice,
        "max_tokens": 120,
        "temperature": 0,
    }
    if stream:
        deltas = [c.choices[0].delta for c in client.chat.completions.create(**asked, stream=True) if c.choices]
        arguments = "".join(
            call.function.arguments or "" for delta in deltas for call in delta.tool_calls or () if call.function
        )
    else:
        calls = client.chat.completions.create(**asked).choices[0].message.tool_calls or []
        arguments = calls[0].function.arguments if calls else ""
    if choice != "auto":
        assert '"service"' in arguments


def test_errors_are_the_clients_own(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="gpt-9", messages=ASK)
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="default", messages=ASK, max_tokens=-1)
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="wrong").chat.completions.create(model="default", messages=ASK)
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="default", messages=ASK, extra_body={"prompt_logprobs": 1})
    assert refused.value.code == "unsupported_parameter"


def test_a_client_that_leaves_ends_the_generation(client: OpenAI, served: Served, vllm_url: str) -> None:
    """The engine stops working for who has gone; the record says so."""
    messages: list[Any] = [{"role": "user", "content": "Count from one to a thousand, one number a line."}]
    stream = client.chat.completions.create(model="default", messages=messages, max_tokens=1500, stream=True)
    inference_id = next(iter(stream)).id
    stream.close()
    deadline = time.monotonic() + 60
    while running(vllm_url) > 0:
        assert time.monotonic() < deadline, "vLLM still generates"
        time.sleep(0.2)
    while (record := served.get(f"/admin/inferences/{inference_id}"))[0] != 200:
        assert time.monotonic() < deadline, "no record was kept"
        time.sleep(0.2)
    assert record[1]["outcome"] == "client_gone"


def running(vllm_url: str) -> float:
    """Requests that vLLM is working on, by its own metrics."""
    with urllib.request.urlopen(f"{vllm_url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("vllm:num_requests_running{"))
