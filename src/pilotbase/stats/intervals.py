"""Rates: exact one-sided bounds for a proportion.

Method version ``clopper-pearson/1``, grade exact. A bound at ``alpha`` errs with probability at most ``alpha``
whatever the true rate is.

Source: Clopper and Pearson (1934), Biometrika 26(4), 404-413.
"""

from __future__ import annotations

from scipy.special import betainc, betaincinv


def rate_lower(successes: int, total: int, alpha: float) -> float:
    """Return the largest rate that ``successes`` or more of ``total`` refute at ``alpha``; 0 without a success.

    Raises ValueError if the counts or ``alpha`` are impossible.
    """
    _check(successes, total, alpha)
    if successes == 0:
        return 0.0
    return float(betaincinv(successes, total - successes + 1, alpha))


def rate_upper(successes: int, total: int, alpha: float) -> float:
    """Return the smallest rate that ``successes`` or fewer of ``total`` refute at ``alpha``; 1 without a failure.

    Raises ValueError if the counts or ``alpha`` are impossible.
    """
    _check(successes, total, alpha)
    return 1.0 - rate_lower(total - successes, total, alpha)


def binomial_tail(successes: int, total: int, rate: float) -> float:
    """Return P(X >= successes) for X ~ Binomial(total, rate): the p-value of the one-sided binomial test."""
    if total < 0 or not 0 <= rate <= 1:
        raise ValueError(f"a binomial law needs total >= 0 and 0 <= rate <= 1, found {total} and {rate}")
    if successes <= 0:
        return 1.0
    if successes > total:
        return 0.0
    return float(betainc(successes, total - successes + 1, rate))


def _check(successes: int, total: int, alpha: float) -> None:
    if not 0 <= successes <= total:
        raise ValueError(f"successes must lie in 0..total, found {successes} of {total}")
    check_alpha(alpha)


def check_alpha(alpha: float) -> None:
    """Raise ValueError unless ``alpha`` is an error rate strictly between 0 and 0.5."""
    if not 0 < alpha < 0.5:  # noqa: PLR2004 - beyond one half a bound is not a bound
        raise ValueError(f"an error rate lies strictly between 0 and 0.5, found {alpha}")
