"""Measures, counts and the rules of the whole, on records small enough to count by hand."""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from typing import Any

import pytest
from second_verifier import V

CODES = {"<f8": "d", "<i4": "i", "|u1": "B"}
A, B = 0.05, 0.0125


def records(stage: str = "effectiveness", **columns: tuple[str, list[Any]]) -> Any:
    packed = tuple(
        V.Column(name, dtype, name == "seconds", struct.pack(f"<{len(values)}{CODES[dtype]}", *values))
        for name, (dtype, values) in columns.items()
    )
    return V.Records(stage, len(columns["status"][1]), b"{}", packed)


# Ten rows: eight count (status 0 or 1), the candidate failed at row 7, rows 8 and 9 are invalid and hold anything.
TEN = records(
    status=("|u1", [0, 0, 0, 0, 0, 0, 0, 1, 2, 3]),
    positive=("|u1", [1, 1, 1, 0, 0, 0, 0, 1, 1, 0]),
    score=("<f8", [0.9, 0.7, 0.2, 0.1, 0.2, 0.6, 0.3, 0.0, math.nan, math.inf]),
    squared_error=("<f8", [0.01, 0.09, 0.64, 0.01, 0.04, 0.36, 0.09, 1.0, math.nan, 7.0]),
    detected=("|u1", [1, 1, 0, 0, 0, 1, 0, 0, 9, 9]),
    right=("|u1", [1, 1, 0, 1, 1, 0, 1, 0, 9, 9]),
    group_sex=("<i4", [0, 1, -1, 0, 1, 0, 1, 0, 5, 5]),
)
COMMON = {"n": 8, "candidate_failures": 1, "invalid": 2}


def measured(measure: str, method: str, of: Any = TEN, **more: object) -> Any:
    criterion = {"id": "c", "measure": measure, "method": method, "op": ">=", "threshold": "0.5"} | more
    return V.measure(criterion, {"sex": ["f", "m"], "age": ["young", "old", "none"]}, of, A, B)


@pytest.mark.parametrize(
    ("measure", "hits", "counted"), [("accuracy", 5, 8), ("sensitivity", 2, 4), ("specificity", 3, 4)]
)
def test_rates_count_their_rows(measure: str, hits: int, counted: int) -> None:
    found = measured(measure, "clopper-pearson/1")
    assert found.counts == COMMON | {"hits": hits, "counted": counted}
    assert found.bounds == V.clopper_pearson(hits, counted, A, B)
    assert found.parts == ()


def test_the_area_counts_both_classes_and_leaves_invalid_rows_out() -> None:
    found = measured("auroc", "logit-delong/1")
    assert found.counts == COMMON | {"positives": 4, "negatives": 4}
    assert found.bounds.closed  # the gate
    # pairs won by the positives .9 .7 .2 .0 over the negatives .1 .2 .6 .3: 4 + 4 + 1.5 + 0 of 16
    assert found.bounds.estimate == 9.5 / 16


def test_the_mean_of_squared_errors() -> None:
    found = measured("brier", "betting-iid/1", op="<=")
    assert found.counts == COMMON
    assert found.bounds.estimate == pytest.approx(2.24 / 8)


def test_a_gap_counts_positives_by_planned_word() -> None:
    found = measured("sensitivity_gap", "farrington-manning-gap/1", group="sex")
    assert found.counts == COMMON | {"positives": 4, "without_group": 1}
    assert found.parts == ({"word": "f", "hits": 1, "total": 2}, {"word": "m", "hits": 1, "total": 1})
    assert found.bounds == V.farrington_manning_gap([(1, 2), (1, 1)], A, B)


def test_a_word_without_rows_closes_the_gap_and_is_listed() -> None:
    ages = V.Column("group_age", "<i4", timed=False, data=struct.pack("<10i", *[0, 1, 0, 2, 2, 2, 2, 1, 2, 2]))
    found = measured(
        "sensitivity_gap",
        "farrington-manning-gap/1",
        V.Records("effectiveness", 10, b"{}", (*TEN.columns, ages)),
        group="age",
    )
    assert found.bounds == V.NOTHING
    assert found.parts[2] == {"word": "none", "hits": 0, "total": 0}
    assert found.counts["without_group"] == 0


