"""Issuing: the dossier is laid together, the statement signed, one leaf added to the base's log.

What the dossier says has been judged before; here nothing is decided. FORMATS section 6.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import msgspec

from pilotbase.evidence import envelope, log, statement
from pilotbase.foundation.canonical import Json, canonical_bytes
from pilotbase.foundation.clock import stamp
from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import NOWHERE, UsageError
from pilotbase.foundation.text import LANGUAGES, Text
from pilotbase.foundation.units import seconds
from pilotbase.line.means import Means, Pen
from pilotbase.line.seal import Pack, Sealed, Submission
from pilotbase.line.stages import Done
from pilotbase.pilot import dossier as paths
from pilotbase.pilot.aggregates import aggregate
from pilotbase.pilot.document import Noun, read_json, to_bytes, to_tree
from pilotbase.pilot.dossier import Evidence, LogProof, Notice, PartName, Predicate, StageRecord, make_manifest
from pilotbase.pilot.measurement import outcome_digest, pack
from pilotbase.pilot.scenario import Digest
from pilotbase.pilot.trace import Environment, EnvironmentReport, Isolation, IsolationReport, Metering, together
from pilotbase.pilot.verdict import Verdict, judge
from pilotbase.report.pages import Contents, render
from pilotbase.store.disk import disk_work
from pilotbase.supports.opensource.sbom import sbom


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A pilot whose stages are done."""

    pack: Pack
    submission: Submission
    sealed: Sealed
    isolation: Isolation
    environment: Environment
    done: Sequence[Done]
    records: Sequence[StageRecord]
    """What the ledger and the dossier say of each stage, in plan order."""

    @property
    def pilot(self) -> str:
        """The pilot's id."""
        return self.sealed.plan.pilot


def conclude(means: Means, case: Case) -> Verdict:
    """Judge the whole and put it in the form that is issued."""
    plan = case.sealed.plan
    evidence = tuple(one.evidence for one in case.done)
    issued = means.clock()
    return Verdict(
        schema=Verdict.SCHEMA,
        pilot=plan.pilot,
        plan=case.sealed.digest,
        scenario=plan.scenario.name,
        candidate=plan.candidate.name,
        judgement=judge(plan, evidence, case.isolation.level),
        isolation=case.isolation.level,
        outcome_digest=outcome_digest(evidence),
        data_public=plan.data_public,
        issued_at=stamp(issued),
        valid_until=stamp(issued + timedelta(seconds=seconds(plan.valid_for, NOWHERE))),
    )


class KeptDossier(Noun, frozen=True, kw_only=True):
    """A signed dossier, as the base keeps it: every file among the blobs."""

    SCHEMA: ClassVar[str] = "pilotbase/kept-dossier/1"

    schema: str
    files: dict[str, Digest]
    """Path in the dossier -> blob."""


def sign(means: Means, pen: Pen, case: Case, verdict: Verdict) -> str:
    """Lay the dossier together, sign its statement once, keep it all; return the digest by which it is kept."""
    parts: dict[PartName, dict[str, bytes]] = {
        "candidate": _candidate_copy(case, verdict),
        "public": _public(means, case, verdict),
        "restricted": _restricted(case),
    }
    manifests = {part: make_manifest(part, files, secrets.token_bytes(32)) for part, files in parts.items()}
    signed = envelope.sign(statement.PAYLOAD_TYPE, _statement(means, case, verdict, manifests), [means.key])
    files = {paths.STATEMENT: signed}
    for part, listed in parts.items():
        files[f"{part}/{paths.MANIFEST}"] = manifests[part]
        files |= {f"{part}/{path}": data for path, data in listed.items()}
    kept = KeptDossier(schema=KeptDossier.SCHEMA, files={path: means.blobs.put(data) for path, data in files.items()})
    digest = means.blobs.put(to_bytes(kept))
    pen.enter("dossier.signed", {"statement": sha256(signed), "kept": digest})
    return digest


def write_dossier(means: Means, digest: str, out: Path) -> None:
    """Add a signed dossier to the log and write it to ``out``: whole, or not at all.

    The leaf comes after the event that names the statement, so that a statement has one leaf, however often this is
    run; the same dossier standing there already is left as it is.

    Raises UsageError if something else stands there; FaultError when the disk is full: ledger and blobs keep the pilot,
    and ``run --resume`` writes it again.
    """
    kept = read_json(means.blobs.get(digest), KeptDossier, digest)
    files = {path: means.blobs.get(one) for path, one in kept.files.items()}
    signed = files[paths.STATEMENT]
    here = out / paths.STATEMENT
    if here.is_file() and here.read_bytes() == signed:
        return
    refuse_used(out)
    write_folder(out, files | {paths.LOG_PROOF: _log_proof(means, signed)})


def refuse_used(out: Path | None) -> None:
    """Raise UsageError if something stands where a dossier is to be written."""
    if out is not None and out.exists():
        raise UsageError(
            Text(zh="输出位置已存在", en="the place for the dossier exists already"),
            found=str(out),
            remedy=Text(zh="请另选一个 --out", en="choose another --out"),
        )


