"""The stages: what each shows to the candidate, what it leaves, and the gate behind it.

Every stage opens fresh cells. What fails at intake or conformance fails before a hidden row has been shown, and is told
in full; the next stage opens only if all criteria of this one are held, unless the scenario says ``proceed``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pilotbase.foundation.text import Text, printable
from pilotbase.line.means import Watch
from pilotbase.line.measure import measure, time_requests
from pilotbase.line.run import Forgetful, OpenCell, Recall, Session, ask_all, first
from pilotbase.line.seal import Pack, Submission
from pilotbase.pilot.feasibility import LATENCY_REQUESTS
from pilotbase.pilot.measurement import CANDIDATE, OK, PLATFORM, Fact, StageEvidence
from pilotbase.pilot.plan import Plan, PlannedStage
from pilotbase.pilot.scenario import SplitName, StageName
from pilotbase.pilot.trace import Failure, Usage
from pilotbase.supports.data.custody import Requests
from pilotbase.supports.opensource.licences import known
from pilotbase.supports.opensource.lock import normal_name, read_lock
from pilotbase.supports.opensource.scan import scan_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """All that the stages of one pilot work with."""

    plan: Plan
    pack: Pack
    submission: Submission
    seed: bytes
    open_cell: OpenCell
    """Opens a fresh cell with the candidate in it; builds its environment the first time."""
    hidden: SplitName
    """``hidden``; a rehearsal shows the sample in its place."""
    recall: Recall
    """The hidden rows' answers got so far: a killed run shows no row again."""
    watch: Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a stage left: evidence for judgement, and the trace of the run for the dossier."""

    evidence: StageEvidence
    usages: tuple[Usage, ...] = ()
    failures: tuple[Failure, ...] = ()
    stderr: bytes = field(default=b"")


def intake(work: Work, stage: PlannedStage) -> Done:
    """Read what was handed in; ask nothing. FORMATS section 4b."""
    facts = (
        _inputs_served(work),
        _licence_known(work),
        _requirements_locked(work),
        _answers_not_brought(work),
        _pickles(work),
    )
    return Done(evidence=StageEvidence(stage=stage.name, facts=facts))


def _inputs_served(work: Work) -> Fact:
    """Check that every column asked for is known at the decision and may be served."""
    columns = {column.name: column for column in work.pack.scenario.contract.columns}
    refused = []
    for name in work.submission.candidate.asks.inputs:
        column = columns.get(name)
        if column is None:
            refused.append(_NO_COLUMN.fill(name=printable(name)))
        elif column.known_at == "later":
            refused.append(_LATER.fill(name=name, text=column.text))
        elif column.role != "input":
            refused.append(_KEPT.fill(name=name, text=column.text))
    wanted = {output.name for output in work.pack.scenario.contract.output}
    missing = sorted(wanted - set(work.submission.candidate.asks.output))
    refused.extend(_NO_OUTPUT.fill(name=name) for name in missing)
    return Fact(measure="inputs_served", value=str(len(refused)), unit="1", details=tuple(refused))


_NO_COLUMN = Text(
    zh="应用索取“{name}”列，场景没有这一列。", en='It asks for the column "{name}", which the scenario does not have.'
)
_LATER = Text(
    zh="应用索取“{name}”列（{text}），该值在判断时刻之后才知道，不能提供。",
    en='It asks for the column "{name}" ({text}), which is known only after the decision and is never served.',
)
_KEPT = Text(
    zh="应用索取“{name}”列（{text}），该列只用于评判，不能提供。",
    en='It asks for the column "{name}" ({text}), which is kept for judging and is never served.',
)
_NO_OUTPUT = Text(
    zh="应用不给出“{name}”，而合同要求给出。", en='It does not answer "{name}", which the contract asks for.'
)


def _licence_known(work: Work) -> Fact:
    licence = work.submission.candidate.licence
    held = known(licence, work.pack.scenario.licences)
    detail = Text(zh="许可证：{licence}。", en="Licence: {licence}.").fill(licence=printable(licence))
    return Fact(measure="licence_known", value=str(int(held)), unit="1", details=() if held else (detail,))


def _requirements_locked(work: Work) -> Fact:
    faults = read_lock(_lock(work)).faults
    name = work.submission.candidate.run.requirements
    if not (work.submission.folder / name).is_file():
        faults = (Text(zh="缺少依赖锁定文件 {name}。", en="The requirements file {name} is missing.").fill(name=name),)
    return Fact(measure="requirements_locked", value=str(len(faults)), unit="1", details=tuple(faults[:10]))


def _lock(work: Work) -> bytes:
    lock = work.submission.folder / work.submission.candidate.run.requirements
    return lock.read_bytes() if lock.is_file() else b""


def _answers_not_brought(work: Work) -> Fact:
    """Check that no requirement is the package from which the scenario's own data comes."""
    carrier = normal_name(work.pack.scenario.data.package.partition(" ")[0])
    brought = [one for one in read_lock(_lock(work)).requirements if one.name == carrier]
    details = tuple(_BROUGHT.fill(name=one.name, line=one.line) for one in brought)
    return Fact(measure="answers_not_brought", value=str(len(brought)), unit="1", details=details)


