"""The verbs of a base, each one function; command line, Python and later doors call these and nothing else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pilotbase.base.opening import (
    isolated_cells,
    isolated_loading,
    open_base,
    plain_cells,
    plain_loading,
)
from pilotbase.evidence import envelope
from pilotbase.evidence.keyfiles import load_ring
from pilotbase.evidence.keys import KeyRing
from pilotbase.foundation.clock import Clock, new_id, system_clock
from pilotbase.foundation.errors import InputError, Place, UsageError
from pilotbase.foundation.text import Language, Text
from pilotbase.line import check as checking
from pilotbase.line import install as installing
from pilotbase.line import journey
from pilotbase.line import rehearse as rehearsing
from pilotbase.line import replay as replaying
from pilotbase.line.install import Installed, Offered
from pilotbase.line.journey import Issued
from pilotbase.line.means import Unwatched, Watch
from pilotbase.line.rehearse import Rehearsed
from pilotbase.line.replay import Replayed
from pilotbase.line.seal import draft, is_installed, open_pack, open_submission, order_seed, shown_counts
from pilotbase.pilot import verify as verifying
from pilotbase.pilot.document import read_json
from pilotbase.pilot.dossier import PARTS, PLAN, STATEMENT, VERDICT, Copy, read_copy
from pilotbase.pilot.feasibility import Forecast, forecast
from pilotbase.pilot.plan import Plan
from pilotbase.pilot.scenario import Scenario
from pilotbase.pilot.trace import Isolation
from pilotbase.pilot.verdict import Verdict
from pilotbase.report.contents import Contents
from pilotbase.report.pages import render, render_rehearsal
from pilotbase.store.disk import disk_work
from pilotbase.store.home import home
from pilotbase.supports.applications.template import new_candidate as make_candidate
from pilotbase.supports.compute import machine
from pilotbase.supports.compute.selftest import self_test
from pilotbase.supports.data.sample import export
from pilotbase.supports.opensource.lock import lock_wheels

_SILENT = Unwatched()


def run(
    scenario: str,
    candidate: Path,
    *,
    out: Path | None = None,
    wheels: Path | None = None,
    trust_code: bool = False,
    resume: bool = False,
    watch: Watch = _SILENT,
    environment: Mapping[str, str] = os.environ,
) -> Issued:
    """Pilot a candidate to a signed verdict.

    Args:
        scenario: ``sector/name`` or ``sector/name@version``, installed on this base.
        candidate: a folder or archive with ``candidate.toml``.
        out: where the dossier goes; ``dossiers/<pilot id>`` if not given.
        wheels: a folder of wheels to install the candidate's requirements from, instead of the package index.
        trust_code: run without isolation; the verdict is then undecided, whatever the numbers.
        resume: go on with the unfinished pilot of this candidate in this scenario.
        watch: who is told how far the run is.
        environment: variables that say where the base lies.

    Raises:
        PilotbaseError: its ``code`` is the exit code of FORMATS section 8.

    """
    means = open_base(environment)
    cells = (plain_cells if trust_code else isolated_cells)(means.home, wheels)
    go = journey.resume if resume else journey.run
    return go(means, scenario, candidate, cells=cells, watch=watch, out=out)


def rehearse(
    scenario: str,
    candidate: Path,
    *,
    wheels: Path | None = None,
    seed: bytes | None = None,
    watch: Watch = _SILENT,
    environment: Mapping[str, str] = os.environ,
    clock: Clock = system_clock,
) -> Rehearsed:
    """Walk the same line on the public sample, on any machine, without isolation. Never a verdict."""
    place = home(environment)
    place.prepare()
    pack = open_pack(place.custody, scenario)
    cells = plain_cells(place, wheels)
    return rehearsing.rehearse(pack, candidate, cells=cells, watch=watch, moment=clock(), seed=seed)


def write_rehearsal(rehearsed: Rehearsed, out: Path, language: Language) -> None:
    """Write the record of a rehearsal as one HTML file, which says on every sheet that it is no verdict."""
    _write(out, render_rehearsal(rehearsed.record, language))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A plan as it would be sealed, unsigned, with what the data can decide."""

    plan: Plan
    forecasts: tuple[Forecast, ...]


def plan(scenario: str, candidate: Path, *, environment: Mapping[str, str] = os.environ) -> Drafted:
    """Do all of sealing without signing: nothing enters the ledger, nothing is run."""
    means = open_base(environment)
    pack = open_pack(means.home.custody, scenario)
    pilot = new_id(means.clock())
    with TemporaryDirectory(prefix="draft-", dir=means.home.work) as room:
        submission = open_submission(candidate, Path(room))
        seed = order_seed(means.secret, pack, submission)
        drafted, _ = draft(pilot, pack, submission, seed=seed, moment=means.clock())
    return Drafted(
        plan=drafted, forecasts=forecast(drafted.stages, shown_counts(pack, seed, "hidden"), drafted.alpha_spent)
    )


def verify(
    dossier: Path,
    *,
    trust: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    clock: Clock = system_clock,
) -> verifying.Report:
    """Verify a dossier with the keys of ``trust``, else with those of the local base."""
    return verifying.verify(open_copy(dossier), _trust(trust, environment), clock())


def open_copy(dossier: Path) -> Copy:
    """Read a dossier's folder. Raises InputError if there is none."""
    if not dossier.is_dir() or not any((dossier / name).exists() for name in (STATEMENT, *PARTS)):
        raise InputError(
            Text(zh="这里没有证据档案文件夹", en="there is no dossier folder here"),
            place=Place(file=str(dossier)),
            remedy=Text(zh="请给出 run 打印的文件夹", en="give the folder that run printed"),
        )
    return read_copy(dossier)


