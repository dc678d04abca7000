"""Counts over many texts, and how they are printed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guardrails.evaluation.tally import Share

if TYPE_CHECKING:
    from oracle.comparison import Row

AGREEMENT, UNRESOLVABLE = 0.995, 0.03


@dataclass(slots=True)
class Tally:
    """What came of comparing.

    Attributes:
        unresolvable: Rows of which the tree says that it cannot tell, of all.
        agreeing: Rows without a vector missed, of those that are not unresolvable.
        calls: Vectors predicted, of all that bash executed in rows that are not unresolvable.
        wild: Vectors predicted by means of a wildcard, of all predicted.
        surplus: Vectors of the tree that bash executed in neither run (branches not taken, files not there), of all.
        disagreements: The rows with a vector missed.
    """

    unresolvable: Share = field(default_factory=Share)
    agreeing: Share = field(default_factory=Share)
    calls: Share = field(default_factory=Share)
    wild: Share = field(default_factory=Share)
    surplus: Share = field(default_factory=Share)
    disagreements: list[Row] = field(default_factory=list)

    def count(self, row: Row) -> None:
        """Adds one row."""
        self.unresolvable.count(row.unresolvable)
        if row.unresolvable:
            return
        self.agreeing.count(not row.missed)
        predicted = row.executed - len(row.missed)
        self.calls.hits += predicted
        self.calls.total += row.executed
        self.wild.hits += row.wild
        self.wild.total += predicted
        self.surplus.hits += row.surplus
        self.surplus.total += row.predicted
        if row.missed:
            self.disagreements.append(row)

    def lines(self) -> list[str]:
        """A table of shares with their 95 % Wilson intervals, the bars beside those that have one."""
        rows = (
            ("rows that agree, of those not unresolvable", self.agreeing, f">= {AGREEMENT:.1%}"),
            ("rows declared unresolvable", self.unresolvable, f"<= {UNRESOLVABLE:.0%} of ordinary rows"),
            ("executed argument vectors predicted", self.calls, ""),
            ("  of them by means of a wildcard", self.wild, ""),
            ("vectors of the tree never executed", self.surplus, ""),
        )
        return [f"{name:<44} {_share(share.document())} {bar}".rstrip() for name, share, bar in rows]

    def document(self) -> dict[str, Any]:
        """The same for a program."""
        return {
            "agreeing": self.agreeing.document(),
            "unresolvable": self.unresolvable.document(),
            "calls": self.calls.document(),
            "wild": self.wild.document(),
            "surplus": self.surplus.document(),
            "disagreements": [{"text": row.text, "missed": row.missed} for row in self.disagreements],
        }


def _share(counted: dict[str, float | int]) -> str:
    counts = f"{counted['hits']}/{counted['total']}"
    return f"{counts:>12}  {counted['share']:7.2%}  [{counted['low']:.2%}, {counted['high']:.2%}]"
