"""The adapter that comes with the program: served in a fresh home, registered in an old one, else left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fake_vllm import ProbedVllm
from made_adapters import write

from gateway.adapters.control import Control
from gateway.adapters.registry import Registry
from gateway.engine.client import EngineClient, open_session
from gateway.engine.limits import Limits
from gateway.engine.pool import EngineFacts, EnginePool
from gateway.metrics import Metrics
from gateway.store.database import Store
from gateway.store.records import AdapterState, By

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

DIGEST = "b" * 64
BY = By("wardgate", "the first start")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path}/store.sqlite3")
    opened.aliases.make("default", "base", BY)
    yield opened
    opened.close()


@pytest.fixture
async def vllm() -> AsyncIterator[ProbedVllm]:
    fake = ProbedVllm()
    fake.base = "org/base-model"
    await fake.start()
    yield fake
    await fake.stop()


async def start(
    home: Path, store: Store, vllm: ProbedVllm, aligned: Path | None, *, digest: str = DIGEST, enabled: bool = True
) -> dict[str, str]:
    """What each alias answers from once a gateway with this adapter has greeted its vLLM."""
    registry = Registry()
    registry.replace(store.aliases.all(), store.adapters.all())
    async with open_session() as session:
        client = EngineClient(vllm.url, session)
        pool = EnginePool([client])
        pool.facts = EngineFacts(base_model=vllm.base, vllm_version="0.32.0", base_digest=digest)
        control = Control(
            home=home,
            store=store,
            registry=registry,
            pool=pool,
            metrics=Metrics(),
            limits=Limits(enabled=enabled),
            aligned=aligned,
        )
        await control.prepare(client)
        await control.prepare(client)
    return registry.answering()


def made(folder: Path, version: Any = 1, base: str = DIGEST, **changes: Any) -> Path:
    return write(folder, provenance={"version": version, "base_digest": base}, **changes)


async def test_a_fresh_home_serves_it(store: Store, vllm: ProbedVllm, tmp_path: Path) -> None:
    """Once: what the home serves from then on is the operator's."""
    shipped = made(tmp_path / "shipped")
    assert await start(tmp_path, store, vllm, shipped) == {"default": "aligned@1"}
    assert set(vllm.adapters) == {"aligned@1"}
    store.aliases.rollback("default", By("me"))
    assert await start(tmp_path, store, vllm, shipped) == {"default": "base"}


async def test_a_start_that_was_cut_short_is_made_up_for(store: Store, vllm: ProbedVllm, tmp_path: Path) -> None:
    shipped = made(tmp_path / "shipped")
    vllm.refuse.add("aligned@1")
    assert await start(tmp_path, store, vllm, shipped) == {"default": "base"}
    vllm.refuse.clear()
    assert await start(tmp_path, store, vllm, shipped) == {"default": "aligned@1"}


async def test_an_existing_home_registers_a_newer_one_and_keeps_its_alias(
    store: Store, vllm: ProbedVllm, tmp_path: Path
) -> None:
    await start(tmp_path, store, vllm, made(tmp_path / "one"))
    newer = made(tmp_path / "two", version=2, lora_alpha=9)
    assert await start(tmp_path, store, vllm, newer) == {"default": "aligned@1"}
    kept = {adapter.id: adapter.state for adapter in store.adapters.all()}
    assert kept == {"aligned@1": AdapterState.LOADED, "aligned@2": AdapterState.REGISTERED}


async def test_a_home_with_adapters_of_its_own_keeps_base(store: Store, vllm: ProbedVllm, tmp_path: Path) -> None:
    store.aliases.promote("other", "base", BY)
    store.aliases.promote("default", "base", BY)
    with store.database.writing() as connection:  # as the migration of an older store leaves it
        connection.exec_driver_sql("UPDATE registry_changes SET action = 'kept' WHERE action = 'made'")
    assert (await start(tmp_path, store, vllm, made(tmp_path / "shipped")))["default"] == "base"
    assert [adapter.id for adapter in store.adapters.all()] == ["aligned@1"]


@pytest.mark.parametrize(
    ("base", "digest", "enabled"), [("c" * 64, DIGEST, True), (DIGEST, "", True), (DIGEST, DIGEST, False)]
)
async def test_another_model_or_none_of_loras_is_left_alone(
    store: Store, vllm: ProbedVllm, tmp_path: Path, *, base: str, digest: str, enabled: bool
) -> None:
    """Another base, one that cannot be seen from here, or `--base`."""
    shipped = made(tmp_path / "shipped", base=base)
    assert await start(tmp_path, store, vllm, shipped, digest=digest, enabled=enabled) == {"default": "base"}
    assert store.adapters.all() == []


async def test_without_the_folder_or_with_a_broken_one_nothing_happens(
    store: Store, vllm: ProbedVllm, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    broken = made(tmp_path / "broken")
    (broken / "wardgate.json").write_text("{")
    for folder in (None, tmp_path / "nowhere", tmp_path / "empty", broken):
        assert await start(tmp_path, store, vllm, folder) == {"default": "base"}
    assert store.adapters.all() == []