_BROUGHT = Text(
    zh="依赖清单第 {line} 行的 {name} 载有本场景的全部数据，包括答案。",
    en="Line {line} of the requirements names {name}, which carries the scenario's whole data, answers included.",
)


def _pickles(work: Work) -> Fact:
    suspects = scan_folder(work.submission.folder)
    details = tuple(one.text for one in suspects[:10])
    return Fact(measure="pickles_unsuspicious", value=str(len(suspects)), unit="1", details=details)


def conformance(work: Work, stage: PlannedStage) -> Done:
    """Show some sample rows, one alone and then full batches, and see whether the contract is kept.

    Raises FaultError if the platform failed twice at one batch: ``run --resume`` goes on with this stage.
    """
    requests = _requests(work, "sample", stage.rows)
    work.watch.stage(stage.name, stage.rows)
    session = _session(work)
    try:
        single = session.ask(requests.numbers[:1], requests.codes[:1])
        batches = ask_all(session, requests, work.plan.batch_rows, work.watch, Forgetful())
    finally:
        session.close()
    if any(batch.status.max() == PLATFORM for batch in (single, *batches)):
        raise session.faults[-1]  # nothing was seen of the candidate there: the stage has to be run again
    failed = sum(bool(batch.status.max() == CANDIDATE) for batch in (single, *batches))
    details = tuple(dict.fromkeys(_failure_text(failure) for failure in session.failures))[:10]
    count = max(failed, len(session.failures))
    fact = Fact(measure="replies_conform", value=str(count), unit="1", details=details)
    return _done(StageEvidence(stage=stage.name, facts=(fact,)), session)


def effectiveness(work: Work, stage: PlannedStage) -> Done:
    """Show every hidden row once, in the sealed order, and measure the answers."""
    work.watch.stage(stage.name, stage.rows)
    parted = work.pack.custody.part(work.hidden, work.seed, work.submission.candidate.asks.inputs)
    session = _session(work)
    try:
        batches = ask_all(session, parted.requests, work.plan.batch_rows, work.watch, work.recall)
    finally:
        session.close()
    shared = tuple(
        criterion
        for planned in work.plan.stages
        if planned.name in {"effectiveness", "fairness"}
        for criterion in planned.criteria
    )
    records = measure(stage.name, shared, parted.truths, batches, work.pack.scenario.contract.output)
    return _done(StageEvidence(stage=stage.name, records=records), session)


def fairness(_: Work, stage: PlannedStage) -> Done:
    """Show nothing: the records of effectiveness are judged by group."""
    return Done(evidence=StageEvidence(stage=stage.name))


