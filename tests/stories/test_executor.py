"""The executor: a program that runs what an assistant advises, and nothing that was never judged.

It trusts the gateway's public key and no text: each command comes with a permit, is checked offline with
`wardgate guard verify`, and runs once.
"""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from openai import OpenAI
from serving import WARDGATE, Served, serve

from guardrails.permits.interface import SKEW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.vllm

QUESTION = "nginx on web-01 is slow. Write the time to /tmp, then count what is there."
ANSWER = """Note the time first:

```bash
date -u +%F > noted.txt
wc -l noted.txt
```

Then run `ls noted.txt`."""
NOTE = "date -u +%F > noted.txt\nwc -l noted.txt"
MIXED = "Run `ls -l`, and if that is not enough:\n\n```bash\nrm -rf /var/lib/postgresql\n```"


@pytest.fixture(scope="module")
def gateway(vllm_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A gateway that signs with a key of its own, in front of the running vLLM."""
    home = tmp_path_factory.mktemp("executor")
    policy = home / "policy.yaml"
    policy.write_text("allow_fields: [structured_outputs]\n")
    mode = {"WARDGATE_UPSTREAM_LOGPROBS_MODE": "processed_logprobs", "WARDGATE_PERMIT_KEY": "home"}
    gateway = serve(home, "--upstream", vllm_url, "--policy", str(policy), "--aligned", "none", **mode)
    try:
        gateway.wait_ready(60)
        yield gateway
    finally:
        gateway.stop()


@pytest.fixture(scope="module")
def client(gateway: Served) -> OpenAI:
    return OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0, timeout=120)


class Executor:
    """Runs in a folder of its own what carries a valid permit; has the public key and no other."""

    def __init__(self, gateway: Served, folder: Path) -> None:
        self.folder = folder
        (folder / "permits.pub").write_bytes((gateway.home / "permits.pub").read_bytes())

    def run(self, permit: str, command: str) -> tuple[bool, str]:
        """Whether it ran, and what it or the checker said."""
        asked = ["guard", "verify", "--key", "permits.pub", "--seen", "seen", "--permit", permit, "--", command]
        checked = subprocess.run([WARDGATE, *asked], cwd=self.folder, capture_output=True, text=True, check=False)
        if checked.returncode != 0:
            return False, checked.stdout + checked.stderr
        done = subprocess.run(["bash", "-c", command], cwd=self.folder, capture_output=True, text=True, check=True)
        return True, done.stdout


def advise(client: OpenAI, text: str, *, stream: bool = False) -> tuple[str, list[dict[str, Any]]]:
    """What the model is made to say, and the permits that came with it."""
    answer: Any = client.chat.completions.create(
        model="default",
        messages=[{"role": "user", "content": QUESTION}],
        max_tokens=120,
        stream=stream,
        extra_body={"structured_outputs": {"choice": [text]}},
    )
    if not stream:
        return answer.choices[0].message.content, answer.wardgate["permits"]
    chunks = list(answer)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    return said, next(chunk for chunk in reversed(chunks) if chunk.choices).wardgate["permits"]


@pytest.mark.parametrize("stream", [False, True])
def test_what_was_advised_and_judged_runs_once(
    client: OpenAI, gateway: Served, tmp_path: Path, *, stream: bool
) -> None:
    """A fence as a whole and an inline command, each with its permit; the second time is refused."""
    executor = Executor(gateway, tmp_path)
    text, permits = advise(client, ANSWER, stream=stream)
    assert text == ANSWER
    assert [one["command"] for one in permits] == [NOTE, "ls noted.txt"]
    results = [executor.run(one["permit"], one["command"]) for one in permits]
    assert results == [(True, "1 noted.txt\n"), (True, "noted.txt\n")]
    ran, said = executor.run(permits[0]["permit"], NOTE)
    assert not ran
    assert "taken before" in said


def test_what_was_never_judged_does_not_run(client: OpenAI, gateway: Served, tmp_path: Path) -> None:
    """Another command, half of the judged one, no permit at all, or half of one."""
    executor = Executor(gateway, tmp_path)
    permit = advise(client, ANSWER)[1][0]["permit"]
    for command in ("rm -rf .", NOTE.splitlines()[0], f"{NOTE}\n", NOTE.replace("noted", "n\u043eted")):
        ran, said = executor.run(permit, command)
        assert not ran
        assert "another command" in said
    header, claims, signature = permit.split(".")
    for forged in ("", "yes", "--help", f"{header}.{claims}.", f"{header}.{claims}.{signature[::-1]}"):
        assert not executor.run(forged, NOTE)[0]
    assert not (tmp_path / "noted.txt").exists()


def test_a_permit_that_has_expired_runs_nothing(gateway: Served, tmp_path: Path) -> None:
    """Though the gateway's own key signed it, for a second."""
    executor = Executor(gateway, tmp_path)
    (tmp_path / "second.yaml").write_text("permits: {seconds: 1}\n")
    words = ["--json", "--policy", "second.yaml", "--permit-key", str(gateway.home / "permits.pem"), "touch ran"]
    signed = subprocess.run([WARDGATE, "guard", "check", *words], cwd=tmp_path, capture_output=True, check=True)
    time.sleep(SKEW + 2)
    ran, said = executor.run(json.loads(signed.stdout)["permits"][0]["permit"], "touch ran")
    assert not ran
    assert "expired" in said
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("stream", [False, True])
def test_a_stopped_answer_gives_nothing_to_run(client: OpenAI, *, stream: bool) -> None:
    """Not even the harmless command that stood before the one that was stopped."""
    text, permits = advise(client, MIXED, stream=stream)
    assert "rm -rf" not in text
    assert permits == []


def test_the_guard_alone_signs_for_a_runner_too(gateway: Served, tmp_path: Path) -> None:
    """A runner that makes its own commands has them judged first."""
    executor = Executor(gateway, tmp_path)
    _, verdicts = gateway.post("/v1/guard/check", [{"text": "echo fine"}, {"text": "rm -rf /"}])
    (one,) = verdicts[0]["permits"]
    assert executor.run(one["permit"], "echo fine") == (True, "fine\n")
    assert verdicts[1]["permits"] == []
