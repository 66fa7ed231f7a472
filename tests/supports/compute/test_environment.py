"""Environments: from locked wheels, in a cell and without one, kept under their key."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cell_samples import ask, spec

from pilotbase.foundation.errors import InputError
from pilotbase.supports.compute import environment, machine
from pilotbase.supports.compute.cell import Mount
from pilotbase.supports.compute.isolated import isolated

WAYS = [
    pytest.param(environment.build, marks=pytest.mark.needs("cell"), id="cell"),
    pytest.param(environment.build_plain, id="plain"),
]


def wheel(folder: Path, name: str, files: dict[str, str], requires: str = "", version: str = "1.0") -> str:
    """Write a wheel; return its locked requirement."""
    info = f"{name}-{version}.dist-info"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    content = files | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},{len(text)}"
        for path, text in content.items()
    ]
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for target, text in content.items():
            archive.writestr(target, text)
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,"]))
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def lock(tmp_path):
    """Return a writer of locks."""

    def put(text: str) -> Path:
        path = tmp_path / "requirements.lock"
        path.write_text(text)
        return path

    return put


@pytest.fixture
def wheels(tmp_path) -> Path:
    return tmp_path / "wheels 轮子"


@pytest.mark.parametrize("build", WAYS)
def test_locked_wheels_become_an_environment(build, state, lock, wheels):
    text = wheel(wheels, "inner_part", {"inner_part.py": "N = 20"})
    text += wheel(wheels, "outer_part", {"outer_part/__init__.py": "from inner_part import N\nN += 1"}, "inner-part")
    place = build(lock(text), state, wheels)
    assert machine.packages(place) == {"inner-part": "1.0", "outer-part": "1.0"}
    code = f"import sys; sys.path.insert(0, {str(place)!r}); import outer_part; print(outer_part.N)"
    told = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "21\n"
    cached = importlib.util.cache_from_source("outer_part/__init__.py")
    assert (place / cached).is_file()
    assert place.stat().st_mode & 0o777 == 0o755
    assert not list(place.glob(".space"))
    assert [path.name for path in (state / "envs").iterdir() if path.name.startswith(".")] == []


BYTE_CODE = """
import served_part, importlib.util
from importlib._bootstrap_external import _validate_timestamp_pyc
source = os.stat(served_part.__file__)
data = open(importlib.util.cache_from_source(served_part.__file__), 'rb').read()
_validate_timestamp_pyc(data, int(source.st_mtime), source.st_size, 'served_part', {})
result = served_part.__cached__
"""


@pytest.mark.needs("cell")
def test_an_environment_serves_a_cell_with_its_byte_code(state, lock, wheels):
    place = environment.build(lock(wheel(wheels, "served_part", {"served_part.py": "N = 1"})), state, wheels)
    with isolated(spec(mounts=(Mount(source=place, target="/env"),)), state) as cell:
        assert "__pycache__" in ask(cell, BYTE_CODE)


@pytest.mark.parametrize("build", WAYS)
def test_what_was_built_is_found_again_without_wheels(build, state, lock, wheels):
    path = lock(wheel(wheels, "kept_part", {"kept_part.py": ""}))
    place = build(path, state, wheels)
    shutil.rmtree(wheels)
    assert build(path, state, wheels) == place
    assert build(path, state) == place


def test_a_plain_environment_is_not_given_to_a_cell(lock, wheels):
    path = lock(wheel(wheels, "apart_part", {"apart_part.py": ""}))
    assert environment.key(path, "cell") != environment.key(path, "plain")
    other = environment.key(path, "cell")
    path.write_text(path.read_text() + "\n")
    assert environment.key(path, "cell") != other


@pytest.mark.parametrize("build", WAYS)
def test_no_lock_is_an_empty_environment(build, state, tmp_path):
    place = build(tmp_path / "none", state, None)
    assert list(place.iterdir()) == []
    assert machine.packages(place) == {}


def refused(build, path, state, wheels) -> InputError:
    with pytest.raises(InputError) as caught:
        build(path, state, wheels)
    assert caught.value.remedy is not None
    assert [entry.name for entry in (state / "envs").iterdir() if entry.name.startswith(".")] == []
    return caught.value


@pytest.mark.parametrize("build", WAYS)
def test_a_changed_wheel_is_refused(build, state, lock, wheels):
    text = wheel(wheels, "changed_part", {"changed_part.py": "N = 1"})
    wheel(wheels, "changed_part", {"changed_part.py": "N = 2"})
    assert "locked hash" in refused(build, lock(text), state, wheels).what.en


@pytest.mark.parametrize("build", WAYS)
def test_a_missing_wheel_is_refused(build, state, lock, wheels):
    text = wheel(wheels, "missing_part", {})
    next(wheels.iterdir()).unlink()
    assert "no wheel" in refused(build, lock(text), state, wheels).what.en


@pytest.mark.parametrize("build", WAYS)
def test_a_dependency_that_is_not_locked_is_refused(build, state, lock, wheels):
    wheel(wheels, "hidden_part", {})
    text = wheel(wheels, "open_part", {}, "hidden-part")
    assert "not complete" in refused(build, lock(text), state, wheels).what.en


@pytest.mark.parametrize("build", WAYS)
def test_a_source_distribution_is_never_run(build, state, lock, wheels, tmp_path):
    mark = tmp_path / "mark"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "source_part-1.0.zip", "w") as archive:
        archive.writestr("source_part-1.0/setup.py", f"open({str(mark)!r}, 'w')")
        archive.writestr("source_part-1.0/PKG-INFO", "Metadata-Version: 1.0\nName: source_part\nVersion: 1.0\n")
    digest = hashlib.sha256((wheels / "source_part-1.0.zip").read_bytes()).hexdigest()
    error = refused(build, lock(f"source_part==1.0 --hash=sha256:{digest}\n"), state, wheels)
    assert "no wheel" in error.what.en
    assert not mark.exists()


def test_a_folder_of_wheels_that_is_not_there_is_refused(state, lock, tmp_path):
    text = "absent_part==1.0 --hash=sha256:" + "0" * 64
    assert "not there" in refused(environment.build_plain, lock(text), state, tmp_path / "none").what.en


def test_fetching_without_network_is_told(lock, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(InputError) as caught:
        environment.fetch(lock("absent_part==1.0 --hash=sha256:" + "0" * 64), tmp_path / "fetched")
    assert "cannot be reached" in caught.value.what.en


def test_fetching_takes_the_wheels_of_a_lock_by_hash(lock, wheels, tmp_path, monkeypatch):
    path = lock(wheel(wheels, "fetched_part", {"fetched_part.py": ""}))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", wheels.as_uri())
    environment.fetch(path, tmp_path / "fetched")
    assert [entry.name for entry in (tmp_path / "fetched").iterdir()] == ["fetched_part-1.0-py3-none-any.whl"]
    wheel(wheels, "fetched_part", {"fetched_part.py": "changed"})
    with pytest.raises(InputError) as caught:
        environment.fetch(path, tmp_path / "again")
    assert "locked hash" in caught.value.what.en


def test_what_a_dead_process_left_half_built_is_removed(state, lock, wheels):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    envs = state / "envs"
    envs.mkdir(exist_ok=True, parents=True)
    left = [
        envs / f".{'0' * 64}-{gone.pid}",
        envs / f".{'0' * 64}-{gone.pid}.wheels",
        envs / f".{'0' * 64}-{os.getppid()}",
    ]
    for path in left:
        path.mkdir()
    environment.build_plain(lock(wheel(wheels, "clearing_part", {})), state, wheels)
    assert [path.exists() for path in left] == [False, False, True]
    left[2].rmdir()
