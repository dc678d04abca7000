"""The aligned model out of the box: the adapter that comes with the program, for homes that serve its base model.

A fresh home registers it and points `default` to it. A home in which somebody has changed `default`, or which is older
than the adapter, registers it and keeps what it serves: nobody's model changes because the program was updated.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

from gateway.adapters.digest import CONFIG
from gateway.adapters.folder import PROVENANCE
from gateway.adapters.registry import DEFAULT
from gateway.errors import ApiError
from gateway.store.records import By

if TYPE_CHECKING:
    from gateway.adapters.control import Control
    from gateway.engine.client import EngineClient
    from gateway.store.records import Adapter, Change

NAME = "aligned"
BUILT_IN = Path(__file__).parent / NAME
log = structlog.get_logger("wardgate.adapters")


class Card(msgspec.Struct):
    """What `wardgate.json` beside it says; version as a number or a word."""

    version: int | str
    base_digest: str


def read_card(folder: Path) -> Card | None:
    """What lies in `folder`; None where there is no adapter in it."""
    if not (folder / CONFIG).is_file():
        return None
    return msgspec.json.decode((folder / PROVENANCE).read_bytes(), type=Card)


def is_fresh(default: list[Change], adapters: tuple[Adapter, ...]) -> bool:
    """Whether nobody has chosen yet what `default` answers from, nor registered anything."""
    return [change.action for change in default] == ["made"] and all(adapter.name == NAME for adapter in adapters)


async def give_aligned(
    control: Control, client: EngineClient, folder: Path, base_digest: str, adapters: tuple[Adapter, ...]
) -> None:
    """Register the adapter in `folder` where its base model is served, and serve it where nobody chose another.

    That it cannot be is logged and costs nothing but the adapter: the base model answers.
    """
    try:
        card = read_card(folder)
        if card is None or not base_digest or card.base_digest != base_digest:
            return
        id_ = f"{NAME}@{card.version}"
        fresh = is_fresh(await control.history("alias", DEFAULT), adapters)
        if id_ not in [adapter.id for adapter in adapters]:
            await control.register(id_, str(folder), By("wardgate", "it comes with the program"))
        if fresh:
            by = By("wardgate", "the home is fresh")
            await control.load_on(client, id_, by)
            await control.promote(DEFAULT, id_, by)
            log.info("the aligned model that comes with the program is served", adapter=id_)
    except (ApiError, OSError, msgspec.DecodeError) as error:
        log.error("the aligned model that comes with the program is not served", reason=str(error))  # noqa: TRY400