def efficiency(work: Work, stage: PlannedStage) -> Done:
    """Time single requests, then full batches, on sample rows; observe memory from outside."""
    requests = _requests(work, "sample", stage.rows)
    some = first(requests, LATENCY_REQUESTS)
    work.watch.stage(stage.name, len(some.ids))
    session = _session(work)
    try:
        session.ask(requests.numbers[:1], requests.codes[:1])  # the first answer of a fresh process is start-up
        singles = ask_all(session, some, 1, work.watch, Forgetful())
        work.watch.stage(stage.name, stage.rows)
        whole = ask_all(session, requests, work.plan.batch_rows, work.watch, Forgetful())
    finally:
        session.close()
    took = sum(batch.seconds for batch in whole)
    answered = sum(int((batch.status == OK).sum()) for batch in whole)
    peak = max((usage.memory for usage in session.usages), default=0)
    facts = (
        Fact(measure="rows_per_second", value=f"{answered / took if took else 0:.0f}", unit="row/s", timed=True),
        Fact(measure="peak_memory", value=str(peak), unit="byte", timed=True),
    )
    return _done(StageEvidence(stage=stage.name, records=time_requests(stage.name, singles), facts=facts), session)


STAGES: dict[StageName, Callable[[Work, PlannedStage], Done]] = {
    "intake": intake,
    "conformance": conformance,
    "effectiveness": effectiveness,
    "fairness": fairness,
    "efficiency": efficiency,
}


def skipped(stage: PlannedStage, why: Text) -> Done:
    """Leave a stage out, and say why."""
    return Done(evidence=StageEvidence(stage=stage.name, skipped=why))


def _requests(work: Work, split: SplitName, rows: int) -> Requests:
    parted = work.pack.custody.part(split, work.seed, work.submission.candidate.asks.inputs)
    return first(parted.requests, rows)


def _session(work: Work) -> Session:
    return Session(open_cell=work.open_cell, outputs=work.pack.scenario.contract.output, limits=work.plan.limits)


def _done(evidence: StageEvidence, session: Session) -> Done:
    """Put the trace beside the evidence; a batch that was shown again is said among the facts. FORMATS section 5."""
    again = Fact(measure="shown_again", value=str(session.shown_again), unit="1", timed=True)
    return Done(
        evidence=replace(evidence, facts=(*evidence.facts, again)) if session.shown_again else evidence,
        usages=tuple(session.usages),
        failures=tuple(session.failures),
        stderr=b"".join(session.stderr),
    )


def _failure_text(failure: Failure) -> Text:
    return Text(zh="{kind}（{detail}）。", en="{kind} ({detail}).").fill(
        kind=_FAILURES[failure.kind], detail=printable(failure.detail)
    )


_FAILURES: dict[str, Text] = {
    "exited": Text(zh="应用自行退出", en="The application exited"),
    "killed_memory": Text(zh="应用超出内存上限，已被终止", en="The application was ended for using too much memory"),
    "killed_processes": Text(zh="应用超出进程数上限，已被终止", en="The application was ended for too many processes"),
    "killed_scratch": Text(
        zh="应用写满临时空间，已被终止", en="The application was ended for filling its scratch space"
    ),
    "killed_output": Text(zh="应用输出过多，已被终止", en="The application was ended for flooding its output"),
    "killed_time": Text(zh="应用超出总时限，已被终止", en="The application was ended at the time limit of the stage"),
    "slow_start": Text(zh="应用未能按时就绪", en="The application was not ready in time"),
    "slow_call": Text(zh="应用未能按时应答", en="The application did not answer in time"),
    "wrong_count": Text(zh="应答的行数不对", en="An answer had the wrong number of rows"),
    "not_finite": Text(zh="应答中有 NaN 或无穷大", en="An answer held NaN or infinity"),
    "out_of_range": Text(zh="应答超出合同范围", en="An answer lay outside the range of the contract"),
    "protocol": Text(zh="应答不符合协议", en="An answer broke the protocol"),
}
