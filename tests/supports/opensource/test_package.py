from __future__ import annotations

import gzip
import io
import os
import shutil
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilotbase.foundation.digests import folder_digest, folder_entries
from pilotbase.foundation.errors import FaultError, InputError
from pilotbase.supports.opensource import archive, package
from pilotbase.supports.opensource.package import read_candidate

BAD = Path(__file__).parent / "bad"
GOOD = Path(__file__).parent / "pump-watch"

ARCHIVES = {
    "tar-absolute.tar.gz": "path that is not accepted",
    "tar-case-twins.tar.gz": "a path twice",
    "tar-device.tar.gz": "a link, a device",
    "tar-dotted.tar.gz": "path that is not accepted",
    "tar-hard-link.tar.gz": "a link, a device",
    "tar-large-header.tar.gz": "damaged or cannot be read",
    "tar-link.tar.gz": "a link, a device",
    "tar-pipe.tar.gz": "a link, a device",
    "tar-truncated.tgz": "damaged or cannot be read",
    "tar-twice.tar.gz": "a path twice",
    "zip-absolute.zip": "path that is not accepted",
    "zip-backslash.zip": "path that is not accepted",
    "zip-case-twins.zip": "a path twice",
    "zip-damaged.zip": "damaged or cannot be read",
    "zip-device.zip": "a link, a device",
    "zip-dotted.zip": "path that is not accepted",
    "zip-drive.zip": "path that is not accepted",
    "zip-encrypted.zip": "a link, a device",
    "zip-file-under-file.zip": "a path twice",
    "zip-folder-twins.zip": "a path twice",
    "zip-link.zip": "a link, a device",
    "zip-long-name.zip": "path that is not accepted",
    "zip-not-one.zip": "damaged or cannot be read",
    "zip-truncated.zip": "damaged or cannot be read",
    "zip-twice.zip": "a path twice",
    "zip-unprintable.zip": "path that is not accepted",
}
CARDS = {
    "card-adapter-unknown.toml": ("run.adapter", "the value it needs"),
    "card-entry-missing.toml": ("run.entry", "names nothing"),
    "card-entry-no-function.toml": ("run.entry", "names nothing"),
    "card-entry-upwards.toml": ("run.entry", "names nothing"),
    "card-field-unknown.toml": ("lisence", "unknown field"),
    "card-id-upper-case.toml": ("id", "the value it needs"),
    "card-not-toml.toml": ("", "cannot be read"),
    "card-schema-2.toml": ("schema", "not a document"),
    "card-version-two-parts.toml": ("version", "the value it needs"),
}


@pytest.fixture
def handed(tmp_path):
    """Return a copy of a good candidate's folder, and a scratch folder beside it."""
    shutil.copytree(GOOD, tmp_path / "handed")
    (tmp_path / "scratch").mkdir()
    return tmp_path / "handed"


def zip_of(folder: Path, top: str = "") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        for path in sorted(folder.rglob("*")):
            packed.write(path, top + path.relative_to(folder).as_posix())
    return data.getvalue()


def tar_of(folder: Path, top: str) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as packed:
        packed.add(folder, top)
    return data.getvalue()


def test_a_folder_is_copied_and_read(handed, tmp_path):
    (handed / "run.sh").write_text("exit 0\n")
    (handed / "run.sh").chmod(0o777)
    (handed / "predict.py").chmod(0o600)
    candidate, entries, folder = read_candidate(handed, tmp_path / "scratch")
    assert candidate.name == "pump-watch@1.2.0"
    assert folder == tmp_path / "scratch/candidate"
    assert list(entries) == folder_entries(folder) == folder_entries(handed)
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        "candidate.toml": 0o644,
        "model.txt": 0o644,
        "predict.py": 0o644,
        "requirements.lock": 0o644,
        "run.sh": 0o755,
    }


@pytest.mark.parametrize("name", ["c.zip", "top.zip", "c.tar.gz", "dot.tgz", "top.TAR.GZ"])
def test_an_archive_is_the_folder_that_it_holds(handed, tmp_path, name):
    (handed / "predict.py").chmod(0o755)
    (handed / "deep/er").mkdir(parents=True)
    (handed / "deep/er/模型.txt").write_text("x")
    data = {
        "c.zip": lambda: zip_of(handed),
        "top.zip": lambda: zip_of(handed, "my-candidate/"),
        "c.tar.gz": lambda: tar_of(handed, ""),
        "dot.tgz": lambda: tar_of(handed, "."),
        "top.TAR.GZ": lambda: tar_of(handed, "my-candidate"),
    }[name]()
    (tmp_path / name).write_bytes(data)
    candidate, entries, folder = read_candidate(tmp_path / name, tmp_path / "scratch")
    assert candidate.id == "pump-watch"
    assert folder_digest(entries) == folder_digest(folder_entries(handed))
    assert folder.is_relative_to(tmp_path / "scratch")


def test_every_bad_archive_and_card_is_known():
    assert {path.name for pattern in ("zip-*", "tar-*") for path in BAD.glob(pattern)} == set(ARCHIVES)
    assert {path.name for path in BAD.glob("card-*")} == set(CARDS)


@pytest.mark.parametrize("name", sorted(ARCHIVES))
def test_bad_archive_is_refused_for_its_own_fault(tmp_path, name):
    (tmp_path / "scratch").mkdir()
    before = sorted(tmp_path.parent.iterdir())
    with pytest.raises(InputError, match=ARCHIVES[name]) as caught:
        read_candidate(BAD / name, tmp_path / "scratch")
    assert caught.value.place.file == str(BAD / name)
    assert caught.value.found.isprintable()
    assert sorted(tmp_path.parent.iterdir()) == before
    assert [path.name for path in tmp_path.iterdir()] == ["scratch"]
    assert not [path for path in (tmp_path / "scratch").rglob("*") if path.is_symlink()]


