"""Realistic pilots for the report's tests: synthetic records, judged by ``pilot.verdict.judge`` itself."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from pilotbase.foundation.digests import sha256
from pilotbase.foundation.text import Text
from pilotbase.pilot.aggregates import aggregate
from pilotbase.pilot.candidate import Candidate
from pilotbase.pilot.document import read_toml
from pilotbase.pilot.measurement import OK, PLATFORM, Fact, StageEvidence, outcome_digest
from pilotbase.pilot.measures import Items, measure_items, measure_latency
from pilotbase.pilot.plan import Named, Order, Plan, Words, plan_stages
from pilotbase.pilot.scenario import Scenario
from pilotbase.pilot.trace import Environment, Isolation, Layer, Usage
from pilotbase.pilot.verdict import Judgement, Verdict, judge, judge_stage
from pilotbase.report.contents import Contents, Rehearsal, Signer

DOCUMENTS = Path(__file__).parent / "documents"
SCENARIO = read_toml((DOCUMENTS / "scenario.toml").read_bytes(), Scenario, "scenario.toml")
CANDIDATE = read_toml((DOCUMENTS / "candidate.toml").read_bytes(), Candidate, "candidate.toml")
PILOT = "019ab1c2-7d3e-7f00-8a11-2b3c4d5e6f70"
ROWS = {"sample": 6100, "diagnostic": 1100, "hidden": 4612}
Story = Literal["accepted", "rejected", "undecided", "intake", "not isolated", "spoilt"]
STORIES: tuple[Story, ...] = ("accepted", "rejected", "undecided", "intake", "not isolated", "spoilt")


def digest(text: str) -> str:
    return sha256(text.encode())


def make_plan(rows: int = ROWS["hidden"]) -> Plan:
    return Plan(
        schema=Plan.SCHEMA,
        pilot=PILOT,
        sealed_at="2026-11-23T08:15:00.000000Z",
        scenario=Named(name=SCENARIO.name, digest=digest("scenario")),
        candidate=Named(name=CANDIDATE.name, digest=digest("candidate")),
        candidate_text=digest("candidate.toml"),
        kind="predict",
        sector=SCENARIO.sector,
        action_area=SCENARIO.action_area,
        verifies=SCENARIO.verifies,
        stages=plan_stages(SCENARIO, {**ROWS, "hidden": rows}),
        words=Words(unit=SCENARIO.unit, positive=SCENARIO.positive, groups={"gender": ("female", "male")}),
        order=Order(commitment=digest("order"), rows=rows),
        attempt=1,
        alpha_spent=Decimal(1),
        looks=1,
        max_invalid=SCENARIO.max_invalid,
        disclosure=SCENARIO.disclosure,
        data_public=SCENARIO.data_public,
        isolation=SCENARIO.isolation,
        limits=SCENARIO.limits,
        batch_rows=256,
        valid_for=SCENARIO.valid_for,
        agreement=None,
        policies=(),
        plugins=(Named(name="adapter/python", digest=digest("shim")),),
        software=Named(name="pilotbase@0.1.0", digest=digest("software")),
        environment=Named(name="requirements.lock", digest=digest("lock")),
        anchor="",
        signatures_wanted=("base",),
    )


def make_items(rows: int, skill: float, *, invalid: int = 0) -> Items:
    """Draw subjects whose stated probability is honest and as telling as ``skill`` says."""
    rng = np.random.default_rng(20261123)
    signal, rest = rng.normal(size=rows), rng.normal(size=rows)
    positive = rng.random(rows) < 1 / (1 + np.exp(3.75 - 1.35 * signal))
    mixed = skill * signal + np.sqrt(1 - skill**2) * rest
    score = 1 / (1 + np.exp(3.6 - 1.2 * skill * mixed))
    status = np.full(rows, OK, dtype=np.uint8)
    status[:invalid] = PLATFORM
    return Items(
        ids=np.zeros(rows, dtype="V16"),
        status=status,
        positive=positive.astype(np.uint8),
        answers={"score": score, "decision": (score >= np.quantile(score, 0.7)).astype(np.float64)},
        groups={"gender": rng.integers(0, 2, rows).astype(np.int32)},
    )


def early(*, asks_result: bool = False) -> tuple[StageEvidence, StageEvidence]:
    """Return what intake and conformance leave."""
    detail = Text(
        zh="应用索取“result”列（检测结果），该值在判断时刻之后才知道，不能提供。",
        en='It asks for the column "result" (result of the test), which is known only after the decision.',
    )
    intake = (
        Fact(measure="inputs_served", value=str(int(asks_result)), unit="1", details=(detail,) if asks_result else ()),
        Fact(measure="licence_known", value="1", unit="1"),
        Fact(measure="requirements_locked", value="0", unit="1"),
        Fact(measure="answers_not_brought", value="0", unit="1"),
        Fact(measure="pickles_unsuspicious", value="0", unit="1"),
    )
    conformance = (Fact(measure="replies_conform", value="0", unit="1"),)
    return StageEvidence(stage="intake", facts=intake), StageEvidence(stage="conformance", facts=conformance)


def closed(stage, behind: str, word: str) -> StageEvidence:
    why = Text(zh=f"前面的关口“{word}”没有通过", en=f'the gate of the stage "{behind}" before it did not open')
    return StageEvidence(stage=stage, skipped=why)


def efficiency() -> StageEvidence:
    rng = np.random.default_rng(5)
    seconds = np.round(0.003 + rng.gamma(2.0, 0.0011, 500), 6)
    return StageEvidence(
        stage="efficiency",
        records=measure_latency("efficiency", seconds, np.full(500, OK, dtype=np.uint8)),
        facts=(
            Fact(measure="rows_per_second", value="48210", unit="row/s", timed=True),
            Fact(measure="peak_memory", value="218103808", unit="byte", timed=True),
        ),
    )


def make_evidence(story: Story, plan: Plan, rows: int) -> tuple[StageEvidence, ...]:
    if story == "intake":
        stages = ("conformance", "effectiveness", "fairness", "efficiency")
        return early(asks_result=True)[:1] + tuple(closed(stage, "Intake", "受理") for stage in stages)
    skill = {"rejected": 0.3, "undecided": 0.69}.get(story, 0.97)
    items = make_items(rows, skill, invalid=rows // 20 if story == "spoilt" else 0)
    criteria = tuple(criterion for stage in plan.stages for criterion in stage.criteria)
    run = StageEvidence(stage="effectiveness", records=measure_items("effectiveness", criteria, items))
    if story in {"rejected", "undecided"}:
        return (
            *early(),
            run,
            closed("fairness", "Effectiveness", "有效性"),
            closed("efficiency", "Effectiveness", "有效性"),
        )
    return (*early(), run, StageEvidence(stage="fairness"), efficiency())


def make_isolation(story: Story) -> Isolation:
    if story == "not isolated":
        return Isolation(level="none", layers=(), kernel="6.8.0", bubblewrap="", filter="")
    layers = [
        ("namespaces", "自有的用户、挂载、进程、网络命名空间", "its own user, mount, process and network namespaces"),
        ("network", "没有任何网络接口", "no network interface at all"),
        ("files", "只读挂载，仅有一处限量的临时空间", "read-only mounts and one capped scratch space"),
        ("seccomp", "系统调用按白名单过滤", "system calls filtered by an allow-list"),
        ("limits", "内存、进程数、输出与时间均有上限", "memory, processes, output and time are capped"),
    ]
    told = tuple(Layer(name=name, present=True, required=True, detail=Text(zh=zh, en=en)) for name, zh, en in layers)
    missing = Layer(
        name="cgroup",
        present=False,
        required=False,
        detail=Text(
            zh="本机没有可写的控制组，改由监督进程计量",
            en="no writable control group here; the supervisor meters instead",
        ),
    )
    return Isolation(
        level="full",
        layers=(*told, missing),
        kernel="6.8.0",
        bubblewrap=f"0.11.0 {digest('bwrap')}",
        filter=digest("filter"),
    )


ENVIRONMENT = Environment(
    system="Linux 6.8.0",
    machine="x86_64",
    processor="Intel Xeon Platinum 8375C",
    cores=2,
    python="3.11.9",
    packages={"numpy": "2.2.1", "scipy": "1.15.0", "scikit-learn": "1.6.0", "pilotbase": "0.1.0"},
    variables={"LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"},
)
USAGES = {
    "conformance": Usage(wall="1.842000", cpu="1.610000", memory=193986560, processes=2, stderr=0),
    "effectiveness": Usage(wall="2.310000", cpu="2.020000", memory=218103808, processes=2, stderr=118),
    "efficiency": Usage(wall="6.904000", cpu="6.120000", memory=218103808, processes=2, stderr=0),
}


def make_verdict(plan: Plan, evidence: tuple[StageEvidence, ...], level: Literal["full", "none"]) -> Verdict:
    judgement: Judgement = judge(plan, evidence, level)
    return Verdict(
        schema=Verdict.SCHEMA,
        pilot=plan.pilot,
        plan=digest("plan"),
        scenario=plan.scenario.name,
        candidate=plan.candidate.name,
        judgement=judgement,
        isolation=level,
        outcome_digest=outcome_digest(evidence),
        data_public=plan.data_public,
        issued_at="2026-11-23T08:15:20.500000Z",
        valid_until="2027-11-23T08:15:20.500000Z",
    )


def make_contents(story: Story, rows: int = ROWS["hidden"]) -> Contents:
    plan = make_plan(rows)
    evidence = make_evidence(story, plan, rows)
    isolation = make_isolation(story)
    ran = {one.stage for one in evidence if one.skipped is None}
    return Contents(
        plan=plan,
        plan_digest=digest("plan"),
        verdict=make_verdict(plan, evidence, isolation.level),
        scenario=SCENARIO,
        candidate=CANDIDATE,
        isolation=isolation,
        usages={stage: usage for stage, usage in USAGES.items() if stage in ran},
        environment=ENVIRONMENT,
        aggregates=aggregate(plan, evidence),
        signer=Signer(keyid=digest("key"), owner="示范医疗中试基地"),
    )


def make_rehearsal(story: Story, rows: int = 3000) -> Rehearsal:
    plan = make_plan(rows)
    evidence = make_evidence(story, plan, rows)
    by_stage = {one.stage: one for one in evidence}
    planned = tuple(replace_split(stage) for stage in plan.stages)
    return Rehearsal(
        scenario=SCENARIO,
        candidate=CANDIDATE,
        planned=planned,
        stages=tuple(judge_stage(plan, stage, by_stage) for stage in plan.stages),
        aggregates=aggregate(plan, evidence),
        made_at="2026-11-22T09:00:00.000000Z",
    )


def replace_split(stage):
    """Show the sample in place of the hidden rows, as a rehearsal does."""
    return msgspec.structs.replace(stage, split="sample") if stage.split == "hidden" else stage
