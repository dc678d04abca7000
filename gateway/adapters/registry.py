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


class Served(NamedTuple):
    """The model that vLLM was started with.

    Attributes:
        model: Its public id; empty before a vLLM has told it.
        digest: SHA-256 of its weights; empty where the files cannot be seen from here.
        merged: The adapter that was merged into it, `name@version`; empty where none was.
    """

    model: str = ""
    digest: str = ""
    merged: str = ""


class Registry:
    """Aliases and adapters in memory, replaced as a whole whenever the store's have changed.

    What a request means is looked up in one dictionary, which is exchanged in one assignment: no request sees half a
    change, and one that has been resolved keeps what it was given.

    Args:
        base_model: The id of the model that is served, where it is known.
        base_only: Every alias answers from that model, whatever it points to.
    """

    def __init__(self, base_model: str = "", *, base_only: bool = False) -> None:
        self._base_only = base_only
        self._served = Served(base_model)
        self._aliases: tuple[Alias, ...] = ()
        self._adapters: tuple[Adapter, ...] = ()
        self._targets: dict[str, Target] = {}
        self._build()

    def replace(self, aliases: Iterable[Alias], adapters: Iterable[Adapter]) -> None:
        """Take over what the store holds now."""
        self._aliases = tuple(aliases)
        self._adapters = tuple(adapters)
        self._build()

    def set_base(self, model: str, digest: str = "", merged: str = "") -> None:
        """The model that is served, known once a vLLM has told it."""
        served = Served(model, digest, merged)
        if served != self._served:
            self._served = served
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

    @property
    def served(self) -> Served:
        return self._served

    def aliases(self) -> tuple[Alias, ...]:
        return self._aliases

    def adapters(self) -> tuple[Adapter, ...]:
        return self._adapters

    def names(self) -> tuple[str, ...]:
        """Every name a request may use, for `GET /v1/models`."""
        return tuple(self._targets)

    def answering(self) -> dict[str, str]:
        """What each alias answers from now: an adapter's `name@version`, or `base`."""
        targets = {alias.name: self._targets.get(alias.name) for alias in self._aliases}
        return {name: target.adapter for name, target in targets.items() if target is not None}

    def fits(self, adapter: Adapter) -> bool:
        """Whether the adapter was trained for the model that is served, as far as that is known."""
        return not (self._served.digest and adapter.base_digest) or adapter.base_digest == self._served.digest

    def wanted(self) -> tuple[Adapter, ...]:
        """Adapters every vLLM must have loaded: those marked so, and those an alias points to."""
        return self.wanted_of(self._aliases, self._adapters)

    def wanted_of(self, aliases: Iterable[Alias], adapters: Iterable[Adapter]) -> tuple[Adapter, ...]:
        """Those it would be once these were taken over."""
        if self._base_only or self._served.merged:  # that vLLM was started without LoRA
            return ()
        aliased = {alias.adapter for alias in aliases}
        return tuple(one for one in adapters if (one.loaded or one.id in aliased) and self.fits(one))

    def _build(self) -> None:
        targets = {adapter.id: Target(adapter.id, adapter.id, adapter.id) for adapter in self.wanted()}
        model, _, merged = self._served
        if model:
            base = merged or BASE
            targets[model] = Target(model, base, model)
            if merged:
                targets[merged] = Target(merged, merged, model)
            registered = {adapter.id for adapter in self._adapters}
            for alias in self._aliases:
                # An adapter of another base model cannot answer here, and who was started with that model says so.
                if alias.adapter == BASE or (alias.adapter in registered and alias.adapter not in targets):
                    targets[alias.name] = Target(alias.name, base, model)
        for alias in self._aliases:
            if alias.adapter in targets:
                targets[alias.name] = targets[alias.adapter]._replace(alias=alias.name)
        self._targets = targets

    def _unknown(self, model: str) -> NotFound | EngineUnavailable:
        if not self._served.model:
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
