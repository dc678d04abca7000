from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.adapters.folder import AdapterRefused
from gateway.adapters.reconcile import load, reconcile
from gateway.adapters.registry import Registry
from gateway.engine.client import EngineGone, EngineRefused, Model
from gateway.store.records import Adapter, AdapterState, Alias

if TYPE_CHECKING:
    from gateway.engine.client import EngineClient


FOLDER = Path("/home/adapters")


class Vllm:
    """What `reconcile` asks of a client, without the HTTP that its own tests cover."""

    url = "http://vllm"

    def __init__(self, *there: str) -> None:
        self.there = list(there)
        self.roots: dict[str, str] = {}
        self.refuses: set[str] = set()
        self.gone = False

    async def models(self) -> tuple[Model, ...]:
        return tuple(Model(name, root=self.roots.get(name, place(name))) for name in ["tiny-llama", *self.there])

    async def load_adapter(self, name: str, path: str) -> None:
        if self.gone:
            raise EngineGone("it died")
        if name in self.refuses:
            raise EngineRefused("rank 64")
        self.there.append(name)


def place(name: str) -> str:
    """Where the fixture's adapters lie."""
    return str(FOLDER / name)


def client(vllm: Vllm) -> EngineClient:
    return vllm  # type: ignore[return-value]  # stands for one


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    made = Registry("tiny-llama")
    monkeypatch.setattr("gateway.adapters.reconcile.check_unchanged", lambda _: None)
    states = {"1": AdapterState.LOADED, "2": AdapterState.REGISTERED, "3": AdapterState.REGISTERED}
    adapters = [
        Adapter("ops", version, place(f"ops@{version}"), "d", "b", 16, 1, state) for version, state in states.items()
    ]
    made.replace([Alias("default", "base", 1), Alias("aiops", "ops@2", 1)], adapters)
    return made


async def test_a_vllm_that_started_again_gets_its_adapters_back(registry: Registry) -> None:
    vllm = Vllm()
    await reconcile(client(vllm), registry.wanted())
    assert vllm.there == ["ops@1", "ops@2"]


async def test_what_is_there_stays_untouched(registry: Registry) -> None:
    vllm = Vllm("ops@2", "old@1")
    await reconcile(client(vllm), registry.wanted())
    assert vllm.there == ["ops@2", "old@1", "ops@1"]


async def test_a_refused_adapter_takes_nobody_with_it(registry: Registry) -> None:
    vllm = Vllm()
    vllm.refuses.add("ops@1")
    await reconcile(client(vllm), registry.wanted())
    assert vllm.there == ["ops@2"]


async def test_a_vllm_that_dies_meanwhile_is_told(registry: Registry) -> None:
    vllm = Vllm()
    vllm.gone = True
    with pytest.raises(EngineGone):
        await reconcile(client(vllm), registry.wanted())


async def test_without_adapters_nothing_is_asked() -> None:
    vllm = Vllm()
    vllm.gone = True
    await reconcile(client(vllm), ())


async def test_another_adapter_under_the_name_is_not_taken_for_it(registry: Registry) -> None:
    """VLLM keeps answers of a name in its cache, so that the name cannot be given to other weights."""
    vllm = Vllm("ops@1")
    vllm.roots["ops@1"] = "/somewhere/else"
    with pytest.raises(AdapterRefused, match="an adapter of this name from '/somewhere/else'"):
        await load(client(vllm), registry.wanted()[0])
    await reconcile(client(vllm), registry.wanted())
    assert vllm.there == ["ops@1", "ops@2"]
