"""Numbers with their intervals as a person reads them, and the table as plain text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from training.intervals import Interval
    from training.table import Line, Table

_TINY = 1e-4


def number(value: float, form: str, *, signed: bool = False) -> str:
    """One value: shares as per cent, tiny probabilities as powers of ten, factors with what they mean below 1."""
    if form == "share":
        return f"{100 * value:{'+' if signed else ''}.1f} %"
    if form == "nats":
        return f"{value:{'+' if signed else ''}.2f}"
    if form == "factor" and 0 < value < 0.01:
        return f"1 / {_grouped(1 / value)}"
    return _power(value) if 0 < value < _TINY or value >= 1e6 else f"{value:.4g}"  # where digits blur


def interval(found: Interval | None, form: str, *, signed: bool = False) -> str:
    """`value (low to high)`; a dash where there is none."""
    if found is None:
        return "-"
    value, low, high = (number(part, form, signed=signed) for part in (found.value, found.low, found.high))
    unit = " %" if form == "share" else ""
    return f"{value} ({low.removesuffix(unit)} to {high.removesuffix(unit)})"


def change(line: Line) -> str:
    """The change of a line: signed where it is a difference, `x` where it is a factor."""
    if line.change is None:
        return "-"
    if line.change_form == "factor":
        return interval(line.change, "factor")
    return interval(line.change, line.change_form, signed=True)


def told(table: Table) -> str:
    """The table for a terminal, and below it the margin of each objective."""
    rows = [("", "before", "after", "change")]
    rows += [_row(line) for line in table.lines]
    text = _aligned(rows)
    if len(table.objectives) > 1:
        per = [("", "n", "log P(chosen)", "log P(rejected)", "right way")]
        for name, lines in table.objectives.items():
            by_key = {line.measure.key: line for line in lines}
            moved = by_key["margin_accuracy"].after
            per.append(
                (
                    name,
                    str(moved.n if moved else 0),
                    change(by_key["log_prob_chosen"]),
                    change(by_key["log_prob_rejected"]),
                    interval(moved, "share"),
                )
            )
        text += "\n\nby objective, change in nats\n" + _aligned(per)
    return text


def _row(line: Line) -> tuple[str, str, str, str]:
    form = line.measure.form
    return line.measure.label, interval(line.before, form), interval(line.after, form), change(line)


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    pad: list[Callable[[str, int], str]] = [str.ljust, *([str.rjust] * (len(widths) - 1))]
    return "\n".join(
        "  ".join(how(cell, width) for how, cell, width in zip(pad, row, widths, strict=True)).rstrip() for row in rows
    )


def _power(value: float) -> str:
    exponent = math.floor(math.log10(value))
    return f"{value / 10**exponent:.1f}e{exponent}"


def _grouped(value: float) -> str:
    return f"{value:,.0f}" if value < 1e9 else _power(value)  # longer numbers are not read
