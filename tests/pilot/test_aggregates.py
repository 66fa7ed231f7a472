from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.foundation.text import Text
from pilotbase.pilot.aggregates import MOST_BINS, MOST_KNOTS, SMALLEST, Aggregates, aggregate
from pilotbase.pilot.document import read_json, to_bytes
from pilotbase.pilot.measurement import CANDIDATE, DATA, OK, PLATFORM, StageEvidence
from pilotbase.pilot.measures import Items, measure_items, measure_latency
from pilotbase.pilot.plan import Plan, PlannedStage
from pilotbase.pilot.scenario import Criterion

WORDS = ("female", "male", "other")


def criterion(measure: str, **more) -> Criterion:
    return Criterion(
        id=measure,
        text=Text(zh=measure, en=measure),
        measure=measure,
        method="m/1",
        op=">=",
        threshold=Decimal(0),
        **more,
    )


CRITERIA = (criterion("auroc"), criterion("brier"), criterion("sensitivity_gap", group="sex"))


def make_plan(criteria=CRITERIA) -> Plan:
    """Return the parts of a plan that aggregates read: stages and the words of the groups."""
    stages = tuple(
        PlannedStage(name=name, split="hidden", rows=1, criteria=own, proceed=True)
        for name, own in (("effectiveness", criteria), ("efficiency", (criterion("latency"),)))
    )
    return cast("Plan", SimpleNamespace(stages=stages, words=SimpleNamespace(groups={"sex": WORDS})))


def evidence_of(score, positive, *, status=None, sex=None, decision=None, seconds=(), criteria=CRITERIA):
    rows = len(score)
    items = Items(
        ids=np.zeros(rows, dtype="V16"),
        status=np.zeros(rows, dtype=np.uint8) if status is None else np.asarray(status, dtype=np.uint8),
        positive=np.asarray(positive, dtype=np.uint8),
        answers={
            "score": np.asarray(score, dtype=np.float64),
            "decision": np.zeros(rows) if decision is None else np.asarray(decision, dtype=np.float64),
        },
        groups={"sex": np.zeros(rows, dtype=np.int32) if sex is None else np.asarray(sex, dtype=np.int32)},
    )
    timed = np.asarray(seconds, dtype=np.float64)
    return (
        StageEvidence(stage="effectiveness", records=measure_items("effectiveness", criteria, items)),
        StageEvidence(
            stage="efficiency",
            records=measure_latency("efficiency", timed, np.full(len(timed), OK, dtype=np.uint8)),
        ),
    )


def steps(found: Aggregates) -> list[tuple[int, int]]:
    """Return positives and negatives between neighbouring knots, counted back from the shares."""
    roc = found.roc
    up = [round(float(knot.detected) * roc.positives) for knot in roc.knots]
    across = [round(float(knot.false_alarms) * roc.negatives) for knot in roc.knots]
    return list(zip(np.diff(up), np.diff(across), strict=True))


SIZES = st.integers(0, 700)
LEVELS = st.sampled_from([1, 2, 3, 7, 40, 10**6])  # how many distinct scores: few levels are many ties


@settings(max_examples=150, deadline=None)
@given(rows=SIZES, share=st.floats(0, 1), levels=LEVELS, skill=st.floats(-1, 1), seed=st.integers(0, 2**32 - 1))
def test_no_step_and_no_bin_is_smaller_than_it_may_be(rows, share, levels, skill, seed):
    rng = np.random.default_rng(seed)
    positive = rng.random(rows) < share
    score = np.floor(levels * np.clip(rng.random(rows) + skill * positive, 0, 0.999)) / levels
    status = rng.choice([OK, CANDIDATE, PLATFORM, DATA], size=rows, p=[0.9, 0.04, 0.03, 0.03])
    found = aggregate(make_plan(), evidence_of(score, positive, status=status))

    counted = (status == OK) | (status == CANDIDATE)
    if found.roc.absent is None:
        assert 3 <= len(found.roc.knots) <= MOST_KNOTS
        assert all(up >= SMALLEST and across >= SMALLEST for up, across in steps(found))
        assert (found.roc.knots[0].detected, found.roc.knots[0].false_alarms) == ("0.000000", "0.000000")
        assert (found.roc.knots[-1].detected, found.roc.knots[-1].false_alarms) == ("1.000000", "1.000000")
        assert (found.roc.positives, found.roc.negatives) == (positive[counted].sum(), (~positive[counted]).sum())
    else:
        assert not found.roc.knots
        assert found.roc.positives == found.roc.negatives == 0  # a missing picture tells no count either
    if found.reliability.absent is None:
        assert all(one.rows >= SMALLEST for one in found.reliability.bins)
        assert sum(one.rows for one in found.reliability.bins) == counted.sum()
        stated = [float(one.stated) for one in found.reliability.bins]
        assert stated == sorted(stated)
        assert 2 <= len(stated) <= max(MOST_BINS, MOST_KNOTS - 1)


