"""Issuing: each reader's copy holds what it may hold, and a dossier is written whole, closed, or not at all."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from fake_base import CANDIDATE, NONE, SCENARIO, FakeCells, at, make_candidate

from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import FaultError, UsageError
from pilotbase.line.issue import refuse_used, write_dossier, write_folder
from pilotbase.line.journey import Issued, run
from pilotbase.line.means import Means, Unwatched
from pilotbase.store.blobs import Blobs
from pilotbase.supports.compute.cell import failed


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_each_part_holds_what_its_reader_may_have(kept: tuple[Means, Issued]) -> None:
    folder = kept[1].dossier
    assert names(folder / "candidate") == {"manifest.json", "notice.json", "conformance.stderr"}
    assert names(folder / "public") == {
        "manifest.json", "plan.dsse.json", "verdict.json", "scenario.toml", "candidate.toml", "ledger.jsonl",
        "isolation.json", "metering.json", "environment.json", "aggregates.json", "sbom.json", "report.zh.html",
        "report.en.html",
    }  # fmt: skip
    restricted = names(folder / "restricted")
    assert {"manifest.json", "order.json", "evidence.json", "logs/effectiveness.stderr"} <= restricted
    assert {path.split("/")[1] for path in restricted if path.startswith("records/")} == {"effectiveness", "efficiency"}
    assert {path.name for path in folder.iterdir()} == {
        "candidate", "public", "restricted", "statement.dsse.json", "log-proof.json",
    }  # fmt: skip


def test_only_the_owner_can_enter_the_restricted_part(kept: tuple[Means, Issued]) -> None:
    folder = kept[1].dossier
    assert stat.S_IMODE((folder / "restricted").stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_no_secret_stands_outside_the_restricted_part(kept: tuple[Means, Issued]) -> None:
    means, issued = kept
    order = json.loads((issued.dossier / "restricted" / "order.json").read_bytes())
    for path in issued.dossier.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert means.secret not in data
            assert means.secret.hex().encode() not in data
            if "restricted" not in path.parts:
                assert not any(order[name].encode() in data for name in ("seed", "salt", "record_salt")), path


def test_the_outcome_is_not_in_the_statement(kept: tuple[Means, Issued]) -> None:
    assert b"accepted" not in (kept[1].dossier / "statement.dsse.json").read_bytes()


def test_the_notice_tells_intake_and_conformance_and_no_more(means: Means, tmp_path: Path) -> None:
    cells = FakeCells(at(1, lambda _: failed("exited", "exit code 9")))
    issued = run(means, SCENARIO, CANDIDATE, cells=cells.cells, watch=Unwatched(), out=tmp_path / "d")
    notice = json.loads((tmp_path / "d" / "candidate" / "notice.json").read_bytes())
    assert notice["accepted"] is False
    assert [stage["stage"] for stage in notice["before_hidden"]] == ["intake", "conformance"]
    assert "exit code 9" in json.dumps(notice)
    assert issued.verdict.outcome == "rejected"


def test_whoever_is_rejected_at_intake_has_no_log_and_no_packages(means: Means, tmp_path: Path) -> None:
    candidate = make_candidate(tmp_path / "c", ("Apache-2.0", "Mine-1.0"))
    cells = FakeCells()
    run(means, SCENARIO, candidate, cells=cells.cells, watch=Unwatched(), out=tmp_path / "d")
    assert names(tmp_path / "d" / "candidate") == {"manifest.json", "notice.json"}
    assert names(tmp_path / "d" / "restricted") == {"manifest.json", "order.json", "evidence.json"}
    environment = json.loads((tmp_path / "d" / "public" / "environment.json").read_bytes())
    assert environment["environment"]["packages"] == {}
    assert cells.built == []  # nothing is built for a candidate that is never started


def test_metering_lists_the_stages_that_opened_cells(kept: tuple[Means, Issued]) -> None:
    metering = json.loads((kept[1].dossier / "public" / "metering.json").read_bytes())
    assert set(metering["stages"]) == {"conformance", "effectiveness", "efficiency"}


def kept_digest(means: Means, pilot: str) -> str:
    return str(next(event.body["kept"] for event in means.ledger.events(pilot) if event.kind == "dossier.signed"))


def test_a_dossier_can_be_written_again_and_has_one_leaf(kept: tuple[Means, Issued], tmp_path: Path) -> None:
    means, issued = kept
    digest, before = kept_digest(means, issued.verdict.pilot), means.leaves.leaves()
    write_dossier(means, digest, issued.dossier)  # it stands there already: left as it is
    write_dossier(means, digest, tmp_path / "again")
    assert means.leaves.leaves() == before == [sha256((tmp_path / "again" / "statement.dsse.json").read_bytes())]
    for name in names(issued.dossier):
        assert (tmp_path / "again" / name).read_bytes() == (issued.dossier / name).read_bytes()


def test_something_else_is_never_written_over(kept: tuple[Means, Issued], tmp_path: Path) -> None:
    means, issued = kept
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path):
        with pytest.raises(UsageError):
            write_dossier(means, kept_digest(means, issued.verdict.pilot), place)
    assert (tmp_path / "file").read_text() == "mine"
    refuse_used(None)
    refuse_used(tmp_path / "fresh")


def test_while_it_is_written_nobody_else_can_enter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records are custody data: not even for a moment do they lie open."""
    seen: list[int] = []
    write = Path.write_bytes

    def looking(path: Path, data: bytes) -> int:
        seen.append(stat.S_IMODE((tmp_path / ".out.partial").stat().st_mode))
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", looking)
    write_folder(tmp_path / "out", {"restricted/records/x.bin": b"1", "public/a": b"2"})
    assert seen == [0o700, 0o700]
    assert names(tmp_path / "out") == {"restricted/records/x.bin", "public/a"}


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "closed").write_text("a file, where a folder is wanted")
    with pytest.raises(FaultError):
        write_folder(tmp_path / "closed" / "out", {"restricted/a": b"1"})


def test_a_disk_that_fails_leaves_no_half_dossier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, written = Path.write_bytes, []

    def failing(path: Path, data: bytes) -> int:
        if written:
            raise OSError(28, "No space left on device")
        written.append(path)
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", failing)
    with pytest.raises(FaultError) as caught:
        write_folder(tmp_path / "out", {"restricted/a": b"1", "public/b": b"2"})
    assert "--resume" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_kept_dossier_with_a_damaged_file_is_never_written(kept: tuple[Means, Issued], tmp_path: Path) -> None:
    means, issued = kept
    digest = kept_digest(means, issued.verdict.pilot)
    blobs = tmp_path / "blobs"
    blobs.mkdir()
    for path in means.home.blobs.iterdir():
        (blobs / path.name).write_bytes(path.read_bytes())
    victim = sha256((issued.dossier / "public" / "verdict.json").read_bytes())
    (blobs / victim).write_bytes(b"damaged")
    with pytest.raises(FaultError):
        write_dossier(replace(means, blobs=Blobs(blobs)), digest, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_isolation_the_dossier_says_so(means: Means, tmp_path: Path) -> None:
    run(means, SCENARIO, CANDIDATE, cells=FakeCells(isolation=NONE).cells, watch=Unwatched(), out=tmp_path / "d")
    assert b'"level":"none"' in (tmp_path / "d" / "public" / "isolation.json").read_bytes()
