from __future__ import annotations

import math

import methods_oracle
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.stats import auroc as module
from pilotbase.stats.auroc import Auroc, delong, gate_open, logit_lower, logit_upper

CASES = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40).filter(
    lambda cases: len({mark for _, mark in cases}) == 2
)
SMALL = ([0.9, 0.8, 0.7, 0.4, 0.6, 0.5, 0.4, 0.3, 0.2], [1] * 4 + [0] * 5)


def split(cases: list[tuple[int, bool]]) -> tuple[list[float], list[bool]]:
    return [score / 7 for score, _ in cases], [mark for _, mark in cases]


def test_area_and_error_of_the_reference_table():
    found = delong(*SMALL)
    assert found.area == 0.875
    assert found.se == pytest.approx(0.1369306, abs=5e-8)
    assert (found.positives, found.negatives) == (4, 5)


@given(CASES)
def test_agrees_with_the_double_loop(cases):
    scores, marks = split(cases)
    area, se, rarer = methods_oracle.auroc(scores, marks)
    found = delong(scores, marks)
    assert found.area == area
    assert found.se == pytest.approx(se, rel=1e-13)
    assert min(found.positives, found.negatives) == rarer


@given(CASES, st.randoms(use_true_random=False))
def test_order_of_cases_does_not_matter(cases, shuffler):
    shuffled = list(cases)
    shuffler.shuffle(shuffled)
    assert delong(*split(shuffled)) == delong(*split(cases))


@given(CASES)
def test_only_ranks_matter(cases):
    scores, marks = split(cases)
    assert delong([math.exp(3 * s) - 100 for s in scores], marks) == delong(scores, marks)


@given(CASES, st.sampled_from([0.05, 0.0125]))
def test_sides_mirror(cases, alpha):
    scores, marks = split(cases)
    found, mirrored = delong(scores, marks), delong([-s for s in scores], marks)
    assert mirrored.area == pytest.approx(1 - found.area, abs=1e-15)
    assert logit_upper(found, alpha) == pytest.approx(1 - logit_lower(mirrored, alpha), abs=1e-12)
    assert 0 <= logit_lower(found, alpha) <= found.area <= logit_upper(found, alpha) <= 1


def test_bounds_are_the_logit_interval():
    found = delong(*SMALL)
    spread = 1.6448536269514722 * found.se / (0.875 * 0.125)
    assert logit_lower(found, 0.05) == pytest.approx(1 / (1 + math.exp(spread - math.log(7))), abs=1e-14)
    assert logit_upper(found, 0.05) == pytest.approx(1 / (1 + math.exp(-spread - math.log(7))), abs=1e-14)


@pytest.mark.parametrize(
    ("scores", "area", "lower", "upper"),
    [
        ([3, 4, 5, 1, 2], 1.0, 0.05 ** (1 / 2), 1.0),
        ([1, 2, 1, 3, 4], 0.0, 0.0, 1 - 0.05 ** (1 / 2)),
        ([1, 1, 1, 1, 1], 0.5, 0.05 ** (1 / 2) / 2, 1 - 0.05 ** (1 / 2) / 2),
    ],
)
def test_no_spread_counts_disjoint_pairs(scores, area, lower, upper):
    found = delong(scores, [1, 1, 1, 0, 0])
    assert (found.area, found.se) == (area, 0.0)
    assert logit_lower(found, 0.05) == pytest.approx(lower, abs=1e-15)
    assert logit_upper(found, 0.05) == pytest.approx(upper, abs=1e-15)


def test_perfect_ranking_passes_exactly_where_pairs_say_so():
    """A = 1 shows an AUROC >= tau if and only if tau**min(m1, m0) <= alpha."""
    found = delong(np.arange(110), np.arange(110) >= 10)
    for tau in (0.7, 0.741, 0.7412, 0.8):
        assert (logit_lower(found, 0.05) >= tau) == (tau**10 <= 0.05)


def test_one_case_in_a_class_says_nothing_unless_all_agree():
    assert delong([2, 1, 3], [1, 0, 0]).se == math.inf
    assert logit_lower(delong([2, 1, 3], [1, 0, 0]), 0.05) == 0.0
    assert logit_upper(delong([2, 1, 3], [1, 0, 0]), 0.05) == 1.0
    assert logit_lower(delong([4, 1, 3], [1, 0, 0]), 0.05) == pytest.approx(0.05)


def test_extreme_spread_does_not_overflow():
    assert logit_lower(Auroc(0.999, 40.0, 5, 5), 0.05) == 0.0
    assert logit_upper(Auroc(0.001, 40.0, 5, 5), 0.05) == 1.0


@pytest.mark.parametrize(
    ("rarer", "threshold", "opened"),
    [
        (100, 0.8, True),
        (99, 0.8, False),
        (400, 0.95, True),
        (399, 0.95, False),
        (75, 0.73, True),
        (74, 0.73, False),
        (100, 0.2, True),
    ],
)
def test_gate(rarer, threshold, opened):
    """100 * (1 - 0.8) is 19.999999999999996 in floats, and 20 in truth."""
    assert gate_open(Auroc(0.9, 0.01, rarer, 10_000), threshold) is opened
    assert gate_open(Auroc(0.9, 0.01, 10_000, rarer), threshold) is opened


@pytest.mark.parametrize("threshold", [0, 1, float("nan")])
def test_gate_needs_a_threshold_inside(threshold):
    with pytest.raises(ValueError, match="threshold"):
        gate_open(Auroc(0.9, 0.01, 50, 50), threshold)


@given(st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 2**31 - 1)), min_size=1, max_size=20))
def test_squares_are_exact_beyond_64_bits(rows):
    weight, rank = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    assert module._squares(weight, rank) == sum(w * r * r for w, r in rows)


@pytest.mark.parametrize("mark", [0, 1])
def test_one_class_is_an_error(mark):
    with pytest.raises(ValueError, match="both classes"):
        delong([0.1, 0.2], [mark, mark])


@pytest.mark.parametrize(
    ("scores", "marks", "message"),
    [
        ([0.1, float("nan")], [0, 1], "finite"),
        ([0.1, float("inf")], [0, 1], "finite"),
        ([0.1, 0.2], [0, 2], "mark"),
        ([0.1, 0.2, 0.3], [0, 1], "shapes"),
        ([[0.1, 0.2]], [[0, 1]], "shapes"),
    ],
)
def test_bad_cases(scores, marks, message):
    with pytest.raises(ValueError, match=message):
        delong(scores, marks)
