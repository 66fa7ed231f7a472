from __future__ import annotations

import math
import time
from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import combinations, permutations

import methods_oracle
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pilotbase.stats.betting import BETS, GRID, bounded, log_evidence, mean_lower, mean_upper, rescale

LEVEL = math.log(20)
UNIT = st.floats(0, 1, allow_subnormal=False)
SETS = st.lists(UNIT, min_size=1, max_size=25)


def ones(successes: int, total: int) -> list[float]:
    return [1.0] * successes + [0.0] * (total - successes)


def test_bets_are_log_spaced():
    assert len(BETS) == 12
    assert BETS[0] == pytest.approx(0.01)
    assert BETS[-1] == pytest.approx(0.95)
    assert np.ptp(np.diff(np.log(BETS))) < 1e-12


@pytest.mark.parametrize(("bar", "needed"), [(0.5, 8), (0.8, 25), (0.9, 52), (0.95, 107), (0.98, 272), (0.99, 546)])
def test_successes_in_a_row_of_the_reference_table(bar, needed):
    assert log_evidence(ones(needed, needed), bar) >= LEVEL > log_evidence(ones(needed - 1, needed - 1), bar)


def test_boundaries_of_the_reference_table():
    assert log_evidence(ones(928, 1000), 0.9) >= LEVEL > log_evidence(ones(927, 1000), 0.9)
    assert log_evidence(ones(1000 - 869, 1000), 0.1) >= LEVEL > log_evidence(ones(1000 - 870, 1000), 0.1)


@given(SETS, st.floats(0.01, 1))
def test_evidence_is_the_mixture_of_products(values, null):
    products = [math.prod(1 - f + f * x / null for x in values) for f in BETS.tolist()]
    assert log_evidence(values, null) == pytest.approx(math.log(sum(products) / 12), abs=1e-9)


@pytest.mark.parametrize("bar", [Fraction(1, 4), Fraction(1, 2), Fraction(9, 10)])
@pytest.mark.parametrize("total", [1, 5, 30])
def test_expected_evidence_is_one_at_the_bar(bar, total):
    mean = sum(
        math.comb(total, k)
        * float(bar) ** k
        * float(1 - bar) ** (total - k)
        * math.exp(log_evidence(ones(k, total), float(bar)))
        for k in range(total + 1)
    )
    assert mean == pytest.approx(1, abs=1e-9)


