from __future__ import annotations

import math
from fractions import Fraction

import methods_oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.stats.intervals import rate_lower
from pilotbase.stats.quantile import lower_order_index, order_index, quantile_estimate, quantile_lower, quantile_upper

SHARES = st.sampled_from([0.5, 0.9, 0.95, 0.99])


@pytest.mark.parametrize(("total", "index"), [(299, 299), (500, 499), (1000, 996), (5000, 4962), (10_000, 9917)])
def test_index_of_the_reference_table(total, index):
    assert order_index(total, 0.99, 0.05) == index


@given(st.integers(0, 80), SHARES, st.sampled_from([0.05, 0.0125]))
def test_indices_are_extreme(total, p, alpha):
    assert order_index(total, p, alpha) == methods_oracle.upper_index(total, p, alpha)
    assert lower_order_index(total, p, alpha) == methods_oracle.lower_index(total, p, alpha)


@given(st.integers(1, 60))
def test_median_indices_mirror(total):
    assert lower_order_index(total, 0.5, 0.05) == total + 1 - order_index(total, 0.5, 0.05)


def test_exact_ties_count_as_reached():
    """Of one value P(it does not exceed the 57 % quantile) is exactly 0.57; in floats it falls short by a bit."""
    assert lower_order_index(1, 0.95, 0.05) == 1
    assert lower_order_index(1, 0.57, 0.43) == 1
    assert order_index(2, 0.1, 0.19) == 1
    assert order_index(2, 0.23, 0.0529) == 2


@pytest.mark.parametrize("total", [1, 40, 298])
def test_too_few_values_have_no_upper_bound(total):
    assert quantile_upper([1.0] * total, 0.99, 0.05) == math.inf
    assert quantile_lower([], 0.99, 0.05) == -math.inf
    assert quantile_upper([], 0.99, 0.05) == math.inf


def test_bounds_are_order_statistics_of_values_in_any_order():
    values = [float(1 + (i * 7) % 299) for i in range(299)]
    assert quantile_upper(values, 0.99, 0.05) == 299.0
    assert quantile_lower(values, 0.99, 0.05) == float(methods_oracle.lower_index(299, 0.99, 0.05))
    assert quantile_estimate(values, 0.99) == 297.0


def test_timeouts_are_infinite_values():
    assert quantile_upper([0.1] * 1000 + [math.inf] * 4, 0.99, 0.05) == 0.1
    assert quantile_upper([0.1] * 1000 + [math.inf] * 9, 0.99, 0.05) == math.inf


@given(st.integers(1, 400), st.integers(0, 12), st.sampled_from([0.95, 0.99]))
def test_bound_below_a_limit_is_the_exact_test_of_exceedances(total, late, p):
    """quantile_upper <= limit if and only if Clopper and Pearson put the share in time at p or more."""
    late = min(late, total)
    values = [1.0] * (total - late) + [2.0] * late
    assert (quantile_upper(values, p, 0.05) <= 1.0) == (rate_lower(total - late, total, 0.05) >= p)


@given(st.lists(st.integers(0, 9).map(float), min_size=1, max_size=60), SHARES)
def test_bounds_enclose_the_estimate(values, p):
    assert quantile_lower(values, p, 0.05) <= quantile_estimate(values, p) <= quantile_upper(values, p, 0.05)


@given(st.integers(1, 200), st.integers(1, 99))
def test_estimate_counts_in_whole_numbers(total, percent):
    rank = math.ceil(Fraction(total * percent, 100))  # 0.07 * 100 is 7.000000000000001 in floats
    assert quantile_estimate([float(i) for i in range(1, total + 1)], percent / 100) == rank


@pytest.mark.parametrize("values", [[1.0, float("nan")], [[1.0]]])
def test_bad_values(values):
    for bound in (quantile_lower, quantile_upper):
        with pytest.raises(ValueError, match="one row of numbers"):
            bound(values, 0.99, 0.05)


def test_bad_share_and_empty_estimate():
    with pytest.raises(ValueError, match="quantile lies"):
        order_index(10, 1.0, 0.05)
    with pytest.raises(ValueError, match="at least one"):
        quantile_estimate([], 0.5)
    with pytest.raises(ValueError, match="error rate"):
        order_index(10, 0.9, 0.7)
