"""What a vLLM takes of adapters, read from how it was started."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

# vLLM's names for what it computes at once, and PEFT's for the parts.
PACKED = {"qkv_proj": ("q_proj", "k_proj", "v_proj"), "gate_up_proj": ("gate_proj", "up_proj")}


class Limits(NamedTuple):
    """Of one vLLM; the defaults are for one that somebody else started, which says no itself.

    Attributes:
        rank: The highest.
        slots: How many adapters it holds in memory at once; what is more it reads from disk at every turn.
        modules: Last names of the modules that may have an adapter; None for all.
        enabled: Whether it takes any.
    """

    rank: int = 512
    slots: int = 16
    modules: frozenset[str] | None = None
    enabled: bool = True


def read_limits(command: Sequence[str]) -> Limits:
    """The limits in vLLM's command line, where the last one given counts."""
    values: dict[str, list[str]] = {}
    name = ""
    for word in command:
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            name = name.replace("_", "-")
            values[name] = [value] if equals else []
        elif name:
            values[name].append(word)
    loras = _number(values, "--max-loras", 1)
    modules = values.get("--lora-target-modules")
    return Limits(
        rank=_number(values, "--max-lora-rank", 16),
        slots=_number(values, "--max-cpu-loras", loras),
        modules=None if modules is None else frozenset(part for name in modules for part in PACKED.get(name, (name,))),
        enabled="--enable-lora" in values,
    )


def _number(values: dict[str, list[str]], name: str, default: int) -> int:
    given = values.get(name, [])
    return int(given[-1]) if given and given[-1].isdecimal() else default