@pytest.mark.parametrize("name", sorted(CARDS))
def test_bad_card_is_refused_with_its_field(handed, tmp_path, name):
    field, message = CARDS[name]
    (handed / "candidate.toml").write_bytes((BAD / name).read_bytes())
    with pytest.raises(InputError, match=message) as caught:
        read_candidate(handed, tmp_path / "scratch")
    assert caught.value.place.field == field
    assert caught.value.place.file == str(handed / "candidate.toml")


def test_a_folder_without_a_card(handed, tmp_path):
    (handed / "candidate.toml").unlink()
    with pytest.raises(InputError, match="pilotbase new candidate"):
        read_candidate(handed, tmp_path / "scratch")


@pytest.mark.parametrize("name", ["nothing", "nothing.zip", "candidate.toml"])
def test_what_is_neither_folder_nor_archive(handed, tmp_path, name):
    with pytest.raises(InputError, match="no candidate here"):
        read_candidate(handed / name, tmp_path / "scratch")


@pytest.mark.parametrize("kind", ["link", "folder link", "pipe"])
def test_a_folder_holds_plain_files_only(handed, tmp_path, kind):
    if kind == "pipe":
        os.mkfifo(handed / "odd")
    else:
        (handed / "odd").symlink_to(handed / "predict.py" if kind == "link" else tmp_path)
    with pytest.raises(InputError, match="plain files only"):
        read_candidate(handed, tmp_path / "scratch")


@pytest.mark.parametrize("limit", ["MAX_FILES", "MAX_BYTES"])
def test_a_folder_that_is_too_large(handed, tmp_path, monkeypatch, limit):
    monkeypatch.setattr(package, limit, 2)
    with pytest.raises(InputError, match="too large"):
        read_candidate(handed, tmp_path / "scratch")
    assert not list((tmp_path / "scratch").iterdir())


@pytest.mark.parametrize("pack", [zip_of, lambda folder: tar_of(folder, "")])
def test_bombs_are_stopped_while_they_unfold(handed, tmp_path, monkeypatch, pack):
    (handed / "zeros").write_bytes(bytes(3 << 20))
    data = pack(handed)
    name = "bomb.zip" if data.startswith(b"PK") else "bomb.tar.gz"
    (tmp_path / name).write_bytes(data)
    monkeypatch.setattr(archive, "MAX_BYTES", 2 << 20)
    with pytest.raises(InputError, match="unfolds to more"):
        read_candidate(tmp_path / name, tmp_path / "scratch")
    written = sum(path.stat().st_size for path in (tmp_path / "scratch").rglob("*") if path.is_file())
    assert written <= 3 << 20


def test_a_size_that_lies_does_not_help(handed, tmp_path, monkeypatch):
    """A zip member that declares 10 bytes and unfolds to 3 MiB is cut, then seen as damaged."""
    (handed / "zeros").write_bytes(bytes(3 << 20))
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(handed / "zeros", "zeros")
    lied = data.getvalue().replace((3 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    (tmp_path / "lie.zip").write_bytes(lied)
    monkeypatch.setattr(archive, "MAX_BYTES", 1 << 20)
    with pytest.raises(InputError, match=r"damaged|unfolds"):
        read_candidate(tmp_path / "lie.zip", tmp_path / "scratch")


def test_many_files_are_stopped(handed, tmp_path, monkeypatch):
    (tmp_path / "many.zip").write_bytes(zip_of(handed))
    monkeypatch.setattr(archive, "MAX_FILES", 3)
    with pytest.raises(InputError, match="unfolds to more"):
        read_candidate(tmp_path / "many.zip", tmp_path / "scratch")


def test_a_full_disk_is_no_fault_of_the_archive(handed, tmp_path, monkeypatch):
    (tmp_path / "c.zip").write_bytes(zip_of(handed))

    def full(*_args, **_keywords):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "chmod", full)
    with pytest.raises(FaultError, match="the disk is full"):
        read_candidate(tmp_path / "c.zip", tmp_path / "scratch")


def small_tar() -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as packed:
        packed.add(GOOD, "")
    return data.getvalue()


SMALL = {"x.zip": zip_of(GOOD), "x.tar": small_tar()}


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(SMALL)), st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 255)), min_size=1))
def test_any_damaged_archive_is_read_or_refused(tmp_path, name, flips):
    data = bytearray(SMALL[name])
    for place, flip in flips:
        data[place % len(data)] ^= flip
    path = tmp_path / (name if name == "x.zip" else "x.tar.gz")
    path.write_bytes(bytes(data) if name == "x.zip" else gzip.compress(bytes(data), 1))
    shutil.rmtree(tmp_path / "scratch", ignore_errors=True)
    (tmp_path / "scratch").mkdir()
    try:
        _, _, folder = read_candidate(path, tmp_path / "scratch")
    except InputError:
        return
    assert folder.is_relative_to(tmp_path / "scratch")
    assert folder_entries(folder)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["x.zip", "x.tgz"]), st.binary(max_size=300))
def test_any_bytes_are_refused(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    shutil.rmtree(tmp_path / "scratch", ignore_errors=True)
    (tmp_path / "scratch").mkdir()
    with pytest.raises(InputError):
        read_candidate(tmp_path / name, tmp_path / "scratch")