def test_latency_reads_times_and_time_outs() -> None:
    quick = records("efficiency", status=("|u1", [0, 0, 1, 2]), seconds=("<f8", [0.2, 0.1, math.inf, 0.0]))
    found = measured("latency", "order-statistic/1", quick, op="<=", quantile="0.5")
    assert found.counts == {"n": 3, "candidate_failures": 1, "invalid": 1}
    assert found.bounds.estimate == 0.2
    assert V.six_decimals(found.bounds.upper, math.ceil) is None


@pytest.mark.parametrize(
    ("measure", "method", "more", "why"),
    [
        ("recall", "clopper-pearson/1", {}, "unknown measure"),
        ("brier", "clopper-pearson/1", {}, "not judged by"),
        ("accuracy", "betting-wor/1", {}, "not judged by"),
        ("sensitivity_gap", "farrington-manning-gap/1", {}, "without a group"),
        ("sensitivity_gap", "farrington-manning-gap/1", {"group": "town"}, "no words"),
        ("sensitivity_gap", "farrington-manning-gap/1", {"group": "age"}, "no column"),
        ("latency", "order-statistic/1", {"quantile": "0.5"}, "no column"),
    ],
)
def test_what_no_page_defines_is_refused(measure: str, method: str, more: dict[str, str], why: str) -> None:
    with pytest.raises(V.FaultError, match=why):
        measured(measure, method, **more)


def changed(name: str, row: int, value: float) -> Any:
    columns = []
    for column in TEN.columns:
        values = list(column.values())
        if column.name == name:
            values[row] = value
        data = struct.pack(f"<10{CODES[column.dtype]}", *values)
        columns.append(V.Column(column.name, column.dtype, column.timed, data))
    return V.Records(TEN.stage, TEN.rows, TEN.header, tuple(columns))


@pytest.mark.parametrize(
    ("name", "row", "value", "measure", "method"),
    [
        ("right", 0, 2, "accuracy", "clopper-pearson/1"),
        ("positive", 0, 2, "auroc", "logit-delong/1"),
        ("score", 0, math.nan, "auroc", "logit-delong/1"),
        ("squared_error", 0, 1.5, "brier", "betting-iid/1"),
        ("detected", 0, 2, "sensitivity_gap", "farrington-manning-gap/1"),
        ("group_sex", 0, 2, "sensitivity_gap", "farrington-manning-gap/1"),
    ],
)
def test_numbers_that_cannot_be_are_refused(name: str, row: int, value: float, measure: str, method: str) -> None:
    with pytest.raises(V.FaultError):
        measured(measure, method, changed(name, row, value), group="sex")


def test_a_failed_item_carries_the_worst_numbers() -> None:
    V.check_failed_items(TEN)
    for name, value in (("score", 0.5), ("squared_error", 0.9), ("detected", 1), ("right", 1)):
        with pytest.raises(V.FaultError, match="failed item"):
            V.check_failed_items(changed(name, 7, value))
    with pytest.raises(V.FaultError, match="failed item"):
        V.check_failed_items(records(status=("|u1", [1]), seconds=("<f8", [3.0])))


def test_rates_of_error_go_to_the_side_they_belong_to() -> None:
    rated = {"method": "betting-iid/1", "alpha": "0.02", "beta": "0.03", "id": "c"}
    criteria = [rated | {"op": ">="}, rated | {"op": "<="}, rated | {"op": "<=", "method": "observed/1"}]
    plan = {"stages": [{"criteria": criteria[:2]}, {"criteria": criteria[2:]}], "alpha_spent": "0.1"}
    assert V._rates(criteria[0], plan) == (0.002, 0.015)
    assert V._rates(criteria[1], plan) == (0.015, 0.002)
    for wrong in ({"alpha": "0.5", "beta": "0.1"}, {"alpha": "0"}, {"beta": None}, {"alpha": None}):
        with pytest.raises(V.FaultError):
            V._rates(criteria[0] | wrong, plan | {"alpha_spent": "1"})


