"""Bounded means by betting: bounds for the mean of values in [0, 1], whatever their distribution.

Method versions ``betting-iid/1`` (independent draws from a population) and ``betting-wor/1`` (draws without
replacement from a finite set, in a random order fixed beforehand); grade finite-sample. Against "the mean is at most
m" one unit is staked at odds that are fair or worse if that is true: the stake is multiplied by ``1 - f + f*x/m`` for
each value x. Its expectation never exceeds 1, so it reaches 1/alpha with probability at most alpha.

Twelve bets f are held side by side with equal weight. Bounds lie on the grid of whole billionths, which makes them a
matter of integers: every certainty (the bar is reached, the bar is out of reach) is decided exactly.

Shapes  values: one-dimensional, in the order drawn.
Errors  ValueError for a value that is not a number or lies outside [0, 1]; nothing is clipped.
Source  Waudby-Smith and Ramdas (2024), JRSS B 86(1), 1-27; arXiv 2010.09686 (iid), 2006.04347 (without replacement).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pilotbase.stats.intervals import check_alpha

GRID = 10**9
"""Bounds are whole multiples of 1/GRID; without replacement, values are rounded to it too."""

BETS = 0.01 * 95.0 ** (np.arange(12) / 11)
"""Shares of the stake put on each value: twelve, log-spaced from 0.01 to 0.95."""

_LARGEST_SET = (2**63 - 1) // GRID  # sums of whole billionths stay within 64 bits

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Evidence = Callable[[int], float]
"""Log e-value against "the mean is at most k/GRID", never rising with k."""


def log_evidence(values: ArrayLike, null_mean: float, *, population: int | None = None) -> float:
    """Return the log e-value, after the last value, against "the mean is at most ``null_mean``".

    ``population`` None: the values are independent draws. A whole number N: they are the first draws, without
    replacement, from a set of N; then "at most" is read as "below" once the values already reach N times the null
    (evidence infinite), and the evidence is minus infinity once they can no longer exceed it.

    Raises ValueError for bad values, and for a null mean outside [0, 1] or, without replacement, off the grid.
    """
    if not 0 <= null_mean <= 1:
        raise ValueError(f"a null mean lies in [0, 1], found {null_mean}")
    x = bounded(values)
    if population is None:
        return _iid_evidence(x, null_mean)
    units = round(null_mean * GRID)
    if units / GRID != null_mean:
        raise ValueError(f"without replacement a null mean has at most nine decimals, found {null_mean!r}")
    return _wor_evidence(_whole(x), units, _checked_population(len(x), population))


def mean_lower(values: ArrayLike, alpha: float, *, population: int | None = None) -> float:
    """Return the largest grid value m for which "the mean is below m" is refuted at ``alpha``; 0 if none is.

    Raises ValueError for bad values, a bad ``alpha``, or more values than the ``population`` holds.
    """
    x = bounded(values)
    if population is None:
        return _largest_refuted(lambda units: _iid_evidence(x, units / GRID), alpha) / GRID
    return _lower_units(_whole(x), alpha, population) / GRID


def mean_upper(values: ArrayLike, alpha: float, *, population: int | None = None) -> float:
    """Return the smallest grid value m for which "the mean is above m" is refuted at ``alpha``: mirror of the lower.

    Raises ValueError as ``mean_lower`` does.
    """
    x = bounded(values)
    if population is None:
        return (GRID - _largest_refuted(lambda units: _iid_evidence(1.0 - x, units / GRID), alpha)) / GRID
    return (GRID - _lower_units(GRID - _whole(x), alpha, population)) / GRID


def bounded(values: ArrayLike) -> Floats:
    """Return ``values`` as a one-dimensional array; raise ValueError unless each is a number in [0, 1]."""
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1:
        raise ValueError(f"values form one row, found {x.ndim} dimensions")
    wrong = np.flatnonzero(~((x >= 0) & (x <= 1)))  # also catches NaN
    if wrong.size:
        at = int(wrong[0])
        raise ValueError(f"values lie in [0, 1]; value {at} is {x[at]}, and {wrong.size} of {x.size} are outside")
    return x


def rescale(values: ArrayLike, low: float, high: float) -> Floats:
    """Map the declared support [low, high] to [0, 1]; raise ValueError for a value outside it."""
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"a support needs finite low < high, found {low} and {high}")
    x = np.asarray(values, dtype=np.float64)
    if not np.all((x >= low) & (x <= high)):
        raise ValueError(f"values lie in the declared support [{low}, {high}]")
    return bounded((x - low) / (high - low))


def _largest_refuted(evidence: Evidence, alpha: float) -> int:
    """Return the largest k in 0..GRID with evidence(k) >= ln(1/alpha); 30 halvings, k = 0 needs no evidence."""
    check_alpha(alpha)
    level = -math.log(alpha)
    low, high = 0, GRID + 1
    while high - low > 1:
        middle = (low + high) // 2
        if evidence(middle) >= level:
            low = middle
        else:
            high = middle
    return low


def _iid_evidence(x: Floats, null_mean: float) -> float:
    if null_mean == 0:
        return math.inf if x.any() else _mixture(x)
    return _mixture(x / null_mean)


def _lower_units(whole: Whole, alpha: float, population: int) -> int:
    size = _checked_population(len(whole), population)
    return _largest_refuted(lambda units: _wor_evidence(whole, units, size), alpha)


def _wor_evidence(whole: Whole, units: int, size: int) -> float:
    """Return the log e-value against "the set's mean is at most units/GRID"; whole numbers decide what is certain."""
    total = int(whole.sum())
    if total >= size * units:
        return math.inf  # the set's mean reaches the null, whatever is still to come
    if total + (size - len(whole)) * GRID < size * units:
        return -math.inf  # not even full marks for all that is still to come would reach it
    drawn = np.cumsum(whole) - whole
    left = size - np.arange(len(whole), dtype=np.int64)
    # Before draw t the null says that what is left has mean (N*m - S)/left; no divisor is below 1, or it were certain.
    return _mixture(whole * left.astype(np.float64) / (size * units - drawn))


def _mixture(payoff: Floats) -> float:
    """Return ln of the mean, over the bets, of the product of (1 - f) + f*payoff."""
    stakes = np.log((1.0 - BETS)[:, None] + BETS[:, None] * payoff).sum(axis=1)
    top = float(stakes.max())
    return top + math.log(float(np.exp(stakes - top).sum())) - math.log(len(BETS))


def _whole(x: Floats) -> Whole:
    return np.rint(x * GRID).astype(np.int64)


def _checked_population(drawn: int, population: int) -> int:
    if not max(drawn, 1) <= population <= _LARGEST_SET:
        raise ValueError(f"a set holds what was drawn and at most {_LARGEST_SET}, found {drawn} drawn of {population}")
    return population
