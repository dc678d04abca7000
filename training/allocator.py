"""Keep the memory that tensors gave back: glibc's habit of returning it costs a third of a training step on a CPU."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD = -1  # of malloc.h
_MMAP_MAX = -4
_MOST = 2**31 - 1


def keep_freed_memory() -> bool:
    """Tell glibc, for this process, to serve big blocks from its heap and to keep what is freed; False elsewhere.

    The kernel clears every page it hands out: an activation of some megabytes that is mapped, touched and unmapped
    in each layer costs more in page faults than in arithmetic. The environment variables that do the same
    (`MALLOC_MMAP_THRESHOLD_`, `MALLOC_TRIM_THRESHOLD_`) are read before a program's first line, which is too early
    for a program that people start by its name.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_MMAP_MAX, 0) and mallopt(_TRIM_THRESHOLD, _MOST))
