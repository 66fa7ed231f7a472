"""Likeness: whether a judgement, as it is stored, is the plan's and the one that follows from the measurements.

What is compared is what judges: answers, methods, counts, bars, estimates, bounds. Words for people (sentences,
reasons) and rules of thumb (``needs``) may be put better by a later release; the digests alone cover them.
docs/spec/dossier.md step 10; docs/spec/methods.md section 1, "Tolerance".
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from pilotbase.foundation.text import Text
from pilotbase.pilot.criteria import METHODS, grade_of
from pilotbase.pilot.measurement import CANDIDATE, Records
from pilotbase.pilot.plan import OBSERVED, Plan
from pilotbase.pilot.verdict import Finding, Judgement, weakest

_TOLERANCE = Decimal("0.000001")  # one unit in the sixth decimal


def not_planned(plan: Plan, judgement: Judgement) -> Text | None:
    """Say in what a judgement does not answer the plan's stages and criteria; None if it does."""
    if [stage.stage for stage in judgement.stages] != [stage.name for stage in plan.stages]:
        return Text(zh="结论的阶段与方案不同", en="the verdict has other stages than the plan")
    for planned, stage in zip(plan.stages, judgement.stages, strict=True):
        criteria = planned.criteria if stage.ran else ()
        if [(one.criterion, one.stage) for one in stage.findings] != [(one.id, planned.name) for one in criteria]:
            return _OTHER_FINDINGS.fill(stage=planned.name)
        for finding, criterion in zip(stage.findings, criteria, strict=True):
            known = criterion.method == OBSERVED or criterion.method in METHODS
            asked = (criterion.method, criterion.op, criterion.threshold)
            told = (finding.method, finding.op, _number(finding.threshold))
            if not known or asked != told or finding.grade != grade_of(criterion.method):
                return _UNLIKE.fill(name=criterion.id)
    if judgement.grade != weakest(judgement.findings):
        return Text(zh="结论的等级不是各判定中最弱的", en="the verdict's grade is not the weakest of its findings")
    return None


_OTHER_FINDINGS = Text(zh="{stage} 的判定不是方案的判据", en="the findings of {stage} are not the plan's criteria")
_UNLIKE = Text(zh="判据 {name} 与方案不同", en="criterion {name} is not as planned")


def unlike(stored: Judgement, again: Judgement) -> Text | None:
    """Say in what a stored judgement differs from the one judged again; None if they are alike."""
    for here, there in zip(stored.stages, again.stages, strict=True):
        if here.ran != there.ran:
            return Text(zh="{stage} 是否进行过，前后不一", en="whether {stage} was run is told otherwise").fill(
                stage=here.stage
            )
        for finding, own in zip(here.findings, there.findings, strict=True):
            for name in _differing(finding, own):
                return Text(
                    zh="判据 {criterion} 重新判定的 {name} 不同",
                    en="criterion {criterion} judged again: {name} differs",
                ).fill(criterion=own.criterion, name=name)
    if stored.outcome != again.outcome:
        return Text(zh="重新判定得到不同的结论", en="judged again, the conclusion differs")
    return None


def _differing(stored: Finding, own: Finding) -> Iterator[str]:
    yield from (name for name in ("answer", "counts", "parts") if getattr(stored, name) != getattr(own, name))
    yield from (
        name for name in ("estimate", "lower", "upper") if not _close(getattr(stored, name), getattr(own, name))
    )


def _close(stored: str | None, own: str | None) -> bool:
    if stored is None or own is None:
        return stored is own
    told = _number(stored)
    return told is not None and abs(told - Decimal(own)) <= _TOLERANCE


def _number(text: str) -> Decimal | None:
    """Read decimal text of the platform; None for anything else."""
    plain = text.isascii() and text.removeprefix("-").replace(".", "", 1).isdigit()
    return Decimal(text) if plain else None


def follows(plan: Plan, judgement: Judgement, level: str) -> bool:
    """Say whether an outcome agrees with the answers listed; what records would show can only end it undecided."""
    answers = {finding.answer for finding in judgement.findings}
    if judgement.outcome == "undecided":
        return True
    if level not in plan.isolation:
        return False
    if judgement.outcome == "rejected":
        return "refused" in answers
    return answers <= {"held"} and all(stage.ran for stage in judgement.stages)


_WORST = {"squared_error": 1.0, "decision": 0, "detected": 0, "right": 0, "seconds": np.inf}


def unsound(records: Records) -> Text | None:
    """Say that a failed item carries better than the worst numbers, which no line would have written; else None."""
    failed = records["status"] == CANDIDATE
    worst = {name: value for name, value in _WORST.items() if name in records.arrays}
    kept = [bool((records[name][failed] == value).all()) for name, value in worst.items()]
    if {"score", "positive"} <= set(records.arrays):
        kept.append(bool((records["score"][failed] == 1 - records["positive"][failed].astype(np.float64)).all()))
    if all(kept):
        return None
    return Text(
        zh="{stage} 中应用失败的样本没有记最差值", en="{stage} holds a failed item with better than the worst numbers"
    ).fill(stage=records.header.stage)
