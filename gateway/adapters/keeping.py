"""The gateway's own copy of an adapter, so that what is registered cannot change; whole, or not there at all."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.adapters.digest import CONFIG, WEIGHTS, adapter_digest
from gateway.adapters.folder import PICKLES, PROVENANCE, AdapterRefused, check_folder
from gateway.store.aliases import BASE
from gateway.store.records import Adapter

if TYPE_CHECKING:
    from gateway.adapters.folder import Checked, Shapes
    from gateway.engine.limits import Limits

FOLDER = "adapters"
NEEDED = (CONFIG, WEIGHTS)
BESIDE = (PROVENANCE, "README.md", "run.json", "metrics.jsonl")  # kept with it where they are there
SIZE_LIMIT = 8 << 30  # bytes of one file
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_ID = re.compile(rf"(?P<name>{_NAME.pattern})@(?P<version>{_NAME.pattern})")


def parse_id(text: str) -> tuple[str, str]:
    """Name and version of `name@version`.

    Raises:
        AdapterRefused: It is not of that form.
    """
    match = _ID.fullmatch(text)
    if match is None or match["name"].lower() == BASE:
        raise AdapterRefused(
            f"adapter: {text[:100]!r} is no name@version; use letters, digits, '.', '_' and '-', like ops@3"
        )
    return match["name"], match["version"]


def check_alias(name: str) -> str:
    """The name, where an alias may be called so.

    Raises:
        AdapterRefused: It may not.
    """
    if _NAME.fullmatch(name) is None or name.lower() == BASE:
        raise AdapterRefused(
            f"alias: {name[:100]!r} is no name for an alias; use letters, digits, '.', '_' and '-', like default"
        )
    return name


def keep_adapter(
    home: Path,
    id: str,  # noqa: A002 - the records' word
    source: Path,
    limits: Limits,
    shapes: Shapes | None,
    *,
    expected: str = "",
    registered: bool,
) -> tuple[Path, Checked]:
    """Copy the adapter into the home, check the copy, and give it its name; the folder, and what is known of it.

    A copy of the same adapter that is there already is taken as it is; one of another is replaced where the name is
    not registered, because then somebody was killed between the copy and the record.

    Raises:
        AdapterRefused: It cannot be served, or another one has this name.
        OSError: It cannot be read or written.
    """
    parse_id(id)
    if not source.is_dir():
        raise AdapterRefused(f"path: {str(source)!r} is no folder; give the one that PEFT's save_pretrained wrote")
    place = home / FOLDER / id
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{id}-", dir=place.parent))
    try:
        (draft / "made").mkdir()
        _copy(source, draft / "made")
        checked = check_folder(draft / "made", limits, shapes)
        if expected and expected != checked.digest:
            raise AdapterRefused(f"digest: {expected!r} was expected, and the adapter in {source} has {checked.digest}")
        if place.exists():
            if _same(place, checked.digest):
                return place, checked
            if registered:
                raise AdapterRefused(
                    f"{id}: is registered with other files, and an adapter never changes; register a new version"
                )
            place.rename(draft / "replaced")
        made = draft / "made"
        for file in made.iterdir():
            with file.open("rb") as content:
                os.fsync(content.fileno())
        made.rename(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return place, checked


def make_record(id: str, place: Path, checked: Checked, base_digest: str, at_us: int) -> Adapter:  # noqa: A002 - theirs
    """The record of an adapter that was kept."""
    name, version = parse_id(id)
    return Adapter(
        name=name,
        version=version,
        path=str(place),
        digest=checked.digest,
        base_digest=base_digest,
        rank=checked.rank,
        created_us=at_us,
        provenance=checked.provenance,
    )


def check_unchanged(adapter: Adapter) -> None:
    """See that the files are still those that were registered.

    Raises:
        AdapterRefused: They are not.
    """
    try:
        found = adapter_digest(Path(adapter.path))
    except OSError as error:
        raise AdapterRefused(f"{adapter.id}: its files cannot be read any more: {error}") from error
    if found != adapter.digest:
        raise AdapterRefused(
            f"{adapter.id}: the files in {adapter.path} have the digest {found}, registered was {adapter.digest}: "
            "somebody changed them; register the adapter anew, under another version"
        )


def _same(place: Path, digest: str) -> bool:
    try:
        return adapter_digest(place) == digest
    except OSError:
        return False


def _copy(source: Path, draft: Path) -> None:
    root = source.resolve()
    for name in (*NEEDED, *BESIDE, *PICKLES):
        file = source / name
        if not file.is_file():
            continue
        if not file.resolve().is_relative_to(root):
            raise AdapterRefused(f"{name}: is a link to {file.resolve()}, outside of the folder; copy the file there")
        if file.stat().st_size > SIZE_LIMIT:
            raise AdapterRefused(f"{name}: has {file.stat().st_size} bytes, more than an adapter has")
        if name in PICKLES:
            (draft / name).touch()  # never read: that it is there is reason enough to refuse
        else:
            shutil.copyfile(file, draft / name)