@settings(max_examples=60, deadline=None)
@given(rows=st.integers(80, 900), levels=LEVELS, seed=st.integers(0, 2**32 - 1))
def test_two_pictures_of_the_same_rows_share_their_cuts(rows, levels, seed):
    """Were the cuts different, subtracting one picture from the other would tell of fewer than 20 rows."""
    rng = np.random.default_rng(seed)
    positive = rng.random(rows) < 0.4
    score = np.floor(levels * np.clip(rng.random(rows) + 0.2 * positive, 0, 0.999)) / levels
    found = aggregate(make_plan(), evidence_of(score, positive))
    if found.roc.absent is None:
        bins = [(round(float(one.observed) * one.rows), one.rows) for one in reversed(found.reliability.bins)]
        assert bins == [(up, up + across) for up, across in steps(found)]


@settings(max_examples=80, deadline=None)
@given(rows=st.integers(0, 300), shares=st.tuples(*[st.floats(0.01, 1)] * 4), seed=st.integers(0, 2**32 - 1))
def test_no_group_bar_is_smaller_than_it_may_be(rows, shares, seed):
    rng = np.random.default_rng(seed)
    sex = rng.choice([-1, 0, 1, 2], size=rows, p=np.array(shares) / sum(shares))
    positive, decision = rng.random(rows) < 0.6, rng.random(rows) < 0.7
    (group,) = aggregate(make_plan(), evidence_of(np.zeros(rows), positive, sex=sex, decision=decision)).groups
    if group.absent is None:
        assert all(bar.total >= SMALLEST for bar in group.bars)
        assert sorted(word for bar in group.bars for word in bar.words) == sorted(WORDS)
        assert sum(bar.total for bar in group.bars) == (positive & (sex >= 0)).sum()
        assert sum(bar.hits for bar in group.bars) == (positive & decision & (sex >= 0)).sum()
    else:
        assert not group.bars


def test_the_coarse_roc_lies_on_the_exact_one():
    rng = np.random.default_rng(7)
    positive = rng.random(4000) < 0.07
    score = np.round(np.clip(rng.normal(0.3 + 0.25 * positive, 0.15), 0, 1), 2)
    roc = aggregate(make_plan(), evidence_of(score, positive)).roc
    exact = {
        (f"{(score[~positive] >= cut).mean():.6f}", f"{(score[positive] >= cut).mean():.6f}")
        for cut in np.unique(score)
    } | {("0.000000", "0.000000")}
    assert {(knot.false_alarms, knot.detected) for knot in roc.knots} <= exact
    assert len(roc.knots) > 8


def test_many_rows_still_give_at_most_twenty_knots_evenly_along_the_way():
    rng = np.random.default_rng(3)
    positive = rng.random(200_000) < 0.5
    found = aggregate(make_plan(), evidence_of(rng.normal(size=200_000) + positive, positive))
    assert MOST_KNOTS - 2 <= len(found.roc.knots) <= MOST_KNOTS


@pytest.mark.parametrize(("positives", "negatives"), [(19, 500), (500, 19), (39, 500), (0, 500), (500, 0)])
def test_too_few_of_one_class_give_no_roc_and_say_why(positives, negatives):
    positive = np.r_[np.ones(positives), np.zeros(negatives)]
    found = aggregate(make_plan(), evidence_of(np.linspace(0, 1, len(positive)), positive))
    assert found.roc.absent is not None
    assert "20" in found.roc.absent.en
    assert "20" in found.roc.absent.zh
    assert found.reliability.bins  # its own cuts, at least 20 rows each
    assert len(found.reliability.bins) <= MOST_BINS


