"""What operators read: from the spool, from the store, and both as one."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from gateway.store.errors import StoreGone
from gateway.store.records import Answer, Digests, Escalation, Inference, Outcome, Timings

TOKENS = [
    {"token": "Re", "logprob": -0.5, "top_logprobs": []},
    {"token": "start", "logprob": -0.25, "top_logprobs": []},
]


def inference(gateway: Any, **fields: Any) -> Inference:
    """A stopped exchange with everything in it."""
    request = {"model": "default", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0, "seed": 7}
    given: dict[str, Any] = {
        "id": gateway.minter.mint("chatcmpl-"),
        "created_us": 1_700_000_000_000_000,
        "api": "chat",
        "outcome": Outcome.STOPPED,
        "status": 200,
        "action": "block",
        "alias": "default",
        "adapter": "base",
        "base_model": "org/base-model",
        "project": "default",
        "digests": Digests("p", "r", "b", "c"),
        "timings": Timings(total=900, guard_input=80, engine=500, first_token=600),
        "vllm_version": "0.32.0",
        "logprobs_mode": "processed_logprobs",
        "user": "u" * 32,
        "conversation_id": "incident-42",
        "streamed": True,
        "request": msgspec.json.encode(request),
        "answers": (
            Answer(0, "Restart; rm -rf /", "Restart", "content_filter", logprobs=(msgspec.json.encode(TOKENS),)),
        ),
        "findings": b'[{"check":"commands","rule":"files.root","span":[9,17],"stage":"output"}]',
        "prompt_tokens": 5,
        "completion_tokens": 2,
    }
    return Inference(**{**given, **fields})


async def read(gateway: Any, path: str, status: int = 200) -> dict[str, Any]:
    response = await gateway.http.get(path)
    assert response.status_code == status
    document: dict[str, Any] = response.json()
    return document


@pytest.mark.parametrize("drained", [False, True])
async def test_an_exchange_reads_back_whole(gateway: Any, drained: bool) -> None:
    """Request, answer as written and as sent, and all that shaped it, before and after the drain."""
    kept = inference(gateway)
    await gateway.spool.append(kept)
    sent = {"inference_id": kept.id, "kind": "thumbs", "value": -1, "idempotency_key": "t1", "user_id": "kim"}
    for _ in range(2):
        await gateway.http.post("/v1/feedback", json=sent)
    if drained:
        await asyncio.to_thread(gateway.drain.step)
        assert gateway.spool.depth()[0] == 0
    document = await read(gateway, f"/admin/inferences/{kept.id}")
    (feedback,) = document.pop("feedback")
    assert (feedback["kind"], feedback["value"], feedback["idempotency_key"]) == ("thumbs", -1, "t1")
    assert (feedback["retracted"], feedback["user"]) == (False, gateway.minter.user_hash("kim"))
    assert document.pop("request")["messages"] == [{"role": "user", "content": "Hi"}]
    assert document == {
        "id": kept.id,
        "created_us": 1_700_000_000_000_000,
        "api": "chat",
        "outcome": "stopped",
        "status": 200,
        "action": "block",
        "alias": "default",
        "adapter": "base",
        "base_model": "org/base-model",
        "project": "default",
        "user": "u" * 32,
        "conversation_id": "incident-42",
        "streamed": True,
        "stored": True,
        "prompt_tokens": 5,
        "completion_tokens": 2,
        "error": None,
        "timings": {"total": 900, "guard_input": 80, "guard_output": 0, "engine": 500, "first_token": 600},
        "sampling": {"temperature": 0, "seed": 7},
        "answers": [
            {
                "index": 0,
                "written": "Restart; rm -rf /",
                "sent": "Restart",
                "finish_reason": "content_filter",
                "tool_calls": [],
                "logprobs": TOKENS,
            }
        ],
        "findings": [{"check": "commands", "rule": "files.root", "span": [9, 17], "stage": "output"}],
        "unchecked": [],
        "escalation": None,
        "digests": {"policy": "p", "rules": "r", "base_model": "b", "chat_template": "c"},
        "vllm_version": "0.32.0",
        "logprobs_mode": "processed_logprobs",
    }


async def test_an_exchange_not_to_be_stored_shows_its_facts_only(gateway: Any) -> None:
    """`store: false` leaves no request, and so no sampling."""
    kept = inference(gateway, stored=False, request=b"", answers=(), user="", conversation_id="")
    await gateway.spool.append(kept)
    document = await read(gateway, f"/admin/inferences/{kept.id}")
    assert [document[name] for name in ("stored", "request", "sampling", "user", "conversation_id")] == [
        False,
        None,
        None,
        None,
        None,
    ]


async def test_an_unknown_exchange_is_404(gateway: Any) -> None:
    """OpenAI-shaped, naming what was asked for."""
    document = await read(gateway, "/admin/inferences/chatcmpl-1", 404)
    assert document["error"]["code"] == "inference_not_found"
    assert "chatcmpl-1" in document["error"]["message"]


async def test_a_listing_goes_on_where_the_page_ended(gateway: Any) -> None:
    """Newest first, half of it drained, each once, and without content."""
    kept = [inference(gateway, created_us=1_700_000_000_000_000 + i) for i in range(5)]
    for number, one in enumerate(kept):
        await gateway.spool.append(one)
        if number == 2:
            await asyncio.to_thread(gateway.drain.step)
    seen, path = [], "/admin/inferences?limit=2"
    while path:
        page = await read(gateway, path)
        seen += page["data"]
        path = page["after"] and f"/admin/inferences?limit=2&after={page['after']}"
    assert [item["id"] for item in seen] == [one.id for one in reversed(kept)]
    assert all("request" not in item and "answers" not in item for item in seen)


async def test_a_listing_may_be_narrowed(gateway: Any) -> None:
    """By outcome, action, adapter, project, conversation and time."""
    await gateway.spool.append(inference(gateway))
    other = inference(gateway, outcome=Outcome.COMPLETED, action="allow", conversation_id="c", created_us=2)
    await gateway.spool.append(other)
    for query in ("outcome=completed", "action=allow", "conversation_id=c", "outcome=completed&action=allow"):
        page = await read(gateway, f"/admin/inferences?{query}")
        assert [item["id"] for item in page["data"]] == [other.id]
    assert len((await read(gateway, "/admin/inferences?since_us=3&project=default&adapter=base"))["data"]) == 1


async def test_feedback_may_be_narrowed(gateway: Any) -> None:
    """By kind, answer, project and time, before and after the drain."""
    first, second = (gateway.minter.mint("chatcmpl-") for _ in range(2))
    for about, kind, value in ((first, "thumbs", 1), (first, "copied", None), (second, "thumbs", -1)):
        sent = {"inference_id": about, "kind": kind, "value": value}
        assert (await gateway.http.post("/v1/feedback", json=sent)).status_code == 202
        if kind == "copied":
            await asyncio.to_thread(gateway.drain.step)
    for query, values in {
        "kind=thumbs": [-1, 1],
        f"inference_id={first}": [None, 1],
        f"kind=thumbs&inference_id={second}": [-1],
        "kind=rating": [],
        "project=night": [],
        "since_us=9000000000000000": [],
        "project=default&since_us=1": [-1, None, 1],
    }.items():
        page = await read(gateway, f"/admin/feedback?{query}")
        assert [item["value"] for item in page["data"]] == values, query
    page = await read(gateway, "/admin/feedback?kind=thumbs&limit=1")
    page = await read(gateway, f"/admin/feedback?kind=thumbs&limit=1&after={page['after']}")
    assert ([item["value"] for item in page["data"]], page["after"]) == ([1], None)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("feedback?kind=applause", "kind"),
        ("feedback?outcome=stopped", "outcome"),
        ("inferences?limit=0", "limit"),
        ("inferences?limit=x", "limit"),
        ("inferences?outcome=lost", "outcome"),
        ("inferences?colour=red", "colour"),
        ("inferences?since_us=-1", "since_us"),
        ("feedback?limit=201", "limit"),
        ("escalations?project=night", "project"),
    ],
)
async def test_a_wrong_query_is_named(gateway: Any, query: str, param: str) -> None:
    """Unknown parameters too: a filter that was misspelled would show everything."""
    document = await read(gateway, f"/admin/{query}", 400)
    assert document["error"]["param"] == param


async def test_a_cursor_that_no_page_ended_with_is_refused(gateway: Any) -> None:
    """400 with what to do."""
    document = await read(gateway, "/admin/feedback?after=x", 400)
    assert "after: 'x'" in document["error"]["message"]


async def test_escalations_are_listed_with_what_they_belong_to(gateway: Any) -> None:
    """The contract's object, and the answer it came with."""
    body = {"id": "esc-1", "reason": "requested", "summary": "s", "attempted": [], "diagnostics": {"asked": 2}}
    await gateway.spool.append(Escalation("esc-1", 5, "chatcmpl-1", "default", "requested", msgspec.json.encode(body)))
    page = await read(gateway, "/admin/escalations")
    assert page["data"] == [{**body, "created_us": 5, "inference_id": "chatcmpl-1", "project": "default"}]


