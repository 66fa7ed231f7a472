"""Sample sizes of tests with one look, at the end: what a plan must promise before the first sample is shown.

Sizes of counts are exact. Sizes named ``approximate`` rest on normal approximations: they say what to plan for, not
what is guaranteed; error rates never depend on them.

Requirements are written for ``>=``; for ``<=`` exchange successes and failures (rate, mean and threshold become 1 minus
themselves).
Source  Hanley and McNeil (1982), Radiology 143(1), 29-36 (variance of an AUROC); Schuirmann (1987), J. Pharmacokinet.
Biopharm. 15(6), 657-680 (two one-sided tests).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

from scipy.special import ndtri

from pilotbase.stats.auroc import Auroc, gate_open
from pilotbase.stats.betting import BETS
from pilotbase.stats.intervals import binomial_tail, check_alpha, rate_lower

LARGEST = 10**9
"""No plan asks for more samples than this."""


def binomial_size(p0: float, p1: float, alpha: float, beta: float) -> tuple[int, int]:
    """Return the smallest (n, cutoff): at least ``cutoff`` of n has chance <= alpha at p0 and >= 1 - beta at p1.

    The set of sizes that do has gaps: a few samples more can lose level or power.
    Raises ValueError unless 0 < p0 < p1 < 1.
    """
    _check_rates(alpha, beta, p0, p1)
    total = _information_bound(p0, p1, alpha, beta)
    cutoff = 0
    while True:
        while binomial_tail(cutoff, total, p0) > alpha:
            cutoff += 1
        if binomial_tail(cutoff, total, p1) >= 1.0 - beta:
            return total, cutoff
        total += 1


def zero_failure_size(threshold: float, alpha: float) -> int:
    """Return the fewest samples, all successes, that show a rate >= ``threshold`` at ``alpha``."""
    check_alpha(alpha)
    _check_open(threshold)
    return _first(lambda n: rate_lower(n, n, alpha) >= threshold)


def smallest_successes(total: int, threshold: float, alpha: float) -> int | None:
    """Return the fewest successes of ``total`` that show a rate >= ``threshold``; None if not even all of them do."""
    _check_open(threshold)
    if rate_lower(total, total, alpha) < threshold:
        return None
    low, high = -1, total
    while high - low > 1:
        middle = (low + high) // 2
        if rate_lower(middle, total, alpha) >= threshold:
            high = middle
        else:
            low = middle
    return high


def quantile_size(p: float, alpha: float, exceedances: int = 0) -> int:
    """Return the fewest values that show "the ``p`` quantile is at most L" though ``exceedances`` of them exceed L."""
    check_alpha(alpha)
    _check_open(p)
    return _first(lambda n: n > exceedances and rate_lower(n - exceedances, n, alpha) >= p)


def approximate_auroc_size(
    area: float, threshold: float, alpha: float, beta: float, prevalence: float
) -> tuple[int, int]:
    """Return (positives, negatives) with which a true ``area`` is shown to reach ``threshold``, gate included.

    Approximation: Hanley and McNeil's variance at ``area`` (exponential scores), normal on the logit scale.
    """
    _check_rates(alpha, beta, threshold, area)
    _check_open(prevalence)
    distance = (_logit(area) - _logit(threshold)) * area * (1.0 - area)
    needed = distance / -float(ndtri(alpha) + ndtri(beta))

    def enough(total: int) -> bool:
        planned = Auroc(area, needed, *_parts(total, prevalence))
        return gate_open(planned, threshold) and _hanley_mcneil(planned) <= needed

    return _parts(_first(enough), prevalence)


def approximate_gap_size(rate: float, delta: float, alpha: float, beta: float) -> int:
    """Return the size of each of two groups, truly equal with success rate ``rate``, that shows a gap <= ``delta``.

    Approximation: both one-sided tests normal with the common variance, beta shared between them.
    """
    _check_rates(alpha, beta, rate)
    _check_open(delta)
    spread = -float(ndtri(alpha) + ndtri(beta / 2)) / delta
    return math.ceil(2.0 * rate * (1.0 - rate) * spread * spread)


def approximate_mean_size(mean: float, threshold: float, sd: float, alpha: float, beta: float) -> int:
    """Return how many values in [0, 1] show a true ``mean`` of standard deviation ``sd`` to reach ``threshold``.

    Approximation: the values are 0 or one other value (of all values with this mean and spread the least favourable),
    the log stake of the best single bet is normal, and the other eleven bets count for nothing.
    """
    _check_rates(alpha, beta, threshold, mean)
    if not 0 <= sd <= math.sqrt(mean * (1.0 - mean)):
        raise ValueError(f"values in [0, 1] with mean {mean} cannot have standard deviation {sd}")
    top = mean + sd * sd / mean
    share = mean / top  # of values that are not 0
    level, z = math.log(len(BETS) / alpha), -float(ndtri(beta))
    sizes = []
    for bet in BETS.tolist():
        gain, loss = math.log(1.0 - bet + bet * top / threshold), math.log(1.0 - bet)
        drift = share * gain + (1.0 - share) * loss
        noise = z * (gain - loss) * math.sqrt(share * (1.0 - share))
        if drift > 0:  # n*drift - noise*sqrt(n) = level
            sizes.append(((noise + math.sqrt(noise * noise + 4.0 * drift * level)) / (2.0 * drift)) ** 2)
    if not sizes:
        raise ValueError(f"no bet grows between {threshold} and {mean} at standard deviation {sd}")
    return math.ceil(min(sizes))


def _information_bound(p0: float, p1: float, alpha: float, beta: float) -> int:
    """Return a size below which no test has these error rates (data processing inequality, both directions)."""
    forth = _divergence(1.0 - beta, alpha) / _divergence(p1, p0)
    back = _divergence(alpha, 1.0 - beta) / _divergence(p0, p1)
    return max(1, math.floor(max(forth, back)))


def _divergence(p: float, q: float) -> float:
    return p * math.log(p / q) + (1.0 - p) * math.log((1.0 - p) / (1.0 - q))


def _hanley_mcneil(planned: Auroc) -> float:
    """Return the standard error of an area by Hanley and McNeil's formula."""
    area = planned.area
    q1 = area / (2.0 - area) - area * area
    q2 = 2.0 * area * area / (1.0 + area) - area * area
    variance = area * (1.0 - area) + (planned.positives - 1) * q1 + (planned.negatives - 1) * q2
    return math.sqrt(variance / (planned.positives * planned.negatives))


def _parts(total: int, prevalence: float) -> tuple[int, int]:
    positives = max(1, math.floor(total * prevalence))
    return positives, max(1, total - positives)


def _logit(p: float) -> float:
    return math.log(p / (1.0 - p))


def _first(enough: Callable[[int], bool]) -> int:
    """Return the smallest size that is ``enough``, for a demand that stays met once it is."""
    high = 1
    while not enough(high):
        high *= 2
        if high > LARGEST:
            raise ValueError(f"no size up to {LARGEST} is enough")
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle
    return high


def _check_rates(alpha: float, beta: float, *rising: float) -> None:
    check_alpha(alpha)
    check_alpha(beta)
    for rate in rising:
        _check_open(rate)
    if any(first >= second for first, second in pairwise(rising)):
        raise ValueError(f"what is to be shown lies above the threshold, found {rising}")


def _check_open(rate: float) -> None:
    if not 0 < rate < 1:
        raise ValueError(f"rates lie strictly between 0 and 1, found {rate}")
