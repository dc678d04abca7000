"""An evaluation as one HTML file: everything inlined, nothing fetched, nothing of a model's text taken for markup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from training import text
from training.report import plots
from training.report.answers import cases
from training.report.tokens import walk
from training.report.words import lede, tiles
from training.table import scored_pairs

if TYPE_CHECKING:
    from pathlib import Path

    from training.evidence import Evidence
    from training.table import Judge, Line, Table


_TIMES, _MINUS = "\u00d7", "\u2212"
_RAISED = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")


class Figure(NamedTuple):
    """A plot and what stands below it."""

    svg: Markup
    caption: str


def write_report(file: Path, evidence: Evidence, table: Table, judge: Judge | None = None) -> None:
    """Write the page, whole or not at all.

    Args:
        file: Where to.
        evidence: What it shows.
        table: Computed from the same evidence.
        judge: The one that the table was computed with.

    Raises:
        OSError: It cannot be written there.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.draft")
    draft.write_text(render(evidence, table, judge), encoding="utf-8")
    draft.replace(file)


def render(evidence: Evidence, table: Table, judge: Judge | None = None) -> str:
    """The page as text."""
    # Models wrote what stands in it: whatever is not our own SVG is escaped.
    environment = Environment(
        loader=PackageLoader("training.report", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["typeset"] = typeset
    return environment.get_template("report.html.j2").render(
        manifest=evidence.manifest,
        lede=lede(table, _setting(evidence)),
        tiles=tiles(table),
        lines=[_cells(line) for line in table.lines],
        pairs=_pair_figures(evidence, table),
        cases=cases(evidence.generations, judge) if judge else [],
        worked=evidence.worked,
        walks=[] if evidence.worked is None else [walk(side, evidence.worked) for side in ("rejected", "chosen")],
        running=_running(evidence),
        curves=[Figure(Markup(svg), caption) for caption, svg in plots.curves(evidence.metrics)],  # noqa: S704  # our own
        provenance=_provenance(evidence),
    )


def typeset(shown: str) -> str:
    """A number as print has it: a real minus, and powers of ten."""
    shown = re.sub(r"(\d)e(-?\d+)", lambda found: f"{found[1]}{_TIMES}10{found[2].translate(_RAISED)}", shown)
    shown = re.sub(r"\bx (?=\d)", _TIMES, shown)
    return re.sub(r"(?<![\w])-(?=\d)", _MINUS, shown)


def _cells(line: Line) -> dict[str, Any]:
    form = line.measure.form
    n = next((part.n for part in (line.after, line.before) if part), 0)
    return {
        "label": line.measure.label,
        "before": _split(text.interval(line.before, form)),
        "after": _split(text.interval(line.after, form)),
        "change": _split(text.change(line)),
        "n": n,
        "verdict": _verdict(line),
    }


def _split(shown: str) -> tuple[str, str]:
    """The value, and its bounds."""
    value, _, bounds = shown.partition(" (")
    return value, bounds.rstrip(")")


def _verdict(line: Line) -> str:
    """`better` or `worse` where the interval of the change leaves no doubt, or where both intervals lie apart."""
    neutral = 1.0 if line.change_form == "factor" else 0.0
    if line.change is not None:
        risen, fallen = line.change.low > neutral, line.change.high < neutral
    elif line.before is not None and line.after is not None:
        risen, fallen = line.after.low > line.before.high, line.after.high < line.before.low
    else:
        return ""
    if not line.measure.better or not (risen or fallen):
        return ""
    return "better" if risen is (line.measure.better > 0) else "worse"


def _pair_figures(evidence: Evidence, table: Table) -> list[Figure]:
    pairs = scored_pairs(evidence.logprobs)
    if not pairs:
        return []
    drawn = [
        (
            plots.distributions(pairs, "rejected"),
            "The answers that should become unlikely. Each tick is a held-out pair.",
        ),
        (plots.distributions(pairs, "chosen"), "The answers that should not suffer for it, on the same axis."),
        (plots.scatter(pairs), "Every pair: below the dashed line its chosen answer gained on the rejected one."),
        (plots.margins(table.objectives), "The mean change of both answers by objective, with 95 % intervals."),
    ]
    return [Figure(Markup(svg), caption) for svg, caption in drawn]  # noqa: S704  # our own drawing


def _running(evidence: Evidence) -> Figure | None:
    worked = evidence.worked
    if worked is None:
        return None
    svg = Markup(plots.running(worked.chosen, worked.rejected))  # noqa: S704  # numbers only
    return Figure(svg, "The running sum of the same numbers: a step down is where the model turned away.")


def _setting(evidence: Evidence) -> str:
    """What may be said of the pairs: that they were held out, unless they are those of the training."""
    same = evidence.manifest.held_out.get("digest") == evidence.manifest.dataset.get("digest") is not None
    return "it was trained on" if same else "that training never saw"


def _provenance(evidence: Evidence) -> list[tuple[str, list[tuple[str, str]]]]:
    manifest = evidence.manifest
    groups = [
        ("Base", manifest.base),
        ("Before", manifest.before),
        ("After", manifest.after),
        ("Trained on", manifest.dataset),
        ("Held out", manifest.held_out),
        ("Curriculum", manifest.curriculum),
        ("Seeds", manifest.seeds),
        ("Settings", manifest.settings),
        ("Code", {"version": manifest.code_version, "made by": manifest.recipe}),
    ]
    shown = [(name, [(key, str(value)) for key, value in group.items() if value != ""]) for name, group in groups]
    return [(name, rows) for name, rows in shown if rows]
