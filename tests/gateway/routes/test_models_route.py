"""`GET /v1/models` through the official client."""

from __future__ import annotations

from typing import Any

import openai
import pytest


async def test_every_usable_name_is_listed(gateway: Any) -> None:
    """Aliases, pinned adapters and the base model, each a model object of OpenAI's."""
    models = {model.id: model async for model in gateway.openai.models.list()}
    assert sorted(models) == ["aiops", "default", "ops@1", "org/base-model"]
    assert {model.object for model in models.values()} == {"model"}
    assert models["default"].created == 1_700_000_000
    assert models["ops@1"].created == 1_600_000_000
    assert models["aiops"].model_dump()["root"] == "ops@1"
    assert models["default"].model_dump()["root"] == "org/base-model"


@pytest.mark.parametrize("name", ["default", "ops@1", "org/base-model"])
async def test_one_is_found_by_its_name(gateway: Any, name: str) -> None:
    """A hub id's slash is part of the name."""
    assert (await gateway.openai.models.retrieve(name)).id == name


@pytest.mark.parametrize("name", ["nobody", "ops@2", "org"])
async def test_another_name_is_not_found(gateway: Any, name: str) -> None:
    """404 as OpenAI says it."""
    with pytest.raises(openai.NotFoundError) as caught:
        await gateway.openai.models.retrieve(name)
    assert caught.value.code == "model_not_found"
