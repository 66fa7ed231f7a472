"""Sealing: everything is looked up once, decided once, written into the plan, signed, and entered in the ledger.

Nothing of the hidden rows has been shown when this is done. FORMATS section 4; DESIGN section 4, step 1.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np

from pilotbase.evidence import envelope
from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.clock import stamp
from pilotbase.foundation.digests import FileEntry, file_digest, folder_digest, keyed, sha256
from pilotbase.foundation.errors import InputError
from pilotbase.foundation.text import Text, printable
from pilotbase.foundation.version import VERSION
from pilotbase.line.means import Means
from pilotbase.pilot import feasibility
from pilotbase.pilot.candidate import Candidate
from pilotbase.pilot.document import to_bytes
from pilotbase.pilot.dossier import OrderSecret
from pilotbase.pilot.feasibility import Counts
from pilotbase.pilot.plan import PAYLOAD_TYPE, Named, Order, Plan, Words, plan_stages
from pilotbase.pilot.scenario import Scenario, SplitName
from pilotbase.pilot.soundness import read_sound
from pilotbase.supports.applications.start import shim
from pilotbase.supports.data.custody import Custody, Truths
from pilotbase.supports.opensource.package import read_candidate

ATTEMPT = 1  # until the alpha ledger exists: one attempt, and the criterion's alpha is spent whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A scenario as this base has it installed: public half and binding."""

    scenario: Scenario
    text: bytes
    """``scenario.toml`` as it stands; its digest is the scenario's."""
    custody: Custody


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A candidate as it was handed in."""

    candidate: Candidate
    text: bytes
    entries: tuple[FileEntry, ...]
    folder: Path

    @property
    def digest(self) -> str:
        """The candidate digest."""
        return folder_digest(self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A signed plan with what opens its commitments."""

    plan: Plan
    envelope: bytes
    order: OrderSecret

    @property
    def digest(self) -> str:
        """The digest of the plan's own bytes."""
        return sha256(to_bytes(self.plan))


def open_pack(home_custody: Path, reference: str) -> Pack:
    """Open an installed scenario by ``sector/name`` or ``sector/name@version``. Raises InputError with the remedy."""
    folder = _installed(home_custody, reference)
    text = (folder / "scenario.toml").read_bytes()
    scenario = read_sound(text, Scenario, str(folder / "scenario.toml"))
    return Pack(scenario=scenario, text=text, custody=Custody.open(folder / "binding.toml", scenario))


def is_installed(home_custody: Path, reference: str) -> bool:
    """Whether this base has a scenario in custody."""
    return bool(_candidates(home_custody, reference))


def _candidates(home_custody: Path, reference: str) -> list[Path]:
    """Return the installed folders that a reference may mean."""
    name, _, version = reference.partition("@")
    folders = home_custody.glob("*/*@*/scenario.toml")
    held = [(f"{path.parent.parent.name}/{path.parent.name}", path.parent) for path in folders]
    return [path for full, path in held if full.partition("@")[0] == name and version in {"", full.partition("@")[2]}]


def _installed(home_custody: Path, reference: str) -> Path:
    """Find the installed folder; without a version the newest one is meant."""
    name = reference.partition("@")[0]
    found = _candidates(home_custody, reference)
    if not found:
        raise InputError(
            Text(zh="此基地没有安装该场景", en="this base has not installed that scenario"),
            found=printable(reference),
            expected=Text(zh="领域/名称，或 领域/名称@版本", en="sector/name, or sector/name@version"),
            remedy=Text(
                zh=f"pilotbase scenarios list；pilotbase scenarios install {printable(name)}",
                en=f"pilotbase scenarios list; pilotbase scenarios install {printable(name)}",
            ),
        )
    return max(found, key=lambda path: _version(path.name.partition("@")[2]))


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in text.split("."))


def open_submission(path: Path, room: Path) -> Submission:
    """Read a candidate's folder or archive; what is judged is the copy that is made in the room."""
    candidate, entries, folder = read_candidate(path, room)
    text = (folder / "candidate.toml").read_bytes()
    return Submission(candidate=candidate, text=text, entries=tuple(entries), folder=folder)


def order_seed(secret: bytes, pack: Pack, submission: Submission) -> bytes:
    """Derive the seed of one attempt: the same attempt keeps its order. FORMATS section 4."""
    parts = (sha256(pack.text), pack.scenario.data.hidden, submission.digest, str(ATTEMPT))
    return keyed(secret, *(part.encode() for part in parts))


