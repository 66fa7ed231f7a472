from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import bdtrc

from pilotbase.stats.auroc import delong, logit_lower
from pilotbase.stats.betting import log_evidence
from pilotbase.stats.gap import gap_upper
from pilotbase.stats.intervals import binomial_tail, rate_lower
from pilotbase.stats.quantile import order_index
from pilotbase.stats.sizes import (
    approximate_auroc_size,
    approximate_gap_size,
    approximate_mean_size,
    binomial_size,
    quantile_size,
    smallest_successes,
    zero_failure_size,
)

TABLE = [
    (0.90, 0.905, 38_096, 34_383),
    (0.90, 0.91, 9_309, 8_426),
    (0.90, 0.92, 2_215, 2_017),
    (0.90, 0.93, 934, 856),
    (0.90, 0.95, 298, 277),
    (0.80, 0.85, 624, 516),
    (0.80, 0.90, 135, 116),
    (0.98, 0.985, 7_402, 7_274),
    (0.98, 0.99, 1_567, 1_545),
    (0.98, 0.995, 523, 518),
    (0.99, 0.995, 3_137, 3_115),
    (0.99, 0.999, 628, 626),
    (0.50, 0.55, 1_092, 574),
    (0.50, 0.60, 268, 148),
]


@pytest.mark.parametrize(("p0", "p1", "total", "cutoff"), TABLE)
def test_size_of_the_reference_table(p0, p1, total, cutoff):
    assert binomial_size(p0, p1, 0.05, 0.05) == (total, cutoff)


@pytest.mark.parametrize(
    ("p0", "p1", "alpha", "beta"), [(0.5, 0.8, 0.05, 0.2), (0.1, 0.4, 0.01, 0.1), (0.7, 0.99, 0.05, 0.05)]
)
def test_no_smaller_size_will_do(p0, p1, alpha, beta):
    total, cutoff = binomial_size(p0, p1, alpha, beta)
    assert binomial_tail(cutoff, total, p0) <= alpha
    assert binomial_tail(cutoff, total, p1) >= 1 - beta
    for n in range(1, total):
        k = next(k for k in range(n + 2) if k == n + 1 or bdtrc(k - 1, n, p0) <= alpha)
        assert bdtrc(k - 1, n, p1) < 1 - beta if k <= n else True


def test_zero_failures_of_the_reference_table():
    assert [zero_failure_size(bar, 0.05) for bar in (0.5, 0.8, 0.9, 0.95, 0.98, 0.99)] == [5, 14, 29, 59, 149, 299]


@pytest.mark.parametrize(
    ("total", "bar", "alpha", "needed"),
    [
        (300, 0.95, 0.05, 292),
        (300, 0.95, 0.01, 294),
        (1000, 0.90, 0.05, 916),
        (1000, 0.90, 0.01, 922),
        (4000, 0.96, 0.05, 3861),
        (4000, 0.96, 0.01, 3869),
        (50, 0.90, 0.05, 49),
        (50, 0.90, 0.01, 50),
        (20, 0.90, 0.05, None),
        (120, 0.90, 0.05, 114),
        (0, 0.90, 0.05, None),
    ],
)
def test_fewest_successes_of_the_reference_table(total, bar, alpha, needed):
    assert smallest_successes(total, bar, alpha) == needed
    if needed is not None:
        assert rate_lower(needed, total, alpha) >= bar > rate_lower(needed - 1, total, alpha)


@pytest.mark.parametrize(
    ("p", "sizes"), [(0.99, [299, 473, 628, 773]), (0.95, [59, 93, 124]), (0.999, [2_995, 4_742, 6_294])]
)
def test_requests_of_the_reference_table(p, sizes):
    assert [quantile_size(p, 0.05, late) for late in range(len(sizes))] == sizes
    assert [order_index(n, p, 0.05) for n in sizes] == [n - late for late, n in enumerate(sizes)]


def test_requests_with_more_exceedances():
    assert (quantile_size(0.99, 0.05, 5), quantile_size(0.99, 0.05, 10)) == (1_049, 1_693)
    accepted = [1 - binomial_tail(3, 628, rate) for rate in (0.005, 0.0025, 0.001)]
    assert accepted == pytest.approx([0.3920, 0.7912, 0.9741], abs=5e-5)


