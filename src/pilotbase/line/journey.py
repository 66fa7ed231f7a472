"""The journey: one candidate through one scenario, from the sealed plan to the issued dossier.

The ledger is the workflow: the state of a pilot is a fold over its events, so after a kill at any moment ``resume``
does the next step and no step twice. DESIGN section 7.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pilotbase.foundation.chain import Event
from pilotbase.foundation.clock import new_id
from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import UsageError
from pilotbase.foundation.text import Text
from pilotbase.line.cells import Cells
from pilotbase.line.gates import gate
from pilotbase.line.issue import Case, conclude, refuse_used, sign, write_dossier
from pilotbase.line.keeping import Spool, keep_plan, keep_stage, read_plan, read_stage, stage_record
from pilotbase.line.means import LEASE, Means, Pen, Watch
from pilotbase.line.seal import (
    Pack,
    Sealed,
    Submission,
    draft,
    open_pack,
    open_submission,
    order_seed,
    sign_plan,
)
from pilotbase.line.stages import STAGES, Done, Work, skipped
from pilotbase.pilot.document import read_json, to_bytes
from pilotbase.pilot.plan import Plan
from pilotbase.pilot.verdict import Verdict
from pilotbase.store.leases import is_gone, this_owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What a run ends with."""

    verdict: Verdict
    plan: Plan
    dossier: Path


def run(means: Means, scenario: str, candidate: Path, *, cells: Cells, watch: Watch, out: Path | None = None) -> Issued:
    """Take a candidate through a scenario: seal, run the stages, judge, issue.

    Args:
        means: the base.
        scenario: ``sector/name`` or ``sector/name@version``, installed.
        candidate: a folder or an archive with ``candidate.toml``.
        cells: how the candidate is isolated.
        watch: who is told how far the run is.
        out: where the dossier goes; ``dossiers/<pilot id>`` if not given.

    Raises:
        InputError: scenario or candidate cannot be read, or the data can never decide what is asked.
        IsolationError: the isolation that the scenario accepts cannot be had here.

    """
    refuse_used(out)
    pack = open_pack(means.home.custody, scenario)
    pilot = new_id(means.clock())
    with _room(means) as room:
        submission = open_submission(candidate, room)
        seed = order_seed(means.secret, pack, submission)
        plan, order = draft(pilot, pack, submission, seed=seed, moment=means.clock())
        sealed = sign_plan(means, plan, order)
        with _held(means, pilot) as pen:
            names = {"scenario": plan.scenario.digest, "candidate": plan.candidate.digest}
            pen.enter("pilot.opened", {"salt": secrets.token_hex(32)} | names)
            commitment = {"plan": sealed.digest, "commitment": plan.order.commitment}
            kept = keep_plan(means, sealed, cells.isolation.level)
            pen.enter("plan.sealed", commitment | {"kept": kept})
            return _go_on(means, pen, sealed, pack, submission, cells=cells, watch=watch, out=out)


def resume(
    means: Means, scenario: str, candidate: Path, *, cells: Cells, watch: Watch, out: Path | None = None
) -> Issued:
    """Go on with the newest unfinished pilot of this candidate in this scenario, from its last event.

    Raises UsageError if there is none, if it was begun at another level of isolation, or if another process is at it.
    """
    pack = open_pack(means.home.custody, scenario)
    with _room(means) as room:
        submission = open_submission(candidate, room)
        pilot = _unfinished(means, sha256(pack.text), submission.digest)
        with _held(means, pilot) as pen:
            sealed = read_plan(means, str(pen.bodies("plan.sealed")[0]["kept"]), cells.isolation.level)
            begun = [str(body["stage"]) for body in pen.bodies("stage.started")] or [sealed.plan.stages[0].name]
            pen.enter("run.resumed", {"stage": begun[-1]})
            return _go_on(means, pen, sealed, pack, submission, cells=cells, watch=watch, out=out)


@contextmanager
def _room(means: Means) -> Iterator[Path]:
    """Make a folder for the copy of the candidate; those of processes that were killed are removed first."""
    for left in means.home.work.glob("room-*"):
        owner = left / "owner"
        if owner.is_file() and is_gone(owner.read_text(encoding="utf-8")):
            shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(prefix="room-", dir=means.home.work) as room:
        (Path(room) / "owner").write_text(this_owner(), encoding="utf-8")
        yield Path(room)


