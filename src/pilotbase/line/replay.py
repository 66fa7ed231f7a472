"""Replay: an auditor runs the line again from a dossier, the candidate and the data, and compares digests.

The order is the one that the dossier's restricted part opens. Times depend on the machine: timing criteria are told
apart and never compared. FORMATS section 5.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text
from pilotbase.line.cells import Cells
from pilotbase.line.gates import walk
from pilotbase.line.means import Watch
from pilotbase.line.run import Forgetful
from pilotbase.line.seal import Pack, Submission, open_submission
from pilotbase.line.stages import Work
from pilotbase.pilot.document import read_json
from pilotbase.pilot.dossier import ENVIRONMENT, ORDER, Copy, OrderSecret
from pilotbase.pilot.measurement import outcome_digest
from pilotbase.pilot.plan import Plan
from pilotbase.pilot.trace import Environment, EnvironmentReport
from pilotbase.pilot.verdict import Judgement, Verdict, judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a replay found."""

    stored: str
    """The dossier's outcome digest."""
    again: str
    judgement: Judgement
    differs: tuple[Text, ...]
    """What differs between the two machines, where it may explain a difference."""

    @property
    def same(self) -> bool:
        """Whether predictions and deterministic measurements are reproduced to the bit."""
        return self.stored == self.again


def replay(
    copy: Copy,
    plan: Plan,
    verdict: Verdict,
    *,
    pack: Pack,
    candidate: Path,
    cells: Cells,
    here: Environment,
    watch: Watch,
) -> Replayed:
    """Run the stages of a verified dossier again.

    Raises InputError if the restricted part is withheld, or candidate or scenario are not those of the plan.
    """
    order = _order(copy)
    with tempfile.TemporaryDirectory(prefix="pilotbase-replay-") as room:
        submission = open_submission(candidate, Path(room))
        _compare(plan, pack, submission)
        work = Work(
            plan=plan,
            pack=pack,
            submission=submission,
            seed=bytes.fromhex(order.seed),
            open_cell=cells.opener(pack.scenario, submission, watch),
            hidden="hidden",
            recall=Forgetful(),
            watch=watch,
        )
        evidence = tuple(one.evidence for one in walk(work))
    there = read_json(copy.files[f"public/{ENVIRONMENT}"], EnvironmentReport, ENVIRONMENT).environment
    return Replayed(
        stored=verdict.outcome_digest,
        again=outcome_digest(evidence),
        judgement=judge(plan, evidence, cells.isolation.level),
        differs=tuple(_differences(there, here)),
    )


def _order(copy: Copy) -> OrderSecret:
    data = copy.files.get(f"restricted/{ORDER}")
    if data is None:
        raise InputError(
            Text(zh="这份副本没有受限部分，无法重放", en="this copy has no restricted part, so it cannot be replayed"),
            expected=Text(zh="审计副本（含 restricted/）", en="the auditor's copy, with restricted/"),
            remedy=Text(zh="请向数据托管方索取", en="ask the data's custodian for it"),
        )
    return read_json(data, OrderSecret, ORDER)


def _compare(plan: Plan, pack: Pack, submission: Submission) -> None:
    pairs = (
        (_CANDIDATE, plan.candidate.digest, submission.digest, plan.candidate.name),
        (_SCENARIO, plan.scenario.digest, sha256(pack.text), plan.scenario.name),
    )
    for what, wanted, found, name in pairs:
        if wanted != found:
            raise InputError(
                Text(zh="这不是方案所指的{what}", en="this is not the {what} of the plan").fill(what=what),
                place=Place(field=what.en),
                found=found,
                expected=Text(zh=f"{name} {wanted}", en=f"{name} {wanted}"),
            )


_CANDIDATE = Text(zh="应用", en="candidate")
_SCENARIO = Text(zh="场景", en="scenario")


def _differences(there: Environment, here: Environment) -> list[Text]:
    said = Text(zh="{name}：当时 {then}，现在 {now}", en="{name}: then {then}, now {now}")
    fields = ("system", "machine", "processor", "python")
    rows = [(name, str(getattr(there, name)), str(getattr(here, name))) for name in fields]
    names = sorted(set(there.variables) | set(here.variables))
    rows += [(name, there.variables.get(name, "–"), here.variables.get(name, "–")) for name in names]
    return [said.fill(name=name, then=then, now=now) for name, then, now in rows if then != now]
