"""Whole answers: judged, refused, and otherwise left as vLLM wrote them."""

from __future__ import annotations

import json

import vllm_bytes as vllm

from gateway.protocols import chat_answer
from guardrails.guard import Guard
from guardrails.policy import load_policy

GUARD = Guard(load_policy(None))
HARMFUL = "To free the disk, run rm -rf /var/lib/postgresql now."


def test_a_harmless_answer_is_sent_as_written() -> None:
    results = chat_answer.judge(chat_answer.read(vllm.completion(["Look at the logs."])), GUARD)
    assert [(result.sent, result.finish_reason) for result in results] == [("Look at the logs.", "stop")]


def test_a_destructive_choice_is_refused_and_the_others_stay() -> None:
    body = vllm.completion(["Look at the logs.", HARMFUL], logprobs=True)
    results = chat_answer.judge(chat_answer.read(body), GUARD)
    assert [result.verdict.action.stops for result in results] == [False, True]
    document = json.loads(chat_answer.refuse_choices(body, {1: results[1].sent}))
    kept, refused = document["choices"]
    assert kept["message"]["content"] == "Look at the logs."
    assert "postgresql -" not in refused["message"]["content"]
    assert "rm -rf" not in json.dumps(refused)
    assert refused["finish_reason"] == "content_filter"
    assert refused["logprobs"] is None


def test_tool_call_arguments_are_judged() -> None:
    call = {
        "id": "call-1",
        "type": "function",
        "function": {"name": "shell", "arguments": '{"cmd": "mkfs.ext4 /dev/sda"}'},
    }
    body = vllm.completion([""], tool_calls=[call])
    result = chat_answer.judge(chat_answer.read(body), GUARD)[0]
    assert result.verdict.action.stops
    assert b"mkfs" in result.tool_calls


def test_stripping_logprobs_leaves_the_text_alone() -> None:
    """An answer that talks about log-probabilities keeps every character of it."""
    text = 'The field "logprobs":{"content":[]} is null.'
    body = vllm.completion([text], logprobs=True)
    completion = chat_answer.read(body)
    stripped = json.loads(chat_answer.strip_logprobs(body, completion.choices[0].logprobs))
    assert stripped["choices"][0]["message"]["content"] == text
    assert stripped["choices"][0]["logprobs"] is None


def test_identity_and_the_wardgate_object_are_put_in() -> None:
    body = chat_answer.identify(vllm.completion(["Yes."]), vllm.ID, "chatcmpl-ours")
    document = json.loads(chat_answer.with_wardgate(body, b'{"action":"allow"}'))
    assert (document["id"], document["wardgate"]) == ("chatcmpl-ours", {"action": "allow"})


def test_a_refusal_fills_every_choice() -> None:
    document = json.loads(chat_answer.refusal("chatcmpl-ours", "m", "No.", 3, b"{}"))
    assert [choice["finish_reason"] for choice in document["choices"]] == ["content_filter"] * 3


def test_a_streamed_refusal_is_a_whole_stream() -> None:
    data = chat_answer.refusal_events("chatcmpl-ours", "m", "No.", 2, b'{"action":"block"}', usage=True)
    assert vllm.contents(data) == "No.No."
    assert data.endswith(b"data: [DONE]\n\n")
    with_choices = [event for event in vllm.events(data) if event["choices"]]
    assert with_choices[-1]["wardgate"] == {"action": "block"}
    assert "usage" in vllm.events(data)[-1]
