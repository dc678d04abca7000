"""What a command does to what: kinds of effects, and the targets they fall on."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Effect(StrEnum):
    """What a command does, whatever its name."""

    DELETE = "delete"
    OVERWRITE = "overwrite"
    FORMAT = "format"
    STOP = "stop"
    EXPOSE = "expose"
    DOWNLOAD_AND_RUN = "download_and_run"
    ESCALATE = "escalate"
    EXFILTRATE = "exfiltrate"
    IRREVERSIBLE = "irreversible"


class Place(StrEnum):
    """Classes of paths; `targets.yaml` says which path is of which."""

    ROOT = "root"
    CRITICAL = "critical"
    HOME = "home"
    KEYS = "keys"
    SYSTEM = "system"
    KERNEL = "kernel"
    DATA = "data"
    LOGS = "logs"
    DEVICE = "device"
    WIDE = "wide"
    PROJECT = "project"
    BUILD = "build"
    SCRATCH = "scratch"
    UNKNOWN = "unknown"
    FILE = "file"
    NONE = "none"


class Target(NamedTuple):
    """One thing a command acts on.

    Attributes:
        path: As the command names it.
        place: Its class.
        label: What a person calls it ("the PostgreSQL data directory").
        service: The service it belongs to, if one is known.
    """

    path: str
    place: Place
    label: str = ""
    service: str | None = None
