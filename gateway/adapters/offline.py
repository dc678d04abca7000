"""What can be done with adapters while no gateway runs: the home's store and files, without any vLLM."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.adapters.bases import base_of
from gateway.adapters.folder import AdapterRefused, read_shapes
from gateway.adapters.keeping import keep_adapter, make_record
from gateway.documents import adapter_document
from gateway.engine import embedded
from gateway.engine.checkpoint import DigestCache, base_digest, locate
from gateway.engine.command import EngineMissing, has_cuda_build, lora_arguments
from gateway.engine.limits import Limits, read_limits
from gateway.errors import Conflict
from gateway.remote import Refused
from gateway.store.database import Store
from gateway.store.errors import StoreError
from gateway.store.records import By

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.settings import Settings


def listed(settings: Settings) -> dict[str, Any]:
    """As `GET /admin/adapters`.

    Raises:
        Refused: The store cannot be read.
    """
    with _store(settings) as store:
        aliases = store.aliases.all()
        data = [
            adapter_document(one, (alias.name for alias in aliases if alias.adapter == one.id))
            for one in store.adapters.all()
        ]
    return {"object": "list", "data": data, "after": None}


def registered(settings: Settings, sent: dict[str, str], who: str) -> dict[str, Any]:
    """As `POST /admin/adapters`, for the model that the settings name.

    Raises:
        Refused: The adapter cannot be served, its name is taken, or the store cannot be written.
    """
    folder = locate(
        str(settings.home / "models" / embedded.NAME if settings.model == embedded.NAME else settings.model)
    )
    name, digest, shapes = Path(settings.model).name, "", None
    if folder is not None:
        with contextlib.suppress(OSError, msgspec.DecodeError):
            digest = base_digest(folder, DigestCache(settings.home / "models" / ".digests.json"))
            shapes = read_shapes(msgspec.json.decode((folder / "config.json").read_bytes()))
    by = By(who, sent["why"])
    with _store(settings) as store:
        try:
            known = store.adapters.get(sent["id"]) is not None
            place, checked = keep_adapter(
                settings.home,
                sent["id"],
                Path(sent["path"]),
                _limits(settings),
                shapes,
                expected=sent["digest"],
                registered=known,
            )
            based = base_of(checked.base_model, checked.base_digest, name, digest)
            store.adapters.register(make_record(sent["id"], place, checked, based, by.at_us), by)
        except (AdapterRefused, Conflict, StoreError, OSError) as error:
            raise Refused(f"{error}", 400, "adapter_refused") from error
        found = store.adapters.get(sent["id"])
    assert found is not None  # noqa: S101 - it was written just now
    return adapter_document(found)


def _limits(settings: Settings) -> Limits:
    """Of the vLLM that `wardgate serve` would start; without one here, it says no itself when it loads."""
    with contextlib.suppress(EngineMissing):
        return read_limits([*lora_arguments(cuda=has_cuda_build()), *settings.vllm_args])
    return Limits()


@contextlib.contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    try:
        store = Store(settings.store_url)
    except StoreError as error:
        raise Refused(str(error), 503, "store_unavailable") from error
    try:
        yield store
    finally:
        store.close()
