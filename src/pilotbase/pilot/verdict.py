"""The verdict: what the plan's criteria, put to the measurements, say of the whole. Pure.

Accept only if every criterion is held, each at its alpha: an intersection-union test needs no correction (Berger 1982).
Refusals share beta among the m rated criteria. Never a score, never rounded from undecided to a side. DESIGN section 5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import ClassVar, Literal

from pilotbase.foundation.canonical import round_down, round_near, round_up
from pilotbase.foundation.errors import InputError
from pilotbase.foundation.text import Text, printable
from pilotbase.pilot.criteria import (
    Answer,
    Grade,
    Rates,
    Reading,
    answer,
    answer_fact,
    grade_of,
    read,
    usable,
)
from pilotbase.pilot.document import Noun
from pilotbase.pilot.measurement import Fact, Records, StageEvidence
from pilotbase.pilot.plan import OBSERVED, Plan, PlannedStage
from pilotbase.pilot.scenario import Criterion, StageName
from pilotbase.pilot.sentences import fact_sentence, finding_sentence

Outcome = Literal["accepted", "rejected", "undecided"]

GRADES: tuple[Grade, ...] = ("observed", "asymptotic", "finite-sample", "exact")
"""From weakest to strongest; ``observed`` stands outside the order of error rates."""


class Part(Noun, frozen=True, kw_only=True):
    """One group's share of a finding."""

    word: str
    hits: int
    total: int


class Finding(Noun, frozen=True, kw_only=True):
    """The evidence's answer to one criterion."""

    criterion: str
    stage: StageName
    answer: Answer
    estimate: str | None
    lower: str | None
    """For ``>=`` at alpha, for ``<=`` at beta/m; rounded outward."""
    upper: str | None
    """For ``>=`` at beta/m, for ``<=`` at alpha; rounded outward."""
    op: str
    threshold: str
    unit: str
    counts: dict[str, int]
    parts: tuple[Part, ...] = ()
    alpha: str | None
    beta: str | None
    """The plan's beta divided by m, as a fraction ``beta/m``."""
    method: str
    grade: Grade
    sentence: Text
    needs: int | None = None
    """When not shown: about how many samples in all would show it, if the estimate stays; None = more will not help."""


class StageFindings(Noun, frozen=True, kw_only=True):
    """What one stage found, or why it was not run."""

    stage: StageName
    ran: bool
    why: Text | None
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether the gate behind this stage opens."""
        return self.ran and all(finding.answer == "held" for finding in self.findings)


class Judgement(Noun, frozen=True, kw_only=True):
    """The whole answer, as it follows from plan and measurements alone."""

    outcome: Outcome
    reasons: tuple[Text, ...]
    grade: Grade | None
    """The weakest grade of the rated findings that the outcome rests on."""
    stages: tuple[StageFindings, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings in plan order."""
        return tuple(finding for stage in self.stages for finding in stage.findings)


class Verdict(Noun, frozen=True, kw_only=True):
    """A judgement with its pilot, its time and its limits: what is issued."""

    SCHEMA: ClassVar[str] = "pilotbase/verdict/1"

    schema: str
    pilot: str
    plan: str
    """Digest of the plan's bytes."""
    scenario: str
    candidate: str
    judgement: Judgement
    isolation: Literal["full", "none"]
    outcome_digest: str
    data_public: bool
    issued_at: str
    valid_until: str

    @property
    def outcome(self) -> Outcome:
        """Accepted, rejected or undecided."""
        return self.judgement.outcome


def judge(plan: Plan, evidence: Sequence[StageEvidence], isolation: Literal["full", "none"]) -> Judgement:
    """Judge a pilot. Raises InputError if the evidence is not that of the plan's stages."""
    if [one.stage for one in evidence] != [stage.name for stage in plan.stages]:
        raise InputError(
            Text(zh="测量值的阶段与方案不符", en="the measurements are not those of the plan's stages"),
            found=printable(", ".join(one.stage for one in evidence)),
        )
    by_stage = {one.stage: one for one in evidence}
    stages = tuple(judge_stage(plan, stage, by_stage) for stage in plan.stages)
    outcome, reasons = _conclude(plan, stages, evidence, isolation)
    grade = weakest([finding for stage in stages for finding in stage.findings])
    return Judgement(outcome=outcome, reasons=reasons, grade=grade, stages=stages)


def weakest(findings: Sequence[Finding]) -> Grade | None:
    """Return the weakest grade of the rated findings; None if there are none."""
    rated = [finding.grade for finding in findings if finding.method != OBSERVED]
    return min(rated, key=GRADES.index) if rated else None


def judge_stage(plan: Plan, stage: PlannedStage, evidence: dict[StageName, StageEvidence]) -> StageFindings:
    """Judge one stage. Fairness judges the records of effectiveness: no row is shown twice. FORMATS section 5."""
    own = evidence[stage.name]
    if own.skipped is not None:
        return StageFindings(stage=stage.name, ran=False, why=own.skipped, findings=())
    records = evidence["effectiveness"].records if stage.name == "fairness" else own.records
    facts = {fact.measure: fact for fact in own.facts}
    findings = tuple(_find(plan, stage.name, criterion, records, facts) for criterion in stage.criteria)
    return StageFindings(stage=stage.name, ran=True, why=None, findings=findings)


