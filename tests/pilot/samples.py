"""Plans and measurements for the tests of the pilot, made from the first pack's own scenario."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotbase.foundation.digests import sha256
from pilotbase.pilot.document import read_toml
from pilotbase.pilot.measurement import OK, Fact, StageEvidence
from pilotbase.pilot.measures import Items, measure_items, measure_latency
from pilotbase.pilot.plan import Named, Order, Plan, Words, plan_stages
from pilotbase.pilot.scenario import Criterion, Scenario

PACK = Path(__file__).parents[2] / "src/pilotbase/sectors/healthcare/covid_test_triage/scenario.toml"
SCENARIO = read_toml(PACK.read_bytes(), Scenario, "scenario.toml")
ROWS = 5600
PASSED = {
    "inputs_served": "0",
    "licence_known": "1",
    "requirements_locked": "0",
    "answers_not_brought": "0",
    "pickles_unsuspicious": "0",
}


def make_plan(rows: int = ROWS) -> Plan:
    """Return the plan of the first pack, unsigned."""
    digest = sha256(b"")
    named = Named(name="some@1.0.0", digest=digest)
    return Plan(
        schema=Plan.SCHEMA,
        pilot="019ab1c2-7d3e-7f00-8a11-2b3c4d5e6f70",
        sealed_at="2026-11-23T08:15:00.000000Z",
        scenario=Named(name=SCENARIO.name, digest=sha256(PACK.read_bytes())),
        candidate=named,
        candidate_text=digest,
        kind="predict",
        sector=SCENARIO.sector,
        action_area=SCENARIO.action_area,
        verifies=SCENARIO.verifies,
        stages=plan_stages(SCENARIO, {"sample": 7000, "diagnostic": 1400, "hidden": rows}),
        words=Words(unit=SCENARIO.unit, positive=SCENARIO.positive, groups={"gender": ("female", "male")}),
        order=Order(commitment=digest, rows=rows),
        attempt=1,
        alpha_spent=Decimal(1),
        looks=1,
        max_invalid=SCENARIO.max_invalid,
        disclosure="full",
        data_public=True,
        isolation=("full",),
        limits=SCENARIO.limits,
        batch_rows=256,
        valid_for="365 day",
        agreement=None,
        policies=(),
        plugins=(),
        software=named,
        environment=named,
        anchor="",
        signatures_wanted=("base",),
    )


def only(plan: Plan, name: str, **changes: object) -> Plan:
    """Return the plan with one rated criterion left, changed as said: what is judged is that criterion alone."""
    stages = []
    for stage in plan.stages:
        kept = [msgspec.structs.replace(one, **changes) for one in stage.criteria if one.id == name]
        house = [one for one in stage.criteria if stage.name in {"intake", "conformance"}]
        stages.append(msgspec.structs.replace(stage, criteria=tuple(house + kept)))
    return msgspec.structs.replace(plan, stages=tuple(stages))


def make_items(
    positive: NDArray[np.uint8],
    score: NDArray[np.float64],
    decision: NDArray[np.float64],
    group: NDArray[np.int32],
    status: NDArray[np.uint8] | None = None,
) -> Items:
    """Put arrays together as items, ids 0, 1, 2, ..."""
    rows = len(positive)
    ids = np.frombuffer(b"".join(number.to_bytes(16, "big") for number in range(rows)), dtype="V16")
    return Items(
        ids=ids,
        status=np.full(rows, OK, dtype=np.uint8) if status is None else status,
        positive=positive,
        answers={"score": score, "decision": decision},
        groups={"gender": group},
    )


def criteria_of(plan: Plan, *stages: str) -> tuple[Criterion, ...]:
    """Return the criteria of some stages."""
    return tuple(one for stage in plan.stages if stage.name in stages for one in stage.criteria)


def make_evidence(
    plan: Plan, items: Items, seconds: NDArray[np.float64] | None = None, **facts: str
) -> tuple[StageEvidence, ...]:
    """Return evidence of all stages: intake and conformance as ``facts`` say, else passed."""
    values = PASSED | {"replies_conform": "0", "rows_per_second": "20000", "peak_memory": "100000000"} | facts
    took = np.full(500, 0.002) if seconds is None else seconds

    def some(*names: str) -> tuple[Fact, ...]:
        return tuple(Fact(measure=name, value=values[name], unit="1") for name in names)

    shared = criteria_of(plan, "effectiveness", "fairness")
    return (
        StageEvidence(stage="intake", facts=some(*PASSED)),
        StageEvidence(stage="conformance", facts=some("replies_conform")),
        StageEvidence(stage="effectiveness", records=measure_items("effectiveness", shared, items)),
        StageEvidence(stage="fairness"),
        StageEvidence(
            stage="efficiency",
            records=measure_latency("efficiency", took, np.full(len(took), OK, dtype=np.uint8)),
            facts=some("rows_per_second", "peak_memory"),
        ),
    )


def a_good_candidate(rows: int = ROWS, seed: int = 1) -> Items:
    """Draw a candidate that ranks well (AUROC about .86), states honest probabilities and treats groups alike."""
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=rows)
    chance = 1 / (1 + np.exp(3.6 - 1.7 * signal))
    positive = (rng.random(rows) < chance).astype(np.uint8)
    return make_items(positive, chance, (chance > 0.04).astype(float), rng.integers(0, 2, rows).astype(np.int32))
