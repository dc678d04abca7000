"""Shares, their intervals, and quantiles."""

from __future__ import annotations

import pytest

from guardrails.evaluation.tally import Share, quantiles, wilson


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(0, 0, 0, 1), (0, 10, 0, 0.2775), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662), (10, 10, 0.7225, 1)],
)
def test_the_interval_is_wilson_s(hits: int, total: int, low: float, high: float) -> None:
    assert wilson(hits, total) == pytest.approx((low, high), abs=1e-4)


def test_a_share_tells_hits_total_and_interval() -> None:
    share = Share()
    for hit in (True, False, True, True):
        share.count(hit)
    assert share.document() == {"hits": 3, "total": 4, "share": 0.75, "low": wilson(3, 4)[0], "high": wilson(3, 4)[1]}


def test_quantiles_are_values_that_were_seen() -> None:
    assert quantiles([4, 1, 3, 2]) == {"p50": 2, "p90": 4, "p99": 4, "max": 4}
    assert quantiles([]) == {"p50": 0, "p90": 0, "p99": 0, "max": 0}
