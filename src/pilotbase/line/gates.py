"""Gates: what opens the next stage, and the walk through all of them."""

from __future__ import annotations

from collections.abc import Sequence

from pilotbase.foundation.text import Text
from pilotbase.line.stages import STAGES, Done, Work, skipped
from pilotbase.pilot.plan import Plan, PlannedStage
from pilotbase.pilot.verdict import judge_stage, stage_name


def gate(plan: Plan, done: Sequence[Done]) -> Text | None:
    """Say why the next stage stays closed; None if it opens."""
    if not done:
        return None
    last = plan.stages[len(done) - 1]
    evidence = {one.evidence.stage: one.evidence for one in done}
    if evidence[last.name].skipped is not None or not (last.proceed or _passed(plan, last, done)):
        behind = next(stage for stage in plan.stages if not (stage.proceed or _passed(plan, stage, done)))
        return Text(zh="前面的关口“{stage}”没有通过", en='the gate of the stage "{stage}" before it did not open').fill(
            stage=stage_name(behind.name)
        )
    return None


def _passed(plan: Plan, stage: PlannedStage, done: Sequence[Done]) -> bool:
    return judge_stage(plan, stage, {one.evidence.stage: one.evidence for one in done}).passed


def walk(work: Work) -> list[Done]:
    """Run every stage in plan order, each behind its gate, and keep nothing: for rehearsal and replay."""
    done: list[Done] = []
    for stage in work.plan.stages:
        closed = gate(work.plan, done)
        done.append(STAGES[stage.name](work, stage) if closed is None else skipped(stage, closed))
    return done