def _candidate_copy(case: Case, verdict: Verdict) -> dict[str, bytes]:
    """Return the candidate's copy; what it wrote while only public sample rows were shown is its own to read."""
    told = b"".join(one.stderr for one in case.done if one.evidence.stage == "conformance")
    return {paths.NOTICE: _notice(case, verdict)} | ({paths.CONFORMANCE_LOG: told} if told else {})


def _notice(case: Case, verdict: Verdict) -> bytes:
    early = tuple(stage for stage in verdict.judgement.stages if stage.stage in {"intake", "conformance"})
    return to_bytes(
        Notice(
            schema=Notice.SCHEMA,
            pilot=case.pilot,
            scenario=verdict.scenario,
            candidate=verdict.candidate,
            accepted=verdict.outcome == "accepted",
            before_hidden=early,
        )
    )


def _public(means: Means, case: Case, verdict: Verdict) -> dict[str, bytes]:
    evidence = tuple(one.evidence for one in case.done)
    usages = {one.evidence.stage: together(one.usages) for one in case.done if one.usages}
    lock = case.submission.folder / case.submission.candidate.run.requirements
    files = {
        paths.PLAN: case.sealed.envelope,
        paths.VERDICT: to_bytes(verdict),
        paths.SCENARIO: case.pack.text,
        paths.CANDIDATE: case.submission.text,
        paths.LEDGER: means.ledger.extract(case.pilot) + b"\n",
        paths.ISOLATION: to_bytes(IsolationReport(schema=IsolationReport.SCHEMA, isolation=case.isolation)),
        paths.METERING: to_bytes(Metering(schema=Metering.SCHEMA, stages=usages)),
        paths.ENVIRONMENT: to_bytes(EnvironmentReport(schema=EnvironmentReport.SCHEMA, environment=case.environment)),
        paths.AGGREGATES: to_bytes(aggregate(case.sealed.plan, evidence)),
        paths.SBOM: canonical_bytes(
            sbom(case.submission.candidate, case.submission.entries, lock.read_bytes() if lock.is_file() else b"")
        ),
    }
    signer = means.ring.find(means.key.keyid)
    contents = Contents.from_public(files, keyid=means.key.keyid, owner=signer.owner if signer else "")
    return files | {f"report.{language}.html": render(contents, language).encode() for language in LANGUAGES}


def _restricted(case: Case) -> dict[str, bytes]:
    files = {
        paths.ORDER: to_bytes(case.sealed.order),
        paths.EVIDENCE: to_bytes(Evidence(schema=Evidence.SCHEMA, stages=tuple(case.records))),
    }
    for one in case.done:
        arrays = pack(one.evidence.records) if one.evidence.records else {}
        files |= {f"records/{one.evidence.stage}/{name}": data for name, data in arrays.items()}
        if one.stderr:
            files[f"logs/{one.evidence.stage}.stderr"] = one.stderr
    return files


def _statement(means: Means, case: Case, verdict: Verdict, manifests: Mapping[PartName, bytes]) -> bytes:
    plan = case.sealed.plan
    predicate = Predicate(
        schema=Predicate.SCHEMA,
        pilot=plan.pilot,
        issued_at=verdict.issued_at,
        scenario=plan.scenario.name,
        scenario_digest=plan.scenario.digest,
        plan=case.sealed.digest,
        ledger_head=means.ledger.head(plan.pilot),
        parts={part: sha256(data) for part, data in manifests.items()},
    )
    tree: dict[str, Json] = msgspec.convert(to_tree(predicate), dict)
    return statement.build({plan.candidate.name: plan.candidate.digest}, tree)


def _log_proof(means: Means, signed: bytes) -> bytes:
    index = means.leaves.append_leaf(sha256(signed))
    leaves = [log.statement_leaf(digest) for digest in means.leaves.leaves()]
    path = tuple(one.hex() for one in log.inclusion_proof(leaves, index))
    root = log.root(leaves).hex()
    return to_bytes(LogProof(schema=LogProof.SCHEMA, index=index, size=len(leaves), root=root, path=path))


def write_folder(out: Path, files: Mapping[str, bytes]) -> None:
    """Write a dossier under a temporary name that nobody else can enter, then open it and give it its name.

    ``restricted`` stays closed to all but its owner.
    """
    partial = out.with_name(f".{out.name}.partial")
    with disk_work(out, _KEPT):
        shutil.rmtree(partial, ignore_errors=True)
        try:
            partial.parent.mkdir(parents=True, exist_ok=True)
            partial.mkdir(mode=0o700)
            for path, data in files.items():
                target = partial / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            (partial / "restricted").chmod(0o700)
            partial.chmod(0o755)
            partial.rename(out)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise


_KEPT = Text(
    zh="中试的全部结果仍在台账中，没有留下半份档案",
    en="the pilot's results are all in the ledger, and no half dossier was left",
)
