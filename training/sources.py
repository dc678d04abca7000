"""What a run is given, found: the pairs it learns from and the base model's folder."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gateway.adapters.keeping import FOLDER as ADAPTERS
from gateway.engine import embedded
from gateway.engine.checkpoint import ModelError, find_checkpoint, locate
from gateway.preferences.datasets import MANIFEST, PAIRS, DatasetError, dataset_folder, read_dataset
from gateway.preferences.orders import Order, mine_dataset
from gateway.preferences.pairs import Pair, PairError, read_pairs
from gateway.store.errors import StoreError
from guardrails.commands.rules import RuleError
from guardrails.policy import PolicyError
from training.config import TrainError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.settings import Settings


class Found(NamedTuple):
    """Pairs, and what they are called: a data set's name and version, or a file's name and 0."""

    pairs: list[Pair]
    name: str
    version: int


def find_pairs(given: str, home: Path, *, for_sft: bool) -> Found:
    """The pairs of a JSONL file, of a data set's folder, or of `NAME` or `NAME@VERSION` in the home.

    Raises:
        TrainError: There are none, or one cannot be used.
    """
    path = Path(given).expanduser()
    try:
        if path.is_file():
            return _some(Found(read_pairs(path, for_sft=for_sft), path.stem, 0), given)
        folder = path if path.is_dir() else dataset_folder(home / "datasets", given)
        dataset = read_dataset(folder)
        return _some(Found(read_pairs(folder / PAIRS, for_sft=for_sft), dataset.name, dataset.version), given)
    except (PairError, DatasetError) as error:
        raise TrainError(f"--pairs: {error}") from error
    except OSError as error:
        raise TrainError(
            f"--pairs: {given!r} cannot be read ({error.strerror}). Give a JSONL file, a folder with {MANIFEST}, or a "
            "data set's NAME@VERSION."
        ) from error


def mine_pairs(settings: Settings, out: Path, *, resume: bool, for_sft: bool) -> Found:
    """The pairs that the store holds now, kept in the home as a data set with the name of the adapter's folder.

    A run that goes on learns from the pairs it began with, whatever people have said since: with `resume` the newest of
    these data sets is taken, if there is one.

    Raises:
        TrainError: There are none, or the store cannot be used.
    """
    root = settings.home / "datasets"
    name = re.sub(r"[^a-z0-9._-]+", "-", out.name.lower()).strip("._-") or "mined"
    try:
        if not (resume and any(root.glob(f"{name}@*"))):
            mine_dataset(Order(settings.store_url, settings.policy), root, name)
    except (StoreError, DatasetError, PolicyError, RuleError) as error:
        raise TrainError(f"--store: {error}") from error
    return find_pairs(name, settings.home, for_sft=for_sft)


def only_one(pairs: str | None, store: str | None) -> None:
    """See that pairs come from one place.

    Raises:
        TrainError: None was named, or two were.
    """
    if (pairs is None) is (store is None):
        raise TrainError("--pairs: say where the pairs are: --pairs FILE or --store URL, and only one of them.")


def check_certain(found: Found) -> None:
    """See that every pair stands the right way round for sure, which plain DPO takes for granted.

    Raises:
        TrainError: One may not.
    """
    for number, pair in enumerate(found.pairs, 1):
        if pair.flip_rate:
            raise TrainError(
                f"--pairs: {found.name}: pair {number}: flip_rate: {pair.flip_rate} cannot be used by --loss dpo, "
                "which learns from every pair as if it were sure. Leave such pairs out, or set their flip_rate to 0."
            )


def find_adapter(given: Path, home: Path) -> Path:
    """An adapter's folder: the one named, or the copy that the home keeps of a registered `NAME@VERSION`."""
    kept = home / ADAPTERS / given
    return kept if not given.is_dir() and len(given.parts) == 1 and kept.is_dir() else given


def find_model(given: str | None, home: Path, tell: Callable[[str], None]) -> Path:
    """The folder of the base model: the one named, the hub's copy of an id, or the embedded default, made if missing.

    Args:
        given: `--model`; None or the embedded model's name for the default.
        home: WARDGATE_HOME.
        tell: Called with each step of making the default, in words.

    Raises:
        TrainError: It is not here and cannot be made.
    """
    if given is None or (given == embedded.NAME and not Path(given).is_dir()):
        try:
            return asyncio.run(embedded.obtain(home, tell))
        except embedded.ModelUnavailable as error:
            raise TrainError(f"--model: {error}") from error
    try:
        folder = locate(find_checkpoint(given).model)
    except ModelError as error:
        raise TrainError(str(error)) from error
    if folder is None:
        raise TrainError(
            f"--model: {given!r} is not on this machine, and a run fetches nothing. Fetch it first "
            f"(`hf download {given}`), or give a folder."
        )
    return folder


def _some(found: Found, given: str) -> Found:
    if not found.pairs:
        raise TrainError(f"--pairs: {given!r} holds no pairs. Give at least one.")
    return found
