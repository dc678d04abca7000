"""Work a judgement may cost, counted and never timed, so that a verdict does not depend on the machine's load."""

from __future__ import annotations


class BudgetExceeded(Exception):
    """The parser's or the expansions' work budget is spent; the text is neither safe nor judged."""


class Budget:
    """Counts down units of work: one per parser callback, one per 64 bytes read, one per command expanded."""

    __slots__ = ("left",)

    def __init__(self, units: int = 4000) -> None:
        self.left = units

    def spend(self, units: int = 1) -> None:
        """Takes `units` away.

        Raises:
            BudgetExceeded: when nothing is left.
        """
        self.left -= units
        if self.left < 0:
            raise BudgetExceeded("the work budget for parsing and unfolding commands is spent")