@pytest.mark.parametrize(
    ("isolated", "spoilt", "stages", "outcome"),
    [
        (True, False, [(True, ["held"]), (True, [])], "accepted"),
        (True, False, [], "accepted"),
        (True, False, [(True, ["held"]), (False, [])], "undecided"),
        (True, False, [(True, ["held", "not_shown"])], "undecided"),
        (True, False, [(True, ["not_shown", "refused"]), (False, [])], "rejected"),
        (True, True, [(True, ["refused"])], "undecided"),
        (False, False, [(True, ["held"])], "undecided"),
        (False, False, [(True, ["refused"])], "undecided"),
    ],
)
def test_the_rules_of_the_whole(*, isolated: bool, spoilt: bool, stages: list[Any], outcome: str) -> None:
    assert V.outcome_of(isolated=isolated, spoilt=spoilt, stages=stages) == outcome


def test_the_share_of_invalid_items_is_of_all_rows_and_whole_where_there_are_none() -> None:
    assert V.invalid_share(TEN) == Fraction(2, 10)
    assert V.invalid_share(records(status=("|u1", []))) == 1
    for most, spoilt in (("0.2", False), ("0.19999999999999999", True)):
        assert V.too_many_invalid(V.Material({"max_invalid": most}, {}, {"effectiveness": TEN})) is spoilt


def test_the_weakest_grade_counts_rated_methods_only() -> None:
    assert V.weakest_grade(["observed/1"]) is None
    assert V.weakest_grade(["observed/1", "clopper-pearson/1"]) == "exact"
    assert V.weakest_grade(["clopper-pearson/1", "betting-iid/1"]) == "finite-sample"
    assert V.weakest_grade(["logit-delong/1", "betting-iid/1", "order-statistic/1"]) == "asymptotic"


@pytest.mark.parametrize(
    ("listed", "again", "close"),
    [
        ("0.500000", "0.500001", True),
        ("0.500000", "0.500002", False),
        ("0.5", "0.500000", True),
        (None, None, True),
        (None, "0.500000", False),
        ("0.500000", None, False),
    ],
)
def test_the_tolerance_is_one_unit_of_the_sixth_decimal(listed: str | None, again: str | None, *, close: bool) -> None:
    assert V._close(listed, again) is close


def test_sixteen_bytes_are_no_number() -> None:
    with pytest.raises(V.FaultError, match="holds no numbers"):
        V._pick(V.Records("x", 1, b"", (V.Column("unit", "|V16", timed=False, data=bytes(16)),)), "unit", [0])


def test_an_order_statistic_needs_its_quantile() -> None:
    quick = records("efficiency", status=("|u1", [0]), seconds=("<f8", [0.2]))
    with pytest.raises(V.FaultError, match="without a quantile"):
        measured("latency", "order-statistic/1", quick, quantile=None)


def test_fairness_reads_the_records_of_effectiveness() -> None:
    material = V.Material({}, {}, {"effectiveness": TEN})
    assert material.records_for("fairness") is TEN
    with pytest.raises(V.FaultError, match="no records to judge"):
        material.records_for("efficiency")


def test_a_fact_stands_once_and_in_the_unit_of_its_criterion() -> None:
    criterion = {"id": "c", "measure": "memory", "unit": "MiB", "op": "<=", "threshold": "9", "method": "observed/1"}
    fact = {"measure": "memory", "value": "8.5", "unit": "MiB"}
    other = {"measure": "other", "value": "8.5", "unit": "MiB"}
    answer = V.judge_one(criterion, {"stage": "efficiency", "facts": [other, fact]}, V.Material({}, {}, {}))
    assert (answer.answer, answer.found.counts, answer.found.bounds.lower) == ("held", {"n": 1}, None)
    for facts, why in (([], "0 facts"), ([fact, fact], "2 facts"), ([fact | {"unit": "GiB"}], "GiB")):
        with pytest.raises(V.FaultError, match=why):
            V._fact(criterion, {"stage": "efficiency", "facts": facts})


def test_a_margin_is_never_negative() -> None:
    criterion = {"id": "c", "measure": "x", "op": "<=", "threshold": "9", "method": "observed/1", "margin": "-0.1"}
    with pytest.raises(V.FaultError, match="negative"):
        V.judge_one(criterion, {"stage": "efficiency", "facts": []}, V.Material({}, {}, {}))
