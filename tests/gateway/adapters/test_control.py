"""What an operator does over HTTP, with everything real but vLLM."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from fake_vllm import ProbedVllm
from made_adapters import write

from gateway.adapters import control as controls
from gateway.adapters.control import Control
from gateway.adapters.registry import Registry
from gateway.engine.client import EngineClient, open_session
from gateway.engine.limits import Limits
from gateway.engine.pool import EnginePool
from gateway.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]


@pytest.fixture
async def vllm() -> AsyncIterator[ProbedVllm]:
    fake = ProbedVllm()
    fake.base = "org/base-model"
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def operated(
    vllm: ProbedVllm, open_house: Callable[..., AbstractAsyncContextManager[Any]], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Any]:
    """A gateway that has begun."""
    monkeypatch.setattr(controls, "LOOK", 0.05)
    monkeypatch.setattr(controls, "GRACE", 0.05)
    async with open_house(served=True, engine=vllm.url) as house:
        async with asyncio.timeout(10):
            while (await house.http.get("/health/ready")).status_code != 200:  # noqa: ASYNC110 - seen from outside
                await asyncio.sleep(0.02)
        yield house


async def post(house: Any, where: str, status: int = 200, **document: Any) -> dict[str, Any]:
    answer = await house.http.post(f"/admin/{where}", json=document)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def load(house: Any, folder: Path, id_: str, **changes: Any) -> dict[str, Any]:
    """Register an adapter of its own and load it."""
    await post(house, "adapters", 201, id=id_, path=str(write(folder / f"of-{id_}", **changes)))
    return await post(house, f"adapters/{id_}/load")


async def answering(house: Any, model: str = "default") -> Any:
    answer = await house.openai.chat.completions.create(model=model, messages=HELLO)
    return answer.wardgate["adapter"]


async def test_from_a_folder_to_an_answer_and_back(operated: Any, vllm: ProbedVllm, tmp_path: Path) -> None:
    """Registered, loaded, promoted, rolled back; each with who and why, and metrics that follow."""
    made = await post(operated, "adapters", 201, id="ops@1", path=str(write(tmp_path / "run")), why="first")
    assert (made["state"], made["aliases"], made["rank"]) == ("registered", [], 2)
    loaded = await post(operated, "adapters/ops@1/load")
    assert (loaded["state"], loaded["replicas"], loaded["warnings"]) == ("loaded", [vllm.url], [])
    assert loaded["tolerance"] == pytest.approx(0.03)
    promoted = await post(operated, "aliases/default/promote", adapter="ops@1", why="it is better")
    assert (promoted["adapter"], promoted["answering"]) == ("ops@1", "ops@1")
    assert await answering(operated) == "ops@1"
    assert b'wardgate_adapter_info{adapter="ops@1",alias="default"} 1.0' in operated.metrics.expose()
    shown = (await operated.http.get("/admin/adapters/ops@1")).json()
    assert (shown["state"], shown["aliases"]) == ("served", ["default"])
    assert [(one["action"], one["who"]) for one in shown["history"]] == [
        ("registered", "home"),
        ("probed", "home"),
        ("loaded", "home"),
    ]
    assert (await post(operated, "aliases/default/rollback"))["answering"] == "base"
    assert await answering(operated) == "base"
    told = (await operated.http.get("/admin/aliases/default")).json()["history"]
    assert [(one["action"], one["after"], one["why"]) for one in told][1:] == [
        ("promoted", "ops@1", "it is better"),
        ("rolled_back", "base", ""),
    ]
    info = [line for line in operated.metrics.expose().splitlines() if line.startswith(b"wardgate_adapter_info")]
    assert info == [b'wardgate_adapter_info{adapter="base",alias="default"} 1.0']


@pytest.mark.parametrize(
    ("where", "document", "expected"),
    [
        ("adapters", {"id": "ops", "path": "/x"}, (400, "invalid_value")),
        ("adapters", {"id": "ops@1", "path": "x"}, (400, "invalid_value")),
        ("adapters", {"id": "ops@1", "path": "/nowhere"}, (400, "adapter_refused")),
        ("adapters", {"id": "ops@1"}, (400, "invalid_value")),
        ("adapters/ops@9/load", {}, (404, "adapter_not_found")),
        ("aliases/default/promote", {"adapter": "ops@9"}, (404, "adapter_not_found")),
        ("aliases/default/promote", {"adapter": "kept@1"}, (409, "adapter_not_loaded")),
        ("aliases/a@b/promote", {"adapter": "base"}, (400, "invalid_value")),
        ("aliases/default/promote", {"adapter": "base", "reason": "x"}, (400, "invalid_value")),
        ("aliases/default/rollback", {}, (409, "nothing_to_roll_back_to")),
        ("aliases/nobody/rollback", {}, (409, "nothing_to_roll_back_to")),
    ],
)
async def test_what_cannot_be_done_is_said(
    operated: Any, tmp_path: Path, where: str, document: dict[str, Any], expected: tuple[int, str]
) -> None:
    """OpenAI-shaped, with a code; and nothing has changed."""
    await post(operated, "adapters", 201, id="kept@1", path=str(write(tmp_path / "kept")))
    before = operated.store.changes.last()
    answer = await operated.http.post(f"/admin/{where}", json=document)
    assert (answer.status_code, answer.json()["error"]["code"]) == expected
    assert operated.store.changes.last() == before


async def test_an_adapter_of_another_base_is_refused(operated: Any, tmp_path: Path) -> None:
    other = write(tmp_path / "run", base_model_name_or_path="org/other-model")
    told = await post(operated, "adapters", 409, id="ops@1", path=str(other))
    assert told["error"]["code"] == "wrong_base"


async def test_a_name_is_taken_for_good(operated: Any, tmp_path: Path) -> None:
    await post(operated, "adapters", 201, id="ops@1", path=str(write(tmp_path / "one")))
    await post(operated, "adapters", 201, id="ops@1", path=str(write(tmp_path / "one")))
    told = await post(operated, "adapters", 400, id="ops@1", path=str(write(tmp_path / "two", lora_alpha=9)))
    assert "register a new version" in told["error"]["message"]


async def test_what_vllm_refuses_has_failed_and_may_be_tried_again(
    operated: Any, vllm: ProbedVllm, tmp_path: Path
) -> None:
    vllm.refuse.add("ops@1")
    await post(operated, "adapters", 201, id="ops@1", path=str(write(tmp_path / "run")))
    told = await post(operated, "adapters/ops@1/load", 409)
    assert (told["error"]["code"], "rank 64" in told["error"]["message"]) == ("adapter_failed", True)
    shown = (await operated.http.get("/admin/adapters/ops@1")).json()
    assert shown["state"] == "failed"
    assert "rank 64" in shown["history"][-1]["why"]
    vllm.refuse.clear()
    assert (await post(operated, "adapters/ops@1/load"))["state"] == "loaded"


async def test_a_vllm_that_lost_an_adapter_gets_it_back(operated: Any, vllm: ProbedVllm, tmp_path: Path) -> None:
    """The request that finds out is answered all the same."""
    await load(operated, tmp_path, "ops@1")
    await post(operated, "aliases/default/promote", adapter="ops@1")
    vllm.adapters.clear()
    assert await answering(operated) == "ops@1"


async def test_other_weights_under_the_name_are_not_served(operated: Any, vllm: ProbedVllm, tmp_path: Path) -> None:
    """A vLLM that answers unlike what was recorded loses the adapter again; its requests fail rather than lie."""
    loaded = await load(operated, tmp_path, "ops@1")
    await post(operated, "aliases/default/promote", adapter="ops@1")
    vllm.adapters.clear()
    vllm.logprobs_of[loaded["path"]] = -1.1
    answer = await operated.http.post("/v1/chat/completions", json={"model": "default", "messages": HELLO})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "engine_failed")
    assert vllm.adapters == {}
    told = await post(operated, "adapters/ops@1/load", 409)
    assert "those are not its weights" in told["error"]["message"]


async def test_files_that_changed_are_not_loaded(operated: Any, tmp_path: Path) -> None:
    made = await post(operated, "adapters", 201, id="ops@1", path=str(write(tmp_path / "run")))
    with open(f"{made['path']}/adapter_config.json", "a") as file:  # noqa: ASYNC230, PTH123 - a test's
        file.write(" ")
    told = await post(operated, "adapters/ops@1/load", 409)
    assert "somebody changed them" in told["error"]["message"]


async def test_adapters_that_look_alike_are_told(operated: Any, vllm: ProbedVllm, tmp_path: Path) -> None:
    """The base too: an adapter that changes nothing is probably not the one that was meant."""
    await load(operated, tmp_path, "ops@1")
    vllm.logprobs_of[str(tmp_path / "adapters" / "ops@2")] = -0.95
    (warning,) = (await load(operated, tmp_path, "ops@2", lora_alpha=5))["warnings"]
    assert warning.startswith("ops@1 answers only 0.050 nats a token away from ops@2")


async def test_what_has_no_slot_makes_room(operated: Any, vllm: ProbedVllm, tmp_path: Path) -> None:
    """Two slots: the oldest that no alias serves is unloaded; where all are served, the third is refused."""
    for number in (1, 2, 3):
        await load(operated, tmp_path, f"ops@{number}", lora_alpha=number)
    states = {one["id"]: one["state"] for one in (await operated.http.get("/admin/adapters")).json()["data"]}
    assert states == {"ops@1": "registered", "ops@2": "loaded", "ops@3": "loaded"}
    async with asyncio.timeout(5):
        while set(vllm.adapters) != {"ops@2", "ops@3"}:  # noqa: ASYNC110 - seen from outside
            await asyncio.sleep(0.02)
    for alias, id_ in (("default", "ops@2"), ("other", "ops@3")):
        await post(operated, f"aliases/{alias}/promote", adapter=id_)
    told = await post(operated, "adapters/ops@1/load", 409)
    assert told["error"]["code"] == "no_room"
    await post(operated, "aliases/default/rollback")
    assert (await post(operated, "adapters/ops@1/load"))["state"] == "loaded"


async def test_a_rollback_loads_what_it_needs(operated: Any, tmp_path: Path) -> None:
    await load(operated, tmp_path, "ops@1")
    await post(operated, "aliases/default/promote", adapter="ops@1")
    await load(operated, tmp_path, "ops@2", lora_alpha=2)
    await post(operated, "aliases/default/promote", adapter="ops@2")
    await load(operated, tmp_path, "ops@3", lora_alpha=3)  # ops@1 gives way
    assert (await post(operated, "aliases/default/rollback"))["answering"] == "ops@1"
    assert await answering(operated) == "ops@1"


async def test_another_gateway_on_the_store_hears_of_a_promote(operated: Any, vllm: ProbedVllm, tmp_path: Path) -> None:
    """Within a second or so, and its own vLLM has the adapter before the name changes."""
    second = ProbedVllm()
    second.base = vllm.base
    await second.start()
    async with open_session() as session:
        registry, pool = Registry(), EnginePool([EngineClient(second.url, session)])
        control = Control(
            home=tmp_path, store=operated.store, registry=registry, pool=pool, metrics=Metrics(), limits=Limits()
        )
        pool.prepare = control.prepare
        tasks = [asyncio.create_task(one()) for one in (pool.watch, control.watch)]
        await load(operated, tmp_path, "ops@1")
        await post(operated, "aliases/default/promote", adapter="ops@1")
        async with asyncio.timeout(2):
            while registry.answering() != {"default": "ops@1"}:  # noqa: ASYNC110 - seen from outside
                await asyncio.sleep(0.02)
        assert set(second.adapters) == {"ops@1"}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await second.stop()


async def test_routes_are_described(operated: Any) -> None:
    paths = (await operated.http.get("/openapi.json")).json()["paths"]
    assert {path for path in paths if "adapters" in path or "aliases" in path} == {
        "/admin/adapters",
        "/admin/adapters/{id}",
        "/admin/adapters/{id}/load",
        "/admin/aliases",
        "/admin/aliases/{name}",
        "/admin/aliases/{name}/promote",
        "/admin/aliases/{name}/rollback",
    }
