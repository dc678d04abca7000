"""How sure a number is: Wilson intervals for shares, bootstrap intervals for means, all at 95 %."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_Z = 1.959963984540054  # the normal distribution's 97.5 % point
RESAMPLES = 4000
SEED = 9


class Interval(msgspec.Struct, frozen=True):
    """A value, the bounds of its 95 % interval, and from how many observations it comes."""

    value: float
    low: float
    high: float
    n: int

    def through(self, mapping: Callable[[float], float]) -> Interval:
        """The interval of a growing function of the value."""
        return Interval(mapping(self.value), mapping(self.low), mapping(self.high), self.n)


def wilson(hits: int, n: int) -> Interval:
    """The share of hits (Wilson 1927). It stays within 0 and 1, and 0 of 200 is not called certain.

    Raises:
        ValueError: There are no observations, or more hits than observations.
    """
    if not 0 <= hits <= n or n == 0:
        message = f"hits: {hits} of {n} is no share. Give at least one observation, and at most as many hits."
        raise ValueError(message)
    share = hits / n
    shrink = 1 + _Z**2 / n
    middle = (share + _Z**2 / (2 * n)) / shrink
    half = _Z / shrink * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    # At the ends the bound is the share itself; rounding would put it a hair beyond.
    return Interval(share, 0.0 if hits == 0 else middle - half, 1.0 if hits == n else middle + half, n)


def bootstrap(values: Sequence[float], weights: Sequence[float] | None = None, *, seed: int = SEED) -> Interval:
    """The mean of the values, or Σ values ÷ Σ weights, with the percentiles of means of resamples (Efron 1979).

    Args:
        values: One for each thing that was drawn: a pair, a text.
        weights: What each value is a sum over, such as a text's tokens; 1 each otherwise.
        seed: Of the resamples, so that the same files give the same interval.

    Raises:
        ValueError: There are no values.
    """
    if not values:
        message = "values: there are none. Give at least one observation."
        raise ValueError(message)
    sums = np.asarray(values, dtype=np.float64)
    shares = np.ones_like(sums) if weights is None else np.asarray(weights, dtype=np.float64)
    drawn = np.random.default_rng(seed).integers(0, len(sums), size=(RESAMPLES, len(sums)))
    means = sums[drawn].sum(axis=1) / shares[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(sums.sum() / shares.sum()), float(low), float(high), len(sums))
