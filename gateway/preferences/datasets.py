"""Datasets of pairs: `name@version`, a folder that is written once, whole, and never changes.

$WARDGATE_HOME/datasets/NAME@VERSION/pairs.jsonl      one pair a line, the contract's form
                                     manifest.json    what is in it, where it came from, and its digest
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.preferences.pairs import write_pairs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from gateway.preferences.pairs import Pair

PAIRS, MANIFEST = "pairs.jsonl", "manifest.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")


class DatasetError(ValueError):
    """A dataset that cannot be written or read; the message names it, what is wrong and the mend."""


class NoPairs(DatasetError):
    """There was nothing to make a dataset of."""


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a dataset was made from.

    Attributes:
        name: A file, a store's URL without its password, or a curriculum.
        digest: SHA-256 (hex) of its bytes; empty for a store, which goes on changing.
    """

    name: str
    digest: str = ""


class Dataset(msgspec.Struct, frozen=True):
    """What its manifest says.

    Attributes:
        digest: SHA-256 (hex) of `pairs.jsonl`.
        count: Pairs in it.
        objectives: Pairs by objective.
        origins: Pairs by origin; several origins of one pair are joined by `+`.
        created: When it was made, UTC, ISO 8601.
        code_version: The program's version that made it.
        options: What the command was told.
        skipped: What became no pair, by reason.
    """

    name: str
    version: int
    digest: str
    count: int
    objectives: dict[str, int]
    origins: dict[str, int]
    sources: tuple[Source, ...]
    created: str
    code_version: str
    options: dict[str, Any]
    skipped: dict[str, int]

    @property
    def id(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True)
class Making:
    """How a dataset comes to be: what its manifest says beside what can be counted."""

    created: datetime
    sources: tuple[Source, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)


def parse_id(text: str) -> tuple[str, int | None]:
    """`NAME` or `NAME@VERSION` in two; versions are whole numbers from 1.

    Raises:
        DatasetError: It is neither.
    """
    name, at, version = text.partition("@")
    if not _NAME.fullmatch(name) or (at and not _VERSION.fullmatch(version)):
        raise DatasetError(
            f"dataset: {text!r} is no NAME or NAME@VERSION. A name has small letters, digits, `.`, `_` and `-`, "
            "a version is a whole number from 1."
        )
    return name, int(version) if at else None


def dataset_folder(root: Path, text: str) -> Path:
    """The folder of `NAME@VERSION` under `root`, or of the newest version of `NAME`.

    Raises:
        DatasetError: There is none.
    """
    name, version = parse_id(text)
    known = _versions(root, name)
    if not known or (version is not None and version not in known):
        there = ", ".join(f"{name}@{one}" for one in known) or "none of that name"
        raise DatasetError(f"dataset: {text!r} is not under {root}; there: {there}. `wardgate pairs mine` makes one.")
    return root / f"{name}@{version or known[-1]}"


def read_dataset(folder: Path) -> Dataset:
    """The manifest, once `pairs.jsonl` is what it says.

    Raises:
        DatasetError: The folder is no dataset, or its pairs are not those that were written.
    """
    try:
        dataset = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Dataset)
        with (folder / PAIRS).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DatasetError(
            f"{folder}: {error.strerror}: {Path(error.filename).name}. "
            f"A dataset is a folder with {PAIRS} and {MANIFEST}."
        ) from error
    except msgspec.MsgspecError as error:
        raise DatasetError(f"{folder / MANIFEST}: {error}. Make the dataset again.") from error
    if dataset.id != folder.name:
        raise DatasetError(f"{folder / MANIFEST}: is that of {dataset.id}. A dataset is not renamed: make it again.")
    if digest != dataset.digest:
        raise DatasetError(
            f"{folder / PAIRS}: its digest is {digest}, and the manifest says {dataset.digest}: it was changed after "
            "it was made. Restore it, or make a new version."
        )
    return dataset


def write_dataset(root: Path, name: str, version: int | None, pairs: Iterable[Pair], making: Making) -> Dataset:
    """Writes the pairs, in their order, as `name@version`, whole and durable, or not at all.

    Without a `version` it is the next number, unless the newest one holds the same pairs: that one is then the answer.
    The same pairs under a version that is there change nothing either.

    Raises:
        DatasetError: The version is there with other pairs.
        NoPairs: There are none.
        PairError: From `pairs`; nothing is written.
        OSError: It cannot be written.
    """
    parse_id(f"{name}@{version or 1}")
    root.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=root))
    try:
        digest, objectives, origins = _write(draft / PAIRS, pairs)
        if not objectives.total():
            raise NoPairs(f"{name}: there are no pairs to keep. Nothing was written.")
        while True:
            if (same := _same(root, name, version, digest)) is not None:
                return same
            free = version or (_versions(root, name) or [0])[-1] + 1
            dataset = Dataset(
                name=name,
                version=free,
                digest=digest,
                count=objectives.total(),
                objectives=dict(sorted(objectives.items())),
                origins=dict(sorted(origins.items())),
                sources=making.sources,
                created=making.created.isoformat(timespec="seconds"),
                code_version=installed("wardgate"),
                options=dict(making.options),
                skipped={reason: count for reason, count in sorted(making.skipped.items()) if count},
            )
            if _place(draft, root / dataset.id, dataset):
                return dataset
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _same(root: Path, name: str, version: int | None, digest: str) -> Dataset | None:
    """The dataset that is there already with these pairs, if it is the one asked for."""
    known = _versions(root, name)
    if not known or (version is not None and version not in known):
        return None
    there = read_dataset(root / f"{name}@{version or known[-1]}")
    if there.digest == digest:
        return there
    if version is None:
        return None
    raise DatasetError(
        f"dataset: {there.id} is there with other pairs (digest {there.digest}, these have {digest}), and a dataset "
        f"never changes. Take another version, or leave it out for the next one."
    )


def _place(draft: Path, folder: Path, dataset: Dataset) -> bool:
    """Puts the finished draft where it belongs; False where somebody else was quicker."""
    with (draft / MANIFEST).open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(dataset), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    _sync(draft)
    try:
        draft.rename(folder)
    except OSError:
        if folder.exists():
            return False
        raise
    _sync(folder.parent)
    return True


def _write(file: Path, pairs: Iterable[Pair]) -> tuple[str, Counter[str], Counter[str]]:
    """The digest of what was written, and the pairs by objective and by origin."""
    digest = hashlib.sha256()
    objectives: Counter[str] = Counter()
    origins: Counter[str] = Counter()
    with file.open("wb") as lines:
        for pair in pairs:
            line = write_pairs((pair,))
            lines.write(line)
            digest.update(line)
            objectives[pair.objective.value] += 1
            origins[pair.origin] += 1
        lines.flush()
        os.fsync(lines.fileno())
    return digest.hexdigest(), objectives, origins


def _versions(root: Path, name: str) -> list[int]:
    found = (path.name.removeprefix(f"{name}@") for path in root.glob(f"{name}@*"))
    return sorted(int(version) for version in found if _VERSION.fullmatch(version))


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
