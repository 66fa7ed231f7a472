"""Verification: twelve numbered steps over a dossier's bytes. Nothing is run, nothing is fetched, nothing is believed.

The steps are those of docs/spec/dossier.md section 2; a second verifier, written from that page alone, walks the same
ones. What verification does *not* show is printed with it: ``Report.proves``. DESIGN section 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

import msgspec

from pilotbase.evidence import envelope, log, statement
from pilotbase.evidence.keys import KeyRing
from pilotbase.evidence.reading import read_canonical
from pilotbase.foundation.chain import Event, read_chain
from pilotbase.foundation.clock import read_stamp, stamp
from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import NOWHERE, FaultError, InputError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.foundation.units import seconds
from pilotbase.pilot.document import read_json
from pilotbase.pilot.dossier import (
    CANDIDATE,
    EVIDENCE,
    ISOLATION,
    LEDGER,
    LOG_PROOF,
    MANIFEST,
    NOTICE,
    ORDER,
    PARTS,
    PLAN,
    SCENARIO,
    STATEMENT,
    VERDICT,
    Copy,
    Evidence,
    LogProof,
    Manifest,
    Notice,
    OrderSecret,
    PartName,
    Predicate,
    read_evidence,
    stage_arrays,
)
from pilotbase.pilot.likeness import follows, not_planned, unlike, unsound
from pilotbase.pilot.measurement import DATA, StageEvidence, outcome_digest, records_root
from pilotbase.pilot.plan import PAYLOAD_TYPE, Plan
from pilotbase.pilot.trace import IsolationReport
from pilotbase.pilot.verdict import Outcome, Verdict, judge

State = Literal["ok", "failed", "withheld", "absent", "unexamined"]
"""unexamined: the step rests on one that failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one step of verification found."""

    number: int
    name: Text
    state: State
    detail: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The answer of verification."""

    steps: tuple[Step, ...]
    outcome: Outcome | None
    """The verdict's outcome, if the public part is here and everything holds."""
    unknown_signer: str | None
    """The keyid, when no trusted key has signed."""
    proves: tuple[Text, ...]
    """What this copy proves and what not, in words."""

    @property
    def verified(self) -> bool:
        """Whether no step failed."""
        return all(step.state != "failed" for step in self.steps)

    @property
    def failed(self) -> tuple[int, ...]:
        """The numbers of the steps that failed."""
        return tuple(step.number for step in self.steps if step.state == "failed")


class _Failed(Exception):  # noqa: N818 - a finding, not an error
    def __init__(self, detail: Text) -> None:
        super().__init__(detail.en)
        self.detail = detail


class _Missing(Exception):  # noqa: N818 - a finding, not an error
    """What the step needs is withheld, or rests on a step that failed."""


@dataclass(slots=True, kw_only=True)
class _Case:
    """One verification under way: what the steps have read so far."""

    copy: Copy
    trust: KeyRing
    now: datetime
    parts: dict[PartName, dict[str, bytes]] = field(default_factory=dict)
    manifests: dict[PartName, Manifest] = field(default_factory=dict)
    body: bytes | None = None
    keyid: str = ""
    owner: str = ""
    unknown: str | None = None
    predicate: Predicate | None = None
    subject: tuple[str, str] | None = None
    plan: Plan | None = None
    events: list[Event] | None = None
    order: OrderSecret | None = None
    measured: tuple[StageEvidence, ...] | None = None
    level: str = ""
    verdict: Verdict | None = None

    def need(self, part: PartName) -> dict[str, bytes]:
        if part not in self.parts:
            raise _Missing
        return self.parts[part]

    def file(self, part: PartName, path: str) -> bytes:
        data = self.need(part).get(path)
        if data is None:
            raise _Failed(Text(zh="缺少文件 {path}", en="the file {path} is missing").fill(path=f"{part}/{path}"))
        return data


def _must(holds: bool, zh: str, en: str, **values: object) -> None:  # noqa: FBT001 - an assertion with words
    if not holds:
        raise _Failed(Text(zh, en).fill(**values))


def _given(value: object) -> None:
    if value is None:
        raise _Missing


