"""The files of the incident-response curriculum, and the names that fill their slots."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from gateway.preferences.curricula.interface import draw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FOLDER = files("gateway.preferences.curricula") / "incident_response"


@cache
def read(name: str) -> Any:
    """The content of one file, by its name without `.yaml`."""
    return yaml.safe_load((_FOLDER / f"{name}.yaml").read_bytes())


def digest() -> str:
    """SHA-256 (hex) of all files: what the curriculum was made from."""
    found = hashlib.sha256()
    for file in sorted((file for file in _FOLDER.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name):
        found.update(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()


def names_for(
    slots: Iterable[str], key: str, *, held_out: bool, apart_from: Mapping[str, str] | None = None
) -> dict[str, str]:
    """A value for each slot, drawn by `key`; none of them the one in `apart_from`."""
    known = read("slots")
    taken = apart_from or {}
    return {
        slot: draw([name for name in _values(known[slot], held_out=held_out) if name != taken.get(slot)], key, slot)
        for slot in slots
    }


def _values(slot: dict[str, list[str]], *, held_out: bool) -> list[str]:
    return slot["held_out" if held_out else "train"]
