"""The second verifier (``docs/spec/verifier.py``) against the published values of every method."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from itertools import pairwise
from math import comb
from typing import Any

import pytest
from second_verifier import SPEC, V

VECTORS = json.loads((SPEC / "vectors" / "methods.json").read_text(encoding="utf-8"))
ROUNDINGS = {"lower": math.floor, "upper": math.ceil, "estimate": round}


def doubles(texts: list[str | None]) -> list[float]:
    return [math.inf if text is None else float(text) for text in texts]


def compute(vector: dict[str, Any]) -> Any:
    given = vector["input"]
    a, b = float(given["alpha_lower"]), float(given["alpha_upper"])
    match vector["method"]:
        case "clopper-pearson/1":
            return V.clopper_pearson(given["successes"], given["total"], a, b)
        case "betting-iid/1":
            return V.betting_iid(doubles(given["values"]), a, b)
        case "betting-wor/1":
            return V.betting_wor(doubles(given["values"]), given["population"], a, b)
        case "logit-delong/1":
            bar = None if given["threshold"] is None else V.decimal(given["threshold"])
            return V.logit_delong(doubles(given["scores"]), given["positive"], bar, a, b)
        case "farrington-manning-gap/1":
            return V.farrington_manning_gap([tuple(pair) for pair in given["counts"]], a, b)
        case "order-statistic/1":
            return V.order_statistic(doubles(given["values"]), V.decimal(given["quantile"]), a, b)
    raise AssertionError(vector["method"])


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: f"{vector['method']}: {vector['name']}")
def test_every_method_gives_the_published_values(vector: dict[str, Any]) -> None:
    bounds = compute(vector)
    for name, rounding in ROUNDINGS.items():
        found, expected = getattr(bounds, name), vector["output"][name]
        if expected is None:
            assert found is None or math.isinf(found), name
        else:
            assert found == pytest.approx(float(expected), abs=1.000001e-9, rel=0), name
        assert V.six_decimals(found, rounding) == vector["rounded"][name], name


def test_the_published_values_cover_every_method_that_bounds() -> None:
    assert {vector["method"] for vector in VECTORS["vectors"]} == set(V.METHOD_GRADES) - {"observed/1"}


@pytest.mark.parametrize("case", VECTORS["decisions"], ids=lambda case: case["name"])
def test_every_answer_is_the_published_one(case: dict[str, Any]) -> None:
    lower, upper = (None if case[name] is None else float(case[name]) for name in ("lower", "upper"))
    bounds = V.Bounds(None, lower, upper, closed=case["closed"])
    bar, margin = V.decimal(case["threshold"]), V.decimal(case["margin"])
    assert V.decide(case["method"], case["op"], bar, margin, bounds) == case["answer"]


def test_there_are_values_and_answers_to_check() -> None:
    assert len(VECTORS["vectors"]) >= 50
    assert len(VECTORS["decisions"]) >= 20


# ---- Tables of methods.md, section 1


@pytest.mark.parametrize(
    ("alpha", "expected"),
    [
        (0.05, "1.644853626951"),
        (0.025, "1.959963984540"),
        (0.05 / 3, "2.128045234185"),
        (0.0125, "2.241402727605"),
        (0.01, "2.326347874041"),
    ],
)
def test_normal_quantiles_of_the_table(alpha: float, expected: str) -> None:
    assert f"{V.normal_quantile(alpha):.12f}" == expected


@pytest.mark.parametrize("wanted", [0, 1, 2, 499_999_999, 999_999_999, 10**9])
def test_the_grid_finds_the_last_that_holds_and_never_asks_the_ends(wanted: int) -> None:
    asked = []

    def holds(k: int) -> bool:
        asked.append(k)
        return k <= wanted

    assert V.last(holds) == wanted
    assert all(1 <= k <= 10**9 for k in asked)
    assert len(asked) <= 30


# ---- Numbers worked out here by other ways


@pytest.mark.parametrize("total", [1, 2, 7, 30])
def test_the_binomial_tail_equals_the_exact_sum(total: int) -> None:
    for chance in (Fraction(1, 100), Fraction(3, 10), Fraction(1, 2), Fraction(99, 100)):
        for least in range(total + 2):
            terms = (comb(total, i) * chance**i * (1 - chance) ** (total - i) for i in range(least, total + 1))
            exact = float(sum(terms, Fraction(0)))
            assert V.binomial_tail(total, least, float(chance)) == pytest.approx(exact, rel=1e-12, abs=1e-300)


def test_clopper_pearson_bounds_have_the_stated_chance_exactly() -> None:
    for successes, total in ((1, 2), (7, 12), (45, 50)):
        bounds = V.clopper_pearson(successes, total, 0.05, 0.0125)
        low, high = Fraction(bounds.lower), Fraction(bounds.upper)
        at_low = sum(comb(total, i) * low**i * (1 - low) ** (total - i) for i in range(successes, total + 1))
        at_high = sum(comb(total, i) * high**i * (1 - high) ** (total - i) for i in range(successes + 1))
        assert float(at_low) == pytest.approx(0.05, abs=1e-12)
        assert float(at_high) == pytest.approx(0.0125, abs=1e-12)


def test_clopper_pearson_counts_needed_by_the_rules_of_the_tables() -> None:
    # reference tables: should-refuse >= 95 % of 300 needs 292; content >= 90 % of 1,000 needs 916
    assert V.clopper_pearson(292, 300, 0.05, 0.05).lower > 0.95 > V.clopper_pearson(291, 300, 0.05, 0.05).lower
    assert V.clopper_pearson(916, 1000, 0.05, 0.05).lower > 0.90 > V.clopper_pearson(915, 1000, 0.05, 0.05).lower


def test_one_bet_by_hand() -> None:
    # a single value x = m leaves every bet whole: L = 0, whatever the bets
    assert V.log_wealth([1.0], [1]) == pytest.approx(0.0, abs=1e-15)
    # x = 0 leaves 1 - f on each bet
    expected = math.log(sum(1 - 0.01 * 95 ** (j / 11) for j in range(12)) / 12)
    assert V.log_wealth([0.0], [1]) == pytest.approx(expected, abs=1e-14)


def test_the_published_counts_of_first_all_success_acceptances() -> None:
    # no margin, level ln 20: accepts at n = 8, 25, 52, 107 for bars .5, .8, .9, .95
    for bar, least in ((0.5, 8), (0.8, 25), (0.9, 52), (0.95, 107)):
        assert V.betting_iid([1.0] * least, 0.05, 0.05).lower >= bar
        assert V.betting_iid([1.0] * (least - 1), 0.05, 0.05).lower < bar


@pytest.mark.parametrize("value", [-1e-300, 1.0000000000000002, math.nan, math.inf])
def test_a_value_outside_the_support_is_refused_not_clipped(value: float) -> None:
    with pytest.raises(V.FaultError):
        V.betting_iid([0.5, value], 0.05, 0.05)
    with pytest.raises(V.FaultError):
        V.betting_wor([0.5, value], 10, 0.05, 0.05)


def test_a_finite_set_drawn_to_its_end_is_known_to_a_billionth() -> None:
    for values in ([1.0, 0.0, 0.0], [0.1, 0.2, 0.4, 0.7], [0.07] * 50):
        bounds = V.betting_wor(values, len(values), 0.05, 0.05)
        truth = sum(Fraction(round(x * 1e9)) for x in values) / len(values) / 10**9
        assert bounds.lower <= float(truth) <= bounds.upper
        assert bounds.upper - bounds.lower <= 1.0001e-9


def test_delong_equals_the_double_loop_and_the_published_error() -> None:
    scores, marks = [0.9, 0.8, 0.7, 0.4, 0.6, 0.5, 0.4, 0.3, 0.2], [1, 1, 1, 1, 0, 0, 0, 0, 0]
    area = V.delong(scores, marks)
    pairs = [
        (one > other) + (one == other) / 2
        for one, mark in zip(scores, marks, strict=True)
        for other, beside in zip(scores, marks, strict=True)
        if mark and not beside
    ]
    assert area.wins / area.games == pytest.approx(sum(pairs) / len(pairs))
    assert area.error == pytest.approx(0.1369306, abs=5e-8)


def test_a_class_alone_an_empty_group_and_no_items_close_the_method() -> None:
    assert V.logit_delong([0.1, 0.2], [1, 1], None, 0.05, 0.05) == V.NOTHING
    assert V.farrington_manning_gap([(3, 4), (0, 0)], 0.05, 0.05) == V.NOTHING
    assert V.betting_iid([], 0.05, 0.05) == V.NOTHING
    assert V.clopper_pearson(0, 0, 0.05, 0.05) == V.NOTHING
    assert V.order_statistic([], Fraction(1, 2), 0.05, 0.05) == V.NOTHING
    assert V.decide("clopper-pearson/1", ">=", Fraction(0), Fraction(0), V.NOTHING) == "not_shown"


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [((180, 200), (160, 200), 1.417762), ((450, 500), (425, 500), 0.0), ((180, 200), (180, 200), -1.634599)],
)
def test_gap_scores_of_the_reference(one: tuple[int, int], two: tuple[int, int], expected: float) -> None:
    assert V.gap_score(one, two, 0.05) == pytest.approx(expected, abs=5e-7)


def test_the_gap_score_falls_as_the_gap_grows() -> None:
    scores = [V.gap_score((9, 10), (3, 10), gap / 100) for gap in range(100)]
    assert all(one >= two for one, two in pairwise(scores))


@pytest.mark.parametrize(("total", "rank"), [(299, 299), (500, 499), (1000, 996), (5000, 4962), (10000, 9917)])
def test_order_statistic_ranks_of_the_reference(total: int, rank: int) -> None:
    bounds = V.order_statistic([float(i) for i in range(1, total + 1)], Fraction(99, 100), 0.05, 0.05)
    assert bounds.upper == rank


def test_a_tie_in_the_law_is_settled_by_the_rule() -> None:
    # five values, median: P(B >= 5) = 1/32, exactly 1 - 31/32: k = 5 is reached at b = 1/32, and not just below it
    values = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert V.order_statistic(values, Fraction(1, 2), 0.05, 1 / 32).upper == 5.0
    assert math.isinf(V.order_statistic(values, Fraction(1, 2), 0.05, 1 / 32 - 1e-11).upper)
    assert V.order_statistic(values, Fraction(1, 2), 1 / 32, 0.05).lower == 1.0


@pytest.mark.parametrize(
    ("op", "threshold", "fact", "answer"),
    [
        (">=", "3", "3", "held"),
        ("<=", "3", "3.000", "held"),
        (">=", "3", "2.999", "refused"),
        ("<=", "0.3", "0.30000000000000004", "refused"),
        ("<=", "0.3", "0.30000000000000001", "held"),  # the same double
    ],
)
def test_a_fact_is_compared_once(op: str, threshold: str, fact: str, answer: str) -> None:
    assert V.decide_observed(op, V.decimal(threshold), V.decimal(fact)) == answer


@pytest.mark.parametrize(
    ("value", "rounding", "expected"),
    [
        (0.1, math.floor, "0.100000"),
        (0.1, math.ceil, "0.100001"),  # the double of 0.1 lies above 0.1
        (0.3, math.ceil, "0.300000"),  # that of 0.3 below
        (0.3, math.floor, "0.299999"),
        (-0.0, math.floor, "0.000000"),
        (-1e-9, round, "0.000000"),
        (-1e-9, math.floor, "-0.000001"),
        (0.0000005, round, "0.000000"),  # the double lies below the half
        (2.0**-7, round, "0.007812"),  # 0.0078125 is a double: halves to even
        (3 * 2.0**-7, round, "0.023438"),
        (2.0**80, math.floor, "1208925819614629174706176.000000"),
        (math.inf, math.ceil, None),
        (None, math.ceil, None),
    ],
)
def test_six_decimals_come_from_the_exact_double(value: float | None, rounding: Any, expected: str | None) -> None:
    assert V.six_decimals(value, rounding) == expected
