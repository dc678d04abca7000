"""The security engineer: a rule for the company's own tool, and a gateway under load that takes it up.

What the model says is scripted here: a real vLLM would not suggest `fleetctl`, and none is needed to see that not one
request is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import vllm_bytes
from aiohttp import web
from fake_vllm import FakeVllm
from serving import WARDGATE, Served, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

RULE = """\
pack: fleet
rules:
  - id: drain-node
    effect: stop
    severity: high
    reason: would take {node} out of service with everything that runs on it
    reference: https://wiki.example.com/fleetctl
    alternative: fleetctl node cordon {node}
    match:
      - command: [fleetctl]
        subcommand: ["node drain|remove"]
        unless: [--dry-run]
        names: {node: 0}
    positive: [fleetctl node drain web-7, sudo fleetctl --region eu node remove web-7]
    negative: [fleetctl node list, fleetctl node drain web-7 --dry-run]
"""
ADVICE = ["The node ", "is not well. ", "Run `", "fleetctl node ", "drain web-7", "` ", "and look ", "again."]
TAKEN_UP = 20.0  # seconds: under two on an idle machine


def wardgate(*words: str, cwd: Path) -> tuple[int, str]:
    done = subprocess.run([WARDGATE, *words], cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_rule_is_written_checked_and_explained(tmp_path: Path) -> None:
    """One YAML entry; each slip on the way is answered with line, field and mend."""
    (tmp_path / "policy.yaml").write_text("rule_paths: [fleet.yaml]\n")
    rule = tmp_path / "fleet.yaml"
    policy = ("--policy", "policy.yaml")
    for slip, told in (
        (
            RULE.replace("effect: stop", "efect: stop"),
            "fleet.yaml:4: rules.0.efect: is no key here; did you mean effect?",
        ),
        (RULE.replace("    match:", "   match:"), "fleet.yaml:9: yaml: not YAML"),
        (RULE.replace("node drain|remove", "node (drain"), "fleet.yaml:14: fleet.drain-node: positive.0"),
        (RULE.replace("fleetctl node cordon", "fleetctl node drain"), "offer what is harmless"),
    ):
        rule.write_text(slip)
        status, said = wardgate("guard", "rules", "--check", *policy, cwd=tmp_path)
        assert status in (1, 2)
        assert told in said
    rule.write_text(RULE)
    assert wardgate("guard", "rules", "--check", "--pack", "fleet", *policy, cwd=tmp_path) == (
        0,
        "1 rule, 4 examples: all hold\n",
    )
    status, said = wardgate("guard", "rules", "explain", "fleet.drain-node", *policy, cwd=tmp_path)
    assert status == 0
    assert "written in fleet.yaml:3" in said
    command = "ssh ops1 'sudo fleetctl node drain web-7'"
    status, said = wardgate("guard", "check", command, *policy, cwd=tmp_path)
    assert status == 1
    assert said.startswith("block\n  fleet.drain-node (high) at 0-41: would take web-7 out of service")
    assert "\n    effect: stop\n  would run:\n    ssh ops1" in said
    assert said.endswith("\n  instead: fleetctl node cordon web-7\n")


class AdvisingVllm(FakeVllm):
    """Advises what is in `ADVICE`, quickly, or slowly where it is asked to."""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = json.loads(self.bodies[self.seen.index(request)])
        gap = 0.6 if "slowly" in asked["messages"][0]["content"] else 0.002
        if not asked.get("stream"):
            await asyncio.sleep(gap)
            return web.Response(body=vllm_bytes.completion(["".join(ADVICE)]), content_type="application/json")
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # a stopped answer is not read to its end
            for event in vllm_bytes.stream(ADVICE).split(b"\n\n")[:-1]:
                await response.write(event + b"\n\n")
                await asyncio.sleep(gap)
        return response


@dataclass
class Load:
    """Chats and streams without a pause; what became of each."""

    http: httpx.AsyncClient
    answers: list[dict[str, Any]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    async def ask(self, *, stream: bool, how: str = "now") -> dict[str, Any]:
        """One request's id and action; whatever is no whole answer counts as failed."""
        body = {"model": "default", "stream": stream, "messages": [{"role": "user", "content": f"What to do {how}?"}]}
        answer = await self.http.post("/v1/chat/completions", json=body)
        if answer.status_code != 200 or (stream and not answer.text.rstrip().endswith("data: [DONE]")):
            self.failed.append(f"{answer.status_code} {answer.text[:300]}")
            return {}
        events = answer.text.split("\n\n") if stream else [f"data: {answer.text}"]
        told = [json.loads(event[6:]) for event in events if event.startswith("data: {")]
        last = next(event for event in reversed(told) if "wardgate" in event)
        return {"id": last["id"], **last["wardgate"]}

    async def run(self, stream: bool) -> None:
        while True:
            try:
                self.answers.append(await self.ask(stream=stream))
            except httpx.HTTPError as error:
                self.failed.append(repr(error))

    async def until(self, action: str) -> None:
        """Waits until answers that begin now get this action."""
        began = time.monotonic()
        while (await self.ask(stream=True)).get("action") != action:
            assert time.monotonic() - began < TAKEN_UP
            await asyncio.sleep(0.05)