def test_one_tied_score_gives_no_picture():
    found = aggregate(make_plan(), evidence_of(np.full(500, 0.3), np.arange(500) % 2))
    assert found.roc.absent is not None
    assert found.reliability.absent is not None


def test_a_failed_answer_enters_the_pictures_as_the_worst_one():
    positive = np.r_[np.ones(100), np.zeros(100)]
    failed = np.full(200, CANDIDATE)
    found = aggregate(make_plan(), evidence_of(np.full(200, np.nan), positive, status=failed))
    assert found.roc.absent is not None  # two rungs only: all positives at 0, all negatives at 1
    mixed = np.r_[np.full(50, CANDIDATE), np.full(150, OK)]
    found = aggregate(
        make_plan(), evidence_of(np.r_[np.full(50, np.nan), np.linspace(1, 0, 150)], positive, status=mixed)
    )
    assert float(found.reliability.bins[0].stated) < 0.3
    assert sum(one.rows for one in found.reliability.bins) == 200


def test_small_groups_stand_together():
    sex = np.r_[np.full(60, 0), np.full(15, 1), np.full(5, 2), np.full(9, -1)]
    decision = np.r_[np.ones(30), np.zeros(30), np.ones(15), np.zeros(14)]
    (group,) = aggregate(make_plan(), evidence_of(np.zeros(89), np.ones(89), sex=sex, decision=decision)).groups
    assert [(bar.words, bar.hits, bar.total) for bar in group.bars] == [
        (("female",), 30, 60),
        (("male", "other"), 15, 20),
    ]


def test_a_group_that_stays_small_takes_the_next_smallest_with_it():
    sex = np.r_[np.full(60, 0), np.full(25, 1), np.full(5, 2)]
    (group,) = aggregate(make_plan(), evidence_of(np.zeros(90), np.ones(90), sex=sex)).groups
    assert [(bar.words, bar.total) for bar in group.bars] == [(("female",), 60), (("male", "other"), 30)]
    sex = np.r_[np.full(60, 0), np.full(5, 1)]
    (group,) = aggregate(make_plan(), evidence_of(np.zeros(65), np.ones(65), sex=sex)).groups
    assert group.absent is not None


def test_latency_tells_quantiles_and_never_the_largest():
    found = aggregate(make_plan(), evidence_of([], [], seconds=np.arange(1, 501) / 1000)).latency
    assert [(point.percent, point.seconds) for point in found.points] == [
        (50, "0.250000"), (90, "0.450000"), (99, "0.495000"),
    ]  # fmt: skip
    assert found.requests == 500
    short = aggregate(make_plan(), evidence_of([], [], seconds=np.arange(1, 51) / 1000)).latency
    assert [point.percent for point in short.points] == [50, 90]  # the 99 % point would be the largest
    assert aggregate(make_plan(), evidence_of([], [], seconds=[0.1] * 19)).latency.absent is not None


def test_a_request_without_answer_has_no_time():
    found = aggregate(make_plan(), evidence_of([], [], seconds=np.r_[np.full(60, 0.01), np.full(40, np.inf)])).latency
    assert [(point.percent, point.seconds) for point in found.points] == [(50, "0.010000"), (90, None), (99, None)]


def test_what_was_not_asked_and_what_was_not_run_are_told_apart():
    nothing = (
        StageEvidence(stage="effectiveness", skipped=Text(zh="略", en="left out")),
        StageEvidence(stage="efficiency", skipped=Text(zh="略", en="left out")),
    )
    found = aggregate(make_plan(), nothing)
    assert {one.absent.en for one in (found.roc, found.reliability, found.latency, found.groups[0])} == {
        "The stage that would show it was not run."
    }
    found = aggregate(make_plan(criteria=(criterion("accuracy"),)), nothing)
    assert {one.absent.en for one in (found.roc, found.reliability)} == {"The plan does not ask for it."}
    assert found.groups == ()


def test_the_document_comes_back_as_it_was_written():
    rng = np.random.default_rng(5)
    found = aggregate(make_plan(), evidence_of(rng.random(600), rng.random(600) < 0.4, seconds=rng.random(200)))
    assert read_json(to_bytes(found), Aggregates, "aggregates.json") == found
