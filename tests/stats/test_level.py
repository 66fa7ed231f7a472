"""Two thousand simulated sets per method, the truth exactly at the bar: wrong answers must not be above 5 % at 1 %.

Run with ``-s`` to see the rates. One look, at the end; sizes are those of the first scenario pack.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest
from scipy.special import bdtr

from pilotbase.stats.auroc import delong, logit_lower, logit_upper
from pilotbase.stats.betting import log_evidence, mean_lower, mean_upper
from pilotbase.stats.gap import gap_lower, gap_upper, score_z
from pilotbase.stats.intervals import binomial_tail, rate_lower, rate_upper
from pilotbase.stats.quantile import quantile_lower, quantile_upper

pytestmark = pytest.mark.slow

SETS = 2_000
ALPHA = 0.05
GUARD = 1e-9
LEVEL = math.log(1 / ALPHA)

Generator = np.random.Generator
POSITIVE = np.arange(5_590) < 290


def scores(generator: Generator, area: float) -> np.ndarray:
    """290 positives, 5,300 negatives, both normal, with that true AUROC."""
    return generator.normal(size=5_590) + POSITIVE * math.sqrt(2) * NormalDist().inv_cdf(area)


def squared_errors(generator: Generator, mean: float) -> np.ndarray:
    """Errors of a calibrated forecast for a rare event (mean 0.0472), spoiled by utter misses up to ``mean``."""
    chance = generator.beta(0.35, 5.65, 5_590)
    error = (chance - (generator.random(5_590) < chance)) ** 2
    calibrated = 0.35 * 5.65 / (6 * 7)  # E p(1-p) under Beta(0.35, 5.65)
    return np.where(generator.random(5_590) < (mean - calibrated) / (1 - calibrated), 1.0, error)


def sexes(generator: Generator, first: float, second: float) -> list[tuple[int, int]]:
    return [(int(generator.binomial(145, rate)), 145) for rate in (first, second)]


FINITE = np.concatenate([np.linspace(0, 1, 400), np.ones(600)]).round(9)  # a finite set of 1,000 scores
FINITE_MEAN = math.fsum(FINITE) / 1_000

WRONG: dict[str, Callable[[Generator], bool]] = {
    "clopper-pearson held at 0.9, n 300": lambda g: rate_lower(int(g.binomial(300, 0.9)), 300, ALPHA) >= 0.9,
    "clopper-pearson refused at 0.9, n 300": lambda g: rate_upper(int(g.binomial(300, 0.9)), 300, ALPHA) < 0.9,
    "order-statistic held at p99, n 1000": lambda g: quantile_upper(g.random(1_000), 0.99, ALPHA) <= 0.99,
    "order-statistic refused at p99, n 1000": lambda g: quantile_lower(g.random(1_000), 0.99, ALPHA) > 0.99,
    "betting-iid held at Brier 0.06, n 5590": lambda g: (
        log_evidence(1 - squared_errors(g, 0.06), 1 - 0.06 + GUARD) >= LEVEL
    ),
    "betting-iid refused at Brier 0.06, n 5590": lambda g: log_evidence(squared_errors(g, 0.06), 0.06) >= LEVEL,
    "betting-wor held, 300 of 1000": lambda g: (
        mean_lower(g.permutation(FINITE)[:300], ALPHA, population=1_000) > FINITE_MEAN
    ),
    "betting-wor refused, 300 of 1000": lambda g: (
        mean_upper(g.permutation(FINITE)[:300], ALPHA, population=1_000) < FINITE_MEAN
    ),
    "logit-delong held at 0.73, 290/5300": lambda g: (
        logit_lower(delong(scores(g, 0.73), POSITIVE), ALPHA) >= 0.73 + GUARD
    ),
    "logit-delong refused at 0.76, 290/5300": lambda g: logit_upper(delong(scores(g, 0.76), POSITIVE), ALPHA) < 0.76,
    "farrington-manning held at 0.20, 0.83/0.63, 145/145": lambda g: (
        gap_upper(sexes(g, 0.83, 0.63), ALPHA) <= 0.2 - GUARD
    ),
    "farrington-manning held at 0.20, 0.73/0.53, 145/145": lambda g: (
        gap_upper(sexes(g, 0.73, 0.53), ALPHA) <= 0.2 - GUARD
    ),
    "farrington-manning refused at 0.20, 0.83/0.63, 145/145": lambda g: gap_lower(sexes(g, 0.83, 0.63), ALPHA) > 0.2,
}


@pytest.mark.parametrize("method", WRONG)
def test_wrong_answers_at_the_bar(method):
    generator = np.random.default_rng(20_261_123)
    wrong = sum(WRONG[method](generator) for _ in range(SETS))
    print(f"{method}: {wrong} of {SETS} = {wrong / SETS:.4f}")
    assert binomial_tail(wrong, SETS, ALPHA) > 0.01


def test_exact_level_of_the_gap_test():
    """All 146 x 146 tables of 145 positives a sex: the nominal 5 % is 4.5 to 5.6 %, whatever the two rates."""
    bar = NormalDist().inv_cdf(0.05)
    held = np.zeros((146, 146))
    for a in range(146):
        for b in range(a + 1):
            held[a, b] = held[b, a] = max(score_z(a, 145, b, 145, 0.2), score_z(b, 145, a, 145, 0.2)) <= bar

    def law(rate: float) -> np.ndarray:
        return np.diff(bdtr(np.arange(146), 145, rate), prepend=0)

    levels = [float(law(min(low + 0.2, 1.0)) @ held @ law(low)) for low in np.linspace(0, 0.8, 161)]
    print(f"exact level of the gap test, 145/145: {min(levels):.4f} to {max(levels):.4f}")
    assert max(levels) < 0.057
    assert min(levels) > 0.04