@pytest.fixture
async def advising() -> AsyncIterator[AdvisingVllm]:
    vllm = AdvisingVllm()
    await vllm.start()
    yield vllm
    await vllm.stop()


@pytest.fixture
async def gateway(tmp_path: Path, advising: AdvisingVllm) -> AsyncIterator[Served]:
    """A gateway with a policy that names no rules yet."""
    (tmp_path / "policy.yaml").write_text("{}\n")
    served = serve(tmp_path / "home", "--upstream", advising.url, "--policy", str(tmp_path / "policy.yaml"))
    try:
        await asyncio.to_thread(served.wait_ready, 60)
        yield served
    finally:
        await asyncio.to_thread(served.stop)


async def read_again(http: httpx.AsyncClient, result: str, times: int) -> None:
    """Waits until policy and rules were read that often, with this result."""
    began = time.monotonic()
    while f'wardgate_guard_reloads_total{{result="{result}"}} {times}.0' not in (await http.get("/metrics")).text:
        assert time.monotonic() - began < TAKEN_UP
        await asyncio.sleep(0.05)


async def digests(http: httpx.AsyncClient, answer: dict[str, Any]) -> tuple[str, str]:
    for _ in range(100):
        found = await http.get(f"/admin/inferences/{answer['id']}")
        if found.status_code == 200:
            told = found.json()["digests"]
            return told["policy"], told["rules"]
        await asyncio.sleep(0.05)
    raise AssertionError(found.text)


async def test_a_gateway_takes_rules_up_under_load(tmp_path: Path, gateway: Served) -> None:
    """Good and bad files come and go, and no request fails; who began under a guard ends under it."""
    policy, rule = tmp_path / "policy.yaml", tmp_path / "fleet.yaml"
    headers = {"authorization": f"Bearer {gateway.key}"}
    async with (
        httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=60) as http,
        asyncio.TaskGroup() as group,
    ):
        load = Load(http)
        running = [group.create_task(load.run(stream)) for stream in (False, True, True)]
        await load.until("allow")
        before = await load.ask(stream=False)
        slow = group.create_task(load.ask(stream=True, how="slowly"))  # its command comes when the rule is in force
        await asyncio.sleep(0.1)

        rule.write_text(RULE)
        policy.write_text("rule_paths: [fleet.yaml]\n")
        await load.until("block")
        under_rule = await load.ask(stream=False)
        assert under_rule["alternative"] == "fleetctl node cordon web-7"
        assert under_rule["findings"][0]["effect"] == "stop"
        assert (await slow)["action"] == "allow"
        assert await digests(http, await slow) == await digests(http, before)
        assert await digests(http, under_rule) != await digests(http, before)
        await read_again(http, "done", 1)

        rule.write_text(RULE.replace("severity: high", "severity: hihg"))
        await read_again(http, "refused", 1)
        rule.write_text(RULE.replace("positive: [fleetctl node drain web-7", "positive: [fleetctl node drian web-7"))
        await read_again(http, "refused", 2)
        assert (await load.ask(stream=True))["action"] == "block"
        assert (await http.get("/health/ready")).status_code == 200

        rule.write_text(RULE.replace("node drain|remove", "node remove").replace("node drain web-7,", "node remove x,"))
        os.kill(gateway.pid, signal.SIGHUP)
        await load.until("allow")
        policy.write_text("rule_paths: [fleet.yaml, none.yaml]\n")
        os.kill(gateway.pid, signal.SIGHUP)
        await read_again(http, "refused", 3)
        policy.write_text("{}\n")
        await read_again(http, "done", 3)
        for task in running:
            task.cancel()
    assert load.failed == []
    assert len(load.answers) > 30
    assert {answer["action"] for answer in load.answers} == {"allow", "block"}
    log = gateway.log()
    assert f'"file": "{rule}:5", "field": "rules.0.severity"' in log
    assert "'hihg' is none that is known; did you mean high?" in log
    assert f'"file": "{rule}:14", "field": "positive.0"' in log
    assert f'"file": "{tmp_path / "none.yaml"}:1", "field": "path"' in log


async def test_a_gateway_does_not_start_on_rules_whose_examples_fail(tmp_path: Path) -> None:
    """What would be refused later is refused at once, with the line to mend."""
    (tmp_path / "fleet.yaml").write_text(RULE.replace("node drain|remove", "node drain"))
    (tmp_path / "policy.yaml").write_text("rule_paths: [fleet.yaml]\n")
    served = serve(tmp_path / "home", "--upstream", "http://127.0.0.1:1", "--policy", str(tmp_path / "policy.yaml"))
    assert await asyncio.to_thread(served.process.wait, 60) == 2
    assert "fleet.yaml:14: positive.1: 'sudo fleetctl --region eu node remove web-7' is not found" in served.log()
