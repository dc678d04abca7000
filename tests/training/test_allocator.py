"""Whether glibc keeps what it is told to keep."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import resource
from training.allocator import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        b"x" * 32_000_000  # touched and freed
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

first = faults()
assert keep_freed_memory()
faults()  # the heap grows once
print(first, faults())
"""


def test_memory_that_was_freed_is_not_asked_for_again() -> None:
    """Big blocks come from the heap, which is kept: page faults all but end."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert after < before / 4, (before, after)
