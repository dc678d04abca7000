"""What the loop leaves: raw generations and log-probabilities that every number is computed from, and a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from gateway.preferences.curricula import curriculum, material
from training.evidence import Evidence, read_evidence, write_evidence
from training.loop import workload
from training.loop.judge import judge_generation
from training.loop.perplexity import perplexities
from training.report.page import write_report
from training.table import Table, compute

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from training.evidence import Generation

TITLE = "The loop: before and after"
RECIPE = "make loop"


class Arms(NamedTuple):
    """Where the model and the adapters of both arms lie."""

    model: Path
    before: Path
    after: Path


def keep(folder: Path, arms: Arms, generations: Sequence[Generation], settings: dict[str, Any], seed: int) -> Table:
    """Complete what `wardgate evaluate` left in `folder`; the table, computed from the files.

    Args:
        folder: With the log-probabilities.
        arms: What was compared.
        generations: Of both arms.
        settings: What the numbers depend on beside the seeds.
        seed: The loop's.
    """
    scored = read_evidence(folder)
    texts = perplexities(arms.model, {"base": None, "before": arms.before, "after": arms.after})
    manifest = msgspec.structs.replace(
        scored.manifest,
        title=TITLE,
        curriculum={"name": curriculum.NAME, "digest": material.digest()},
        seeds={**scored.manifest.seeds, "loop": seed},
        settings={
            **scored.manifest.settings,
            "temperature": workload.TEMPERATURE,
            "max_tokens": workload.MAX_TOKENS,
            **settings,
        },
        recipe=RECIPE if seed == 0 else f'{RECIPE} ARGS="--seed {seed}"',
    )
    write_evidence(
        folder, msgspec.structs.replace(scored, manifest=manifest, generations=list(generations), perplexities=texts)
    )
    return tabulate(folder)


def tabulate(folder: Path) -> Table:
    """The table of a kept folder."""
    return compute(read_evidence(folder), judge_generation)


def picture(folder: Path) -> Path:
    """The report of a kept folder, beside it."""
    evidence: Evidence = read_evidence(folder)
    page = folder.with_suffix(".html")
    write_report(page, evidence, compute(evidence, judge_generation), judge_generation)
    return page
