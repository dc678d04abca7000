from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.adapters.reconcile import reconcile
from gateway.adapters.registry import Registry
from gateway.engine.client import EngineGone, EngineRefused, Model
from gateway.store.records import Adapter, Alias

if TYPE_CHECKING:
    from gateway.engine.client import EngineClient


class Vllm:
    """What `reconcile` asks of a client, without the HTTP that its own tests cover."""

    url = "http://vllm"

    def __init__(self, *there: str) -> None:
        self.there = list(there)
        self.refuses: set[str] = set()
        self.gone = False

    async def models(self) -> tuple[Model, ...]:
        return tuple(Model(name) for name in ["tiny-llama", *self.there])

    async def load_adapter(self, name: str, path: str) -> None:
        if self.gone:
            raise EngineGone("it died")
        if name in self.refuses:
            raise EngineRefused("rank 64")
        self.there.append(name)


def client(vllm: Vllm) -> EngineClient:
    return vllm  # type: ignore[return-value]  # stands for one


@pytest.fixture
def registry() -> Registry:
    made = Registry("tiny-llama")
    adapters = [
        Adapter("ops", version, f"/ops/{version}", "d", "b", 16, 1, loaded=version == "1")
        for version in ("1", "2", "3")
    ]
    made.replace([Alias("default", "base", 1), Alias("aiops", "ops@2", 1)], adapters)
    return made


async def test_a_vllm_that_started_again_gets_its_adapters_back(registry: Registry) -> None:
    vllm = Vllm()
    await reconcile(client(vllm), registry)
    assert vllm.there == ["ops@1", "ops@2"]


async def test_what_is_there_stays_untouched(registry: Registry) -> None:
    vllm = Vllm("ops@2", "old@1")
    await reconcile(client(vllm), registry)
    assert vllm.there == ["ops@2", "old@1", "ops@1"]


async def test_a_refused_adapter_takes_nobody_with_it(registry: Registry) -> None:
    vllm = Vllm()
    vllm.refuses.add("ops@1")
    await reconcile(client(vllm), registry)
    assert vllm.there == ["ops@2"]


async def test_a_vllm_that_dies_meanwhile_is_told(registry: Registry) -> None:
    vllm = Vllm()
    vllm.gone = True
    with pytest.raises(EngineGone):
        await reconcile(client(vllm), registry)


async def test_without_adapters_nothing_is_asked() -> None:
    vllm = Vllm()
    vllm.gone = True
    await reconcile(client(vllm), Registry("tiny-llama"))
