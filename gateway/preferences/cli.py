"""`wardgate pairs import | export | stats`: pairs from files, into files, and at a glance."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

from cyclopts import Parameter

from gateway.preferences import datasets
from gateway.preferences.datasets import DatasetError, Making, NoPairs
from gateway.preferences.files import write_lines
from gateway.preferences.layouts.registry import LAYOUTS, LayoutName, Reading, Tally, read_files, source, write_rows
from gateway.preferences.objectives import Objective  # noqa: TC001 - cyclopts reads the annotations
from gateway.preferences.pairs import PairError, each_pair, write_pairs
from gateway.preferences.statistics import statistics_of
from gateway.settings import SettingsError, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.preferences.pairs import Pair

DONE, NOTHING, BAD_USE = 0, 1, 2
Out = Annotated[Path, Parameter(allow_leading_hyphen=True)]  # `-` is standard output
Json = Annotated[bool, Parameter(name="--json", negative="")]


def import_(
    *files: Path,
    layout: LayoutName = LayoutName.JSONL,
    dataset: str | None = None,
    out: Out | None = None,
    objective: Objective | None = None,
    origin: str | None = None,
    limit: int | None = None,
    json_: Json = False,
) -> int:
    """Read pairs from files, compressed or not, into a dataset or a file of the contract's layout.

    Rows that are well formed and no pair (equal or empty answers, dialogues that part before their last turn) are left
    out and counted by reason; a row that has not the layout's form stops the import. Exit status: 0 done, 1 there were
    no pairs, 2 bad use.

    Example: wardgate pairs import --layout hh harmless.jsonl.gz --dataset harmless --objective safety

    Parameters
    ----------
    files
        One or more files with a row a line.
    layout
        hh: whole dialogues, `chosen` and `rejected`. trl: TRL's standard, conversational and implicit-prompt rows.
        jsonl: the contract's.
    dataset
        NAME, for the next version, or NAME@VERSION; kept in WARDGATE_HOME.
    out
        A file instead of a dataset; - for standard output.
    objective
        What all of them are meant to improve; otherwise what the row says, or helpfulness.
    origin
        Where all of them come from; otherwise what the row says, or the layout's name.
    limit
        Read at most so many rows.
    json_
        Print the result as one line of JSON.
    """
    with refusing("import"):
        if not files or (dataset is None) is (out is None):
            refuse("import", "name at least one FILE, and where the pairs go: --dataset NAME or --out FILE")
        tally = Tally()
        pairs = read_files(files, Reading(LAYOUTS[layout], objective, origin, limit), tally)
        options = {"layout": layout, "objective": objective, "origin": origin, "limit": limit}
        sources = [] if dataset is None else [source(file) for file in files]
        result = keep(pairs, dataset, out, Making(datetime.now(UTC), tuple(sources), options, tally.odd))
        result |= {"rows": tally.rows, "pairs": tally.pairs, "odd": dict(sorted(tally.odd.items()))}
        tell(result, json_=json_, quiet=str(out) == "-")
    return DONE if tally.pairs else NOTHING


def export(pairs: str, /, *, out: Out, layout: LayoutName = LayoutName.JSONL, json_: Json = False) -> int:
    """Write a dataset, or a file of the contract's layout, in another layout.

    Pairs that the layout cannot say (HH has no system turn) are left out and counted by reason. Exit status: 0 done,
    1 there were no pairs, 2 bad use.

    Example: wardgate pairs export incidents@3 --layout trl --out incidents.jsonl

    Parameters
    ----------
    pairs
        NAME@VERSION, NAME for its newest version, or a file.
    out
        The file to write; - for standard output.
    layout
        jsonl, trl (conversational, explicit prompt) or hh (texts only: objective, weight and lineage are not in it).
    json_
        Print the result as one line of JSON.
    """
    with refusing("export"):
        file, named = found(pairs)
        tally = Tally()
        write_lines(out, write_rows(each_pair(file), LAYOUTS[layout], tally))
        left_out = dict(sorted(tally.odd.items()))
        result = {"from": named, "out": str(out), "rows": tally.rows, "pairs": tally.pairs, "odd": left_out}
        tell(result, json_=json_, quiet=str(out) == "-")
    return DONE if tally.pairs else NOTHING


def stats(pairs: str, /, *, json_: Json = False) -> int:
    """Count pairs by objective, origin and length ratio, and say what else can go wrong with them.

    Exit status: 0 done, 1 there are no pairs, 2 bad use.

    Example: wardgate pairs stats incidents@3

    Parameters
    ----------
    pairs
        NAME@VERSION, NAME for its newest version, or a file of the contract's layout.
    json_
        Print the statistics as one line of JSON.
    """
    with refusing("stats"):
        file, named = found(pairs)
        document = statistics_of(each_pair(file))
        if json_:
            sys.stdout.write(f"{json.dumps({'of': named, **document})}\n")
        else:
            from gateway.preferences.tables import print_statistics  # noqa: PLC0415 - a tenth of a second for a table

            print_statistics(document, named)
    return DONE if document["pairs"] else NOTHING


def keep(pairs: Iterable[Pair], dataset: str | None, out: Path | None, making: Making) -> dict[str, Any]:
    """Writes the pairs where they were asked for; what was written, as the command tells it."""
    if out is not None:
        write_lines(out, (write_pairs((pair,)) for pair in pairs))
        return {"dataset": None, "out": str(out)}
    name, version = datasets.parse_id(dataset or "")
    try:
        kept = datasets.write_dataset(home() / "datasets", name, version, pairs, making)
    except NoPairs:
        return {"dataset": None, "digest": None}
    return {"dataset": kept.id, "digest": kept.digest}


def found(text: str) -> tuple[Path, str]:
    """The file of pairs that `text` names, a file or a dataset whose digest is right, and its name."""
    if (file := Path(text)).is_file():
        return file, text
    if "/" in text or text.endswith((".jsonl", ".json", ".gz")):
        raise DatasetError(f"{text}: is no file. Name a file of pairs, or a dataset as NAME@VERSION.")
    folder = datasets.dataset_folder(home() / "datasets", text)
    return folder / datasets.PAIRS, datasets.read_dataset(folder).id


def home() -> Path:
    return load_settings(os.environ).home


def tell(result: Mapping[str, Any], *, json_: bool, quiet: bool) -> None:
    """What was done; on standard error where the pairs themselves went to standard output."""
    out = sys.stderr if quiet else sys.stdout
    if json_:
        out.write(f"{json.dumps(result)}\n")
        return
    place = result.get("dataset") or result.get("out") or "nothing was written"
    out.write(f"{many(result['pairs'], 'pair')} of {many(result['rows'], 'row')}: {place}\n")
    out.writelines(f"  left out, {reason.replace('_', ' ')}: {count}\n" for reason, count in result["odd"].items())


def many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def refuse(command: str, message: str) -> NoReturn:
    """Bad use, with its mend on standard error."""
    sys.stderr.write(f"wardgate pairs {command}: {message}\n")
    sys.exit(BAD_USE)


@contextlib.contextmanager
def refusing(command: str) -> Iterator[None]:
    """What a person can mend becomes one line and exit status 2."""
    try:
        yield
    except (PairError, DatasetError, SettingsError) as error:
        refuse(command, str(error))
    except BrokenPipeError:
        sys.stderr.close()  # whoever read standard output has had enough
        sys.exit(DONE)
    except OSError as error:
        refuse(command, f"{error.filename}: {error.strerror}")
