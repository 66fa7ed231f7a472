"""Feasibility: what the data can decide, told beforehand; what it calls decidable, a perfect candidate does get."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import PACK, SCENARIO, make_evidence, make_items, make_plan, only

from pilotbase.foundation.errors import InputError
from pilotbase.pilot.feasibility import LATENCY_REQUESTS, Counts, Forecast, check, forecast
from pilotbase.pilot.plan import OBSERVED, plan_stages
from pilotbase.pilot.verdict import judge

TEXT = PACK.read_bytes()
MANY = Counts(rows=5000, positives=290, groups={"gender": (145, 145)})


def forecasts(counts: Counts, sample: int = 7000) -> dict[str, Forecast]:
    stages = plan_stages(SCENARIO, {"sample": sample, "hidden": counts.rows})
    return {one.criterion.id: one for one in forecast(stages, counts, Decimal(1))}


def test_the_first_pack_can_be_decided_and_says_how_much_it_needs() -> None:
    found = forecasts(MANY)
    assert all(one.decidable for one in found.values())
    assert (found["auroc"].has, found["brier"].has, found["sensitivity_gap"].has) == (290, 5000, 145)
    assert found["latency_p99"].needs == 299
    assert found["brier"].needs is None  # no margin, no fixed-n design
    assert all(one.needs == 1 for one in found.values() if one.criterion.method == OBSERVED)
    assert len(found) == 12


def test_a_sample_that_is_smaller_than_the_requests_counts_as_it_is() -> None:
    assert forecasts(MANY, sample=200)["latency_p99"].has == 200
    assert not forecasts(MANY, sample=200)["latency_p99"].decidable
    assert forecasts(MANY, sample=299)["latency_p99"].decidable
    assert forecasts(MANY)["latency_p99"].has == LATENCY_REQUESTS


@pytest.mark.parametrize(
    ("counts", "names"),
    [
        (Counts(rows=0, positives=0, groups={}), {"auroc", "brier", "sensitivity_gap"}),
        (Counts(rows=100, positives=0, groups={"gender": (0, 0)}), {"auroc", "sensitivity_gap"}),
        (Counts(rows=100, positives=100, groups={"gender": (50, 50)}), {"auroc"}),
        (Counts(rows=5000, positives=290, groups={"gender": (290, 0)}), {"sensitivity_gap"}),
        (Counts(rows=5000, positives=290, groups={}), {"sensitivity_gap"}),
        (Counts(rows=10, positives=5, groups={"gender": (3, 2)}), {"auroc", "brier", "sensitivity_gap"}),
    ],
)
def test_too_little_is_told_by_criterion(counts: Counts, names: set[str]) -> None:
    found = forecasts(counts)
    assert {name for name in ("auroc", "brier", "sensitivity_gap") if not found[name].decidable} >= names - {"brier"}
    assert ("brier" in names) <= (not found["brier"].decidable)


def test_the_first_that_cannot_be_decided_is_raised_with_its_place_and_its_needs() -> None:
    few = Counts(rows=5000, positives=20, groups={"gender": (10, 10)})
    with pytest.raises(InputError) as caught:
        check(make_plan(), few, TEXT)
    error = caught.value
    assert error.place.field == "stages[2].criteria[0].threshold"
    assert TEXT.decode().splitlines()[error.place.line - 1] == "threshold = 0.73"
    assert error.found == "20"
    assert error.expected is not None
    assert "smaller class" in error.expected.en
    assert "较少一类" in error.expected.zh


def test_the_place_counts_without_the_houses_criteria() -> None:
    few = Counts(rows=5000, positives=290, groups={"gender": (1, 289)})
    with pytest.raises(InputError) as caught:
        check(make_plan(), few, TEXT)
    assert caught.value.place.field == "stages[3].criteria[0].threshold"
    assert TEXT.decode().splitlines()[caught.value.place.line - 1] == "threshold = 0.20"


def test_what_can_be_decided_passes() -> None:
    check(make_plan(), MANY, TEXT)


def test_spending_less_alpha_needs_more() -> None:
    stages = plan_stages(SCENARIO, {"sample": 7000, "hidden": 5000})
    whole = {one.criterion.id: one.needs for one in forecast(stages, MANY, Decimal(1))}
    tenth = {one.criterion.id: one.needs for one in forecast(stages, MANY, Decimal("0.1"))}
    assert all((tenth[name] or 0) > (whole[name] or 0) for name in ("auroc", "sensitivity_gap", "latency_p99"))


@settings(max_examples=60)
@given(
    measure=st.sampled_from(["accuracy", "sensitivity", "specificity"]),
    op=st.sampled_from([">=", "<="]),
    threshold=st.decimals("0.000001", "0.999999", places=6),
    margin=st.decimals("0", "0.4", places=6),
)
def test_any_sound_rate_can_be_forecast_quickly(measure: str, op: str, threshold: Decimal, margin: Decimal) -> None:
    """Down to margins whose exact size would be looked for until tomorrow."""
    better = threshold + margin if op == ">=" else threshold - margin
    if not Decimal("0.000001") <= better <= Decimal("0.999999"):
        return
    plan = only(
        make_plan(),
        "brier",
        id="rate",
        measure=measure,
        method="clopper-pearson/1",
        op=op,
        threshold=threshold,
        margin=margin,
    )
    found = [one for one in forecast(plan.stages, MANY, Decimal(1)) if one.criterion.id == "rate"]
    assert found[0].needs is None or found[0].needs > 0


@settings(max_examples=25)
@given(positives=st.integers(0, 150), negatives=st.integers(0, 150))
def test_decidable_means_that_a_perfect_candidate_is_held(positives: int, negatives: int) -> None:
    """And not decidable, that not even a perfect one is."""
    rows = positives + negatives
    positive = (np.arange(rows) < positives).astype(np.uint8)
    group = (np.arange(rows) % 2).astype(np.int32)
    counts = Counts(
        rows=rows,
        positives=positives,
        groups={"gender": (int((group[:positives] == 0).sum()), int(group[:positives].sum()))},
    )
    perfect = make_items(positive, positive.astype(float), positive.astype(float), group)
    for name in ("auroc", "brier", "sensitivity_gap"):
        plan = only(make_plan(rows), name)
        found = next(one for one in forecast(plan.stages, counts, Decimal(1)) if one.criterion.id == name)
        judged = judge(plan, make_evidence(plan, perfect), "full")
        held = next(one for one in judged.findings if one.criterion == name).answer == "held"
        assert held == found.decidable, name


def test_stages_without_rated_criteria_need_nothing() -> None:
    bare = tuple(
        msgspec.structs.replace(stage, criteria=tuple(one for one in stage.criteria if one.method == OBSERVED))
        for stage in make_plan().stages
    )
    assert all(one.decidable for one in forecast(bare, Counts(rows=0, positives=0, groups={}), Decimal(1)))
