"""Numbers as a person reads them."""

from __future__ import annotations

import pytest

from training.intervals import Interval
from training.text import interval, number


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (0.025, "share", "2.5 %"),
        (-29.031, "nats", "-29.03"),
        (1 / 22_610, "factor", "1 / 22,610"),
        (1.018, "factor", "1.018"),
        (4.4019, "factor", "4.402"),
        (2.5e-11, "probability", "2.5e-11"),
        (0.5, "probability", "0.5"),
        (1e-14, "factor", "1 / 1.0e14"),
        (0.0, "probability", "0"),
    ],
)
def test_number_is_written_for_its_kind(value: float, form: str, shown: str) -> None:
    """Shares are per cent, small factors fractions of one, tiny probabilities powers of ten."""
    assert number(value, form) == shown


def test_interval_names_its_unit_once() -> None:
    """Bounds follow in brackets; what there is none of is a dash."""
    assert interval(Interval(0.025, 0.01, 0.05, 200), "share") == "2.5 % (1.0 to 5.0)"
    assert interval(Interval(-5, -6, -4, 9), "nats", signed=True) == "-5.00 (-6.00 to -4.00)"
    assert interval(None, "nats") == "-"