async def test_adapters_and_aliases_are_listed(gateway: Any) -> None:
    """As the registry has them."""
    adapters = (await read(gateway, "/admin/adapters"))["data"]
    assert [(one["id"], one["rank"], one["loaded"]) for one in adapters] == [("ops@1", 8, True)]
    aliases = (await read(gateway, "/admin/aliases"))["data"]
    assert {one["name"]: one["adapter"] for one in aliases} == {"default": "base", "aiops": "ops@1"}


async def test_a_store_that_is_gone_is_503(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator is told to try again; the reason stands in the log."""

    def gone(*_: Any) -> None:
        raise StoreGone("store postgresql://db: refused")

    monkeypatch.setattr(gateway.store.inferences, "newest", gone)
    response = await gateway.http.get("/admin/inferences")
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    document = response.json()
    assert document["error"]["code"] == "store_unavailable"
    assert "postgresql" not in document["error"]["message"]


@pytest.mark.parametrize("path", ["inferences", "inferences/x", "feedback", "escalations", "adapters", "aliases"])
async def test_operators_need_their_scope(gateway: Any, path: str) -> None:
    """Another scope is not enough."""
    response = await gateway.http.get(f"/admin/{path}", headers={"x-api-key": "wg-metrics"})
    assert (response.status_code, response.json()["error"]["code"]) == (403, "scope_missing")
