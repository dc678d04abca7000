"""One target under atheris, in a process of its own: the first argument names it, the others are libFuzzer's."""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-not-found] # only where it has a wheel

with atheris.instrument_imports(include=["guardrails"]):
    from targets import attempt, decoded, warm


def once(data: bytes) -> None:
    attempt(sys.argv[1], *decoded(data))


if __name__ == "__main__":
    warm(sys.argv[1])
    atheris.Setup([sys.argv[0], *sys.argv[2:]], once)
    atheris.Fuzz()
