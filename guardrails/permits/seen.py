"""The permits a runner has taken, so that each lets its command run but once."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from guardrails.permits.interface import PermitError, PermitRefused, Reason

if TYPE_CHECKING:
    from pathlib import Path

    from guardrails.permits.interface import Permit


def take(permit: Permit, file: Path) -> None:
    """Note in `file` that the permit was taken; on disk before this returns.

    The file is locked while it is read and added to, and nothing is ever taken out: a line (`EXPIRES ID`) may go once
    its permit has expired.

    Raises:
        PermitRefused: It stands there already.
        PermitError: The file cannot be read or written.
    """
    name = permit.id.encode("ascii")
    try:
        with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX)
            ended = True
            for line in opened:
                ended = line.endswith(b"\n")
                if line.rstrip(b"\n").partition(b" ")[2] == name:
                    raise PermitRefused(Reason.SEEN, f"was taken before, says {file}; have the command judged again")
            opened.write(b"" if ended else b"\n")  # of one that was killed while it wrote
            opened.write(b"%d %s\n" % (permit.expires, name))
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        raise PermitError(f"{file} cannot be written: {error.strerror}; name a file the runner may write") from error
