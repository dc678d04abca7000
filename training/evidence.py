"""What an evaluation leaves in its folder: raw log-probabilities and generations, never a number computed from them.

    manifest.json       what was compared: digests of base, adapters, dataset and curriculum; seeds, versions, settings
    logprobs.jsonl      one answer under one arm a line: log-probability of the whole answer in nats, and its tokens
    generations.jsonl   one generation a line, as the model wrote it and as it was sent
    perplexity.jsonl    one ordinary text under one arm a line
    worked.json         one pair token by token
    metrics.jsonl       the training run's own log, where there was one

Only manifest.json must be there; a file that is not holds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

MANIFEST, LOGPROBS, GENERATIONS = "manifest.json", "logprobs.jsonl", "generations.jsonl"
PERPLEXITY, WORKED, METRICS = "perplexity.jsonl", "worked.json", "metrics.jsonl"
BEFORE, AFTER = "before", "after"
_Row = TypeVar("_Row", bound=msgspec.Struct)


class EvidenceError(ValueError):
    """A folder whose files say too little or contradict each other; the message names the file and the mend."""


class LogProb(msgspec.Struct, frozen=True):
    """One answer of a held-out pair under one arm: the sum over its tokens, in nats, computed in float32."""

    arm: Literal["before", "after"]
    pair: str
    objective: str
    side: Literal["chosen", "rejected"]
    logprob: float
    tokens: int


class Generation(msgspec.Struct, frozen=True):
    """One answer that was generated, `text` as the model wrote it and `sent` as it left the gateway."""

    arm: Literal["before", "after"]
    prompt_id: str
    incident: str
    prompt: str
    seed: int
    text: str
    sent: str = ""
    inference_id: str = ""
    adapter: str = ""
    action: str = ""


class Perplexity(msgspec.Struct, frozen=True):
    """One ordinary text under one arm: its negative log-likelihood in nats, and over how many tokens."""

    arm: Literal["base", "before", "after"]
    text: str
    nll: float
    tokens: int


class Token(msgspec.Struct, frozen=True):
    """One token of a worked answer, with its log-probability under both arms, in nats."""

    text: str
    before: float
    after: float


class Worked(msgspec.Struct, frozen=True):
    """One pair token by token; `why` says how it was picked."""

    pair: str
    objective: str
    prompt: str
    chosen: tuple[Token, ...]
    rejected: tuple[Token, ...]
    why: str = ""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What was compared. Every value is shown in the report; digests are SHA-256 in hex.

    Attributes:
        title: What the report is called.
        base: The base model: `model`, `digest`.
        before: What training started from: `adapter` (empty: the base alone), `digest`.
        after: What came out: `adapter`, `digest`.
        dataset: `name`, `version`, `digest`, `pairs` of what was trained on.
        held_out: The same of what was scored.
        curriculum: Its digest and settings, where there was one.
        seeds: Every seed by its use.
        code_version: Version and, where known, commit.
        settings: Anything else that the numbers depend on.
        recipe: The command that makes the folder again.
    """

    title: str = "Before and after"
    base: dict[str, Any] = {}
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    dataset: dict[str, Any] = {}
    held_out: dict[str, Any] = {}
    curriculum: dict[str, Any] = {}
    seeds: dict[str, Any] = {}
    code_version: str = ""
    settings: dict[str, Any] = {}
    recipe: str = ""


class Evidence(msgspec.Struct, frozen=True):
    """Everything in the folder."""

    manifest: Manifest
    logprobs: list[LogProb] = []
    generations: list[Generation] = []
    perplexities: list[Perplexity] = []
    worked: Worked | None = None
    metrics: list[dict[str, Any]] = []


def read_evidence(folder: Path) -> Evidence:
    """What lies in the folder.

    Raises:
        EvidenceError: It is no such folder, or a line cannot be read.
    """
    if not (folder / MANIFEST).is_file():
        raise EvidenceError(f"{folder}: has no {MANIFEST}. Give the folder that `wardgate evaluate --out` wrote.")
    worked = folder / WORKED
    return Evidence(
        _document(folder / MANIFEST, Manifest),
        _rows(folder / LOGPROBS, LogProb),
        _rows(folder / GENERATIONS, Generation),
        _rows(folder / PERPLEXITY, Perplexity),
        _document(worked, Worked) if worked.exists() else None,
        _lines(folder / METRICS, dict[str, Any]),
    )


def write_evidence(folder: Path, evidence: Evidence) -> None:
    """Write the folder, the manifest last: a folder with a manifest is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    for name, rows in (
        (LOGPROBS, evidence.logprobs),
        (GENERATIONS, evidence.generations),
        (PERPLEXITY, evidence.perplexities),
        (METRICS, evidence.metrics),
    ):
        if rows:
            write_rows(folder / name, rows)
    if evidence.worked is not None:
        _put(folder / WORKED, _pretty(evidence.worked))
    _put(folder / MANIFEST, _pretty(evidence.manifest))


def write_rows(file: Path, rows: Iterable[msgspec.Struct | dict[str, Any]]) -> None:
    """JSON Lines, whole or not at all."""
    _put(file, b"".join(msgspec.json.encode(row) + b"\n" for row in rows))


def by_arm(rows: Sequence[_Row], *arms: str) -> list[list[_Row]]:
    """The rows of each arm, in their order."""
    return [[row for row in rows if getattr(row, "arm", None) == arm] for arm in arms]


def _put(file: Path, content: bytes) -> None:
    draft = file.with_name(f".{file.name}.draft")
    draft.write_bytes(content)
    draft.replace(file)


def _pretty(document: msgspec.Struct) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _document(file: Path, kind: type[_Row]) -> _Row:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except msgspec.MsgspecError as error:
        raise EvidenceError(f"{file}: {error}. Evaluate again, or take the folder from where it is whole.") from error


def _rows(file: Path, kind: type[_Row]) -> list[_Row]:
    return list(_lines(file, kind))


def _lines(file: Path, kind: Any) -> list[Any]:
    if not file.exists():
        return []
    decode = msgspec.json.Decoder(kind).decode
    rows = []
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                rows.append(decode(line))
            except msgspec.MsgspecError as error:
                raise EvidenceError(f"{file}:{number}: {error}. Evaluate again, or mend the line.") from error
    return rows