def verify(copy: Copy, trust: KeyRing, now: datetime) -> Report:
    """Verify a dossier against the keys that the reader trusts.

    Args:
        copy: the dossier's bytes, as ``pilot.dossier.read_copy`` reads them.
        trust: public keys of bases that the reader trusts.
        now: the reader's time; says only whether the verdict has expired.

    """
    case = _Case(copy=copy, trust=trust, now=now)
    steps: list[Step] = []
    for number, (name, step) in enumerate(_STEPS, start=1):
        broken = any(one.state == "failed" for one in steps)
        steps.append(_take(number, name, step, case, "unexamined" if broken else "withheld"))
    clean = all(step.state != "failed" for step in steps)
    return Report(
        steps=tuple(steps),
        outcome=case.verdict.outcome if case.verdict and clean else None,
        unknown_signer=case.unknown,
        proves=_proves(case),
    )


def _take(number: int, name: Text, step: Callable[[_Case], State], case: _Case, missing: State) -> Step:
    """Take one step; ``missing`` says how it ends when there is nothing that it could look at."""
    try:
        return Step(number=number, name=name, state=step(case))
    except _Failed as failure:
        return Step(number=number, name=name, state="failed", detail=failure.detail)
    except InputError as error:
        told = f"{error.place} {error.found}".strip()
        detail = Text(zh=f"{error.what.zh} {told}", en=f"{error.what.en} {told}")
        return Step(number=number, name=name, state="failed", detail=detail)
    except _UNFORESEEN:
        return Step(number=number, name=name, state="failed", detail=_UNREADABLE)
    except _Missing:
        return Step(number=number, name=name, state=missing)


# A check above names what it found. Should one be missing for what somebody signed, the step fails, not the program.
_UNFORESEEN = (FaultError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError)
_UNREADABLE = Text(zh="内容无法解读", en="what stands there makes no sense")


def _folder(case: _Case) -> State:
    """Step 1: only what belongs there."""
    _must(not case.copy.strays, "多余或危险的条目：{strays}", "stray or dangerous entries: {strays}",
          strays=", ".join(case.copy.strays[:5]))  # fmt: skip
    for path in case.copy.files:
        top, _, rest = path.partition("/")
        known = (rest and top in PARTS) or path in {STATEMENT, LOG_PROOF}
        _must(bool(known), "根目录有多余条目：{path}", "an entry does not belong here: {path}", path=printable(path))
    _must(STATEMENT in case.copy.files, "缺少 {name}", "{name} is missing", name=STATEMENT)
    case.parts = {part: files for part in PARTS if (files := case.copy.part(part))}
    _must(bool(case.parts), "没有任何部分", "not one part is here")
    return "ok"


def _signature(case: _Case) -> State:
    """Step 2: the envelope is canonical and a trusted key, good at the time, has signed it."""
    opened = envelope.open_envelope(case.copy.files.get(STATEMENT, b""), STATEMENT)
    _must(opened.payload_type == statement.PAYLOAD_TYPE, "载荷类型不对", "the payload type is not that of a statement")
    issued = _issued_at(opened.body)
    results = envelope.check(opened, case.trust, issued)
    case.unknown = _unknown(results)
    _must(case.unknown is None, "签名者未知 UNKNOWN SIGNER {keyid}", "UNKNOWN SIGNER {keyid}", keyid=case.unknown)
    for result in results:
        _must(result.valid is not False and (result.counts or result.valid is None), "{words}", "{words}",
              words=result.words)  # fmt: skip
    signer = next(result for result in results if result.counts)
    case.body, case.keyid, case.owner = opened.body, signer.keyid, signer.owner
    return "ok"


def _unknown(results: list[envelope.SignerResult]) -> str | None:
    """Return the first keyid if not one of the signers is on the reader's ring."""
    return results[0].keyid if results and all(result.valid is None for result in results) else None


def _issued_at(body: bytes) -> datetime:
    return read_stamp(str(statement.read(body, STATEMENT).predicate.get("issued_at")))


def _statement(case: _Case) -> State:
    """Step 3: an in-toto statement with our predicate about one candidate."""
    _given(case.body)
    read = statement.read(case.body or b"", STATEMENT)
    _must(len(read.subjects) == 1, "应当只有一个对象", "there must be one subject")
    try:
        case.predicate = msgspec.convert(read.predicate, Predicate)
    except msgspec.ValidationError as error:
        raise _Failed(Text(zh="声明的内容不合规", en="the predicate is not of its schema")) from error
    known = case.predicate.schema == Predicate.SCHEMA
    _must(known, "未知的声明版本", "unknown version of the statement")
    case.subject = next(iter(read.subjects.items()))
    return "ok"


