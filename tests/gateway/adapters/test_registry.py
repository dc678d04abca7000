from __future__ import annotations

import pytest

from gateway.adapters.registry import Registry, Target
from gateway.errors import EngineUnavailable, NotFound
from gateway.store.records import Adapter, AdapterState, Alias

LOADED, REGISTERED = AdapterState.LOADED, AdapterState.REGISTERED


def adapter(name: str, version: str, *, loaded: bool = False) -> Adapter:
    return Adapter(
        name, version, f"/adapters/{name}/{version}", "d" * 64, "b" * 64, 16, 1, LOADED if loaded else REGISTERED
    )


@pytest.fixture
def registry() -> Registry:
    made = Registry("tiny-llama")
    made.replace(
        [Alias("default", "base", 1), Alias("aiops", "ops@2", 1), Alias("broken", "gone@1", 1)],
        [adapter("ops", "1", loaded=True), adapter("ops", "2"), adapter("ops", "3")],
    )
    return made


@pytest.mark.parametrize(
    ("model", "target"),
    [
        ("default", Target("default", "base", "tiny-llama")),
        ("tiny-llama", Target("tiny-llama", "base", "tiny-llama")),
        ("aiops", Target("aiops", "ops@2", "ops@2")),
        ("ops@1", Target("ops@1", "ops@1", "ops@1")),
        ("ops@2", Target("ops@2", "ops@2", "ops@2")),
    ],
)
def test_resolves_aliases_pinned_versions_and_the_base_model(registry: Registry, model: str, target: Target) -> None:
    assert registry.resolve(model) == target


@pytest.mark.parametrize(
    ("model", "words"),
    [("gpt-4o", "does not exist"), ("ops@3", "not loaded"), ("broken", "does not exist"), ("", "does not")],
)
def test_an_unknown_name_is_model_not_found(registry: Registry, model: str, words: str) -> None:
    with pytest.raises(NotFound, match=words) as caught:
        registry.resolve(model)
    assert (caught.value.status, caught.value.code, caught.value.param) == (404, "model_not_found", "model")


def test_names_are_exactly_what_resolves(registry: Registry) -> None:
    assert sorted(registry.names()) == ["aiops", "default", "ops@1", "ops@2", "tiny-llama"]
    assert all(registry.resolve(name) for name in registry.names())


def test_wanted_adapters_are_those_marked_and_those_aliased(registry: Registry) -> None:
    assert [found.id for found in registry.wanted()] == ["ops@1", "ops@2"]


def test_lists_what_it_was_given(registry: Registry) -> None:
    assert [alias.name for alias in registry.aliases()] == ["default", "aiops", "broken"]
    assert [found.id for found in registry.adapters()] == ["ops@1", "ops@2", "ops@3"]


def test_before_any_vllm_told_its_model_a_name_is_unavailable_and_not_unknown() -> None:
    """With upstreams, the base model's name is not known before the first one answers."""
    registry = Registry()
    registry.replace([Alias("default", "base", 1)], [])
    with pytest.raises(EngineUnavailable) as caught:
        registry.resolve("default")
    assert caught.value.headers == (("retry-after", "2"),)
    registry.set_base("tiny-llama")
    registry.set_base("tiny-llama")
    assert registry.resolve("default").engine_model == "tiny-llama"


def test_an_adapter_of_another_base_does_not_answer_and_its_alias_says_base(registry: Registry) -> None:
    """Whoever starts the home with another model gets that model under every alias, and is told."""
    registry.set_base("other-llama", "c" * 64)
    assert registry.wanted() == ()
    assert registry.answering() == {"default": "base", "aiops": "base"}
    assert registry.resolve("aiops") == Target("aiops", "base", "other-llama")
    with pytest.raises(NotFound):
        registry.resolve("ops@2")
    registry.set_base("tiny-llama", "b" * 64)
    assert registry.answering() == {"default": "base", "aiops": "ops@2"}


def test_a_merged_model_answers_for_its_adapter_and_takes_no_other(registry: Registry) -> None:
    registry.set_base("ops@2", "e" * 64, "ops@2")
    assert registry.wanted() == ()
    assert set(registry.answering().values()) == {"ops@2"}
    for name in ("default", "aiops", "ops@2"):
        assert registry.resolve(name) == Target(name, "ops@2", "ops@2")


def test_the_base_alone_answers_where_that_was_asked_for() -> None:
    alone = Registry("tiny-llama", base_only=True)
    alone.replace([Alias("default", "ops@1", 1)], [adapter("ops", "1", loaded=True)])
    assert (alone.wanted(), alone.answering()) == ((), {"default": "base"})
