"""What an evaluation holds against each other: an adapter, and what its training started from, by digest."""

from __future__ import annotations

import hashlib
import os
import shlex
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.adapters.digest import adapter_digest
from gateway.engine.checkpoint import DigestCache, base_digest
from gateway.preferences.pairs import write_pairs
from gateway.settings import load_settings
from training.config import RUN, TrainError, make_config, read_config
from training.evidence import Manifest
from training.publish import PROVENANCE, code_version, read_provenance
from training.reference import reference_digest
from training.sources import find_adapter, find_model

if TYPE_CHECKING:
    from training.config import TrainConfig
    from training.sources import Found

BASE = "base"
_CONFIG = "adapter_config.json"


def recipe(
    adapter: Path, model: str | None, before: str | None, *, max_length: int | None, quantize: str | None
) -> TrainConfig:
    """The run that the adapter came from, with what was said otherwise; its `adapter` is what is held against it.

    Raises:
        TrainError: Something of it is not here.
    """
    if not (adapter / _CONFIG).is_file():
        raise TrainError(
            f"ADAPTER: {str(adapter)!r} holds no {_CONFIG}. Give an adapter's folder, or its registered NAME@VERSION."
        )
    if (adapter / RUN).is_file():
        run = read_config(adapter / RUN)
    elif before is None:
        raise TrainError(f"--before: {str(adapter)!r} has no {RUN} to say. Give an adapter's folder, or `{BASE}`.")
    else:
        run = make_config({"loss": "dpo", "model": model or ".", "out": str(adapter)})
    # A published run names the adapter it went on with, and not where it lies.
    named = None if run.adapter is None else str(adapter.absolute().parent / run.adapter)
    home = load_settings(os.environ).home
    start = named if before is None else (None if before == BASE else str(find_adapter(Path(before), home)))
    if start is not None and not (Path(start) / _CONFIG).is_file():
        raise TrainError(f"--before: {start!r} holds no adapter. Say where it lies, or `{BASE}` for the base alone.")
    return msgspec.structs.replace(
        run,
        adapter=start,
        model=str(find_model(model or run.model, home, lambda said: print(said, file=sys.stderr))),  # noqa: T201
        max_length=max_length or run.max_length,
        quantize=quantize or run.quantize,
    )


def base_of(run: TrainConfig) -> str:
    """The base's digest."""
    return base_digest(Path(run.model), DigestCache(load_settings(os.environ).home / "digests.json"))


def check_start(adapter: Path, run: TrainConfig, base: str) -> None:
    """Whether base and adapter here are what the adapter's training started from.

    Raises:
        TrainError: They are not.
    """
    if not (adapter / PROVENANCE).is_file():
        return
    kept = read_provenance(adapter)
    if kept.base_digest != base:
        raise TrainError(
            f"--model: the base here is {base[:12]}, and {adapter.name!r} was trained on {kept.base_digest[:12]}. "
            "Give that one."
        )
    began = msgspec.structs.replace(run, quantize=read_config(adapter / RUN).quantize)
    if kept.reference_digest != reference_digest(base, began):
        raise TrainError(
            f"--before: {run.adapter!r} is not what {adapter.name!r} was trained from, by its digest. Say where that "
            "lies, or name this one with --before to hold it against it all the same."
        )


def describe(adapter: Path, run: TrainConfig, base: str, held_out: Found, left_out: int) -> Manifest:
    """The manifest of an evaluation."""
    digest = hashlib.sha256(write_pairs(held_out.pairs)).hexdigest()
    trained: dict[str, Any] = {}
    if (adapter / PROVENANCE).is_file():
        trained = msgspec.to_builtins(read_provenance(adapter).dataset)
    return Manifest(
        title=f"{adapter.name}: before and after",
        base={"model": Path(run.model).name, "digest": base},
        before={
            "adapter": Path(run.adapter).name if run.adapter else "",
            "digest": adapter_digest(Path(run.adapter)) if run.adapter else "",
        },
        after={"adapter": adapter.name, "digest": adapter_digest(adapter)},
        dataset=trained,
        held_out={
            "name": held_out.name,
            "version": held_out.version,
            "digest": digest,
            "pairs": len(held_out.pairs) - left_out,
        },
        seeds={"training": run.seed},
        code_version=code_version(),
        settings={
            "loss": run.loss,
            "arithmetic": f"float32 over {run.quantize or run.dtype} weights",
            "max_length": run.max_length,
            "pairs that did not fit": left_out,
            "torch": version("torch"),
            "transformers": version("transformers"),
        },
        recipe=_recipe(sys.argv[1:]),
    )


def _recipe(words: list[str]) -> str:
    """The command that was given, its paths by their last part: evidence is kept where others read it."""
    if words[:1] != ["evaluate"]:
        return ""
    return shlex.join(["wardgate", *(Path(word).name if word.startswith("/") else word for word in words)])
