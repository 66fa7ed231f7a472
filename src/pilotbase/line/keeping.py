"""Keeping: what a pilot under way leaves behind, so that a kill at any moment loses nothing and doubles nothing.

The ledger is the workflow. A step's output is put among the blobs, named by its digest, before the event that names it
is appended: an event always finds its blob; a blob without an event is work that will be done again. DESIGN section 7.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from pilotbase.evidence import envelope
from pilotbase.foundation.canonical import Json
from pilotbase.foundation.errors import UsageError
from pilotbase.foundation.text import Text
from pilotbase.line.means import Means, Pen
from pilotbase.line.run import Batch
from pilotbase.line.seal import Sealed
from pilotbase.line.stages import Done
from pilotbase.pilot.document import Noun, read_json, to_bytes
from pilotbase.pilot.dossier import OrderSecret, StageRecord
from pilotbase.pilot.measurement import StageEvidence, pack, records_root, unpack
from pilotbase.pilot.plan import Plan
from pilotbase.pilot.scenario import Digest, StageName
from pilotbase.pilot.trace import Failure, Usage
from pilotbase.store.blobs import Blobs


class KeptPlan(Noun, frozen=True, kw_only=True):
    """A sealed plan, as the base keeps it."""

    SCHEMA: ClassVar[str] = "pilotbase/kept-plan/1"

    schema: str
    envelope: Digest
    order: OrderSecret
    isolation: Literal["full", "none"]
    """The level at which the pilot was begun; it goes on at no other."""


class KeptStage(Noun, frozen=True, kw_only=True):
    """A finished stage, as the base keeps it."""

    SCHEMA: ClassVar[str] = "pilotbase/kept-stage/1"

    schema: str
    record: StageRecord
    usages: tuple[Usage, ...]
    failures: tuple[Failure, ...]
    files: dict[str, Digest]
    """The record files, by name."""
    stderr: Digest


def keep_plan(means: Means, sealed: Sealed, isolation: Literal["full", "none"]) -> str:
    """Keep a plan, what opens it and the level at which it is begun; return the digest to enter in the ledger."""
    signed = means.blobs.put(sealed.envelope)
    kept = KeptPlan(schema=KeptPlan.SCHEMA, envelope=signed, order=sealed.order, isolation=isolation)
    return means.blobs.put(to_bytes(kept))


def read_plan(means: Means, digest: str, isolation: Literal["full", "none"]) -> Sealed:
    """Read a kept plan again. Raises UsageError if the pilot was begun at another level of isolation."""
    kept = read_json(means.blobs.get(digest), KeptPlan, digest)
    if kept.isolation != isolation:
        raise UsageError(
            Text(
                zh="这个中试是在另一种隔离条件下开始的，不能换一种继续",
                en="this pilot was begun at another level of isolation and cannot go on at this one",
            ),
            found=isolation,
            expected=Text(zh=kept.isolation, en=kept.isolation),
            remedy=Text(
                zh="以开始时的方式继续（none 即 --i-trust-this-code），或去掉 --resume 重新开始",
                en="go on as it was begun (none is --i-trust-this-code), or begin anew without --resume",
            ),
        )
    signed = means.blobs.get(kept.envelope)
    plan = read_json(envelope.open_envelope(signed, kept.envelope).body, Plan, kept.envelope)
    return Sealed(plan=plan, envelope=signed, order=kept.order)


def keep_stage(means: Means, done: Done, salt: bytes) -> dict[str, Json]:
    """Keep a finished stage; return the body of its ``stage.done`` event."""
    files = pack(done.evidence.records) if done.evidence.records else {}
    record = stage_record(done, salt)
    kept = KeptStage(
        schema=KeptStage.SCHEMA,
        record=record,
        usages=done.usages,
        failures=done.failures,
        files={name: means.blobs.put(data) for name, data in files.items()},
        stderr=means.blobs.put(done.stderr),
    )
    body: dict[str, Json] = {"stage": record.stage, "ran": record.skipped is None, "root": record.root}
    return body | {"kept": means.blobs.put(to_bytes(kept))}


def stage_record(done: Done, salt: bytes) -> StageRecord:
    """Return what ledger and dossier say of a finished stage."""
    evidence = done.evidence
    root = records_root(pack(evidence.records), salt) if evidence.records else None
    return StageRecord(stage=evidence.stage, skipped=evidence.skipped, facts=evidence.facts, root=root)


def read_stage(means: Means, digest: str) -> Done:
    """Read a finished stage again."""
    kept = read_json(means.blobs.get(digest), KeptStage, digest)
    files = {name: means.blobs.get(one) for name, one in kept.files.items()}
    evidence = StageEvidence(
        stage=kept.record.stage,
        records=unpack(files) if files else None,
        facts=kept.record.facts,
        skipped=kept.record.skipped,
    )
    return Done(evidence=evidence, usages=kept.usages, failures=kept.failures, stderr=means.blobs.get(kept.stderr))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """The answers of one stage, batch by batch: kept, then in the ledger, and only then is the next batch asked."""

    blobs: Blobs
    pen: Pen
    stage: StageName
    answered: Mapping[object, str]
    """Number of a batch that the ledger knew when this worker began -> blob."""

    @classmethod
    def open(cls, blobs: Blobs, pen: Pen, stage: StageName) -> Spool:
        """Take up a stage's batches where the ledger leaves off."""
        bodies = [body for body in pen.bodies("batch.answered") if body["stage"] == stage]
        return cls(blobs=blobs, pen=pen, stage=stage, answered={body["batch"]: str(body["digest"]) for body in bodies})

    def load(self, number: int) -> Batch | None:
        """Return the answers to a batch that the ledger knows."""
        if number not in self.answered:
            return None
        with np.load(io.BytesIO(self.blobs.get(self.answered[number])), allow_pickle=False) as kept:
            return Batch(status=kept["status"], answers=kept["answers"], seconds=float(kept["seconds"]))

    def keep(self, number: int, batch: Batch) -> None:
        """Keep a batch, then say so in the ledger."""
        buffer = io.BytesIO()
        np.savez(buffer, status=batch.status, answers=batch.answers, seconds=np.float64(batch.seconds))
        digest = self.blobs.put(buffer.getvalue())
        body: dict[str, Json] = {"stage": self.stage, "batch": number, "rows": len(batch.status), "digest": digest}
        self.pen.enter("batch.answered", body)
