"""Criteria: which numbers a method reads, at which error rate each bound stands, and what follows from the bounds."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import a_good_candidate, criteria_of, make_items, make_plan

from pilotbase.foundation.errors import InputError
from pilotbase.foundation.text import Text
from pilotbase.pilot.criteria import GUARD, METHODS, Rates, Reading, answer, answer_fact, grade_of, read
from pilotbase.pilot.measurement import CANDIDATE, DATA, OK, PLATFORM, Records
from pilotbase.pilot.measures import measure_items, measure_latency
from pilotbase.pilot.scenario import Criterion
from pilotbase.stats import auroc, betting, gap, intervals, quantile

PLAN = make_plan()
CRITERIA = {one.id: one for stage in PLAN.stages for one in stage.criteria}
RATES = Rates(alpha=0.05, beta=0.0125)
GROUPS = {"gender": ("female", "male")}


def replaced(name: str, **changes: Any) -> Criterion:
    return msgspec.structs.replace(CRITERIA[name], **changes)


def rate(measure: str, op: str = ">=", threshold: str = "0.7", margin: str = "0") -> Criterion:
    bar = {"op": op, "threshold": Decimal(threshold), "margin": Decimal(margin)}
    return replaced("brier", measure=measure, method="clopper-pearson/1", **bar)


def records(rows: int = 400, status: Any = None) -> Records:
    items = a_good_candidate(rows)
    asked = (*criteria_of(PLAN, "effectiveness", "fairness"), rate("accuracy"))
    made = make_items(
        items.positive, items.answers["score"], items.answers["decision"], items.groups["gender"],
        None if status is None else np.resize(np.array(status, dtype=np.uint8), rows),
    )  # fmt: skip
    return measure_items("effectiveness", asked, made)


def test_an_area_is_read_off_scores_and_classes() -> None:
    found = records(2000)
    reading = read(CRITERIA["auroc"], found, RATES, GROUPS)
    area = auroc.delong(found["score"], found["positive"])
    assert reading.estimate == area.area
    assert reading.lower == auroc.logit_lower(area, RATES.alpha)
    assert reading.upper == auroc.logit_upper(area, RATES.beta)
    assert reading.counts["positives"] + reading.counts["negatives"] == reading.counts["n"] == 2000


def test_a_mean_is_bounded_at_the_other_rates_because_its_bar_is_a_ceiling() -> None:
    found = records()
    reading = read(CRITERIA["brier"], found, RATES, GROUPS)
    assert reading.estimate == math.fsum(found["squared_error"]) / 400
    assert reading.upper == betting.mean_upper(found["squared_error"], RATES.alpha)
    assert reading.lower == betting.mean_lower(found["squared_error"], RATES.beta)


@pytest.mark.parametrize(("op", "down", "up"), [("<=", RATES.beta, RATES.alpha), (">=", RATES.alpha, RATES.beta)])
def test_gaps_and_quantiles_have_the_sides_of_their_op(op: str, down: float, up: float) -> None:
    """docs/spec/methods.md section 1: the lower bound stands at alpha for >=, at beta/m for <=."""
    found = records(2000)
    reading = read(replaced("sensitivity_gap", op=op), found, RATES, GROUPS)
    tallies = [(hits, total) for _, hits, total in reading.parts]
    assert (reading.lower, reading.upper) == (gap.gap_lower(tallies, down), gap.gap_upper(tallies, up))
    seconds = np.linspace(0.001, 0.5, 500)
    timed = measure_latency("efficiency", seconds, np.zeros(500, dtype=np.uint8))
    reading = read(replaced("latency_p99", op=op), timed, RATES, {})
    assert reading.lower == quantile.quantile_lower(seconds, 0.99, down)
    assert reading.upper == quantile.quantile_upper(seconds, 0.99, up)


@pytest.mark.parametrize(("measure", "among"), [("accuracy", None), ("sensitivity", 1), ("specificity", 0)])
@pytest.mark.parametrize("op", [">=", "<="])
def test_rates_have_their_own_denominators(measure: str, among: int | None, op: str) -> None:
    found = records()
    counted = np.ones(400, dtype=bool) if among is None else found["positive"] == among
    hits, total = int(found["right"][counted].sum()), int(counted.sum())
    reading = read(rate(measure, op), found, RATES, GROUPS)
    down, up = (RATES.alpha, RATES.beta) if op == ">=" else (RATES.beta, RATES.alpha)
    assert (reading.counts["hits"], reading.counts["counted"]) == (hits, total)
    assert reading.lower == intervals.rate_lower(hits, total, down)
    assert reading.upper == intervals.rate_upper(hits, total, up)


def test_invalid_items_are_left_out_and_counted_and_failures_stay_in() -> None:
    found = records(400, [OK, CANDIDATE, PLATFORM, DATA])
    reading = read(CRITERIA["brier"], found, RATES, GROUPS)
    assert reading.counts == {"n": 200, "candidate_failures": 100, "invalid": 200}
    keep = np.isin(found["status"], [OK, CANDIDATE])
    assert reading.estimate == math.fsum(found["squared_error"][keep]) / 200


def test_a_row_without_a_group_belongs_to_none_and_is_counted() -> None:
    items = a_good_candidate(2000)
    some = items.groups["gender"].copy()
    some[::10] = -1
    found = measure_items(
        "fairness",
        (CRITERIA["sensitivity_gap"],),
        make_items(items.positive, items.answers["score"], items.answers["decision"], some),
    )
    reading = read(CRITERIA["sensitivity_gap"], found, RATES, GROUPS)
    without = int(((found["positive"] == 1) & (some < 0)).sum())
    assert reading.counts["without_group"] == without > 0
    assert sum(total for _, _, total in reading.parts) == reading.counts["positives"] - without


def nothing(stage: str = "effectiveness") -> Records:
    if stage == "efficiency":
        return measure_latency("efficiency", np.zeros(3), np.full(3, PLATFORM, dtype=np.uint8))
    return records(3, [PLATFORM])


CLOSED = {
    "no rows that count": [
        (CRITERIA["auroc"], nothing()),
        (CRITERIA["brier"], nothing()),
        (CRITERIA["sensitivity_gap"], nothing()),
        (rate("sensitivity"), nothing()),
        (CRITERIA["latency_p99"], nothing("efficiency")),
    ],
    "too few for the gate": [(CRITERIA["auroc"], records(60))],
}


@pytest.mark.parametrize("why", CLOSED)
def test_a_closed_method_decides_nothing_and_says_why(why: str) -> None:
    for criterion, found in CLOSED[why]:
        reading = read(criterion, found, RATES, GROUPS)
        assert reading.closed is not None
        assert (reading.lower, reading.upper) == (None, None)
        assert answer(criterion, reading) == "not_shown"


def test_an_empty_group_closes_a_gap() -> None:
    items = a_good_candidate(2000)
    one = make_items(items.positive, items.answers["score"], items.answers["decision"], np.zeros(2000, dtype=np.int32))
    found = measure_items("fairness", (CRITERIA["sensitivity_gap"],), one)
    assert read(CRITERIA["sensitivity_gap"], found, RATES, GROUPS).closed is not None


def test_an_unknown_method_is_told_with_those_there_are() -> None:
    with pytest.raises(InputError) as caught:
        read(replaced("brier", method="betting-iid/2"), records(), RATES, GROUPS)
    assert "betting-iid/1" in str(caught.value)


def reading(lower: float | None, upper: float | None, closed: Text | None = None) -> Reading:
    return Reading(estimate=0.5, lower=lower, upper=upper, counts={}, closed=closed)


CONTINUOUS = replaced("auroc", threshold=Decimal("0.1"), margin=Decimal("0.2"))
EXACT = rate("accuracy", threshold="0.1", margin="0.2")


@pytest.mark.parametrize(
    ("criterion", "lower", "upper", "expected"),
    [
        (EXACT, 0.1, 0.9, "held"),  # equality passes
        (EXACT, 0.0999999, 0.9, "not_shown"),
        (EXACT, 0.0, 0.3, "not_shown"),  # not below threshold plus margin, formed in decimal: .1 + .2 is .3
        (EXACT, 0.0, 0.2999999, "refused"),
        (CONTINUOUS, 0.1, 0.9, "not_shown"),  # the guard
        (CONTINUOUS, 0.1 + 2 * GUARD, 0.9, "held"),
        (EXACT, None, None, "not_shown"),
        (EXACT, None, 0.2, "refused"),
        (EXACT, 0.2, None, "held"),
        (EXACT, 0.2, 0.25, "held"),  # held comes first: past the threshold, though short of the margin
    ],
)
def test_floors(criterion: Criterion, lower: float | None, upper: float | None, expected: str) -> None:
    assert answer(criterion, reading(lower, upper)) == expected


CEILING = rate("accuracy", "<=", "0.3", "0.1")


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        (0.0, 0.3, "held"),
        (0.0, 0.3000001, "not_shown"),
        (0.2, 0.9, "not_shown"),
        (0.2000001, 0.9, "refused"),
        (None, math.inf, "not_shown"),
        (math.inf, None, "refused"),  # a latency whose requests never came back
    ],
)
def test_ceilings(lower: float | None, upper: float | None, expected: str) -> None:
    assert answer(CEILING, reading(lower, upper)) == expected


def test_a_closed_reading_is_never_answered_whatever_its_bounds() -> None:
    assert answer(EXACT, reading(0.9, 1.0, Text(zh="少", en="few"))) == "not_shown"


@given(
    st.decimals("0.01", "0.98", places=3), st.decimals("0", "0.01", places=4),
    st.floats(0, 1), st.floats(0, 1), st.sampled_from([">=", "<="]),
)  # fmt: skip
def test_an_answer_never_contradicts_its_bounds(
    threshold: Decimal, margin: Decimal, one: float, two: float, op: str
) -> None:
    lower, upper = min(one, two), max(one, two)
    given_answer = answer(rate("accuracy", op, str(threshold), str(margin)), reading(lower, upper))
    bar = float(threshold)
    if given_answer == "held":
        assert lower >= bar if op == ">=" else upper <= bar
    if given_answer == "refused":
        assert upper < float(threshold + margin) if op == ">=" else lower > float(threshold - margin)


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [(">=", 1.0, "held"), (">=", 0.999, "refused"), ("<=", 1.0, "held"), ("<=", 1.001, "refused")],
)
def test_a_fact_is_compared_once_and_equality_passes(op: str, value: float, expected: str) -> None:
    assert answer_fact(replaced("licence_known", op=op), value) == expected


def test_grades() -> None:
    assert grade_of("observed/1") == "observed"
    assert {grade_of(name) for name in METHODS} == {"exact", "finite-sample", "asymptotic"}
