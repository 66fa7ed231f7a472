"""What the whole says: accepted only if all is held, never rounded, and wrong at most as often as promised."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from samples import a_good_candidate, make_evidence, make_items, make_plan, only

from pilotbase.foundation.errors import InputError
from pilotbase.foundation.text import Text
from pilotbase.pilot.measurement import CANDIDATE, OK, PLATFORM, StageEvidence
from pilotbase.pilot.measures import Items
from pilotbase.pilot.verdict import Judgement, judge
from pilotbase.stats.intervals import binomial_tail


def answers(judgement: Judgement) -> dict[str, str]:
    return {finding.criterion: finding.answer for finding in judgement.findings}


def test_a_good_candidate_is_accepted_with_the_weakest_grade() -> None:
    judged = judge(make_plan(), make_evidence(make_plan(), a_good_candidate()), "full")
    assert judged.outcome == "accepted"
    assert judged.reasons == ()
    assert judged.grade == "asymptotic"
    assert set(answers(judged).values()) == {"held"}
    assert len(judged.findings) == 12


def test_no_isolation_decides_nothing_whatever_the_numbers() -> None:
    judged = judge(make_plan(), make_evidence(make_plan(), a_good_candidate()), "none")
    assert judged.outcome == "undecided"
    assert "isolation" in judged.reasons[0].en


def test_one_refused_finding_rejects() -> None:
    judged = judge(make_plan(), make_evidence(make_plan(), a_good_candidate(), licence_known="0"), "full")
    assert judged.outcome == "rejected"
    assert answers(judged)["licence_known"] == "refused"


def test_what_is_not_shown_is_undecided_and_says_how_much_more() -> None:
    few = make_plan(400)
    judged = judge(few, make_evidence(few, a_good_candidate(400)), "full")
    assert judged.outcome == "undecided"
    gap = next(one for one in judged.findings if one.criterion == "sensitivity_gap")
    assert gap.answer == "not_shown"


def test_a_candidate_that_falls_silent_gains_nothing() -> None:
    items = a_good_candidate()
    status = np.where(np.arange(len(items.positive)) % 2 == 0, CANDIDATE, OK).astype(np.uint8)
    silent = make_items(
        items.positive, items.answers["score"], items.answers["decision"], items.groups["gender"], status
    )
    judged = judge(make_plan(), make_evidence(make_plan(), silent), "full")
    assert judged.outcome == "rejected"
    finding = next(one for one in judged.findings if one.criterion == "auroc")
    assert finding.counts["candidate_failures"] == len(status) // 2
    assert finding.counts["invalid"] == 0


def test_too_many_invalid_items_decide_nothing() -> None:
    items = a_good_candidate()
    status = np.where(np.arange(len(items.positive)) < 100, PLATFORM, OK).astype(np.uint8)
    spoilt = make_items(
        items.positive, items.answers["score"], items.answers["decision"], items.groups["gender"], status
    )
    judged = judge(make_plan(), make_evidence(make_plan(), spoilt), "full")
    assert judged.outcome == "undecided"
    assert "invalid_items" in judged.reasons[0].en


def test_a_few_invalid_items_are_left_out_and_counted() -> None:
    items = a_good_candidate()
    status = np.where(np.arange(len(items.positive)) < 50, PLATFORM, OK).astype(np.uint8)
    spoilt = make_items(
        items.positive, items.answers["score"], items.answers["decision"], items.groups["gender"], status
    )
    judged = judge(make_plan(), make_evidence(make_plan(), spoilt), "full")
    assert judged.outcome == "accepted"
    assert {finding.counts["invalid"] for finding in judged.findings if finding.criterion == "brier"} == {50}


def test_a_stage_that_was_not_run_is_said_with_its_reason() -> None:
    plan = make_plan()
    evidence = list(make_evidence(plan, a_good_candidate()))
    evidence[4] = StageEvidence(stage="efficiency", skipped=Text(zh="机器停电", en="the power failed"))
    judged = judge(plan, evidence, "full")
    assert judged.outcome == "undecided"
    assert "the power failed" in judged.reasons[0].en


def test_evidence_of_other_stages_is_refused() -> None:
    with pytest.raises(InputError):
        judge(make_plan(), make_evidence(make_plan(), a_good_candidate())[:3], "full")


def test_beta_is_shared_among_the_rated_criteria_of_the_whole_plan() -> None:
    judged = judge(make_plan(), make_evidence(make_plan(), a_good_candidate()), "full")
    assert {finding.beta for finding in judged.findings if finding.beta} == {"0.05/4"}


def test_one_class_decides_nothing() -> None:
    items = a_good_candidate()
    none = make_items(
        np.zeros_like(items.positive), items.answers["score"], items.answers["decision"], items.groups["gender"]
    )
    judged = judge(make_plan(), make_evidence(make_plan(), none), "full")
    assert answers(judged)["auroc"] == "not_shown"
    assert answers(judged)["sensitivity_gap"] == "not_shown"


def _auroc_at_the_bar(rng: np.random.Generator, rows: int) -> Items:
    """Binormal scores whose true AUROC is exactly .73: a shift of sqrt(2) times the normal quantile of .73."""
    positive = (np.arange(rows) < 290).astype(np.uint8)
    raw = rng.normal(size=rows) + positive * 0.8666236
    return make_items(positive, 1 / (1 + np.exp(-raw)), np.ones(rows), np.zeros(rows, dtype=np.int32))


def _brier_at_the_bar(rng: np.random.Generator, rows: int) -> Items:
    """A constant score of .06 + 1/2 - ... would be exact too; here p(1 - p) = .06 for an honest constant p."""
    chance = (1 - np.sqrt(1 - 4 * 0.06)) / 2
    positive = (rng.random(rows) < chance).astype(np.uint8)
    return make_items(positive, np.full(rows, chance), np.ones(rows), np.zeros(rows, dtype=np.int32))


def _gap_at_the_bar(rng: np.random.Generator, rows: int) -> Items:
    """145 positives a sex, found with chances .83 and .63."""
    positive = (np.arange(rows) < 290).astype(np.uint8)
    group = (np.arange(rows) % 2).astype(np.int32)
    decision = (rng.random(rows) < np.where(group == 0, 0.83, 0.63)).astype(float)
    return make_items(positive, np.full(rows, 0.5), decision, group)


def _sensitivity_at_the_bar(rng: np.random.Generator, rows: int) -> Items:
    positive = (np.arange(rows) < 290).astype(np.uint8)
    return make_items(
        positive, np.full(rows, 0.5), (rng.random(rows) < 0.7).astype(float), np.zeros(rows, dtype=np.int32)
    )


SIMULATED = 2000
AT_THE_BAR = {
    "auroc": (_auroc_at_the_bar, {}),
    "brier": (_brier_at_the_bar, {}),
    "sensitivity_gap": (_gap_at_the_bar, {}),
    "sensitivity": (_sensitivity_at_the_bar, {"threshold": "0.7"}),
}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["auroc", "brier", "sensitivity_gap", "sensitivity", "latency_p99"])
def test_a_candidate_exactly_at_the_bar_is_rarely_accepted(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """2,000 simulated sets of measurements: wrong accepts not significantly above alpha (binomial test, 1 %)."""
    plan = _plan_for(name)
    rng = np.random.default_rng(20261123)
    accepted = 0
    for _ in range(SIMULATED):
        items = AT_THE_BAR[name][0](rng, 5590) if name in AT_THE_BAR else a_good_candidate(300)
        seconds = None if name != "latency_p99" else np.where(rng.random(500) < 0.01, 0.2, 0.05)
        accepted += judge(plan, make_evidence(plan, items, seconds), "full").outcome == "accepted"
    with capsys.disabled():
        print(f"\n{name}: {accepted} of {SIMULATED} wrong accepts, {accepted / SIMULATED:.4f}")
    assert binomial_tail(accepted, SIMULATED, 0.05) > 0.01


def _plan_for(name: str):
    plan = make_plan(5590)
    if name != "sensitivity":
        return only(plan, name)
    whole = only(plan, "brier", id="sensitivity", measure="sensitivity", method="clopper-pearson/1", op=">=")
    stages = [
        msgspec.structs.replace(
            stage,
            criteria=tuple(
                msgspec.structs.replace(one, threshold=msgspec.convert("0.7", type(one.threshold)))
                if one.id == "sensitivity"
                else one
                for one in stage.criteria
            ),
        )
        for stage in whole.stages
    ]
    return msgspec.structs.replace(whole, stages=tuple(stages))