def _parts(case: _Case) -> State:
    """Step 4: each part's manifest is the one that was signed."""
    _given(case.predicate)
    for part, files in case.parts.items():
        signed = case.predicate.parts.get(part) if case.predicate else None
        found = sha256(files.get(MANIFEST, b""))
        _must(
            signed == found,
            "{part} 的清单与声明不符",
            "the manifest of {part} is not the one that was signed",
            part=part,
        )
        manifest = read_json(files[MANIFEST], Manifest, f"{part}/{MANIFEST}")
        _must(manifest.part == part, "{part} 的清单属于别的部分", "the manifest of {part} is another part's", part=part)
        case.manifests[part] = manifest
    return "ok"


def _files(case: _Case) -> State:
    """Step 5: every file is listed, and is what the list says."""
    for part, files in case.parts.items():
        _given(case.manifests.get(part))
        paths = [one.path for one in case.manifests[part].files]
        in_order = all(first < second for first, second in pairwise(paths))
        _must(
            in_order,
            "{part} 的清单没有按次序",
            "the manifest of {part} is out of order or names a file twice",
            part=part,
        )
        listed = {one.path: one for one in case.manifests[part].files}
        here = set(files) - {MANIFEST}
        for path in sorted(here ^ set(listed)):
            _must(path in here, "缺少文件 {path}", "the file {path} is missing", path=printable(f"{part}/{path}"))
            _must(path in listed, "文件不在清单中：{path}", "no manifest lists the file {path}",
                  path=printable(f"{part}/{path}"))  # fmt: skip
        for path, one in listed.items():
            same = len(files[path]) == one.size and sha256(files[path]) == one.sha256
            _must(same, "文件已被改动：{path}", "the file {path} was changed", path=printable(f"{part}/{path}"))
            if path.endswith(".json"):
                read_canonical(files[path], limit=len(files[path]), place=Place(file=printable(f"{part}/{path}")))
    return "ok"


def _plan(case: _Case) -> State:
    """Step 6: the plan is signed, and is that of the statement."""
    _given(case.predicate)
    opened = envelope.open_envelope(case.file("public", PLAN), PLAN)
    _must(opened.payload_type == PAYLOAD_TYPE, "载荷类型不对", "the payload type is not that of a plan")
    plan = read_json(opened.body, Plan, PLAN)
    results = envelope.check(opened, case.trust, read_stamp(plan.sealed_at))
    good = any(result.counts for result in results) and all(result.valid is not False for result in results)
    _must(good, "方案的签名不成立", "the plan's signature does not hold")
    predicate = case.predicate
    if predicate is None or case.subject is None:
        raise _Missing
    same = sha256(opened.body) == predicate.plan and plan.pilot == predicate.pilot
    _must(same, "方案不是声明所指的方案", "the plan is not the one that the statement names")
    named = (plan.scenario.name, plan.scenario.digest, plan.candidate.name, plan.candidate.digest)
    told = (predicate.scenario, predicate.scenario_digest, *case.subject)
    _must(named == told, "方案与声明的对象不同", "plan and statement speak of different things")
    scenario = sha256(case.file("public", SCENARIO))
    _must(scenario == plan.scenario.digest, "场景文件与方案不符", "the scenario file is not that of the plan")
    candidate = sha256(case.file("public", CANDIDATE))
    _must(candidate == plan.candidate_text, "应用说明与方案不符", "the candidate file is not that of the plan")
    names = [stage.name for stage in plan.stages]
    _must(len(set(names)) == len(names), "方案中有重复的阶段", "the plan has a stage twice")
    case.plan = plan
    return "ok"


def _ledger(case: _Case) -> State:
    """Step 7: the chain links, ends where the statement says, and the plan comes before the first stage."""
    data = case.file("public", LEDGER)
    if case.predicate is None or case.plan is None:
        raise _Missing
    _must(data.endswith(b"\n"), "台账末尾缺换行", "the ledger does not end with a newline")
    lines = data[:-1].split(b"\n")
    events = read_chain(lines)
    _must(
        sha256(lines[-1]) == case.predicate.ledger_head, "台账末端与声明不符", "the ledger's head is not the signed one"
    )
    _must(events[0].pilot == case.predicate.pilot, "台账属于别的中试", "the ledger is another pilot's")
    names = {"scenario": case.plan.scenario.digest, "candidate": case.plan.candidate.digest}
    opened = [event for event in events if event.kind == "pilot.opened"]
    once = opened == events[:1] and {name: opened[0].body.get(name) for name in names} == names
    _must(once, "中试不是为该场景和应用开启的", "the pilot was not opened once, first, for this scenario and candidate")
    sealed = [event.seq for event in events if event.kind == "plan.sealed"]
    begun = [event.seq for event in events if event.kind == "stage.started"]
    first = begun[0] if begun else len(events) + 1
    in_order = len(sealed) == 1 and sealed[0] < first
    _must(in_order, "方案没有在首个阶段之前签署", "the plan was not sealed before the first stage")
    body = events[sealed[0] - 1].body
    same = (body.get("plan"), body.get("commitment")) == (case.predicate.plan, case.plan.order.commitment)
    _must(same, "台账签署的是别的方案", "the ledger sealed another plan")
    case.events = events
    return "ok"


