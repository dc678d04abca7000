"""Intervals against published values, against their own definition, and against how often they hold."""

from __future__ import annotations

import math
import random
import statistics

import pytest

from training.intervals import bootstrap, wilson

# Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3 (score, no continuity correction).
PUBLISHED = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
]


@pytest.mark.parametrize(("hits", "n", "low", "high"), PUBLISHED)
def test_wilson_is_the_published_one(hits: int, n: int, low: float, high: float) -> None:
    """The bounds are Newcombe's, to the four digits he prints."""
    found = wilson(hits, n)
    assert (found.value, found.n) == (hits / n, n)
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


@pytest.mark.parametrize(("hits", "n"), [(1, 3), (7, 200), (110, 200), (199, 200)])
def test_wilson_bounds_solve_the_score_test(hits: int, n: int) -> None:
    """At each bound the observed share lies exactly 1.96 standard errors away, the error taken at the bound."""
    found = wilson(hits, n)
    for bound in (found.low, found.high):
        assert abs(hits / n - bound) / math.sqrt(bound * (1 - bound) / n) == pytest.approx(1.959963984540054, rel=1e-9)


@pytest.mark.parametrize("n", [1, 10, 400])
def test_wilson_is_sure_of_nothing(n: int) -> None:
    """None of n is bounded by 0 but not above by it, and all of n mirrors it."""
    none, every = wilson(0, n), wilson(n, n)
    assert (none.low, every.high) == (0.0, 1.0)
    assert none.high > 0
    assert none.high == pytest.approx(1 - every.low)


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (3, 2), (-1, 4)])
def test_wilson_refuses_what_is_no_share(hits: int, n: int) -> None:
    """No observation, or more hits than observations, is an error that says so."""
    with pytest.raises(ValueError, match=f"{hits} of {n}"):
        wilson(hits, n)


def test_bootstrap_is_the_same_every_time() -> None:
    """The same values give the same bounds, and another seed gives others."""
    draw = random.Random(1)
    values = [draw.gauss(-3, 2) for _ in range(50)]
    assert bootstrap(values) == bootstrap(values)
    assert bootstrap(values).low != bootstrap(values, seed=1).low


def test_bootstrap_agrees_with_the_normal_theory() -> None:
    """On many bell-shaped values the bounds are mean ± 1.96 standard errors, within a twentieth of their distance."""
    draw = random.Random(7)
    values = [draw.gauss(-30, 5) for _ in range(400)]
    found = bootstrap(values)
    half = 1.96 * statistics.stdev(values) / math.sqrt(len(values))
    assert found.value == pytest.approx(statistics.fmean(values))
    assert found.low == pytest.approx(found.value - half, abs=half / 10)
    assert found.high == pytest.approx(found.value + half, abs=half / 10)


def test_bootstrap_agrees_with_a_plain_one() -> None:
    """Weighted means are bounded as by resampling written out in plain Python, with draws of its own."""
    draw = random.Random(3)
    tokens = [draw.randint(5, 80) for _ in range(60)]
    nats = [size * draw.uniform(1.5, 4) for size in tokens]
    means = []
    for _ in range(3000):
        picked = draw.choices(range(60), k=60)
        means.append(sum(nats[at] for at in picked) / sum(tokens[at] for at in picked))
    means.sort()
    found = bootstrap(nats, [float(size) for size in tokens])
    width = found.high - found.low
    assert found.value == pytest.approx(sum(nats) / sum(tokens))
    assert found.low == pytest.approx(means[75], abs=width / 10)
    assert found.high == pytest.approx(means[2924], abs=width / 10)


def test_bootstrap_refuses_nothing() -> None:
    """The mean of no values is an error."""
    with pytest.raises(ValueError, match="there are none"):
        bootstrap([])


def test_interval_follows_a_growing_function() -> None:
    """Nats become factors with their bounds."""
    found = bootstrap([-2.0, -1.0, 0.0]).through(math.exp)
    assert (found.value, found.n) == (pytest.approx(math.exp(-1)), 3)
    assert found.low < found.value < found.high