def _unfinished(means: Means, scenario: str, candidate: str) -> str:
    for pilot in reversed(means.ledger.pilots()):
        events = means.ledger.events(pilot)
        opened, sealed = _body(events, "pilot.opened")[0], _body(events, "plan.sealed")
        same = (opened["scenario"], opened["candidate"]) == (scenario, candidate)
        if same and sealed and not _body(events, "dossier.issued"):
            return pilot
    raise UsageError(
        Text(
            zh="没有这个应用在该场景下未完成的中试",
            en="there is no unfinished pilot of this candidate in this scenario",
        ),
        remedy=Text(zh="去掉 --resume 开始新的中试", en="leave --resume away to begin a new pilot"),
    )


def _body(events: Sequence[Event], kind: str) -> list[dict[str, object]]:
    return [dict(event.body) for event in events if event.kind == kind]


@contextmanager
def _held(means: Means, pilot: str) -> Iterator[Pen]:
    """Hold a pilot's lease: two processes never work on one pilot."""
    owner = this_owner()
    if not means.leases.claim(pilot, owner, LEASE):
        raise UsageError(
            Text(zh="另一个进程正在进行这个中试", en="another process is at this pilot"),
            found=str(means.leases.holder(pilot)),
            remedy=Text(zh="请等待它结束", en="wait until it ends"),
        )
    try:
        yield Pen(means, pilot, owner)
    finally:
        means.leases.release(pilot, owner)


def _go_on(
    means: Means,
    pen: Pen,
    sealed: Sealed,
    pack: Pack,
    submission: Submission,
    *,
    cells: Cells,
    watch: Watch,
    out: Path | None,
) -> Issued:
    """Do whatever the ledger says is not done yet."""
    plan = sealed.plan
    work = Work(
        plan=plan,
        pack=pack,
        submission=submission,
        seed=bytes.fromhex(sealed.order.seed),
        open_cell=cells.opener(pack.scenario, submission, watch),
        hidden="hidden",
        recall=Spool.open(means.blobs, pen, "effectiveness"),
        watch=watch,
    )
    done = _walk(means, pen, work, sealed)
    salt = bytes.fromhex(sealed.order.record_salt)
    case = Case(
        pack=pack,
        submission=submission,
        sealed=sealed,
        isolation=cells.isolation,
        environment=cells.facts(submission, done),
        done=done,
        records=tuple(stage_record(one, salt) for one in done),
    )
    verdict = _conclude(means, pen, case)
    signed = pen.bodies("dossier.signed")
    digest = str(signed[0]["kept"]) if signed else sign(means, pen, case, verdict)
    target = out or Path("dossiers") / plan.pilot
    write_dossier(means, digest, target)
    pen.enter("dossier.issued", {})
    return Issued(verdict=verdict, plan=plan, dossier=target)


def _walk(means: Means, pen: Pen, work: Work, sealed: Sealed) -> list[Done]:
    """Run the stages that the ledger has not got, in plan order, each behind its gate."""
    kept = {str(body["stage"]): str(body["kept"]) for body in pen.bodies("stage.done")}
    done: list[Done] = []
    for stage in work.plan.stages:
        if stage.name in kept:
            done.append(read_stage(means, kept[stage.name]))
            continue
        closed = gate(work.plan, done)
        if closed is None:
            pen.enter("stage.started", {"stage": stage.name})
        one = STAGES[stage.name](work, stage) if closed is None else skipped(stage, closed)
        pen.enter("stage.done", keep_stage(means, one, bytes.fromhex(sealed.order.record_salt)))
        done.append(one)
    return done


def _conclude(means: Means, pen: Pen, case: Case) -> Verdict:
    """Judge once: a verdict that the ledger knows is issued as it was."""
    judged = pen.bodies("verdict.judged")
    if judged:
        digest = str(judged[0]["verdict"])
        return read_json(means.blobs.get(digest), Verdict, digest)
    verdict = conclude(means, case)
    pen.enter("verdict.judged", {"verdict": means.blobs.put(to_bytes(verdict))})
    return verdict