def _order(case: _Case) -> State:
    """Step 8: the order that was used is the one that the plan commits to."""
    order = read_json(case.file("restricted", ORDER), OrderSecret, ORDER)
    if case.plan is None:
        raise _Missing
    opened = sha256(bytes.fromhex(order.salt) + bytes.fromhex(order.seed))
    _must(opened == case.plan.order.commitment, "行序与承诺不符", "the order does not open the plan's commitment")
    case.order = order
    return "ok"


def _records(case: _Case) -> State:
    """Step 9: the records are those to which the ledger commits."""
    restricted = case.need("restricted")
    evidence = read_json(case.file("restricted", EVIDENCE), Evidence, EVIDENCE)
    if case.order is None or case.plan is None or case.events is None:
        raise _Missing
    same = [one.stage for one in evidence.stages] == [stage.name for stage in case.plan.stages]
    _must(same, "证据的阶段与方案不同", "the evidence has other stages than the plan")
    bodies = [event.body for event in case.events if event.kind == "stage.done"]
    done = [(body.get("stage"), body.get("ran"), body.get("root")) for body in bodies]
    salt = bytes.fromhex(case.order.record_salt)
    for one in evidence.stages:
        files = stage_arrays(restricted, one.stage)
        root = records_root(files, salt) if files else None
        same = root == one.root and (one.stage, one.skipped is None, root) in done
        _must(same, "{stage} 的记录与台账不符", "the records of {stage} are not those of the ledger", stage=one.stage)
    _must(len(done) == len(evidence.stages), "有阶段不止完成一次", "a stage is not done once")
    case.measured = read_evidence(evidence, restricted)
    for stage in case.measured:
        _sound_records(stage, case.plan)
    return "ok"


def _sound_records(stage: StageEvidence, plan: Plan) -> None:
    if stage.records is None:
        return
    columns = [column.name for column in stage.records.header.columns]
    named = stage.records.header.stage == stage.stage and len(set(columns)) == len(columns)
    _must(named, "{stage} 的表头不对", "the header of {stage} is not right", stage=stage.stage)
    known = bool((stage.records["status"] <= DATA).all())
    _must(known, "{stage} 有未知的状态码", "{stage} has an unknown status", stage=stage.stage)
    if stage.stage == "effectiveness":
        rows = stage.records.header.rows
        once = len(set(stage.records["unit"].tolist())) == rows == plan.order.rows
        _must(once, "隐藏样本的行数或编号不对", "the hidden rows are not each there once")


def _judged_again(case: _Case) -> State:
    """Step 10: the verdict follows from the records; without them, from the findings as listed."""
    verdict = read_json(case.file("public", VERDICT), Verdict, VERDICT)
    if case.plan is None:
        raise _Missing
    report = read_json(case.file("public", ISOLATION), IsolationReport, ISOLATION)
    case.level, case.verdict = report.isolation.level, verdict
    _none(not_planned(case.plan, verdict.judgement))
    if "restricted" not in case.parts:
        held = follows(case.plan, verdict.judgement, case.level)
        _must(held, "结论不能由所列判定得出", "the outcome does not follow from the findings")
        return "ok"
    measured = case.measured
    if measured is None:
        raise _Missing
    for stage in measured:
        _none(unsound(stage.records) if stage.records else None)
    _none(unlike(verdict.judgement, judge(case.plan, measured, case.level)))
    _must(outcome_digest(measured) == verdict.outcome_digest, "结果摘要不符", "the outcome digest differs")
    return "ok"


def _none(fault: Text | None) -> None:
    if fault is not None:
        raise _Failed(fault)


