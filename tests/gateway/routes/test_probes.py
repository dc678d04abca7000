"""`/health/live`, `/health/ready` and `/metrics`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from gateway.routes.health import health_routes
from gateway.routes.metrics import from_here

if TYPE_CHECKING:
    from collections.abc import Callable


async def test_live_means_it_runs(gateway: Any) -> None:
    """No key, no vLLM: it is alive all the same."""
    assert (await gateway.stranger.get("/health/live")).status_code == 200


async def test_load_balancers_may_ask_with_head(gateway: Any) -> None:
    statuses = [(await gateway.stranger.head(f"/health/{path}")).status_code for path in ("live", "ready")]
    assert statuses == [200, 503]


async def test_ready_says_what_it_waits_for(gateway: Any) -> None:
    """503 with the reason as JSON while no vLLM answers."""
    response = await gateway.http.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["status"] == "waiting"
    assert "vLLM at http://127.0.0.1:1" in response.json()["waiting_for"]


async def test_ready_when_nothing_is_waited_for() -> None:
    """200 once the pool waits for nothing."""
    app = FastAPI()
    app.include_router(health_routes(SimpleNamespace(waiting_for=None)))  # type: ignore[arg-type]  # all it reads
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        response = await http.get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ready", "waiting_for": None})


async def test_metrics_need_their_scope(gateway: Any) -> None:
    """Closed to strangers, even on loopback, unless the setting opens them; a scraper's key is enough."""
    assert (await gateway.stranger.get("/metrics")).status_code == 401
    response = await gateway.stranger.get("/metrics", headers={"authorization": "Bearer wg-metrics"})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "wardgate_requests" in {family.name for family in text_string_to_metric_families(response.text)}


async def test_metrics_tell_the_spool_s_depth(gateway: Any) -> None:
    """What waits for the drain is read at each scrape."""
    sent = {"inference_id": gateway.minter.mint("chatcmpl-"), "kind": "copied"}
    await gateway.http.post("/v1/feedback", json=sent)
    text = (await gateway.http.get("/metrics")).text
    assert "wardgate_spool_records 1.0" in text
    assert "wardgate_spool_oldest_seconds 0.0\n" not in text


async def test_metrics_may_be_open_on_loopback(open_house: Callable[..., Any]) -> None:
    """By setting, and not for what a proxy forwards."""
    async with open_house(served=True, metrics_open=True) as gateway:
        assert (await gateway.stranger.get("/metrics")).status_code == 200
        assert (await gateway.stranger.get("/metrics", headers={"x-forwarded-for": "10.0.0.9"})).status_code == 401


@pytest.mark.parametrize(
    ("client", "headers", "here"),
    [
        (("127.0.0.1", 1), [], True),
        (("127.8.9.1", 1), [], True),
        (("::1", 1), [], True),
        (("10.0.0.1", 1), [], False),
        (("unix", 1), [], False),
        (None, [], False),
        (("127.0.0.1", 1), [(b"forwarded", b"for=10.0.0.9")], False),
    ],
)
def test_who_is_on_this_machine(client: Any, headers: Any, here: bool) -> None:
    """Loopback addresses only, and nobody who speaks for somebody else."""
    peer = None if client is None else SimpleNamespace(host=client[0])
    request: Any = SimpleNamespace(client=peer, scope={"headers": headers})
    assert from_here(request) is here