def _trust(trust: Path | None, environment: Mapping[str, str]) -> KeyRing:
    """Return the keys that the reader trusts: a file's, else the local base's, else none."""
    if trust is not None:
        return load_ring(trust)
    ring = home(environment).ring
    return load_ring(ring) if ring.is_file() else KeyRing()


def replay(
    dossier: Path,
    candidate: Path,
    *,
    wheels: Path | None = None,
    trust: Path | None = None,
    watch: Watch = _SILENT,
    environment: Mapping[str, str] = os.environ,
    clock: Clock = system_clock,
) -> Replayed:
    """Run a verified dossier's stages again and compare. Raises InputError if it does not verify first."""
    place = home(environment)
    copy = open_copy(dossier)
    report = verifying.verify(copy, _trust(trust, environment), clock())
    if not report.verified:
        raise UsageError(
            Text(zh="档案未通过核验，不能重放", en="the dossier does not verify, so it cannot be replayed"),
            found=", ".join(str(number) for number in report.failed),
            remedy=Text(zh="先运行 pilotbase verify", en="run pilotbase verify first"),
        )
    plan_document, verdict = read_public(copy)
    pack = open_pack(place.custody, plan_document.scenario.name)
    return replaying.replay(
        copy,
        plan_document,
        verdict,
        pack=pack,
        candidate=candidate,
        cells=isolated_cells(place, wheels),
        here=machine.environment(),
        watch=watch,
    )


def read_public(copy: Copy) -> tuple[Plan, Verdict]:
    """Read plan and verdict from a dossier's public part. Raises InputError if it is withheld."""
    public = copy.part("public")
    if PLAN not in public or VERDICT not in public:
        raise InputError(
            Text(zh="这份副本没有公开部分", en="this copy has no public part"),
            remedy=Text(zh="请向签发基地索取", en="ask the issuing base for it"),
        )
    body = envelope.open_envelope(public[PLAN], PLAN).body
    return read_json(body, Plan, PLAN), read_json(public[VERDICT], Verdict, VERDICT)


def list_scenarios() -> list[Offered]:
    """Return the packs that can be installed."""
    return installing.offered()


def find_scenario(reference: str) -> Offered:
    """Return a pack that can be installed, by name or by a path to its folder (FORMATS section 2)."""
    if reference.startswith((".", "/")):
        return installing.read_pack(Path(reference))
    return installing.find_pack(reference)


def describe_scenario(reference: str, *, environment: Mapping[str, str] = os.environ) -> Scenario:
    """Return what a scenario asks: as it is installed here, else as it is offered."""
    custody = home(environment).custody
    if is_installed(custody, reference):
        return open_pack(custody, reference).scenario
    return find_scenario(reference).scenario


def install_scenario(
    reference: str,
    *,
    wheels: Path | None = None,
    trust_code: bool = False,
    watch: Watch = _SILENT,
    environment: Mapping[str, str] = os.environ,
) -> Installed:
    """Install a scenario pack into this base's custody."""
    place = home(environment)
    place.prepare()
    loading = (plain_loading if trust_code else isolated_loading)(place, wheels)
    return installing.install(find_scenario(reference), place.custody, loading, watch)


def check_scenario(
    reference: str,
    *,
    wheels: Path | None = None,
    trust_code: bool = False,
    watch: Watch = _SILENT,
    environment: Mapping[str, str] = os.environ,
) -> checking.Checked:
    """Check a pack before it is installed: documents, data, and what the data can decide."""
    place = home(environment)
    place.prepare()
    loading = (plain_loading if trust_code else isolated_loading)(place, wheels)
    return checking.check(find_scenario(reference), loading, watch)


def export_sample(reference: str, out: Path, *, environment: Mapping[str, str] = os.environ) -> Scenario:
    """Write an installed scenario's public sample as CSV."""
    pack = open_pack(home(environment).custody, reference)
    export(pack.scenario, pack.custody.public_sample(), out)
    return pack.scenario


def installed_scenarios(*, environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the names of the scenarios that this base has in custody, sorted."""
    custody = home(environment).custody
    return tuple(
        sorted(f"{path.parent.parent.name}/{path.parent.name}" for path in custody.glob("*/*@*/scenario.toml"))
    )


def examine(*, environment: Mapping[str, str] = os.environ) -> Isolation:
    """Test the isolation of this machine from inside real cells."""
    place = home(environment)
    place.prepare()
    return self_test(place.root)


def write_report(dossier: Path, out: Path, language: Language, *, environment: Mapping[str, str] = os.environ) -> None:
    """Write the report of a dossier as one HTML file. Verifies nothing: that is ``verify``."""
    copy = open_copy(dossier)
    read_public(copy)
    signed = envelope.open_envelope(copy.files.get(STATEMENT, b""), STATEMENT)
    key = _trust(None, environment).find(signed.signatures[0].keyid)
    contents = Contents.from_public(
        copy.part("public"), keyid=signed.signatures[0].keyid, owner=key.owner if key else ""
    )
    _write(out, render(contents, language))


def new_candidate(source: str, folder: Path, scenario: str) -> tuple[Path, ...]:
    """Write a candidate's folder for a scenario from a model file or a function."""
    return make_candidate(source, folder, describe_scenario(scenario))


def lock(wheels: Path, out: Path) -> int:
    """Write the hash-locked requirements of a folder of wheels; return how many packages it holds."""
    text = lock_wheels(wheels)
    _write(out, text)
    return text.count("==")


def _write(out: Path, text: str) -> None:
    """Write a page or a list where a person wants it. Raises FaultError with the place if the disk does not let us."""
    with disk_work(out, Text(zh="没有写出文件", en="no file was written")):
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
