"""Gap between groups: bounds for the largest difference between the success rates of independent groups.

Method version ``farrington-manning-gap/1``, grade asymptotic. The gap is at most D if, for every ordered pair of
groups, the first is not ahead of the second by D or more: an intersection-union test of score tests, which needs no
correction. That the gap is at least D needs one such pair, so there alpha is shared among the pairs.

Shapes  counts: one (successes, total) per group.
Source  Farrington and Manning (1990), Statistics in Medicine 9(12), 1447-1454; Berger (1982), Technometrics 24(4),
        295-300 (intersection-union tests).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import permutations

from scipy.special import ndtri

from pilotbase.stats.intervals import check_alpha

GRID = 10**9
"""Bounds are whole multiples of 1/GRID."""

HALVINGS = 50
"""Steps of the bisection that finds the constrained maximum likelihood."""

Counts = Sequence[tuple[int, int]]


def gap(counts: Counts) -> float:
    """Return the largest rate minus the smallest. Raises ValueError for fewer than two groups, or impossible counts."""
    _check(counts)
    rates = [successes / total for successes, total in counts]
    return max(rates) - min(rates)


def gap_upper(counts: Counts, alpha: float) -> float:
    """Return the smallest grid value D for which "some pair differs by D or more" is refuted at ``alpha``.

    Raises ValueError for fewer than two groups, an empty group, impossible counts or a bad ``alpha``.
    """
    _check(counts)
    check_alpha(alpha)
    bar = float(ndtri(alpha))
    pairs = list(permutations(counts, 2))

    def open_at(units: int) -> bool:
        return any(score_z(*first, *second, units / GRID) > bar for first, second in pairs)

    return _turning_point(open_at) / GRID


def gap_lower(counts: Counts, alpha: float) -> float:
    """Return the largest grid value D for which "no pair differs by more than D" is refuted at ``alpha``; else 0.

    Raises ValueError as ``gap_upper`` does.
    """
    _check(counts)
    check_alpha(alpha)
    bar = -float(ndtri(alpha / (len(counts) * (len(counts) - 1))))
    pairs = list(permutations(counts, 2))

    def shown_at(units: int) -> bool:
        return any(score_z(*first, *second, units / GRID) >= bar for first, second in pairs)

    return max(_turning_point(shown_at) - 1, 0) / GRID


def score_z(x1: int, n1: int, x2: int, n2: int, delta: float) -> float:
    """Return the score statistic of "rate 1 minus rate 2 is ``delta``": positive if the difference seen is larger.

    Where the constraint leaves no variance (``delta`` 1 or -1, or no success anywhere) it is 0 if the data agree,
    else infinite. Raises ValueError for impossible counts.
    """
    _check([(x1, n1), (x2, n2)])
    if not -1 <= delta <= 1:
        raise ValueError(f"a difference of rates lies in [-1, 1], found {delta}")
    q1 = _constrained_rate(x1, n1, x2, n2, delta)
    q2 = q1 - delta
    variance = q1 * (1.0 - q1) / n1 + q2 * (1.0 - q2) / n2
    excess = x1 / n1 - x2 / n2 - delta
    if variance <= 0:
        return 0.0 if excess == 0 else math.copysign(math.inf, excess)
    return excess / math.sqrt(variance)


def _constrained_rate(x1: int, n1: int, x2: int, n2: int, delta: float) -> float:
    """Return the first rate's maximum likelihood estimate when the second is ``delta`` below it.

    The likelihood's slope, times the four positive factors q1, 1-q1, q2, 1-q2, falls through zero once. Bisecting
    its sign needs no cubic formula, whose sign(v) is 0 (and the answer NaN) for, say, 5/10 against 5/10 at delta 0.
    """
    low, high = max(0.0, delta), min(1.0, 1.0 + delta)
    for _ in range(HALVINGS):
        q1 = (low + high) / 2
        q2 = q1 - delta
        if (x1 - n1 * q1) * q2 * (1.0 - q2) + (x2 - n2 * q2) * q1 * (1.0 - q1) > 0:
            low = q1
        else:
            high = q1
    return (low + high) / 2


def _turning_point(holds: Callable[[int], bool]) -> int:
    """Return the smallest k in 1..GRID at which ``holds`` is false; 30 halvings; GRID counts as false."""
    low, high = 0, GRID
    while high - low > 1:
        middle = (low + high) // 2
        if holds(middle):
            low = middle
        else:
            high = middle
    return high


def _check(counts: Counts) -> None:
    if len(counts) < 2:  # noqa: PLR2004 - a gap lies between two
        raise ValueError(f"a gap needs at least two groups, found {len(counts)}")
    for successes, total in counts:
        if not 0 <= successes <= total or total == 0:
            raise ValueError(f"a group holds someone, and successes lie in 0..total; found {successes} of {total}")
