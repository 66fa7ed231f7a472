from __future__ import annotations

from fractions import Fraction
from math import comb

import methods_oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.stats.intervals import binomial_tail, check_alpha, rate_lower, rate_upper

COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
ALPHAS = st.sampled_from([0.05, 0.025, 0.0125, 0.01, 0.001])


def exact_tail(k: int, n: int, p: Fraction) -> Fraction:
    return sum((comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(max(k, 0), n + 1)), Fraction(0))


@pytest.mark.parametrize(
    ("successes", "total", "bound"),
    [(292, 300, 0.95240), (291, 300, 0.94823), (916, 1000, 0.90014), (915, 1000, 0.89907), (3861, 4000, 0.96010)],
)
def test_lower_bound_of_the_reference_table(successes, total, bound):
    assert rate_lower(successes, total, 0.05) == pytest.approx(bound, abs=5e-6)


@pytest.mark.parametrize(("failures", "bound"), [(8, 0.04760), (9, 0.05177)])
def test_upper_bound_of_the_reference_table(failures, bound):
    assert rate_upper(failures, 300, 0.05) == pytest.approx(bound, abs=5e-6)


def test_nothing_seen_says_nothing():
    assert (rate_lower(0, 0, 0.05), rate_upper(0, 0, 0.05)) == (0.0, 1.0)


@pytest.mark.parametrize("total", [1, 2, 20, 299])
def test_all_or_none(total):
    assert rate_lower(total, total, 0.05) == pytest.approx(0.05 ** (1 / total), rel=1e-13)
    assert rate_upper(total, total, 0.05) == 1.0
    assert rate_lower(0, total, 0.05) == 0.0
    assert rate_upper(0, total, 0.05) == pytest.approx(1 - 0.05 ** (1 / total), rel=1e-12)


@given(COUNTS, ALPHAS)
def test_bound_is_where_the_tail_equals_alpha(counts, alpha):
    successes, total = counts
    if successes:
        assert binomial_tail(successes, total, rate_lower(successes, total, alpha)) == pytest.approx(alpha, rel=1e-9)


@given(COUNTS, ALPHAS)
def test_sides_mirror_and_enclose_the_rate(counts, alpha):
    successes, total = counts
    assert rate_upper(successes, total, alpha) == 1.0 - rate_lower(total - successes, total, alpha)
    assert rate_lower(successes, total, alpha) <= successes / total <= rate_upper(successes, total, alpha)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), ALPHAS)
def test_agrees_with_plain_sums(counts, alpha):
    successes, total = counts
    assert rate_lower(successes, total, alpha) == pytest.approx(
        methods_oracle.rate_lower(successes, total, alpha), abs=1e-11
    )


@pytest.mark.parametrize("rate", [Fraction(1, 2), Fraction(9, 10), Fraction(97, 100)])
@pytest.mark.parametrize("total", [1, 7, 40])
def test_wrong_bounds_are_rarer_than_alpha(total, rate):
    def chance(k: int) -> Fraction:
        return comb(total, k) * rate**k * (1 - rate) ** (total - k)

    above = sum(chance(k) for k in range(total + 1) if rate_lower(k, total, 0.05) > rate)
    below = sum(chance(k) for k in range(total + 1) if rate_upper(k, total, 0.05) < rate)
    assert above <= Fraction(1, 20)
    assert below <= Fraction(1, 20)


@given(st.integers(0, 40), st.integers(-2, 42), st.integers(0, 20))
def test_tail_is_the_exact_sum(total, successes, twentieths):
    rate = Fraction(twentieths, 20)
    assert binomial_tail(successes, total, float(rate)) == pytest.approx(
        float(exact_tail(successes, total, rate)), abs=1e-12
    )


@pytest.mark.parametrize(("successes", "total"), [(-1, 5), (6, 5), (0, -1)])
def test_impossible_counts(successes, total):
    with pytest.raises(ValueError, match="successes"):
        rate_lower(successes, total, 0.05)
    with pytest.raises(ValueError, match="successes"):
        rate_upper(successes, total, 0.05)


@pytest.mark.parametrize("alpha", [0, 0.5, 1, -0.1, float("nan")])
def test_impossible_alpha(alpha):
    with pytest.raises(ValueError, match="error rate"):
        check_alpha(alpha)


@pytest.mark.parametrize(("total", "rate"), [(-1, 0.5), (5, 1.1), (5, float("nan"))])
def test_impossible_law(total, rate):
    with pytest.raises(ValueError, match="binomial"):
        binomial_tail(1, total, rate)
