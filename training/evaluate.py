"""`wardgate evaluate`: an adapter against what it started from, or the table of a folder that an evaluation left."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path  # noqa: TC003  # the command line is read from the annotations
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
from cyclopts import Parameter

from gateway.settings import SettingsError, load_settings
from training.config import TrainError
from training.evidence import METRICS, Evidence, EvidenceError, read_evidence, write_evidence
from training.noise import hush
from training.sources import find_adapter, find_pairs, mine_pairs, only_one
from training.table import compute, document
from training.text import told as shown_as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.evidence import Generation
    from training.table import Judge, Table

DONE, BAD_USE = 0, 2


class Asked(NamedTuple):
    """What `evaluate` was told of a measurement, under its flags' names."""

    pairs: str | None
    store: str | None
    model: str | None
    before: str | None
    max_length: int | None
    quantize: str | None
    worked: str | None


def evaluate(
    adapter: Path | None = None,
    /,
    *,
    from_: Annotated[Path | None, Parameter(name="--from")] = None,
    pairs: str | None = None,
    store: str | None = None,
    out: Path | None = None,
    model: str | None = None,
    before: str | None = None,
    max_length: int | None = None,
    quantize: str | None = None,
    worked: str | None = None,
    report: Path | None = None,
    json_: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Hold an adapter against what its training started from, on pairs it has not seen.

    Raw log-probabilities are left in --out; the table is always computed from such a folder, with 95 % intervals.

    Exit status: 0 computed, 2 bad use.

    Example: wardgate evaluate var/aligned --pairs held-out.jsonl --out var/report

    Example: wardgate evaluate --from var/report --report report.html

    Args:
        adapter: Folder of the adapter, or the NAME@VERSION of a registered one.
        from_: Compute from this folder instead; no model is loaded.
        pairs: Held-out pairs: a JSONL file, a data set's folder, or its NAME@VERSION.
        store: sqlite:///PATH or postgresql://USER@HOST/NAME: the pairs are mined from what people did.
        out: Folder for the raw files.
        model: Folder or hub id of the base; what the adapter was trained on without it.
        before: Adapter that it is held against, named likewise, or `base`; what its training started from without it.
        max_length: Tokens of prompt and answer; as in training without it.
        quantize: nf4 holds the base in four bits; as in training without it.
        worked: Id (or its beginning) of the pair that is worked token by token; a typical one without it.
        report: Write the report there, one HTML file. With an adapter it stands beside --out without being asked for.
        json_: Print the table as one line of JSON.
    """
    try:
        folder = from_
        if adapter is not None and (pairs or store) and out is not None and from_ is None:
            _measure(adapter, out, Asked(pairs, store, model, before, max_length, quantize, worked))
            folder, report = out, report or out.with_name(f"{out.name}.html")
        elif folder is None or adapter or pairs or store or out:
            return _end("ADAPTER: give an adapter with --pairs or --store and --out, or --from a folder, not both.")
        evidence = read_evidence(folder)
        judge = find_judge(evidence.generations)
        table = compute(evidence, judge)
        if report is not None:
            from training.report.page import write_report  # noqa: PLC0415  # the plots' libraries take seconds

            write_report(report, evidence, table, judge)
    except (TrainError, EvidenceError, SettingsError) as error:
        return _end(str(error))
    except OSError as error:
        return _end(f"{error.filename}: {error.strerror}. Give --out and --report places that can be written.")
    return _show(table, report, json_=json_)


def find_judge(rows: Sequence[Generation]) -> Judge | None:
    """The workload's judge where there is something to judge: it knows the incidents that the rows name."""
    if not rows:
        return None
    found: Judge = import_module("training.loop.judge").judge_generation
    return found


def _measure(adapter: Path, out: Path, asked: Asked) -> None:
    """Score, and leave the raw files in `out`; what the training began with is proven unless it was told."""
    only_one(asked.pairs, asked.store)
    hush()
    from training.arms import base_of, check_start, describe, recipe  # noqa: PLC0415  # torch takes seconds to import
    from training.measure import Setting, measure  # noqa: PLC0415  # likewise

    settings = load_settings(os.environ, None, {"store": asked.store})
    adapter, worked = find_adapter(adapter, settings.home), asked.worked
    run = recipe(adapter, asked.model, asked.before, max_length=asked.max_length, quantize=asked.quantize)
    if out.exists() and any(out.iterdir()):
        raise TrainError(f"--out: {str(out)!r} is not empty. Evaluations are not overwritten: name another folder.")
    if asked.pairs is None:  # under a name of its own: a training run may have the folder's
        found = mine_pairs(settings, out.with_name(f"{out.name}-held-out"), resume=False, for_sft=False)
    else:
        found = find_pairs(asked.pairs, settings.home, for_sft=False)
    base = base_of(run)
    if asked.before is None:
        check_start(adapter, run, base)
    setting = Setting(run.model, run.adapter, str(adapter), run.dtype, run.quantize, run.max_length)
    measured = measure(setting, found.pairs, _tell, worked)
    if worked is not None and measured.worked is None:
        raise TrainError(
            f"--worked: no pair's id begins with {worked!r}. `logprobs.jsonl` of an evaluation names them."
        )
    if measured.left_out:
        _tell(f"{measured.left_out} pairs do not fit {run.max_length} tokens and were left out")
    manifest = describe(adapter, run, base, found, measured.left_out)
    if manifest.held_out["digest"] == manifest.dataset.get("digest"):
        _tell("these are the pairs that the adapter was trained on: nothing here was held out")
    metrics = _metrics(adapter / METRICS)
    write_evidence(out, Evidence(manifest, measured.logprobs, worked=measured.worked, metrics=metrics))


def _metrics(file: Path) -> list[dict[str, Any]]:
    if not file.exists():
        return []
    return [msgspec.json.decode(line) for line in file.read_bytes().splitlines()]


def _show(table: Table, report: Path | None, *, json_: bool) -> int:
    shown = msgspec.json.encode(document(table)).decode() if json_ else shown_as_text(table)
    print(shown)  # noqa: T201  # it is what the command is for
    if report is not None:
        _tell(f"the report lies in {report}")
    return DONE


def _end(message: str) -> int:
    _tell(message)
    return BAD_USE


def _tell(message: str) -> None:
    print(f"wardgate evaluate: {message}", file=sys.stderr)  # noqa: T201
