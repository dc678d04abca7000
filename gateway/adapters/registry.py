"""What a request's `model` means, answered from memory: alias → adapter → the name vLLM knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gateway.errors import RETRY_AFTER, EngineUnavailable, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.store.records import Adapter, Alias

BASE = "base"  # what an alias or a record calls the base model without any adapter
DEFAULT = "default"  # the alias that exists from the first start


class Target(NamedTuple):
    """Where a request goes.

    Attributes:
        alias: The name the caller used: an alias, a pinned `name@version`, or the base model's id.
        adapter: `name@version`, or `base`.
        engine_model: The model name for vLLM.
    """

    alias: str
    adapter: str
    engine_model: str


class Registry:
    """Aliases and adapters in memory, replaced as a whole whenever the store's have changed."""

    def __init__(self, base_model: str = "") -> None:
        self._base = base_model
        self._aliases: tuple[Alias, ...] = ()
        self._adapters: tuple[Adapter, ...] = ()
        self._targets: dict[str, Target] = {}
        self._build()

    def replace(self, aliases: Iterable[Alias], adapters: Iterable[Adapter]) -> None:
        """Take over what the store holds now."""
        self._aliases = tuple(aliases)
        self._adapters = tuple(adapters)
        self._build()

    def set_base(self, model: str) -> None:
        """The base model's public id, known once a vLLM has told it."""
        if model != self._base:
            self._base = model
            self._build()

    def resolve(self, model: str) -> Target:
        """Where a request for `model` goes.

        Raises:
            NotFound: Nobody here has that name (`model_not_found`), or its adapter is not loaded.
            EngineUnavailable: No vLLM has told the base model's name yet.
        """
        target = self._targets.get(model)
        if target is not None:
            return target
        raise self._unknown(model)

    def aliases(self) -> tuple[Alias, ...]:
        return self._aliases

    def adapters(self) -> tuple[Adapter, ...]:
        return self._adapters

    def names(self) -> tuple[str, ...]:
        """Every name a request may use, for `GET /v1/models`."""
        return tuple(self._targets)

    def wanted(self) -> tuple[Adapter, ...]:
        """Adapters every vLLM must have loaded: those marked so, and those an alias points to."""
        aliased = {alias.adapter for alias in self._aliases}
        return tuple(adapter for adapter in self._adapters if adapter.loaded or adapter.id in aliased)

    def _build(self) -> None:
        targets = {adapter.id: Target(adapter.id, adapter.id, adapter.id) for adapter in self.wanted()}
        if self._base:
            targets[self._base] = Target(self._base, BASE, self._base)
        for alias in self._aliases:
            if alias.adapter == BASE:
                if self._base:
                    targets[alias.name] = Target(alias.name, BASE, self._base)
            elif alias.adapter in targets:
                targets[alias.name] = Target(alias.name, alias.adapter, alias.adapter)
        self._targets = targets

    def _unknown(self, model: str) -> NotFound | EngineUnavailable:
        if not self._base:
            return EngineUnavailable(
                "No model server is ready yet, so that the models are not known. Try again shortly.",
                code="engine_unavailable",
                headers=RETRY_AFTER,
            )
        if any(adapter.id == model for adapter in self._adapters):
            message = f"The adapter {model!r} is registered and not loaded."
        else:
            message = f"The model {model!r} does not exist. GET /v1/models lists the names that do."
        return NotFound(message, code="model_not_found", param="model")
