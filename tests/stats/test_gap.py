from __future__ import annotations

import math

import methods_oracle
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import xlog1py, xlogy

from pilotbase.stats.gap import GRID, gap, gap_lower, gap_upper, score_z

Z = 1.6448536269514722
GROUP = st.integers(1, 80).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
GROUPS = st.lists(GROUP, min_size=2, max_size=3)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [((180, 200), (160, 200), 1.417762), ((450, 500), (425, 500), 0.0), ((180, 200), (180, 200), -1.634599)],
)
def test_statistic_of_the_reference_table(first, second, expected):
    assert score_z(*first, *second, 0.05) == pytest.approx(expected, abs=5e-7)


@pytest.mark.parametrize(
    ("first", "second", "delta"), [((5, 10), (5, 10), 0.0), ((50, 100), (50, 100), 0.0), ((6, 8), (2, 8), 0.5)]
)
def test_symmetric_tables_have_a_statistic(first, second, delta):
    """Here the cubic's v is 0, and a closed formula with sign(v) gives NaN."""
    assert score_z(*first, *second, delta) == pytest.approx(0, abs=1e-12)


def numeric_z(x1: int, n1: int, x2: int, n2: int, delta: float) -> float:
    """The statistic from a general search for the maximum; NaN where the constraint leaves no variance."""

    def loss(q: float) -> float:
        r = q - delta
        return -float(xlogy(x1, q) + xlog1py(n1 - x1, -q) + xlogy(x2, r) + xlog1py(n2 - x2, -r))

    low, high = max(0.0, delta), min(1.0, 1 + delta)
    inside = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-10}).x
    q = min((inside, low, high), key=loss)  # the search never touches the ends
    variance = q * (1 - q) / n1 + (q - delta) * (1 - q + delta) / n2
    return (x1 / n1 - x2 / n2 - delta) / math.sqrt(variance) if variance > 0 else math.nan


@given(GROUP, GROUP, st.floats(-0.95, 0.95))
def test_agrees_with_a_numeric_maximum(first, second, delta):
    expected = numeric_z(*first, *second, delta)
    assume(math.isfinite(expected))
    assert score_z(*first, *second, delta) == pytest.approx(expected, rel=1e-5, abs=1e-5)


@given(GROUP, GROUP, st.integers(-999, 999).map(lambda k: k / 1000))
def test_exchange_of_groups_changes_the_sign(first, second, delta):
    assert score_z(*first, *second, delta) == pytest.approx(-score_z(*second, *first, -delta), rel=1e-7, abs=1e-9)


@given(GROUP, GROUP, st.floats(-1, 1), st.floats(-1, 1))
def test_statistic_falls_with_delta(first, second, one, other):
    low, high = sorted((one, other))
    assert score_z(*first, *second, high) <= score_z(*first, *second, low) + 1e-7


@pytest.mark.parametrize(
    ("first", "second", "delta", "expected"),
    [
        ((0, 9), (0, 9), 0.0, 0.0),
        ((9, 9), (9, 9), 0.0, 0.0),
        ((9, 9), (0, 9), 1.0, 0.0),
        ((8, 9), (0, 9), 1.0, -math.inf),
        ((0, 9), (8, 9), -1.0, math.inf),
    ],
)
def test_no_variance(first, second, delta, expected):
    assert score_z(*first, *second, delta) == pytest.approx(expected, abs=1e-6)


@given(GROUPS)
@settings(max_examples=50)
def test_upper_bound_is_the_first_gap_that_every_pair_refutes(counts):
    bound = gap_upper(counts, 0.05)
    pairs = [(a, b) for i, a in enumerate(counts) for j, b in enumerate(counts) if i != j]
    units = round(bound * GRID)
    assert units == GRID or max(score_z(*a, *b, bound) for a, b in pairs) <= -Z + 1e-7
    assert max(score_z(*a, *b, (units - 1) / GRID) for a, b in pairs) > -Z - 1e-7
    assert bound > gap(counts) - 1e-9


@given(GROUPS)
@settings(max_examples=50)
def test_lower_bound_is_the_last_gap_that_some_pair_shows(counts):
    bar = methods_oracle.z(0.05 / (len(counts) * (len(counts) - 1)))
    bound = gap_lower(counts, 0.05)
    pairs = [(a, b) for i, a in enumerate(counts) for j, b in enumerate(counts) if i != j]
    assert bound == 0 or max(score_z(*a, *b, bound) for a, b in pairs) >= bar - 1e-7
    assert max(score_z(*a, *b, bound + 1 / GRID) for a, b in pairs) < bar + 1e-7
    assert bound <= gap(counts)


@given(GROUPS)
@settings(max_examples=20)
def test_agrees_with_the_plain_transcription(counts):
    lower, upper = methods_oracle.gap_bounds(counts, 0.0125, 0.05)
    assert gap_lower(counts, 0.0125) == pytest.approx(lower, abs=1.5e-9)
    assert gap_upper(counts, 0.05) == pytest.approx(upper, abs=1.5e-9)


@given(GROUPS, st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_order_of_groups_does_not_matter(counts, shuffler):
    shuffled = list(counts)
    shuffler.shuffle(shuffled)
    assert (gap(shuffled), gap_lower(shuffled, 0.05), gap_upper(shuffled, 0.05)) == (
        gap(counts),
        gap_lower(counts, 0.05),
        gap_upper(counts, 0.05),
    )


@given(GROUPS)
@settings(max_examples=30)
def test_exchange_of_success_and_failure_changes_nothing(counts):
    turned = [(total - successes, total) for successes, total in counts]
    assert gap_upper(turned, 0.05) == pytest.approx(gap_upper(counts, 0.05), abs=2e-9)
    assert gap_lower(turned, 0.05) == pytest.approx(gap_lower(counts, 0.05), abs=2e-9)


def test_zero_cells():
    assert gap_upper([(0, 30), (0, 40)], 0.05) == pytest.approx(Z**2 / (30 + Z**2), abs=2e-9)
    assert gap_lower([(0, 30), (0, 40)], 0.05) == 0.0
    assert gap_upper([(30, 30), (0, 30)], 0.05) == 1.0
    assert 0.7 < gap_lower([(30, 30), (0, 30)], 0.05) < 1
    assert gap_upper([(1, 1), (1, 1)], 0.05) == pytest.approx(Z**2 / (1 + Z**2), abs=2e-9)


def test_more_groups_need_more():
    assert gap_upper([(90, 100), (90, 100), (90, 100)], 0.05) == gap_upper([(90, 100), (90, 100)], 0.05)
    assert gap_lower([(90, 100), (60, 100), (75, 100)], 0.05) < gap_lower([(90, 100), (60, 100)], 0.05)
    assert gap([(90, 100), (60, 100), (75, 100)]) == pytest.approx(0.3)


@pytest.mark.parametrize("counts", [[], [(1, 2)], [(1, 2), (3, 2)], [(1, 2), (-1, 2)], [(1, 2), (0, 0)]])
def test_impossible_groups(counts):
    for bound in (gap_lower, gap_upper):
        with pytest.raises(ValueError, match="group"):
            bound(counts, 0.05)
    with pytest.raises(ValueError, match="group"):
        gap(counts)


@pytest.mark.parametrize("delta", [-1.1, 1.1, float("nan")])
def test_impossible_difference(delta):
    with pytest.raises(ValueError, match="difference"):
        score_z(1, 2, 1, 2, delta)


def test_alpha_is_checked():
    with pytest.raises(ValueError, match="error rate"):
        gap_upper([(1, 2), (1, 2)], 0)
