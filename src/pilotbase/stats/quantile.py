"""Quantiles: bounds by order statistics, exact for any distribution of independent values.

Method version ``order-statistic/1``, grade exact. A value that never came (a time-out, a crash) is infinite.
Values that follow one another closely are not independent, and the bounds then err more often than they say.

Shapes  values: one-dimensional, in any order.
Source  David and Nagaraja (2003), Order Statistics, 3rd edition, section 7.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincc

from pilotbase.stats.intervals import binomial_tail, check_alpha

_SLACK = 1e-12  # an exact tie counts as reached, however the tail was computed
_STEP = 1e-9  # 0.07 * 100 is 7.000000000000001 in floats


def quantile_estimate(values: ArrayLike, p: float) -> float:
    """Return the smallest value that at least the share ``p`` of ``values`` does not exceed."""
    ordered = _ordered(values)
    _check_share(p)
    if not len(ordered):
        raise ValueError("a quantile needs at least one value")
    return float(ordered[max(math.ceil(len(ordered) * p - _STEP), 1) - 1])


def quantile_upper(values: ArrayLike, p: float, alpha: float) -> float:
    """Return the upper bound at ``alpha`` for the ``p`` quantile; infinite if there are too few values.

    Raises ValueError for a value that is not a number, or a bad ``p`` or ``alpha``.
    """
    ordered = _ordered(values)
    index = order_index(len(ordered), p, alpha)
    return float(ordered[index - 1]) if index <= len(ordered) else math.inf


def quantile_lower(values: ArrayLike, p: float, alpha: float) -> float:
    """Return the lower bound at ``alpha`` for the ``p`` quantile; minus infinity if there are too few values.

    Raises ValueError as ``quantile_upper`` does.
    """
    ordered = _ordered(values)
    index = lower_order_index(len(ordered), p, alpha)
    return float(ordered[index - 1]) if index else -math.inf


def order_index(total: int, p: float, alpha: float) -> int:
    """Return the smallest k with P(Binomial(total, p) <= k - 1) >= 1 - alpha, counted from 1.

    ``total + 1`` means that no value is large enough.
    """
    _check_share(p)
    check_alpha(alpha)
    return _first(lambda k: _at_most(k - 1, total, p) >= 1.0 - alpha - _SLACK, total + 1)


def lower_order_index(total: int, p: float, alpha: float) -> int:
    """Return the largest k with P(Binomial(total, p) >= k) >= 1 - alpha, counted from 1; 0 if there is none."""
    _check_share(p)
    check_alpha(alpha)
    return _first(lambda k: binomial_tail(k, total, p) < 1.0 - alpha - _SLACK, total + 1) - 1


def _at_most(k: int, total: int, p: float) -> float:
    return 1.0 if k >= total else float(betaincc(k + 1, total - k, p))


def _first(holds: Callable[[int], bool], last: int) -> int:
    """Return the smallest k in 1..last that ``holds``, which stays true from then on; ``last`` counts as true."""
    low, high = 0, last
    while high - low > 1:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle
    return high


def _ordered(values: ArrayLike) -> NDArray[np.float64]:
    x = np.sort(np.asarray(values, dtype=np.float64))
    if x.ndim != 1 or np.isnan(x).any():
        raise ValueError("values form one row of numbers; infinity is allowed, NaN is not")
    return x


def _check_share(p: float) -> None:
    if not 0 < p < 1:
        raise ValueError(f"a quantile lies strictly between 0 and 1, found {p}")
