"""Measures: one row of numbers per item; silence is the worst answer there is, and a fault of ours is none."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import criteria_of, make_plan

from pilotbase.foundation.text import Text
from pilotbase.pilot.likeness import unsound
from pilotbase.pilot.measurement import CANDIDATE, DATA, OK, PLATFORM, Records
from pilotbase.pilot.measures import MEASURES, Items, measure_items, measure_latency
from pilotbase.pilot.scenario import Criterion

TEXT = Text(zh="测", en="measure")


def criterion(measure: str) -> Criterion:
    return Criterion(
        id=measure, text=TEXT, measure=measure, method="observed/1", op=">=", threshold=Decimal(1), group="sex"
    )


def make(status: list[int], positive: list[int], score: list[float], decision: list[float], sex: list[int]) -> Items:
    rows = len(status)
    return Items(
        ids=np.frombuffer(np.arange(2 * rows, dtype="<u8").tobytes(), dtype="V16"),
        status=np.array(status, dtype=np.uint8),
        positive=np.array(positive, dtype=np.uint8),
        answers={"score": np.array(score, dtype=float), "decision": np.array(decision, dtype=float)},
        groups={"sex": np.array(sex, dtype=np.int32)},
    )


NAN = float("nan")
ITEMS = make(
    [OK, OK, OK, OK, CANDIDATE, CANDIDATE, PLATFORM],
    [1, 1, 0, 0, 1, 0, 1],
    [0.9, 0.2, 0.4, 0.0, NAN, NAN, NAN],
    [1, 0, 1, 0, NAN, NAN, NAN],
    [0, 1, 0, -1, 1, 0, 0],
)


def column(measure: str, name: str) -> list[float]:
    return measure_items("effectiveness", (criterion(measure),), ITEMS)[name].tolist()[:6]


def test_scores_of_failed_items_are_the_worst_for_their_truth() -> None:
    assert column("auroc", "score") == [0.9, 0.2, 0.4, 0.0, 0.0, 1.0]
    assert column("auroc", "positive") == [1, 1, 0, 0, 1, 0]


def test_squared_errors() -> None:
    np.testing.assert_allclose(column("brier", "squared_error"), [0.01, 0.64, 0.16, 0, 1, 1])


@pytest.mark.parametrize("measure", ["accuracy", "sensitivity", "specificity"])
def test_right_answers(measure: str) -> None:
    assert column(measure, "right") == [1, 0, 0, 1, 0, 0]


def test_detected_positives_and_their_group() -> None:
    assert column("sensitivity_gap", "detected") == [1, 0, 0, 0, 0, 0]
    assert column("sensitivity_gap", "decision") == [1, 0, 1, 0, 0, 0]
    assert column("sensitivity_gap", "group_sex") == [0, 1, 0, -1, 1, 0]


def test_columns_that_measures_share_are_written_once() -> None:
    plan = make_plan()
    records = measure_items("effectiveness", criteria_of(plan, "effectiveness"), make([OK], [1], [0.5], [1], [0]))
    names = [one.name for one in records.header.columns]
    assert names == ["unit", "status", "positive", "score", "squared_error"]
    assert len(set(names)) == len(names)


def test_unknown_measures_are_facts_and_write_nothing() -> None:
    records = measure_items("efficiency", (criterion("peak_memory"),), ITEMS)
    assert [one.name for one in records.header.columns] == ["unit", "status"]


def test_a_request_that_failed_took_for_ever_and_the_column_is_timed() -> None:
    records = measure_latency("efficiency", np.array([0.5, 0.25, 0.125]), np.array([OK, CANDIDATE, DATA], np.uint8))
    assert records["seconds"].tolist() == [0.5, np.inf, 0.125]
    assert [(one.name, one.unit, one.timed) for one in records.header.columns] == [
        ("status", "1", False),
        ("seconds", "s", True),
    ]


@given(st.lists(st.tuples(st.sampled_from([OK, CANDIDATE, PLATFORM, DATA]), st.booleans()), min_size=1, max_size=30))
def test_whatever_is_written_of_a_failed_item_passes_the_verifiers_eye(rows: list[tuple[int, bool]]) -> None:
    status, positive = [one for one, _ in rows], [int(truth) for _, truth in rows]
    items = make(status, positive, [0.5] * len(rows), [1.0] * len(rows), [0] * len(rows))
    records = measure_items("effectiveness", tuple(criterion(name) for name in MEASURES), items)
    assert unsound(records) is None


@pytest.mark.parametrize("name", ["score", "squared_error", "decision", "detected", "right"])
def test_one_better_number_for_a_failed_item_does_not(name: str) -> None:
    records = measure_items("effectiveness", tuple(criterion(one) for one in MEASURES), ITEMS)
    values = records[name].copy()
    values[4] = 0.5 if values.dtype == np.float64 else 1
    fault = unsound(Records(records.header, dict(records.arrays) | {name: values}))
    assert fault is not None
    assert "worst" in fault.en
    assert "最差" in fault.zh


def test_one_finite_time_for_a_failed_request_does_not_either() -> None:
    records = measure_latency("efficiency", np.array([0.5, 0.25]), np.array([OK, CANDIDATE], np.uint8))
    assert unsound(Records(records.header, dict(records.arrays) | {"seconds": np.array([0.5, 9.0])})) is not None
