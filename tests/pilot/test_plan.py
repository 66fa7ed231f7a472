"""The plan: the scenario's stages with the house's criteria put in, and what shows how many rows."""

from __future__ import annotations

import msgspec
from samples import SCENARIO, make_plan

from pilotbase.pilot.plan import CONFORMANCE, INTAKE, OBSERVED, plan_stages, rated
from pilotbase.pilot.scenario import Stage


def test_the_house_asks_its_own_at_intake_and_conformance() -> None:
    stages = plan_stages(SCENARIO, {"sample": 7000, "hidden": 5000})
    assert stages[0].criteria == INTAKE
    assert stages[1].criteria == CONFORMANCE
    assert [stage.criteria for stage in stages[2:]] == [stage.criteria for stage in SCENARIO.stages[2:]]
    assert [stage.proceed for stage in stages] == [stage.proceed for stage in SCENARIO.stages]


def test_each_stage_shows_its_split() -> None:
    stages = plan_stages(SCENARIO, {"sample": 7000, "hidden": 5000})
    assert [(stage.name, stage.split, stage.rows) for stage in stages] == [
        ("intake", "none", 0),
        ("conformance", "sample", 2 * SCENARIO.contract.batch_rows),
        ("effectiveness", "hidden", 5000),
        ("fairness", "none", 0),
        ("efficiency", "sample", 7000),
    ]


def test_a_small_sample_is_shown_whole_at_conformance() -> None:
    assert plan_stages(SCENARIO, {"sample": 3, "hidden": 5})[1].rows == 3


def test_m_counts_what_carries_an_error_rate() -> None:
    plan = make_plan()
    methods = [one.method for stage in plan.stages for one in stage.criteria]
    assert plan.rated == rated(plan.stages) == len(methods) - methods.count(OBSERVED) == 4


def test_a_scenario_without_a_stage_plans_none() -> None:
    bare = msgspec.structs.replace(SCENARIO, stages=(Stage(name="intake"),))
    assert [stage.name for stage in plan_stages(bare, {"sample": 1, "hidden": 1})] == ["intake"]