def test_gap_size_has_about_the_power_it_names():
    """Exact power over all tables of two groups of that size; alpha = beta = 0.05."""
    total = approximate_gap_size(0.8, 0.25, 0.05, 0.05)
    chance = [math.comb(total, k) * 0.8**k * 0.2 ** (total - k) for k in range(total + 1)]
    likely = [k for k in range(total + 1) if chance[k] > 1e-5]
    power = sum(
        chance[a] * chance[b] for a in likely for b in likely if gap_upper([(a, total), (b, total)], 0.05) <= 0.25
    )
    assert 0.92 < power < 0.975


def test_gap_size_follows_the_reference_simulation():
    """Recall 0.90, gap 5 points: 67 % at 500 a group, all at 2,000."""
    assert approximate_gap_size(0.9, 0.05, 0.05, 0.33) == pytest.approx(500, rel=0.05)
    assert approximate_gap_size(0.9, 0.05, 0.05, 0.05) < 2_000


@pytest.mark.parametrize(("mean", "bar"), [(0.95, 0.9), (0.6, 0.5), (0.92, 0.9), (0.99, 0.98)])
def test_mean_size_has_about_the_power_it_names(mean, bar):
    """Exact power for 0/1 values, whose spread is known: 1 - beta or a little more, clearly less at two thirds of n."""

    def power(n: int) -> float:
        low, high = 0, n + 1
        while high - low > 1:
            middle = (low + high) // 2
            shown = log_evidence([1.0] * middle + [0.0] * (n - middle), bar) >= math.log(20)
            low, high = (low, middle) if shown else (middle, high)
        return binomial_tail(high, n, mean)

    size = approximate_mean_size(mean, bar, math.sqrt(mean * (1 - mean)), 0.05, 0.1)
    assert 0.9 <= power(size) < 0.96
    assert power(size * 2 // 3) < 0.8


def test_mean_of_little_spread_is_limited_by_the_largest_bet():
    assert approximate_mean_size(0.95, 0.9, 0.0, 0.05, 0.05) >= math.log(20) / math.log(1 + 0.95 * 0.05 / 0.9)


@pytest.mark.slow
def test_auroc_size_has_about_the_power_it_names():
    positives, negatives = approximate_auroc_size(0.81, 0.73, 0.05, 0.1, 0.05)
    generator = np.random.default_rng(20)
    marks = np.arange(positives + negatives) < positives
    shift = math.sqrt(2) * 0.8778962950512289  # normal quantile of 0.81
    shown = sum(
        logit_lower(delong(generator.normal(0, 1, len(marks)) + shift * marks, marks), 0.05) >= 0.73 for _ in range(600)
    )
    assert 0.88 < shown / 600 < 0.99  # the formula errs on the safe side where positives are rare


def test_auroc_size_keeps_the_gate_open():
    positives, negatives = approximate_auroc_size(0.999, 0.95, 0.05, 0.05, 0.5)
    assert min(positives, negatives) == 400
    assert approximate_auroc_size(0.85, 0.8, 0.05, 0.05, 0.1) > approximate_auroc_size(0.9, 0.8, 0.05, 0.05, 0.1)


@pytest.mark.parametrize(
    "size",
    [
        lambda: binomial_size(0.9, 0.9, 0.05, 0.05),
        lambda: binomial_size(0.9, 1.0, 0.05, 0.05),
        lambda: zero_failure_size(1.0, 0.05),
        lambda: zero_failure_size(0.9, 0.6),
        lambda: smallest_successes(20, 0.0, 0.05),
        lambda: quantile_size(0.99, 0.0),
        lambda: quantile_size(1 - 1e-12, 0.05),
        lambda: approximate_auroc_size(0.7, 0.73, 0.05, 0.05, 0.1),
        lambda: approximate_auroc_size(0.8, 0.73, 0.05, 0.05, 0.0),
        lambda: approximate_gap_size(0.9, 0.0, 0.05, 0.05),
        lambda: approximate_gap_size(0.9, 0.05, 0.05, 0.5),
        lambda: approximate_mean_size(0.9, 0.95, 0.1, 0.05, 0.05),
        lambda: approximate_mean_size(0.95, 0.9, 0.3, 0.05, 0.05),
        lambda: approximate_mean_size(0.5001, 0.5, 0.49, 0.05, 0.05),
    ],
)
def test_impossible_demands(size):
    with pytest.raises(ValueError, match=r"found|enough|cannot have|no bet grows"):
        size()
