"""Installing: a pack is read, its loader run aside, its data put into custody only if it is the data committed to."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from fake_base import HIDDEN, PACK, loading, make_pack

from pilotbase.foundation.errors import FaultError, InputError
from pilotbase.foundation.text import LANGUAGES
from pilotbase.line.install import find_pack, install, load_pack, offered, read_pack
from pilotbase.line.means import Unwatched


def test_the_offered_packs_can_be_read() -> None:
    packs = offered()
    assert [pack.scenario.id for pack in packs] == sorted(pack.scenario.id for pack in packs)
    assert find_pack("healthcare/covid-test-triage") in packs
    assert find_pack("healthcare/covid-test-triage@1.0.0") in packs


def test_an_unknown_pack_is_said_with_those_there_are() -> None:
    with pytest.raises(InputError) as caught:
        find_pack("healthcare/\x1b[2J")
    assert caught.value.found.isprintable()
    assert caught.value.expected is not None
    assert "healthcare/covid-test-triage" in caught.value.expected.zh


def test_a_folder_that_is_no_pack_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_pack(tmp_path)
    assert all(caught.value.lines(language) for language in LANGUAGES)


def test_a_pack_is_installed_for_its_owners_eyes_only(tmp_path: Path) -> None:
    done = install(read_pack(PACK), tmp_path / "custody", loading, Unwatched())
    folder = tmp_path / "custody" / "manufacturing" / "loose-bolts@1.0.0"
    assert done.dealt.rows["hidden"] == HIDDEN
    assert (folder / "scenario.toml").read_bytes() == (PACK / "scenario.toml").read_bytes()
    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert not [remark for remark in done.remarks if remark.severity == "error"]
    install(read_pack(PACK), tmp_path / "custody", loading, Unwatched())  # again: in its place


@pytest.mark.parametrize("field", ["table", "hidden"])
def test_other_data_than_committed_to_is_refused_and_nothing_is_kept(tmp_path: Path, field: str) -> None:
    digest = getattr(read_pack(PACK).scenario.data, field)
    pack = make_pack(tmp_path / "pack", (digest, "0" * 64))
    with pytest.raises(InputError) as caught:
        install(read_pack(pack), tmp_path / "custody", loading, Unwatched())
    assert caught.value.place.field == f"data.{field}"
    assert not (tmp_path / "custody").exists()


def test_a_pack_without_a_loader_is_said(tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack")
    (pack / "loader.py").unlink()
    with pytest.raises(InputError) as caught:
        load_pack(read_pack(pack), loading)
    assert caught.value.place.file.endswith("loader.py")


def leaves_nothing(loader: Path, lock: Path, out: Path) -> None:
    assert loader.name == "loader.py"
    assert lock.name == "requirements.lock"
    assert out.is_dir()


def leaves_garbage(loader: Path, lock: Path, out: Path) -> None:
    leaves_nothing(loader, lock, out)
    (out / "header.json").write_bytes(b"\xff\x00{")


def leaves_too_much(loader: Path, lock: Path, out: Path) -> None:
    loading(loader, lock, out)
    (out / "surplus").write_bytes(b"x")


def leaves_a_link(loader: Path, lock: Path, out: Path) -> None:
    loading(loader, lock, out)
    (out / "torque.bin").unlink()
    (out / "torque.bin").symlink_to("/etc/hostname")


@pytest.mark.parametrize("load", [leaves_nothing, leaves_garbage, leaves_too_much, leaves_a_link])
def test_whatever_a_loader_leaves_is_read_as_hostile(tmp_path: Path, load: object) -> None:
    with pytest.raises(InputError):
        install(read_pack(PACK), tmp_path / "custody", load, Unwatched())
    assert not (tmp_path / "custody").exists()


def test_a_loader_that_fails_installs_nothing(tmp_path: Path) -> None:
    def fails(loader: Path, lock: Path, out: Path) -> None:
        leaves_nothing(loader, lock, out)
        raise FaultError(read_pack(PACK).scenario.title)

    with pytest.raises(FaultError):
        install(read_pack(PACK), tmp_path / "custody", fails, Unwatched())
    assert not (tmp_path / "custody").exists()