def _find(
    plan: Plan, stage: StageName, criterion: Criterion, records: Records | None, facts: dict[str, Fact]
) -> Finding:
    if criterion.method == OBSERVED:
        return _observe(stage, criterion, facts)
    if records is None:
        raise InputError(
            Text(zh="缺少该判据的测量记录", en="the records of this criterion are missing"), found=criterion.id
        )
    alpha, beta = criterion.alpha or Decimal(0), criterion.beta or Decimal(0)
    rates = Rates(alpha=float(alpha * plan.alpha_spent), beta=float(beta) / plan.rated)
    reading = read(criterion, records, rates, plan.words.groups)
    given = answer(criterion, reading)
    return Finding(
        criterion=criterion.id,
        stage=stage,
        answer=given,
        estimate=_text(reading.estimate, round_near),
        lower=_text(reading.lower, round_down),
        upper=_text(reading.upper, round_up),
        op=criterion.op,
        threshold=f"{criterion.threshold:f}",
        unit=criterion.unit,
        counts=reading.counts,
        parts=tuple(Part(word=word, hits=hits, total=total) for word, hits, total in reading.parts),
        alpha=f"{alpha * plan.alpha_spent:f}",
        beta=f"{beta:f}/{plan.rated}",
        method=criterion.method,
        grade=grade_of(criterion.method),
        sentence=finding_sentence(criterion, reading, given, plan.words),
        needs=_needs(criterion, reading) if given == "not_shown" else None,
    )


def _text(value: float | None, rounded: Callable[[float], str]) -> str | None:
    """Write a bound; one that is absent or infinite is written as null."""
    return rounded(value) if value is not None and math.isfinite(value) else None


def _observe(stage: StageName, criterion: Criterion, facts: dict[str, Fact]) -> Finding:
    fact = facts.get(criterion.measure)
    if fact is None:
        raise InputError(
            Text(zh="缺少该判据的观察值", en="the observation of this criterion is missing"), found=criterion.id
        )
    given = answer_fact(criterion, float(fact.value))
    return Finding(
        criterion=criterion.id,
        stage=stage,
        answer=given,
        estimate=fact.value,
        lower=None,
        upper=None,
        op=criterion.op,
        threshold=f"{criterion.threshold:f}",
        unit=criterion.unit,
        counts={"n": 1},
        alpha=None,
        beta=None,
        method=criterion.method,
        grade="observed",
        sentence=fact_sentence(criterion, Decimal(fact.value), fact.details, given),
    )


def _needs(criterion: Criterion, reading: Reading) -> int | None:
    """Estimate how many samples would show what is not shown: an interval shrinks with the square root of n.

    A rule of thumb for people, not part of the judgement: it supposes that the estimate stays where it is.
    """
    bound = reading.lower if criterion.op == ">=" else reading.upper
    if reading.estimate is None or bound is None or not math.isfinite(bound) or not reading.counts["n"]:
        return None
    room = reading.estimate - float(criterion.threshold)
    room = room if criterion.op == ">=" else -room
    if room <= 0:
        return None
    return math.ceil(reading.counts["n"] * (abs(reading.estimate - bound) / room) ** 2)


def _conclude(
    plan: Plan, stages: tuple[StageFindings, ...], evidence: Sequence[StageEvidence], isolation: str
) -> tuple[Outcome, tuple[Text, ...]]:
    """Draw the conclusion: isolation first, then invalid items, then refusals, then what is not shown."""
    if isolation not in plan.isolation:
        return "undecided", (_NOT_ISOLATED,)
    spoilt = [one.stage for one in evidence if one.records and _invalid_share(one.records) > plan.max_invalid]
    if spoilt:
        return "undecided", tuple(_INVALID.fill(stage=stage_name(name)) for name in spoilt)
    found = [finding for stage in stages for finding in stage.findings]
    refused = tuple(finding.sentence for finding in found if finding.answer == "refused")
    if refused:
        return "rejected", refused
    open_ends = tuple(finding.sentence for finding in found if finding.answer == "not_shown")
    idle = tuple(_IDLE.fill(stage=stage_name(stage.stage), why=stage.why) for stage in stages if not stage.ran)
    if open_ends or idle:
        return "undecided", open_ends + idle
    return "accepted", ()


def _invalid_share(records: Records) -> Decimal:
    rows = records.header.rows
    return Decimal(int(rows - usable(records).sum())) / Decimal(rows) if rows else Decimal(1)


_NOT_ISOLATED = Text(
    zh="应用未在场景所要求的隔离条件下运行，因此无论数值如何都不作结论。",
    en="The application did not run in the isolation that the scenario asks for, so no numbers can decide.",
)
_INVALID = Text(
    zh="{stage}：平台或数据造成的无效样本超过方案允许的比例（invalid_items）。",
    en="{stage}: platform or data spoilt more items than the plan allows (invalid_items).",
)
_IDLE = Text(zh="{stage}未进行：{why}", en="{stage} was not run: {why}")

STAGE_NAMES: dict[StageName, Text] = {
    "intake": Text(zh="受理", en="Intake"),
    "conformance": Text(zh="合规性", en="Conformance"),
    "effectiveness": Text(zh="有效性", en="Effectiveness"),
    "fairness": Text(zh="公平性", en="Fairness"),
    "efficiency": Text(zh="效率", en="Efficiency"),
}


def stage_name(stage: StageName) -> Text:
    """Return a stage's name for people."""
    return STAGE_NAMES[stage]
