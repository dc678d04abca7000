"""The layouts by name, and files of them: read from any file, compressed or not, and counted."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, cast

import msgspec

from gateway.preferences.datasets import Source
from gateway.preferences.layouts.hh import HumanAssistant
from gateway.preferences.layouts.interface import Layout, Odd
from gateway.preferences.layouts.jsonl import Jsonl
from gateway.preferences.layouts.trl import Trl
from gateway.preferences.pairs import PairError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from gateway.preferences.objectives import Objective
    from gateway.preferences.pairs import Pair

_GZIP = b"\x1f\x8b"


class LayoutName(StrEnum):
    JSONL = "jsonl"
    TRL = "trl"
    HH = "hh"


LAYOUTS: dict[LayoutName, Layout] = {
    LayoutName.JSONL: Jsonl(),
    LayoutName.TRL: Trl(),
    LayoutName.HH: HumanAssistant(),
}


@dataclass
class Tally:
    """What became of the rows; `odd` by reason."""

    rows: int = 0
    pairs: int = 0
    odd: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Reading:
    """How files are read.

    Attributes:
        objective: Given to every pair; None leaves what the row says.
        origin: The same.
        limit: At most so many rows.
    """

    layout: Layout
    objective: Objective | None = None
    origin: str | None = None
    limit: int | None = None


def read_files(files: Sequence[Path], reading: Reading, tally: Tally) -> Iterator[Pair]:
    """Every pair of the files in order; `tally` says what the other rows were.

    Raises:
        PairError: A row has not the layout's form, or a file is broken.
        OSError: A file cannot be read.
    """
    given = {"objective": reading.objective, "origin": reading.origin}
    changes = {name: value for name, value in given.items() if value is not None}
    for line, where in islice(_lines(files), reading.limit):
        tally.rows += 1
        read = reading.layout.read(line, where)
        if isinstance(read, Odd):
            tally.odd[read.reason] += 1
            continue
        tally.pairs += 1
        yield msgspec.structs.replace(read, **changes) if changes else read


def write_rows(pairs: Iterable[Pair], layout: Layout, tally: Tally) -> Iterator[bytes]:
    """Every pair as a line with its end; `tally` says which ones the layout cannot say."""
    for pair in pairs:
        tally.rows += 1
        line = layout.write(pair)
        if isinstance(line, Odd):
            tally.odd[line.reason] += 1
            continue
        tally.pairs += 1
        yield line + b"\n"


def source(file: Path) -> Source:
    """The file as a dataset's manifest names it."""
    with file.open("rb") as content:
        return Source(str(file), hashlib.file_digest(content, "sha256").hexdigest())


def _lines(files: Sequence[Path]) -> Iterator[tuple[bytes, str]]:
    """Every line that is not blank, and where it stands."""
    for file in files:
        with file.open("rb") as raw:
            compressed = raw.peek(len(_GZIP)).startswith(_GZIP)  # told by its content: names lie
            lines = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if compressed else raw
            try:
                for number, line in enumerate(lines, 1):
                    if line.strip():
                        yield line, f"{file}:{number}"
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise PairError(f"{file}: is compressed and broken: {error}. Fetch it again.") from error
