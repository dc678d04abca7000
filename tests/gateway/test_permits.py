"""Signed verdicts in answers: what a runner may run, and nothing of what was stopped."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import vllm_bytes as vllm
from aiohttp import web
from fake_vllm import ChattingVllm

from gateway.permits import open_key
from guardrails.interface import Shell
from guardrails.permits.interface import PermitError, Wanted
from guardrails.permits.keys import SigningKey, VerifyingKey
from guardrails.permits.verify import verify

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager


KEY, _ = SigningKey.made()
PUBLIC = VerifyingKey.parse(KEY.public_pem)
ADVICE = ["Run `system", "ctl status nginx", "` first:\n\n```bash\ndf", " -h\n```\n"]
HARMFUL = ["Run `uptime`, then\n\n", "```bash\nrm -rf /var", "/lib/postgresql\n```\n"]
CALL = {"id": "c1", "type": "function", "function": {"name": "restart", "arguments": '{"service": "nginx"}'}}


@pytest.fixture
async def engine() -> AsyncIterator[ChattingVllm]:
    fake = ChattingVllm(ADVICE)
    fake.base = "org/base-model"
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def chats(
    engine: ChattingVllm, open_house: Callable[..., AbstractAsyncContextManager[Any]]
) -> AsyncIterator[Any]:
    async with open_house(served=True, engine=engine.url, permit_key=KEY) as house:
        yield house


async def answered(house: Any, *, stream: bool) -> tuple[str, dict[str, Any]]:
    """The id of an answer and its `wardgate` object."""
    async with asyncio.timeout(10):
        while (await house.http.get("/health/ready")).status_code != 200:  # noqa: ASYNC110 - seen from outside
            await asyncio.sleep(0.02)
    asked = {
        "model": "default",
        "messages": [{"role": "user", "content": "Is {{service}} up?"}],
        "stream": stream,
        "extra_body": {"wardgate": {"parameters": {"service": {"value": "nginx", "type": "service"}}}},
    }
    answer = await house.openai.chat.completions.create(**asked)
    if stream:
        answer = [chunk async for chunk in answer][-1]
    return answer.id, answer.wardgate


@pytest.mark.parametrize("stream", [False, True])
async def test_the_commands_of_an_answer_carry_permits(chats: Any, *, stream: bool) -> None:
    """Each for its exact text, with the parameters of the request, the answer's id, and who judged."""
    inference_id, wardgate = await answered(chats, stream=stream)
    assert [(one["command"], one["shell"], one["slot"]) for one in wardgate["permits"]] == [
        ("systemctl status nginx", "bash", "choices[0]"),
        ("df -h", "bash", "choices[0]"),
    ]
    for one in wardgate["permits"]:
        wanted = Wanted(one["command"], Shell.BASH, parameters={"service": "nginx"})
        permit = verify(one["permit"], wanted, [PUBLIC], time.time())
        assert permit.inference == inference_id
        assert permit.id.startswith(inference_id)
        assert permit.expires == one["expires"] == permit.issued + 300
    record = (await chats.http.get(f"/admin/inferences/{inference_id}")).json()
    assert record["digests"]["policy"] == permit.policy
    assert record["digests"]["rules"] == permit.rules


@pytest.mark.parametrize("stream", [False, True])
async def test_a_stopped_answer_carries_none(chats: Any, engine: ChattingVllm, *, stream: bool) -> None:
    """Not even for the part that had left, or would have been allowed alone."""
    engine.tokens = HARMFUL
    _, wardgate = await answered(chats, stream=stream)
    assert (wardgate["action"], wardgate["permits"]) == ("block", [])


@pytest.mark.parametrize("stream", [False, True])
async def test_a_tool_call_carries_a_permit_for_its_arguments(
    chats: Any, engine: ChattingVllm, *, stream: bool
) -> None:
    """As the model wrote them, for that tool alone."""

    async def calling(_: web.BaseRequest) -> web.StreamResponse:
        if not stream:
            return web.Response(body=vllm.completion([""], tool_calls=[CALL]), content_type="application/json")
        events = vllm.event(0, {"tool_calls": [{"index": 0, **CALL}]}) + vllm.event(0, {}, finish_reason="tool_calls")
        return web.Response(body=events + b"data: [DONE]\n\n", content_type="text/event-stream")

    engine.chat = calling
    _, wardgate = await answered(chats, stream=stream)
    (one,) = wardgate["permits"]
    assert (one["tool"], one["command"], one["slot"]) == ("restart", '{"service": "nginx"}', "choices[0].tool_calls[0]")
    assert verify(one["permit"], Wanted(one["command"], tool="restart"), [PUBLIC], time.time()).shell is None


async def test_a_long_answer_is_signed_in_a_thread(
    chats: Any, engine: ChattingVllm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other requests are not held up by it."""
    monkeypatch.setattr("gateway.exchange.INLINE_CHARACTERS", 10)
    _, wardgate = await answered(chats, stream=False)
    assert len(wardgate["permits"]) == 2


async def test_without_a_key_nothing_is_said_of_permits(
    engine: ChattingVllm, open_house: Callable[..., AbstractAsyncContextManager[Any]]
) -> None:
    """An empty list would say that nothing may be run."""
    async with open_house(served=True, engine=engine.url) as house:
        _, wardgate = await answered(house, stream=False)
        assert "permits" not in wardgate


async def test_the_guard_alone_signs_too(chats: Any) -> None:
    """A command's own permit, an answer's permits, and none for a parameter, a prompt or what is stopped."""
    texts = [
        {"text": "uptime"},
        {"text": "Run `uptime`.", "kind": "output"},
        {"text": "nginx", "kind": "parameter", "type": "service"},
        {"text": "uptime", "kind": "prompt"},
        {"text": "rm -rf /"},
    ]
    verdicts = (await chats.http.post("/v1/guard/check", json=texts)).json()
    assert [[one["command"] for one in verdict["permits"]] for verdict in verdicts] == [
        ["uptime"],
        ["uptime"],
        [],
        [],
        [],
    ]
    assert len({one["permit"] for verdict in verdicts for one in verdict["permits"]}) == 2


def test_the_home_makes_its_key_once(tmp_path: Path) -> None:
    """Private for its owner alone; the public half beside it is for the runners."""
    key = open_key("home", tmp_path)
    again = open_key("home", tmp_path)
    assert key is not None
    assert again is not None
    assert key.id == again.id == VerifyingKey.load(tmp_path / "permits.pub").id
    assert (tmp_path / "permits.pem").stat().st_mode & 0o777 == 0o600
    named = open_key(str(tmp_path / "permits.pem"), tmp_path / "elsewhere")
    assert named is not None
    assert named.id == key.id
    assert open_key("", tmp_path) is None


def test_a_key_that_is_not_there_is_said(tmp_path: Path) -> None:
    """A misspelled path makes no new key, which no runner would know."""
    with pytest.raises(PermitError, match="cannot be read"):
        open_key(str(tmp_path / "permit.pem"), tmp_path)
    with pytest.raises(PermitError, match="cannot be written"):
        open_key("home", Path("/dev/null"))
