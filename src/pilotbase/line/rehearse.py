"""Rehearsal: the same line on the public sample, on any machine, without isolation. Never a verdict.

Nothing is signed, nothing enters a ledger, no hidden row is touched.
"""

from __future__ import annotations

import secrets
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pilotbase.foundation.clock import new_id, stamp
from pilotbase.line.cells import Cells
from pilotbase.line.gates import walk
from pilotbase.line.means import Watch
from pilotbase.line.run import Forgetful
from pilotbase.line.seal import Pack, draft, open_submission
from pilotbase.line.stages import Work
from pilotbase.pilot.aggregates import aggregate
from pilotbase.pilot.candidate import Candidate
from pilotbase.pilot.plan import Plan
from pilotbase.pilot.verdict import Finding, StageFindings, judge_stage
from pilotbase.report.contents import Rehearsal

_TAIL = 4096  # bytes of standard error that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What a rehearsal shows. It has no outcome."""

    plan: Plan
    candidate: Candidate
    stages: tuple[StageFindings, ...]
    stderr: bytes
    """The end of what the candidate wrote to standard error: hostile text."""
    record: Rehearsal
    """What its page is drawn from."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings in plan order."""
        return tuple(finding for stage in self.stages for finding in stage.findings)

    @property
    def planned(self) -> int:
        """How many criteria a pilot would judge."""
        return sum(len(stage.criteria) for stage in self.plan.stages)

    @property
    def passed(self) -> int:
        """How many of them would be held if the hidden rows were like the sample."""
        return sum(finding.answer == "held" for finding in self.findings)


def rehearse(
    pack: Pack, candidate: Path, *, cells: Cells, watch: Watch, moment: datetime, seed: bytes | None = None
) -> Rehearsed:
    """Walk the line on the sample split. Raises InputError as a run would."""
    with tempfile.TemporaryDirectory(prefix="pilotbase-rehearsal-") as room:
        submission = open_submission(candidate, Path(room))
        drawn = seed or secrets.token_bytes(32)
        plan, _ = draft(new_id(moment), pack, submission, seed=drawn, moment=moment, shown="sample")
        work = Work(
            plan=plan,
            pack=pack,
            submission=submission,
            seed=drawn,
            open_cell=cells.opener(pack.scenario, submission, watch),
            hidden="sample",
            recall=Forgetful(),
            watch=watch,
        )
        done = walk(work)
    evidence = {one.evidence.stage: one.evidence for one in done}
    stages = tuple(judge_stage(plan, stage, evidence) for stage in plan.stages)
    told = b"".join(one.stderr for one in done)
    record = Rehearsal(
        scenario=pack.scenario,
        candidate=submission.candidate,
        planned=plan.stages,
        stages=stages,
        aggregates=aggregate(plan, tuple(one.evidence for one in done)),
        made_at=stamp(moment),
    )
    return Rehearsed(plan=plan, candidate=submission.candidate, stages=stages, stderr=told[-_TAIL:], record=record)
