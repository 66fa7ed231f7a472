"""The journey: sealed before it starts, issued once, and after a cut at any event resumed as if nothing had been."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fake_base import (
    BATCHES,
    CANDIDATE,
    HIDDEN,
    NONE,
    SCENARIO,
    Ask,
    FakeCells,
    at,
    closing,
    fault,
    frame,
    honest,
    load,
    make_base,
    make_candidate,
    make_pack,
)

from pilotbase.foundation.chain import Event
from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import FaultError, InputError, UsageError
from pilotbase.foundation.text import LANGUAGES
from pilotbase.line.journey import Issued, resume, run
from pilotbase.line.means import Means, Unwatched
from pilotbase.pilot.dossier import read_copy
from pilotbase.pilot.measurement import CANDIDATE as FAILED
from pilotbase.pilot.measurement import unpack
from pilotbase.pilot.verify import verify
from pilotbase.store.ledger import Ledger

QUIET = Unwatched()
SECOND = load(Path(__file__).parents[2] / "docs" / "spec" / "verifier.py")


def go(means: Means, out: Path, cells: FakeCells | None = None, candidate: Path = CANDIDATE) -> Issued:
    return run(means, SCENARIO, candidate, cells=(cells or FakeCells()).cells, watch=QUIET, out=out)


def go_on(means: Means, out: Path, cells: FakeCells | None = None) -> Issued:
    return resume(means, SCENARIO, CANDIDATE, cells=(cells or FakeCells()).cells, watch=QUIET, out=out)


def kinds(means: Means, pilot: str) -> list[str]:
    return [event.kind for event in means.ledger.events(pilot)]


class PowerFailedError(BaseException):
    """Nothing in the house may catch it."""


@dataclass(frozen=True)
class CutLedger:
    """A ledger whose machine loses power at the nth append: just before it, or just after it is durable."""

    whole: Ledger
    number: int
    durable: bool
    seen: list[str]

    def append(self, pilot: str, kind: str, body: dict[str, Any], **more: Any) -> Event:
        self.seen.append(kind)
        last = len(self.seen) == self.number
        if last and not self.durable:
            raise PowerFailedError
        event = self.whole.append(pilot, kind, body, **more)
        if last:
            raise PowerFailedError
        return event

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)


WHOLE = [
    "pilot.opened", "plan.sealed",
    "stage.started", "stage.done", "stage.started", "stage.done",
    "stage.started", *["batch.answered"] * BATCHES, "stage.done",
    "stage.started", "stage.done", "stage.started", "stage.done",
    "verdict.judged", "dossier.signed", "dossier.issued",
]  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Means]:
    made = make_base(tmp_path_factory.mktemp("journey") / "home")
    yield made
    closing(made)


@pytest.fixture(scope="module")
def whole(base: Means, tmp_path_factory: pytest.TempPathFactory) -> Issued:
    """A run of this base that nothing disturbs: its secret, and with it the order of its rows, is its own."""
    return go(base, tmp_path_factory.mktemp("whole") / "dossier")


def test_the_plan_is_sealed_before_anything_is_asked(kept: tuple[Means, Issued]) -> None:
    means, issued = kept
    assert issued.verdict.outcome == "accepted"
    assert kinds(means, issued.verdict.pilot) == WHOLE


def test_the_dossier_verifies_and_stands_in_the_log_once(kept: tuple[Means, Issued]) -> None:
    means, issued = kept
    report = verify(read_copy(issued.dossier), means.ring, means.clock())
    assert report.verified, report.steps
    assert {step.state for step in report.steps} == {"ok"}
    assert means.leaves.leaves() == [sha256((issued.dossier / "statement.dsse.json").read_bytes())]


def test_every_hidden_row_is_shown_once_and_no_truth(whole: Issued, base: Means, tmp_path: Path) -> None:
    shown: list[Ask] = []

    def watch(ask: Ask) -> bytes:
        shown.append(ask)
        return honest(ask)

    cells = FakeCells(watch)
    assert go(base, tmp_path / "d", cells).verdict.outcome_digest == whole.verdict.outcome_digest
    assert all(set(ask.columns) == {"torque", "lot"} for ask in shown)
    hidden = [ask.rows for ask in shown if ask.cell == 1]  # conformance, effectiveness, efficiency: a fresh cell each
    assert sum(hidden) == HIDDEN
    assert len(cells.opened) == 3
    assert all("loose" not in str(cell.spec.files) for cell in cells.opened)


@pytest.mark.parametrize("number", range(1, len(WHOLE) + 1))
def test_power_fails_after_an_event(whole: Issued, base: Means, tmp_path: Path, number: int) -> None:
    _cut_and_go_on(whole, base, tmp_path, number, durable=True)


@pytest.mark.parametrize("number", [2, 9, 13, 18, 19, 20])
def test_power_fails_before_an_event(whole: Issued, base: Means, tmp_path: Path, number: int) -> None:
    _cut_and_go_on(whole, base, tmp_path, number, durable=False)


def _cut_and_go_on(whole: Issued, base: Means, tmp_path: Path, number: int, *, durable: bool) -> None:
    before, leaves = set(base.ledger.pilots()), len(base.leaves.leaves())
    cut = replace(base, ledger=CutLedger(base.ledger, number, durable, []))
    with pytest.raises(PowerFailedError):
        go(cut, tmp_path / "first")
    kept_events = number if durable else number - 1
    if kept_events < 2:  # nothing was sealed: nothing can go on, and nothing was shown
        with pytest.raises(UsageError):
            go_on(base, tmp_path / "second")
        again = go(base, tmp_path / "second")
    elif kept_events == len(WHOLE):
        with pytest.raises(UsageError):
            go_on(base, tmp_path / "second")
        assert verify(read_copy(tmp_path / "first"), base.ring, base.clock()).verified
        return
    else:
        again = go_on(base, tmp_path / "second")
        (pilot,) = set(base.ledger.pilots()) - before
        told = kinds(base, pilot)
        assert again.verdict.pilot == pilot
        assert told.count("run.resumed") == 1
        for kind in ("plan.sealed", "verdict.judged", "dossier.signed", "dossier.issued"):
            assert told.count(kind) == 1
        assert told.count("batch.answered") == BATCHES
    assert again.verdict.outcome_digest == whole.verdict.outcome_digest
    assert len(base.leaves.leaves()) == leaves + 1
    assert verify(read_copy(again.dossier), base.ring, base.clock()).verified
    second = SECOND.verify(again.dossier, base.home.ring)
    assert second.verified, second.steps


def test_a_resumed_pilot_asks_no_hidden_row_again(base: Means, tmp_path: Path) -> None:
    cut = replace(base, ledger=CutLedger(base.ledger, 10, durable=True, seen=[]))  # three batches are in the ledger
    first, second = FakeCells(), FakeCells()
    with pytest.raises(PowerFailedError):
        go(cut, tmp_path / "first", first)
    go_on(base, tmp_path / "second", second)
    assert [cell.calls for cell in first.opened] == [
        3,
        3,
    ]  # one request and two batches of the sample; then hidden ones
    assert second.opened[0].calls == BATCHES - 3


def test_resuming_at_another_level_of_isolation_is_refused(base: Means, tmp_path: Path) -> None:
    """Else rows shown without isolation would end in a verdict that claims it."""
    cut = replace(base, ledger=CutLedger(base.ledger, 9, durable=True, seen=[]))
    with pytest.raises(PowerFailedError):
        go(cut, tmp_path / "first", FakeCells(isolation=NONE))
    with pytest.raises(UsageError) as caught:
        go_on(base, tmp_path / "second")
    assert "isolation" in caught.value.what.en
    issued = go_on(base, tmp_path / "third", FakeCells(isolation=NONE))
    assert issued.verdict.outcome == "undecided"
    assert issued.verdict.isolation == "none"


def test_without_isolation_the_verdict_is_undecided_whatever_the_numbers(base: Means, tmp_path: Path) -> None:
    issued = go(base, tmp_path / "d", FakeCells(isolation=NONE))
    assert issued.verdict.outcome == "undecided"
    assert {one.answer for one in issued.verdict.judgement.findings} == {"held"}


def test_a_second_process_is_refused_by_the_lease(base: Means, tmp_path: Path) -> None:
    cut = replace(base, ledger=CutLedger(base.ledger, 4, durable=True, seen=[]))
    with pytest.raises(PowerFailedError):
        go(cut, tmp_path / "first")
    pilot = base.ledger.pilots()[-1]
    holding = (
        "import sys, time\n"
        "from pilotbase.store.database import embedded\n"
        "from pilotbase.store.leases import Leases, this_owner\n"
        "leases = Leases(embedded(sys.argv[1]))\n"
        "print(leases.claim(sys.argv[2], this_owner(), 1e9), flush=True)\n"
        "sys.stdin.read()\n"
    )
    words = [sys.executable, "-c", holding, str(base.home.ledger), pilot]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        with pytest.raises(UsageError) as caught:
            go_on(base, tmp_path / "second")
        assert str(other.pid) in caught.value.found
        assert all(caught.value.lines(language) for language in LANGUAGES)
        other.communicate("")
    assert go_on(base, tmp_path / "third").verdict.pilot == pilot  # its holder is gone


def test_an_intake_fault_is_rejected_with_a_dossier_and_nothing_is_shown(base: Means, tmp_path: Path) -> None:
    candidate = make_candidate(tmp_path / "c", ('"torque", "lot"', '"torque", "repair_cost"'))
    cells = FakeCells()
    issued = go(base, tmp_path / "d", cells, candidate)
    assert issued.verdict.outcome == "rejected"
    assert cells.opened == []
    assert [stage.ran for stage in issued.verdict.judgement.stages] == [True, False, False, False, False]
    assert verify(read_copy(issued.dossier), base.ring, base.clock()).verified


def test_a_candidate_that_breaks_the_contract_sees_no_hidden_row(base: Means, tmp_path: Path) -> None:
    cells = FakeCells(lambda ask: frame(honest_but_short(ask)))
    issued = go(base, tmp_path / "d", cells)
    assert issued.verdict.outcome == "rejected"
    assert len(cells.opened) == 3  # PATIENCE
    assert {cell.calls for cell in cells.opened} == {1}
    assert not (issued.dossier / "restricted" / "records").exists()
    found = next(one for one in issued.verdict.judgement.findings if one.criterion == "replies_conform")
    assert found.answer == "refused"
    assert "wrong number of rows" in found.sentence.en


def honest_but_short(ask: Ask) -> Any:
    return [[0.5, 1.0]] * (ask.rows - 1)


def test_a_platform_fault_shows_the_batch_once_more_and_says_so(whole: Issued, base: Means, tmp_path: Path) -> None:
    cells = FakeCells(at(5, fault))  # requests 0 to 2 are the sample's: the third hidden batch
    issued = go(base, tmp_path / "d", cells)
    assert issued.verdict.outcome_digest == whole.verdict.outcome_digest
    assert len(cells.opened) == 4
    evidence = (issued.dossier / "restricted" / "evidence.json").read_text(encoding="utf-8")
    assert '"measure":"shown_again"' in evidence
    assert verify(read_copy(issued.dossier), base.ring, base.clock()).verified


def test_two_platform_faults_at_one_batch_make_its_rows_invalid(base: Means, tmp_path: Path) -> None:
    cells = FakeCells(at(3, fault, at(3, fault)))
    issued = go(base, tmp_path / "d", cells)
    assert issued.verdict.outcome == "undecided"
    assert "invalid_items" in issued.verdict.judgement.reasons[0].en
    assert verify(read_copy(issued.dossier), base.ring, base.clock()).verified


def test_platform_faults_at_conformance_conclude_nothing(base: Means, tmp_path: Path) -> None:
    """A gate that saw no answer must not open: the run stops, and goes on with that stage."""
    with pytest.raises(FaultError):
        go(base, tmp_path / "first", FakeCells(at(0, fault, at(0, fault))))
    again = go_on(base, tmp_path / "second")
    assert again.verdict.outcome == "accepted"


def test_a_candidate_that_fails_one_hidden_batch_gets_the_worst_numbers_there(base: Means, tmp_path: Path) -> None:
    issued = go(base, tmp_path / "d", FakeCells(at(4, lambda ask: frame(honest_but_nan(ask)))))
    files = {path.name: path.read_bytes() for path in (issued.dossier / "restricted/records/effectiveness").iterdir()}
    records = unpack(files)
    failed = records["status"] == FAILED
    assert failed.sum() == 128
    assert not records["right"][failed].any()
    assert (records["squared_error"][failed] == 1).all()
    assert (records["score"][failed] == 1 - records["positive"][failed]).all()
    assert verify(read_copy(issued.dossier), base.ring, base.clock()).verified


def honest_but_nan(ask: Ask) -> Any:
    return [[float("nan"), 1.0]] * ask.rows


def test_a_used_place_is_refused_before_anything_is_sealed(base: Means, tmp_path: Path) -> None:
    before = base.ledger.pilots()
    (tmp_path / "taken").mkdir()
    with pytest.raises(UsageError):
        go(base, tmp_path / "taken")
    assert base.ledger.pilots() == before


def test_a_used_place_is_refused_when_resuming_and_left_as_it_was(base: Means, tmp_path: Path) -> None:
    cut = replace(base, ledger=CutLedger(base.ledger, 4, durable=True, seen=[]))
    with pytest.raises(PowerFailedError):
        go(cut, tmp_path / "first")
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine").write_text("mine")
    with pytest.raises(UsageError):
        go_on(base, taken)
    assert (taken / "mine").read_text() == "mine"
    assert go_on(base, tmp_path / "second").verdict.outcome == "accepted"


def test_a_scenario_that_is_not_installed_is_said(base: Means, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        run(base, "manufacturing/none", CANDIDATE, cells=FakeCells().cells, watch=QUIET, out=tmp_path / "d")
    assert caught.value.remedy is not None


def test_rooms_of_the_dead_are_cleared(base: Means, tmp_path: Path) -> None:
    left = base.home.work / "room-left"
    left.mkdir()
    gone = subprocess.run(
        [sys.executable, "-c", "from pilotbase.store.leases import this_owner; print(this_owner())"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    (left / "owner").write_text(gone.stdout.strip(), encoding="utf-8")
    go(base, tmp_path / "d")
    assert not left.exists()
    assert list(base.home.work.glob("room-*")) == []


def test_a_plan_that_the_data_cannot_decide_is_never_sealed(tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack", ("threshold = 0.25\n", "threshold = 0.001\n"))
    made = make_base(tmp_path / "home", pack)
    try:
        with pytest.raises(InputError) as caught:
            go(made, tmp_path / "d")
        assert made.ledger.pilots() == []
        assert caught.value.place.field == "stages[2].criteria[1].threshold"
        lines = (pack / "scenario.toml").read_text(encoding="utf-8").splitlines()
        assert lines[caught.value.place.line - 1] == "threshold = 0.001"
    finally:
        closing(made)