def draft(
    pilot: str, pack: Pack, submission: Submission, *, seed: bytes, moment: datetime, shown: SplitName = "hidden"
) -> tuple[Plan, OrderSecret]:
    """Decide everything, sign nothing.

    Args:
        pilot: the pilot's id.
        pack: the scenario.
        submission: the candidate.
        seed: 32 bytes from which order and ids of the shown rows follow.
        moment: the time that the plan bears.
        shown: ``hidden``; ``sample`` for a rehearsal.

    Raises:
        InputError: the shown data can never decide what is asked.

    """
    scenario = pack.scenario
    secret = OrderSecret(
        schema=OrderSecret.SCHEMA, seed=seed.hex(), salt=secrets.token_hex(32), record_salt=secrets.token_hex(32)
    )
    rows: dict[SplitName, int] = {"sample": pack.custody.rows("sample"), "hidden": pack.custody.rows(shown)}
    plan = Plan(
        schema=Plan.SCHEMA,
        pilot=pilot,
        sealed_at=stamp(moment),
        scenario=Named(name=scenario.name, digest=sha256(pack.text)),
        candidate=Named(name=submission.candidate.name, digest=submission.digest),
        candidate_text=sha256(submission.text),
        kind=scenario.kind,
        sector=scenario.sector,
        action_area=scenario.action_area,
        verifies=scenario.verifies,
        stages=plan_stages(scenario, rows),
        words=_words(scenario),
        order=Order(commitment=sha256(bytes.fromhex(secret.salt) + seed), rows=rows["hidden"]),
        attempt=ATTEMPT,
        alpha_spent=Decimal(1),
        looks=1,
        max_invalid=scenario.max_invalid,
        disclosure=scenario.disclosure,
        data_public=scenario.data_public,
        isolation=scenario.isolation,
        limits=scenario.limits,
        batch_rows=scenario.contract.batch_rows,
        valid_for=scenario.valid_for,
        agreement=None,
        policies=(),
        plugins=(Named(name=f"adapter/{submission.candidate.run.adapter}", digest=sha256(shim(submission.candidate))),),
        software=software(),
        environment=Named(name=submission.candidate.run.requirements, digest=lock_digest(submission)),
        anchor="",
        signatures_wanted=("base",),
    )
    feasibility.check(plan, shown_counts(pack, seed, shown), pack.text)
    return plan, secret


def shown_counts(pack: Pack, seed: bytes, shown: SplitName) -> Counts:
    """Count what a split holds; its truths come from custody and go nowhere else."""
    return count(pack.custody.part(shown, seed, ()).truths)


def count(truths: Truths) -> Counts:
    """Count rows, positives, and positives of each group."""
    positive = truths.target == 1
    groups = {
        name: tuple(int((positive & (codes == code)).sum()) for code in range(len(truths.words[name])))
        for name, codes in truths.groups.items()
    }
    return Counts(rows=len(truths.target), positives=int(np.count_nonzero(positive)), groups=groups)


def _words(scenario: Scenario) -> Words:
    groups = {column.name: column.vocabulary for column in scenario.columns("group")}
    return Words(unit=scenario.unit, positive=scenario.positive, groups=groups)


def software() -> Named:
    """Name this package by its version and the digest of its source."""
    root = Path(__file__).parent.parent
    sources = sorted(path for path in root.rglob("*") if path.suffix in {".py", ".toml", ".html", ".css"})
    rows = [[path.relative_to(root).as_posix(), file_digest(path)] for path in sources]
    return Named(name=f"pilotbase@{VERSION}", digest=sha256(canonical_bytes(rows)))


def lock_digest(submission: Submission) -> str:
    """Return the digest of the candidate's requirements as handed in; that of nothing if there are none."""
    lock = submission.folder / submission.candidate.run.requirements
    return sha256(lock.read_bytes() if lock.is_file() else b"")


def sign_plan(means: Means, plan: Plan, order: OrderSecret) -> Sealed:
    """Sign the plan: from here on nothing in it can be changed."""
    return Sealed(plan=plan, envelope=envelope.sign(PAYLOAD_TYPE, to_bytes(plan), [means.key]), order=order)
