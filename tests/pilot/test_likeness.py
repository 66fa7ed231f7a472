"""Likeness: numbers decide, words may be put better, and one unit in the last place is no difference."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from samples import a_good_candidate, make_evidence, make_plan

from pilotbase.foundation.text import Text
from pilotbase.pilot.likeness import follows, not_planned, unlike
from pilotbase.pilot.measurement import StageEvidence
from pilotbase.pilot.verdict import Finding, Judgement, judge

PLAN = make_plan()
JUDGED = judge(PLAN, make_evidence(PLAN, a_good_candidate()), "full")
AUROC = (2, 0)
replaced = msgspec.structs.replace


def with_finding(place: tuple[int, int], **changes: Any) -> Judgement:
    stage = JUDGED.stages[place[0]]
    findings = list(stage.findings)
    findings[place[1]] = replaced(findings[place[1]], **changes)
    stages = list(JUDGED.stages)
    stages[place[0]] = replaced(stage, findings=tuple(findings))
    return replaced(JUDGED, stages=tuple(stages))


def finding(place: tuple[int, int] = AUROC) -> Finding:
    return JUDGED.stages[place[0]].findings[place[1]]


def moved(text: str | None, units: int) -> str:
    assert text is not None
    return f"{float(text) + units / 1e6:.6f}"


def test_a_judgement_is_like_itself() -> None:
    assert not_planned(PLAN, JUDGED) is None
    assert unlike(JUDGED, JUDGED) is None


def test_words_for_people_may_be_put_better_by_a_later_release() -> None:
    better = with_finding(AUROC, sentence=Text(zh="更好的话", en="better words"), needs=7)
    assert unlike(better, JUDGED) is None
    assert unlike(replaced(JUDGED, reasons=(Text(zh="因", en="why"),)), JUDGED) is None


@pytest.mark.parametrize("name", ["estimate", "lower", "upper"])
@pytest.mark.parametrize("units", [-1, 1])
def test_one_unit_in_the_sixth_decimal_is_tolerated(name: str, units: int) -> None:
    assert unlike(with_finding(AUROC, **{name: moved(getattr(finding(), name), units)}), JUDGED) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"answer": "refused"},
        {"estimate": moved(finding().estimate, 2)},
        {"lower": moved(finding().lower, -2)},
        {"upper": moved(finding().upper, 2)},
        {"upper": None},
        {"lower": "NaN"},
        {"lower": "many"},
        {"lower": "1e-1"},
        {"counts": finding().counts | {"n": 1}},
        {"counts": {}},
    ],
)
def test_any_number_that_differs_is_named_in_both_languages(changes: dict[str, Any]) -> None:
    fault = unlike(with_finding(AUROC, **changes), JUDGED)
    assert fault is not None
    assert "auroc" in fault.en
    assert "auroc" in fault.zh


def test_groups_are_compared_one_by_one() -> None:
    part = JUDGED.stages[3].findings[0].parts
    swapped = with_finding((3, 0), parts=part[::-1])
    assert unlike(swapped, JUDGED) is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "betting-iid/1"},
        {"op": "<="},
        {"threshold": "0.70"},
        {"threshold": "x"},
        {"grade": "exact"},
        {"criterion": "other"},
        {"stage": "fairness"},
    ],
)
def test_a_finding_answers_the_plans_criterion(changes: dict[str, Any]) -> None:
    assert not_planned(PLAN, with_finding(AUROC, **changes)) is not None


def test_a_bar_may_be_written_with_more_zeros() -> None:
    assert not_planned(PLAN, with_finding(AUROC, threshold="0.7300")) is None


def test_stages_and_findings_are_the_plans() -> None:
    assert not_planned(PLAN, replaced(JUDGED, stages=JUDGED.stages[:4])) is not None
    assert not_planned(PLAN, replaced(JUDGED, stages=JUDGED.stages[::-1])) is not None
    short = replaced(JUDGED.stages[2], findings=JUDGED.stages[2].findings[:1])
    assert not_planned(PLAN, replaced(JUDGED, stages=(*JUDGED.stages[:2], short, *JUDGED.stages[3:]))) is not None
    idle = replaced(JUDGED.stages[4], ran=False)  # not run, and yet with findings
    assert not_planned(PLAN, replaced(JUDGED, stages=(*JUDGED.stages[:4], idle))) is not None
    assert not_planned(PLAN, replaced(JUDGED, grade="exact")) is not None


def test_whether_a_stage_was_run_is_compared() -> None:
    dark = StageEvidence(stage="efficiency", skipped=Text(zh="停电", en="dark"))
    other = judge(PLAN, (*make_evidence(PLAN, a_good_candidate())[:4], dark), "full")
    assert unlike(other, JUDGED) is not None
    assert unlike(JUDGED, other) is not None


@pytest.mark.parametrize(
    ("outcome", "level", "agrees"),
    [("accepted", "full", True), ("accepted", "none", False), ("rejected", "full", False), ("undecided", "none", True)],
)
def test_an_outcome_follows_from_the_answers_listed(outcome: str, level: str, agrees: bool) -> None:  # noqa: FBT001
    assert follows(PLAN, replaced(JUDGED, outcome=outcome), level) == agrees


def test_a_refusal_lets_nothing_but_a_rejection_follow() -> None:
    refused = with_finding(AUROC, answer="refused")
    assert follows(PLAN, replaced(refused, outcome="rejected"), "full")
    assert not follows(PLAN, replaced(refused, outcome="accepted"), "full")
    assert not follows(PLAN, replaced(refused, outcome="rejected"), "none")
    idle = replaced(JUDGED, stages=(*JUDGED.stages[:4], replaced(JUDGED.stages[4], ran=False)))
    assert not follows(PLAN, replaced(idle, outcome="accepted"), "full")