@given(st.lists(UNIT, min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_order_does_not_matter_for_independent_values(values, shuffler):
    shuffled = list(values)
    shuffler.shuffle(shuffled)
    assert mean_lower(shuffled, 0.05) == pytest.approx(mean_lower(values, 0.05), abs=1e-9)
    assert mean_upper(shuffled, 0.05) == pytest.approx(mean_upper(values, 0.05), abs=1e-9)


@given(st.lists(st.integers(0, 64).map(lambda k: k / 64), min_size=1, max_size=20), st.booleans())
def test_upper_mirrors_lower(values, whole_set):
    size = len(values) + 3 if whole_set else None
    mirrored = [1 - x for x in values]  # exact: multiples of 1/64
    assert mean_upper(values, 0.05, population=size) == pytest.approx(
        1 - mean_lower(mirrored, 0.05, population=size), abs=1e-12
    )


@given(SETS)
def test_bounds_enclose_the_mean(values):
    assert mean_lower(values, 0.05) <= math.fsum(values) / len(values) + 1e-9
    assert mean_upper(values, 0.05) >= math.fsum(values) / len(values) - 1e-9


@given(st.lists(UNIT, min_size=1, max_size=12), st.sampled_from([None, 12, 40]))
@settings(max_examples=40)
def test_agrees_with_the_plain_transcription(values, size):
    lower, upper = methods_oracle.mean_bounds(values, 0.05, 0.0125, size)
    assert mean_lower(values, 0.05, population=size) == pytest.approx(lower, abs=1.5e-9)
    assert mean_upper(values, 0.0125, population=size) == pytest.approx(upper, abs=1.5e-9)


@given(SETS, st.sampled_from([None, 25, 100]), st.integers(1, GRID), st.integers(1, GRID))
def test_evidence_never_rises_with_the_null(values, size, one, other):
    low, high = sorted((one, other))
    weaker, stronger = (log_evidence(values, k / GRID, population=size) for k in (high, low))
    assert weaker == stronger or weaker <= stronger + 1e-9


@given(SETS)
def test_lower_bound_is_the_last_refuted_null(values):
    units = round(mean_lower(values, 0.05) * GRID)
    assert units == 0 or log_evidence(values, units / GRID) >= LEVEL - 1e-9
    assert log_evidence(values, (units + 1) / GRID) < LEVEL + 1e-9


@pytest.mark.parametrize("size", [None, 1000])
def test_no_values_say_nothing(size):
    assert (mean_lower([], 0.05, population=size), mean_upper([], 0.05, population=size)) == (0.0, 1.0)


def test_tiny_and_uniform_samples():
    assert mean_lower([0.0] * 50, 0.05) == 0.0
    assert mean_upper([1.0] * 50, 0.05) == 1.0
    assert mean_lower([1.0], 0.05) == pytest.approx(methods_oracle.iid_lower([1.0], 0.05), abs=1e-9)
    assert log_evidence([0.0, 0.0], 0) < 0
    assert log_evidence([0.0, 0.3], 0) == math.inf
    assert log_evidence([1.0] * 5, 1.0) == pytest.approx(0, abs=1e-12)


# Without replacement: every order of a finite set.


def decider(size: int, bar: float):
    """Look after every draw of a set of 0s and 1s: accept if "below the bar" is refuted, reject if "at least" is."""

    @cache
    def look(prefix: tuple[int, ...]) -> str:
        if log_evidence(prefix, bar, population=size) >= LEVEL:
            return "accept"
        return "reject" if mean_upper(prefix, 0.05, population=size) < bar else ""

    return lambda order: next(filter(None, (look(order[:n]) for n in range(1, size + 1))))


@pytest.mark.parametrize(("size", "right", "wrong"), [(12, 9, 1), (16, 12, 5)])
def test_equality_over_all_orders_of_the_reference_table(size, right, wrong):
    """Three quarters right against a bar of 3/4: the rejected orders of all C(N, right)."""
    decide = decider(size, 0.75)
    answers = [decide(order) for order in orders(size, right)]
    assert (answers.count("reject"), len(answers)) == (wrong, math.comb(size, right))


@pytest.mark.parametrize(
    ("size", "right", "bar"), [(10, 6, 0.7), (10, 7, 0.7), (12, 3, 0.25), (12, 2, 0.25), (8, 8, 1.0), (8, 7, 1.0)]
)
def test_wrong_answers_over_all_orders_stay_below_alpha(size, right, bar):
    """At the bar and one item below it; a set is always decided, and never against a certainty."""
    decide = decider(size, bar)
    truth = "accept" if right / size >= bar else "reject"
    answers = [decide(order) for order in orders(size, right)]
    assert len(answers) - answers.count(truth) <= 0.05 * len(answers)


def orders(size: int, right: int) -> list[tuple[int, ...]]:
    return [tuple(int(at in places) for at in range(size)) for places in combinations(range(size), right)]


def test_wrong_bounds_over_all_orders_of_unequal_scores():
    values, alpha = (0.1, 0.2, 0.2, 0.6, 0.9, 1.0, 1.0), 0.2
    for drawn in (3, 5):
        seen = Counter(permutations(values, drawn))
        low = sum(times for order, times in seen.items() if mean_lower(order, alpha, population=7) > 4 / 7)
        high = sum(times for order, times in seen.items() if mean_upper(order, alpha, population=7) < 4 / 7)
        assert low <= alpha * seen.total()
        assert high <= alpha * seen.total()


@given(st.lists(st.integers(0, 1000).map(lambda k: k / 1000), min_size=1, max_size=30))
def test_exhausted_set_is_certain(values):
    exact = Fraction(sum(round(x * 1000) for x in values), 1000 * len(values))
    lower, upper = (bound(values, 0.05, population=len(values)) for bound in (mean_lower, mean_upper))
    assert Fraction(lower) - Fraction(1, 10**15) <= exact <= Fraction(upper) + Fraction(1, 10**15)
    assert upper - lower <= 1.000001e-9


@pytest.mark.parametrize(
    ("each", "size", "bar"), [(0.07, 100, 0.07), (0.1, 10, 0.1), (0.7, 30, 0.7), (0.3, 7, 0.3), (0.00013, 10, 0.00013)]
)
def test_equality_survives_decimal_text(each, size, bar):
    """0.07 * 100 is 7.000000000000001 in floats; both operators must call an exhausted set at its bar a pass."""
    assert mean_lower([each] * size, 0.05, population=size) == bar == mean_upper([each] * size, 0.05, population=size)


def test_reachable_bar_is_not_out_of_reach():
    """Three right of three, bar 3/4 of four: the last item may fail; with a miss first, all three must be right."""
    assert mean_lower([1, 1, 1], 0.05, population=4) >= 0.75
    assert mean_upper([0, 1, 1], 0.05, population=4) >= 0.75
    assert mean_upper([0, 0, 1], 0.05, population=4) < 0.75
    assert log_evidence([0, 1, 1], 0.75, population=4) > -math.inf
    assert log_evidence([0, 0], 0.75, population=4) == -math.inf
    assert log_evidence([1, 1, 1], 0.75, population=4) == math.inf


@given(st.lists(UNIT, min_size=1, max_size=20))
def test_a_huge_set_is_like_a_population(values):
    assert mean_lower(values, 0.05, population=9 * 10**9) == pytest.approx(mean_lower(values, 0.05), abs=1e-6)


def test_a_finite_set_says_more():
    values = [1.0, 0.8, 0.9, 1.0, 0.7] * 8
    assert mean_lower(values, 0.05, population=50) > mean_lower(values, 0.05) + 0.01


# Bad input.


@pytest.mark.parametrize("bad", [-1e-12, 1.0000001, float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("bound", [mean_lower, mean_upper])
def test_value_outside_the_support_is_an_error(bad, bound):
    with pytest.raises(ValueError, match="value 1 is"):
        bound([0.5, bad, 0.5], 0.05)


def test_shape_of_values():
    with pytest.raises(ValueError, match="one row"):
        bounded([[0.5]])


@pytest.mark.parametrize("size", [0, 2, 10**18])
def test_impossible_set(size):
    with pytest.raises(ValueError, match="a set holds"):
        mean_lower([0.5] * 3, 0.05, population=size)


@pytest.mark.parametrize("null", [-0.1, 1.1, float("nan")])
def test_impossible_null(null):
    with pytest.raises(ValueError, match="null mean"):
        log_evidence([0.5], null)


def test_null_off_the_grid():
    with pytest.raises(ValueError, match="nine decimals"):
        log_evidence([0.5], 1 / 3, population=10)


def test_alpha_is_checked():
    with pytest.raises(ValueError, match="error rate"):
        mean_upper([0.5], 0.5)


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=20))
def test_rescaling_changes_nothing(grades):
    assert mean_lower(rescale(grades, -50, 50), 0.05) == mean_lower([(g + 50) / 100 for g in grades], 0.05)


@pytest.mark.parametrize(
    ("values", "low", "high"), [([3], 0, 2), ([1], 1, 1), ([0], 0, float("inf")), ([float("nan")], 0, 1)]
)
def test_bad_support(values, low, high):
    with pytest.raises(ValueError, match="support"):
        rescale(values, low, high)


@pytest.mark.parametrize("size", [None, 25_000])
def test_ten_thousand_values_are_fast(size):
    values = np.random.default_rng(5).random(10_000)
    spent = []
    for _ in range(3):
        start = time.process_time()
        assert mean_lower(values, 0.05, population=size) < mean_upper(values, 0.05, population=size)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.15  # seconds


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=15))
def test_a_success_more_never_lowers_the_bound(values):
    assume(0.0 in values)
    better = list(values)
    better[better.index(0.0)] = 1.0
    assert mean_lower(better, 0.05) >= mean_lower(values, 0.05)
