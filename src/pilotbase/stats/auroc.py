"""AUROC: the chance that a positive scores above a negative, with its standard error and bounds.

Method version ``logit-delong/1``, grade asymptotic, behind a gate. Counting is done in whole numbers, so area and
standard error do not depend on any order of summation.

Shapes  scores, positive: one-dimensional, one entry per case.
Source  DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44(3), 837-845; by sorting: Sun and Xu (2014), IEEE
        Signal Processing Letters 21(11), 1389-1393.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from pilotbase.stats.intervals import check_alpha

GATE = 20
"""The rarer class, times the distance of the threshold from perfection, must reach this many cases."""

_SLACK = 1e-9  # 100 * (1 - 0.8) is 19.999999999999996 in floats
_HALF_WORD = 16  # bits; ranks below 2**31 are squared in two halves, so that sums stay within 64 bits

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Auroc:
    """An area under the ROC curve and what it rests on."""

    area: float  # ties count one half
    se: float  # standard error by DeLong; 0 if all pairs agree, infinite with one case in a class otherwise
    positives: int  # cases
    negatives: int  # cases


def delong(scores: ArrayLike, positive: ArrayLike) -> Auroc:
    """Return area and standard error from one stable sort.

    Raises ValueError if the rows differ in length, a score is not finite, a mark is neither 0 nor 1, or all marks are
    the same.
    """
    score, mark = _checked(scores, positive)
    m1 = int(mark.sum())
    m0 = len(mark) - m1
    if m1 == 0 or m0 == 0:
        raise ValueError(f"an AUROC needs both classes, found {m1} positives and {m0} negatives")
    order = np.argsort(score, kind="stable")
    ranked = score[order]
    starts = np.flatnonzero(np.concatenate(([True], ranked[1:] != ranked[:-1])))
    c1 = np.add.reduceat(mark[order], starts)
    c0 = np.diff(np.append(starts, len(mark))) - c1
    below = 2 * (np.cumsum(c0) - c0) + c0  # negatives beaten by a positive of this tie group, twice
    above = 2 * (m1 - np.cumsum(c1)) + c1  # positives that beat a negative of this tie group, twice
    wins = int((c1 * below).sum())  # pairs won, twice
    scale = (2 * m1 * m0) ** 2
    variance = _share(m1, wins, _squares(c1, below), scale) + _share(m0, wins, _squares(c0, above), scale)
    se = math.inf if variance and min(m1, m0) == 1 else math.sqrt(variance)
    return Auroc(area=wins / (2 * m1 * m0), se=se, positives=m1, negatives=m0)


def logit_lower(auroc: Auroc, alpha: float) -> float:
    """Return the lower bound at ``alpha``: logit(A) - z*SE/(A(1-A)), mapped back.

    With SE = 0 (every pair won, lost or tied) the bound counts the n = min(positives, negatives) disjoint pairs
    instead: the largest AUROC under which n independent pairs all fall out so with probability at most alpha.
    """
    check_alpha(alpha)
    area = auroc.area
    if auroc.se == 0:
        return area * alpha ** (1 / min(auroc.positives, auroc.negatives))
    if math.isinf(auroc.se):
        return 0.0
    spread = area * (1.0 - area)
    return _expit(math.log(area / (1.0 - area)) + float(ndtri(alpha)) * auroc.se / spread)


def logit_upper(auroc: Auroc, alpha: float) -> float:
    """Return the upper bound at ``alpha``: the mirror of the lower bound under exchange of the classes."""
    mirror = Auroc(1.0 - auroc.area, auroc.se, auroc.negatives, auroc.positives)
    return 1.0 - logit_lower(mirror, alpha)


def gate_open(auroc: Auroc, threshold: float) -> bool:
    """Say whether there are cases enough for the normal approximation near ``threshold``.

    At an area near 1 (or, mirrored, near 0) the approximation errs far more often than alpha unless the rarer class
    is large: at 0.95 with 20 positives and 200 negatives a nominal 5 % is 10.6 %.
    """
    if not 0 < threshold < 1:
        raise ValueError(f"a threshold for an AUROC lies strictly between 0 and 1, found {threshold}")
    rarer = min(auroc.positives, auroc.negatives)
    return rarer * min(threshold, 1.0 - threshold) >= GATE - _SLACK


def _checked(scores: ArrayLike, positive: ArrayLike) -> tuple[NDArray[np.float64], Whole]:
    score = np.asarray(scores, dtype=np.float64)
    mark = np.asarray(positive)
    if score.ndim != 1 or mark.shape != score.shape:
        raise ValueError(f"one score and one mark per case, found shapes {score.shape} and {mark.shape}")
    if not np.all(np.isfinite(score)):
        raise ValueError("every score is a finite number")
    if not np.all((mark == 0) | (mark == 1)):
        raise ValueError("every mark is 0 (negative) or 1 (positive)")
    return score, mark.astype(np.int64)


def _squares(weight: Whole, rank: Whole) -> int:
    """Return the exact sum of weight*rank**2."""
    high, low = rank >> _HALF_WORD, rank & ((1 << _HALF_WORD) - 1)
    hh, hl, ll = (int((weight * a * b).sum()) for a, b in ((high, high), (high, low), (low, low)))
    return (hh << 2 * _HALF_WORD) + (hl << _HALF_WORD + 1) + ll


def _share(cases: int, wins: int, squares: int, scale: int) -> Fraction:
    """Return a class's part of the variance of the area: variance (ddof 1) of its placements over its size."""
    deviation = cases * squares - wins * wins
    return Fraction(deviation, scale * (cases - 1)) if deviation else Fraction(0)


def _expit(t: float) -> float:
    if t >= 0:
        return 1.0 / (1.0 + math.exp(-t))
    return math.exp(t) / (1.0 + math.exp(t))
