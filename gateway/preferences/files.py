"""Files that commands write: whole and durable, or as they were before."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def write_lines(out: Path, lines: Iterable[bytes]) -> int:
    """Writes the lines, and returns how many bytes they are; `-` is standard output.

    A file that is there is replaced once the last line is on disk, and stays as it is where something fails.

    Raises:
        OSError: It cannot be written.
    """
    if str(out) == "-":
        written = sum(map(sys.stdout.buffer.write, lines))
        sys.stdout.buffer.flush()
        return written
    out.parent.mkdir(parents=True, exist_ok=True)
    # Private, as everything that people wrote is.
    handle, draft = tempfile.mkstemp(prefix=f".{out.name}-", dir=out.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            written = sum(map(file.write, lines))
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(out)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(draft).unlink()
        raise
    return written
