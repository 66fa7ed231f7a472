"""The dossier: the signed evidence of a pilot, laid out as a folder in three views. FORMATS section 6.

At the root only ``statement.dsse.json`` and ``log-proof.json``; beside them the folders ``candidate/``, ``public/`` and
``restricted/``, each listed by its own salted manifest, whose digest is all that the statement says of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pilotbase.foundation.digests import sha256
from pilotbase.foundation.text import Text, printable
from pilotbase.pilot.document import Noun, to_bytes
from pilotbase.pilot.measurement import Fact, Records, StageEvidence, unpack
from pilotbase.pilot.scenario import Digest, StageName
from pilotbase.pilot.verdict import StageFindings

STATEMENT = "statement.dsse.json"
LOG_PROOF = "log-proof.json"
MANIFEST = "manifest.json"
PartName = Literal["candidate", "public", "restricted"]
PARTS: tuple[PartName, ...] = ("candidate", "public", "restricted")

NOTICE = "notice.json"
CONFORMANCE_LOG = "conformance.stderr"
PLAN = "plan.dsse.json"
VERDICT = "verdict.json"
SCENARIO = "scenario.toml"
CANDIDATE = "candidate.toml"
LEDGER = "ledger.jsonl"
ISOLATION = "isolation.json"
METERING = "metering.json"
ENVIRONMENT = "environment.json"
AGGREGATES = "aggregates.json"
SBOM = "sbom.json"
ORDER = "order.json"
EVIDENCE = "evidence.json"


class ListedFile(Noun, frozen=True, kw_only=True):
    """One file of a part."""

    path: str
    size: int
    sha256: Digest


class Manifest(Noun, frozen=True, kw_only=True):
    """All files of one part. The salt makes its digest say nothing of the content to those who do not hold it."""

    SCHEMA: ClassVar[str] = "pilotbase/manifest/1"

    schema: str
    salt: Digest
    """32 random bytes, hexadecimal."""
    part: PartName
    files: tuple[ListedFile, ...]


class Predicate(Noun, frozen=True, kw_only=True):
    """What the statement says: which pilot, under which plan, and the digests of the parts. Never the outcome."""

    SCHEMA: ClassVar[str] = "pilotbase/statement/1"

    schema: str
    pilot: str
    issued_at: str
    scenario: str
    scenario_digest: Digest
    plan: Digest
    ledger_head: Digest
    parts: dict[PartName, Digest]
    restricted_encryption: Literal["none"] = "none"


class Notice(Noun, frozen=True, kw_only=True):
    """The candidate's copy: accepted or not, and in full what failed before any hidden row was shown."""

    SCHEMA: ClassVar[str] = "pilotbase/notice/1"

    schema: str
    pilot: str
    scenario: str
    candidate: str
    accepted: bool
    before_hidden: tuple[StageFindings, ...]
    """Intake and conformance."""


class LogProof(Noun, frozen=True, kw_only=True):
    """Where the statement stands in the base's transparency log. RFC 6962 section 2.1.1."""

    SCHEMA: ClassVar[str] = "pilotbase/log-proof/1"

    schema: str
    index: int
    """Counted from 0."""
    size: int
    """Leaves of the log when the proof was made."""
    root: Digest
    path: tuple[Digest, ...]


class OrderSecret(Noun, frozen=True, kw_only=True):
    """What opens the plan's order commitment, and the salt of the records."""

    SCHEMA: ClassVar[str] = "pilotbase/order/1"

    schema: str
    seed: Digest
    salt: Digest
    record_salt: Digest


class StageRecord(Noun, frozen=True, kw_only=True):
    """What one stage left: facts in place, arrays in ``records/<stage>/``."""

    stage: StageName
    skipped: Text | None
    facts: tuple[Fact, ...]
    root: Digest | None
    """Merkle root of the arrays, if there are any."""


class Evidence(Noun, frozen=True, kw_only=True):
    """What all stages left, in plan order."""

    SCHEMA: ClassVar[str] = "pilotbase/evidence/1"

    schema: str
    stages: tuple[StageRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A dossier's bytes, as one reader has them, with whatever does not belong there."""

    files: Mapping[str, bytes]
    """Path relative to the root -> content."""
    strays: tuple[str, ...]
    """Links, special files, names that differ only by case: printable paths."""

    def part(self, name: str) -> dict[str, bytes]:
        """Return the files of one part by their path inside it; empty if the part is withheld."""
        return {path.removeprefix(f"{name}/"): data for path, data in self.files.items() if path.startswith(f"{name}/")}


LARGEST_FILE = 1 << 30  # bytes; a larger one is not read, to keep a hostile dossier from filling memory


def read_copy(folder: Path) -> Copy:
    """Read a dossier from its folder; links are never followed."""
    files: dict[str, bytes] = {}
    strays: list[str] = []
    seen: set[str] = set()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()) or name.casefold() in seen:
            strays.append(printable(name))
        elif path.is_file() and path.stat().st_size <= LARGEST_FILE:
            files[name] = path.read_bytes()
        elif path.is_file():
            strays.append(printable(name))
        elif not any(path.iterdir()):
            strays.append(printable(f"{name}/"))  # an empty folder is nowhere listed
        seen.add(name.casefold())
    return Copy(files=files, strays=tuple(strays))


def make_manifest(part: PartName, files: Mapping[str, bytes], salt: bytes) -> bytes:
    """Return the bytes of a part's manifest."""
    listed = tuple(ListedFile(path=path, size=len(data), sha256=sha256(data)) for path, data in sorted(files.items()))
    return to_bytes(Manifest(schema=Manifest.SCHEMA, salt=salt.hex(), part=part, files=listed))


def stage_arrays(restricted: Mapping[str, bytes], stage: str) -> dict[str, bytes]:
    """Return the record files of one stage by their plain names."""
    prefix = f"records/{stage}/"
    return {path.removeprefix(prefix): data for path, data in restricted.items() if path.startswith(prefix)}


def read_evidence(document: Evidence, restricted: Mapping[str, bytes]) -> tuple[StageEvidence, ...]:
    """Put facts and arrays together again. Raises InputError for arrays that do not fit their header."""
    return tuple(
        StageEvidence(
            stage=one.stage,
            records=_records(restricted, one) if one.root else None,
            facts=one.facts,
            skipped=one.skipped,
        )
        for one in document.stages
    )


def _records(restricted: Mapping[str, bytes], one: StageRecord) -> Records:
    return unpack(stage_arrays(restricted, one.stage))
