"""`POST /v1/guard/check`, with the real guard behind it."""

from __future__ import annotations

from typing import Any

import pytest

PATH = "/v1/guard/check"


async def test_one_item_gets_one_verdict(gateway: Any) -> None:
    """The contract's document, with the span of what was found."""
    response = await gateway.http.post(PATH, json={"text": "rm -rf /", "kind": "command"})
    verdict = response.json()
    assert response.status_code == 200
    assert sorted(verdict) == ["action", "alternative", "elapsed_us", "findings", "unchecked"]
    assert (verdict["action"], verdict["unchecked"]) == ("block", [])
    assert sorted(verdict["findings"][0]) == ["check", "effect", "message", "rule", "severity", "span", "target"]
    assert verdict["findings"][0]["effect"] == "delete"
    assert verdict["findings"][0]["target"] == {"path": "/", "place": "root", "label": "the whole file system"}
    assert verdict["findings"][0]["span"] == [0, 8]
    assert verdict["elapsed_us"] > 0


async def test_a_list_is_answered_in_order(gateway: Any) -> None:
    """Each item by its own kind; an empty list by an empty one."""
    items = [
        {"text": "nginx", "kind": "parameter", "type": "service"},
        {"text": "nginx; id", "kind": "parameter", "type": "service"},
        {"text": "dev", "kind": "parameter", "type": "enum", "values": ["dev", "prod"]},
        {"text": "uptime", "shell": "bash"},
    ]
    verdicts = (await gateway.http.post(PATH, json=items)).json()
    assert [verdict["action"] for verdict in verdicts] == ["allow", "block", "allow", "allow"]
    assert (await gateway.http.post(PATH, json=[])).json() == []


async def test_the_text_is_the_guard_s_own_limit_s_business(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long text is judged too, in a thread."""
    monkeypatch.setattr("gateway.routes.guard.INLINE_CHARACTERS", 10)
    response = await gateway.http.post(PATH, json={"text": "the disk is full " * 20, "kind": "prompt"})
    assert response.json()["action"] == "allow"


async def test_half_a_surrogate_pair_does_not_break_the_answer(gateway: Any) -> None:
    """JSON can say it, UTF-8 cannot."""
    content = b'{"text": "rm -rf /data/\\ud83d", "kind": "output"}'
    response = await gateway.http.post(PATH, content=content, headers={"content-type": "application/json"})
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("sent", "param", "said"),
    [
        ({"kind": "command"}, "text", "text: "),
        ({"text": 1}, "text", "a string"),
        ({"text": "x", "kind": "poem"}, "kind", "'poem'"),
        ({"text": "x", "shell": "fish"}, "shell", "powershell"),
        ({"text": "x", "type": "servise"}, "type", "service"),
        ([{"text": "x"}, {"kind": "command"}], "[1].text", "[1].text: "),
        ([[]], "[0]", "a list"),
        ("x", None, "The body"),
    ],
)
async def test_a_wrong_item_is_named(gateway: Any, sent: Any, param: str | None, said: str) -> None:
    """Its place in the list, its field, and what to send; nothing is judged."""
    response = await gateway.http.post(PATH, json=sent)
    error = response.json()["error"]
    assert (response.status_code, error["param"]) == (400, param)
    assert said in error["message"]


@pytest.mark.parametrize(
    ("content", "media"), [(b'{"text": "x"}', "text/plain"), (b"", "application/json"), (b"{", "application/json")]
)
async def test_a_body_that_is_not_json_is_told_so(gateway: Any, content: bytes, media: str) -> None:
    """400, OpenAI-shaped."""
    response = await gateway.http.post(PATH, content=content, headers={"content-type": media})
    assert response.status_code == 400
    assert "JSON" in response.json()["error"]["message"]


async def test_it_needs_the_scope_chat(gateway: Any) -> None:
    """A scraper may not ask."""
    assert (await gateway.http.post(PATH, json={"text": "x"}, headers={"x-api-key": "wg-metrics"})).status_code == 403


async def test_the_tree_is_told_where_it_is_asked_for(gateway: Any) -> None:
    """Item by item; what is neither yes nor no is refused by name."""
    items = [{"text": "sudo ls", "tree": True}, {"text": "sudo ls"}]
    asked, silent = (await gateway.http.post(PATH, json=items)).json()
    assert [one["argv"] for one in asked["tree"]] == [["sudo", "ls"], ["ls"]]
    assert "tree" not in silent
    refused = await gateway.http.post(PATH, json={"text": "ls", "tree": "yes"})
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "tree"