def _agreement(case: _Case) -> State:
    """Step 11: verdict, ledger and notice say the same."""
    notice = None
    if "candidate" in case.parts:
        notice = read_json(case.file("candidate", NOTICE), Notice, NOTICE)
        if case.predicate is None or case.subject is None:
            raise _Missing
        named = (case.predicate.pilot, case.predicate.scenario, case.subject[0])
        same = (notice.pilot, notice.scenario, notice.candidate) == named
        _must(same, "通知属于别的中试", "the notice is another pilot's")
    if case.verdict is None or case.plan is None or case.predicate is None or case.events is None:
        if notice is None:
            raise _Missing
        return "ok"
    _verdict_names(case.verdict, case.plan, case.predicate)
    _must(
        case.verdict.isolation == case.level, "隔离级别前后不一", "verdict and isolation report name different levels"
    )
    judged = [event.body.get("verdict") for event in case.events if event.kind == "verdict.judged"]
    same = judged == [sha256(case.file("public", VERDICT))]
    _must(same, "台账记下的是别的结论", "the ledger recorded another verdict")
    if notice is not None:
        _must(notice.accepted == (case.verdict.outcome == "accepted"), "通知与结论不符", "notice and verdict disagree")
        early = tuple(one for one in case.verdict.judgement.stages if one.stage in {"intake", "conformance"})
        _must(notice.before_hidden == early, "通知中的判定与结论不符", "the notice lists other findings")
    return "ok"


def _verdict_names(verdict: Verdict, plan: Plan, predicate: Predicate) -> None:
    named = (verdict.pilot, verdict.plan, verdict.scenario, verdict.candidate, verdict.issued_at, verdict.data_public)
    told = (
        predicate.pilot, predicate.plan, plan.scenario.name, plan.candidate.name, predicate.issued_at, plan.data_public,
    )  # fmt: skip
    _must(named == told, "结论属于别的中试", "the verdict is another pilot's")
    ends = read_stamp(verdict.issued_at) + timedelta(seconds=seconds(plan.valid_for, NOWHERE))
    _must(stamp(ends) == verdict.valid_until, "有效期与方案不符", "the validity is not that of the plan")


def _log(case: _Case) -> State:
    """Step 12: the statement stands in the base's transparency log."""
    data = case.copy.files.get(LOG_PROOF)
    if data is None:
        return "absent"
    proof = read_json(data, LogProof, LOG_PROOF)
    leaf = log.statement_leaf(sha256(case.copy.files.get(STATEMENT, b"")))
    path = [bytes.fromhex(one) for one in proof.path]
    held = log.verify_inclusion(leaf, proof.index, proof.size, path, bytes.fromhex(proof.root))
    _must(held, "日志证明不成立", "the proof of the log does not hold")
    return "ok"


_STEPS: tuple[tuple[Text, Callable[[_Case], State]], ...] = (
    (Text(zh="文件夹", en="folder"), _folder),
    (Text(zh="签名", en="signature"), _signature),
    (Text(zh="声明", en="statement"), _statement),
    (Text(zh="各部分", en="parts"), _parts),
    (Text(zh="文件", en="files"), _files),
    (Text(zh="方案", en="plan"), _plan),
    (Text(zh="台账", en="ledger"), _ledger),
    (Text(zh="行序承诺", en="order"), _order),
    (Text(zh="测量记录", en="records"), _records),
    (Text(zh="重新判定", en="judged again"), _judged_again),
    (Text(zh="结论与通知", en="verdict and notice"), _agreement),
    (Text(zh="透明日志", en="log"), _log),
)


def _proves(case: _Case) -> tuple[Text, ...]:
    """Say what this copy proves and what it does not; DESIGN section 6, never more."""
    told = [
        Text(
            zh="先后次序：自述（order: self-asserted）——方案先于记录，仅以签发基地的台账为凭",
            en="order: self-asserted - that the plan came before the records rests on the issuing base's own chain",
        ),
        Text(
            zh="不证明：基地确实运行过该应用、钟表时间、记录并非虚构；这些须由审计方重放、见证或其他方签名来支持",
            en="not proved: that the base really ran the application, wall-clock time, that records were not invented; "
            "replay by an auditor, a witness or further signatures stand for these",
        ),
    ]
    if case.owner:
        told.insert(0, Text(zh="签名：基地 {owner}", en="signed by: base {owner}").fill(owner=printable(case.owner)))
    told.extend(
        Text(zh="未随附：{part}（仅有摘要）", en="withheld: {part} (its digest only)").fill(part=part)
        for part in PARTS
        if part not in case.parts
    )
    if case.verdict and case.verdict.data_public:
        told.append(
            Text(
                zh="数据公开：隐藏样本人人可得，本结论只演示方法",
                en="public data: anyone can have the hidden rows; this verdict demonstrates the method",
            )
        )
    if case.verdict and read_stamp(case.verdict.valid_until) < case.now:
        told.append(Text(zh="结论已过期", en="the verdict has expired"))
    return tuple(told)
