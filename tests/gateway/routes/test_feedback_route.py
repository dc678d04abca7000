"""`POST /v1/feedback` and `DELETE`, over real HTTP on a real spool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.store.spool import SpoolFailed

if TYPE_CHECKING:
    from collections.abc import Iterable


@pytest.fixture
def answer(gateway: Any) -> str:
    """The id of an answer of this gateway, whose record need not have arrived yet."""
    return str(gateway.minter.mint("chatcmpl-"))


async def listed(
    gateway: Any, fields: Iterable[str] = ("id", "kind", "value", "text", "retracted")
) -> list[dict[str, Any]]:
    """What an operator reads, newest first."""
    data = (await gateway.http.get("/admin/feedback")).json()["data"]
    return [{name: item[name] for name in fields} for item in data]


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "thumbs", "value": 1},
        {"kind": "thumbs", "value": -1, "text": "too long"},
        {"kind": "rating", "value": 5},
        {"kind": "comment", "text": "danke"},
        {"kind": "edit", "text": "systemctl restart nginx"},
        {"kind": "false_block"},
        {"kind": "copied"},
        {"kind": "accepted"},
        {"kind": "abandoned"},
        {"kind": "frustrated"},
        {"kind": "executed"},
        {"kind": "rolled_back"},
        {"kind": "escalated"},
    ],
)
async def test_every_kind_is_kept(gateway: Any, answer: str, said: dict[str, Any]) -> None:
    """202 with the id it can be taken back by, before the answer's record has come."""
    response = await gateway.http.post("/v1/feedback", json={"inference_id": answer, **said})
    assert response.status_code == 202
    expected = {"value": None, "text": None, "retracted": False, **response.json(), **said}
    assert await listed(gateway) == [expected]
    assert f'wardgate_feedback_total{{kind="{said["kind"]}"}} 1.0'.encode() in gateway.metrics.expose()


@pytest.mark.parametrize("kind", ["comparison", "regenerated"])
async def test_two_answers_are_related_by_their_ids(gateway: Any, answer: str, kind: str) -> None:
    """The value is the other answer's id, verified like the first."""
    other = gateway.minter.mint("chatcmpl-")
    good = await gateway.http.post("/v1/feedback", json={"inference_id": answer, "kind": kind, "value": other})
    assert good.status_code == 202
    bad = await gateway.http.post("/v1/feedback", json={"inference_id": answer, "kind": kind, "value": "chatcmpl-1"})
    assert (bad.status_code, bad.json()["error"]["param"]) == (404, "value")


async def test_an_idempotency_key_makes_one_of_two(gateway: Any, answer: str) -> None:
    """The same key on the same answer is the same feedback; without one, or on another answer, it is another."""
    sent = {"inference_id": answer, "kind": "thumbs", "value": 1, "idempotency_key": "k"}
    first, second = [(await gateway.http.post("/v1/feedback", json=sent)).json()["id"] for _ in range(2)]
    other = (
        await gateway.http.post("/v1/feedback", json={**sent, "inference_id": gateway.minter.mint("chatcmpl-")})
    ).json()
    bare = [(await gateway.http.post("/v1/feedback", json={**sent, "idempotency_key": None})).json() for _ in range(2)]
    assert first == second
    assert len({first, other["id"], bare[0]["id"], bare[1]["id"]}) == 4
    assert len(await listed(gateway)) == 4


async def test_the_user_is_kept_as_a_hash(gateway: Any, answer: str) -> None:
    """The same person twice is one hash, and the name is nowhere."""
    for _ in range(2):
        await gateway.http.post(
            "/v1/feedback", json={"inference_id": answer, "kind": "copied", "user_id": "kim@example.com"}
        )
    users = {item["user"] for item in await listed(gateway, ["user"])}
    assert users == {gateway.minter.user_hash("kim@example.com")}
    assert b"kim@" not in b"".join(path.read_bytes() for path in gateway.spool.path.parent.iterdir())


@pytest.mark.parametrize("foreign", ["chatcmpl-1", "", "fb-x"])
async def test_an_answer_of_somebody_else_is_404(gateway: Any, foreign: str) -> None:
    """Told by the signature alone, and nothing is kept."""
    response = await gateway.http.post("/v1/feedback", json={"inference_id": foreign, "kind": "copied"})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "inference_not_found")
    assert gateway.spool.depth()[0] == 0


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"kind": "thumbs", "value": 2}, "value"),
        ({"kind": "thumbs"}, "value"),
        ({"kind": "rating", "value": "5"}, "value"),
        ({"kind": "edit"}, "text"),
        ({"kind": "comment", "text": "a\0b"}, "text"),
        ({"kind": "copied", "value": 1}, "value"),
        ({"kind": "copied", "idempotency_key": ""}, "idempotency_key"),
        ({"kind": "copied", "idempotency_key": "a\0b"}, "idempotency_key"),
        ({"kind": "copied", "user_id": "x" * 201}, "user_id"),
        ({"kind": "liked"}, "kind"),
        ({"kind": "copied", "rating": 1}, "rating"),
    ],
)
async def test_a_wrong_field_is_named(gateway: Any, answer: str, said: dict[str, Any], param: str) -> None:
    """400 with the field, and nothing is kept."""
    response = await gateway.http.post("/v1/feedback", json={"inference_id": answer, **said})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param
    assert response.json()["error"]["message"].startswith(f"{param}: ")
    assert gateway.spool.depth()[0] == 0


async def test_a_retraction_marks_and_may_be_repeated(gateway: Any, answer: str) -> None:
    """The row stays, marked; a second retraction changes nothing."""
    sent = {"inference_id": answer, "kind": "thumbs", "value": 1}
    given = (await gateway.http.post("/v1/feedback", json=sent)).json()["id"]
    for _ in range(2):
        response = await gateway.http.delete(f"/v1/feedback/{given}")
        assert (response.status_code, response.json()) == (200, {"id": given, "retracted": True})
    assert await listed(gateway, ["id", "retracted"]) == [{"id": given, "retracted": True}]


async def test_what_was_never_given_cannot_be_taken_back(gateway: Any, answer: str) -> None:
    """Neither a foreign id, nor one of ours that is no feedback's, nor one that was minted and never kept."""
    for unknown in ("fb-1", answer, gateway.minter.mint("fb-")):
        response = await gateway.http.delete(f"/v1/feedback/{unknown}")
        assert (response.status_code, response.json()["error"]["code"]) == (404, "feedback_not_found")


async def test_what_is_not_durable_is_not_acknowledged(
    gateway: Any, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A spool that cannot write is a 503 with Retry-After, and is not counted."""

    async def full(*_: Any) -> None:
        raise SpoolFailed("disk full")

    monkeypatch.setattr(gateway.spool, "append", full)
    response = await gateway.http.post("/v1/feedback", json={"inference_id": answer, "kind": "copied"})
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    assert response.json()["error"]["code"] == "store_unavailable"
    assert b'wardgate_feedback_total{kind="copied"} 0.0' in gateway.metrics.expose()
