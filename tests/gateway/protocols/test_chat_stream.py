"""The relay of a streamed answer: what leaves, when, and what never does."""

from __future__ import annotations

import itertools

import pytest
import vllm_bytes as vllm
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocols.chat_stream import ChatStream, StreamBroken
from guardrails.guard import Guard
from guardrails.policy import load_policy

OURS = "chatcmpl-ours"
GUARD = Guard(load_policy(None))
PROSE = ["The", " disk", " is", " full", ".", " Look", " at", " the", " logs", " first", "."]
SECRET = "rm -rf /var/lib/postgresql"
HARMFUL = ["The disk is full. ", "To free it, run ", "rm", " -rf", " /var/lib", "/postgresql", " now."]


def relay(*, choices: int = 1, logprobs: bool = False, usage: bool = False) -> ChatStream:
    return ChatStream(GUARD, OURS, choices=choices, keep_logprobs=logprobs, keep_usage=usage)


def run(stream: ChatStream, data: bytes, cuts: list[int]) -> bytes:
    """Feed `data` cut at `cuts`, and close."""
    sent = b""
    edges = [0, *sorted(cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        sent += stream.feed(data[start:end])
    assert stream.finished
    return sent + stream.closing(b'{"action":"allow"}')


def test_harmless_text_leaves_as_it_comes() -> None:
    """A token that can begin no command leaves in the step it arrives in."""
    stream = relay()
    stream.feed(vllm.event(0, {"role": "assistant", "content": ""}))
    assert vllm.contents(stream.feed(vllm.event(0, {"content": " zqx"}))) == " zqx"


def test_events_keep_the_engines_bytes_but_for_the_id() -> None:
    """What no guard touched is vLLM's own event under our id."""
    sent = relay().feed(vllm.event(0, {"content": "Hello "}))
    assert sent == vllm.event(0, {"content": "Hello "}).replace(vllm.ID.encode(), OURS.encode())


@given(st.lists(st.integers(0, len(vllm.stream(PROSE)) - 1), max_size=12))
def test_however_the_bytes_are_cut_a_harmless_answer_arrives_whole(cuts: list[int]) -> None:
    stream = relay()
    sent = run(stream, vllm.stream(PROSE), cuts)
    assert vllm.contents(sent) == "".join(PROSE)
    assert sent.endswith(b"data: [DONE]\n\n")
    assert stream.results()[0].sent == "".join(PROSE)
    assert not stream.cut


@given(st.lists(st.integers(0, len(vllm.stream(HARMFUL)) - 1), max_size=12))
def test_however_the_bytes_are_cut_no_character_of_a_finding_leaves(cuts: list[int]) -> None:
    stream = relay()
    text = vllm.contents(run(stream, vllm.stream(HARMFUL), cuts))
    assert text.startswith("The disk is full. ")
    assert "rm" not in text.split()
    assert "/var/lib" not in text
    result = stream.results()[0]
    assert (result.finish_reason, result.sent) == ("content_filter", text)
    assert SECRET in result.written or not result.written.endswith("now.")


@given(st.text(alphabet="rm -f/var`$()|;. \nab", max_size=60), st.lists(st.integers(1, 6), min_size=1, max_size=20))
def test_what_is_sent_does_not_depend_on_the_tokens(text: str, sizes: list[int]) -> None:
    """Cut into other tokens, the same text sends the same text."""
    tokens, rest, turn = [], text, 0
    while rest:
        size = sizes[turn % len(sizes)]
        tokens.append(rest[:size])
        rest, turn = rest[size:], turn + 1
    whole, cut = relay(), relay()
    once = vllm.contents(run(whole, vllm.stream([text] if text else []), []))
    pieces = vllm.contents(run(cut, vllm.stream(tokens), []))
    assert pieces == once
    assert cut.results()[0].verdict == whole.results()[0].verdict


def test_logprobs_are_kept_for_the_record_and_stripped_from_the_stream() -> None:
    stream = relay()
    sent = run(stream, vllm.stream(PROSE, logprobs=True), [])
    assert b'"logprobs":{' not in sent
    assert len(stream.results()[0].logprobs) == len(PROSE)


def test_logprobs_that_were_asked_for_pass() -> None:
    sent = run(relay(logprobs=True), vllm.stream(PROSE, logprobs=True), [])
    assert sum(1 for event in vllm.events(sent) if event["choices"][0]["logprobs"]) == len(PROSE)


def test_held_logprobs_never_leave() -> None:
    """The log-probabilities of a stopped command are as secret as the command."""
    sent = run(relay(logprobs=True), vllm.stream(HARMFUL, logprobs=True), [])
    tokens = [
        token["token"]
        for event in vllm.events(sent)
        for token in (event["choices"][0]["logprobs"] or {}).get("content", ())
    ]
    assert not {"rm", " -rf", " /var/lib", "/postgresql"} & set(tokens)


def test_the_last_event_with_choices_carries_the_wardgate_object() -> None:
    sent = run(relay(usage=True), vllm.stream(PROSE), [])
    with_choices = [event for event in vllm.events(sent) if event["choices"]]
    assert [("wardgate" in event) for event in with_choices] == [False] * (len(with_choices) - 1) + [True]
    assert vllm.events(sent)[-1]["usage"]["completion_tokens"] == len(PROSE)


def test_usage_is_read_but_not_sent_unasked() -> None:
    stream = relay()
    sent = run(stream, vllm.stream(PROSE), [])
    assert stream.usage is not None
    assert b'"usage"' not in sent


def test_one_choice_is_stopped_and_the_other_goes_on() -> None:
    """Each of `n` choices has its own guard; the stream ends with the last of them."""
    stream = relay(choices=2)
    data = b"".join(vllm.event(0, {"content": token}) for token in HARMFUL)
    data += vllm.event(0, {}, finish_reason="stop")
    data += b"".join(vllm.event(1, {"content": token}) for token in PROSE)
    data += vllm.event(1, {}, finish_reason="stop") + vllm.usage_event() + b"data: [DONE]\n\n"
    sent = run(stream, data, [])
    first, second = stream.results()
    assert first.verdict.action.stops
    assert second.sent == "".join(PROSE)
    assert not second.verdict.action.stops
    assert vllm.events(sent)[-1]["choices"][0]["index"] == 1


def test_several_choices_in_one_event_are_taken_apart() -> None:
    stream = relay(choices=2)
    both = vllm.event(0, {"content": "One. "}).replace(
        b'"choices":[', b'"choices":[' + vllm.event(1, {"content": "Two. "})[6:-2].split(b'"choices":[')[1][:-2] + b","
    )
    assert vllm.contents(stream.feed(both)) == "Two. One. "


def test_a_destructive_tool_call_is_stopped() -> None:
    """Arguments of a tool call are read as output, however they are cut."""
    stream = relay()
    arguments = '{"command": "rm -rf /var/lib/postgresql"}'
    call = {"index": 0, "id": "call-1", "type": "function", "function": {"name": "shell", "arguments": ""}}
    data = vllm.event(0, {"tool_calls": [call]})
    data += b"".join(
        vllm.event(0, {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}) for piece in arguments
    )
    data += vllm.event(0, {}, finish_reason="tool_calls") + b"data: [DONE]\n\n"
    sent = run(stream, data, [])
    assert b"/var/lib" not in sent
    result = stream.results()[0]
    assert result.verdict.action.stops
    assert b"postgresql" in result.tool_calls


def test_reasoning_is_read_as_well() -> None:
    stream = relay()
    data = vllm.event(0, {"reasoning": f"I could run {SECRET} here.\n"}) + vllm.stream(PROSE)
    stream.feed(data)
    assert stream.results()[0].verdict.action.stops


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'data: {"error":{"message":"EngineCore died","type":"InternalServerError","code":500}}\n\n', "an error"),
        (b"data: [DONE]\n\n", "before its choices had ended"),
        (b"data: {not json}\n\n", "an event that is none"),
        (vllm.event(3, {"content": "a choice nobody asked for"}), "not asked for"),
    ],
)
def test_a_broken_stream_is_said_to_be_broken(data: bytes, said: str) -> None:
    with pytest.raises(StreamBroken, match=said):
        relay().feed(vllm.event(0, {"content": "So far so good. "}) + data)
