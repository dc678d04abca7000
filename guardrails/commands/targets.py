"""Classifies the paths commands act on, by the table in `targets.yaml`; its first fitting row wins."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from posixpath import normpath
from typing import NamedTuple

import yaml

from guardrails.commands.effects import Place, Target
from guardrails.commands.tree import UNKNOWN

_SLASHES = re.compile(r"/(?:\.?/)+")
_LAST_DOT = re.compile(r"(?<=/)\.$")


class _Row(NamedTuple):
    pattern: re.Pattern[str]
    place: Place
    label: str


class _Service(NamedTuple):
    pattern: re.Pattern[str]
    label: str
    service: str


@lru_cache(maxsize=1)
def _tables() -> tuple[tuple[_Row, ...], tuple[_Service, ...]]:
    file = Path(__file__).with_name("targets.yaml")
    data = yaml.load(file.read_text("utf-8"), Loader=yaml.CSafeLoader)
    rows = tuple(
        _Row(re.compile(p, re.IGNORECASE), Place(r["place"]), r.get("label", ""))
        for r in data["places"]
        for p in r["paths"]
    )
    services = tuple(_Service(re.compile(s["path"], re.IGNORECASE), s["label"], s["service"]) for s in data["services"])
    return rows, services


@lru_cache(maxsize=4096)
def target(path: str) -> Target:
    """The class of one path; what only the running shell knows stands in it as `UNKNOWN`."""
    if path.startswith("\\\\") and not path.startswith("\\\\."):
        return Target(path, Place.DATA, "the network share")
    clean = _LAST_DOT.sub("", _SLASHES.sub("/", path.removeprefix("file://").replace("\\", "/"))).replace(UNKNOWN, "?")
    if "/../" in clean + "/" and clean.startswith("/"):
        clean = normpath(clean)
    rows, services = _tables()
    for row in rows:
        if row.pattern.fullmatch(clean):
            if row.place is Place.DATA:
                for service in services:
                    if service.pattern.search(clean):
                        return Target(path, Place.DATA, service.label, service.service)
            return Target(path, row.place, row.label)
    return Target(path, Place.PROJECT)
