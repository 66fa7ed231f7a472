"""The harvest itself, on folders that no cell would let a job make."""

from __future__ import annotations

import os

import pytest

from pilotbase.foundation.errors import InputError
from pilotbase.supports.compute.harvest import Harvest


def bring(source, output, capacity: int = 1 << 20, files: int = 100) -> int:
    handle = os.open(source, os.O_RDONLY | os.O_DIRECTORY)
    try:
        harvest = Harvest(capacity=capacity, files=files, place="job")
        harvest.bring(handle, output)
        return harvest.brought
    finally:
        os.close(handle)


@pytest.fixture
def source(tmp_path):
    (tmp_path / "out" / "inner").mkdir(parents=True)
    (tmp_path / "out" / "inner" / "data").write_bytes(b"12345")
    return tmp_path / "out"


def test_plain_files_are_brought_and_counted(source, tmp_path):
    assert bring(source, tmp_path / "home") == 5
    assert (tmp_path / "home/inner/data").read_bytes() == b"12345"


@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo,
        lambda path: path.symlink_to("inner"),
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.with_name("tab\tname").touch(),
        lambda path: path.with_name("\u202egnp").touch(),
    ],
)
def test_special_files_links_and_odd_names_are_refused_without_waiting(source, tmp_path, make):
    make(source / "odd")
    with pytest.raises(InputError):
        bring(source, tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_a_hard_link_is_brought_as_a_file_of_its_own_and_counted_twice(source, tmp_path):
    os.link(source / "inner/data", source / "twin")
    assert bring(source, tmp_path / "home") == 10
    assert (tmp_path / "home/twin").stat().st_nlink == 1


def test_sizes_are_counted_as_they_are_told_before_anything_is_read(source, tmp_path):
    with (source / "sparse").open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(InputError):
        bring(source, tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_too_many_files_and_too_deep_folders_are_refused(source, tmp_path):
    with pytest.raises(InputError):
        bring(source, tmp_path / "home", files=0)
    deep = source
    for _ in range(70):
        deep = deep / "d"
        deep.mkdir()
    with pytest.raises(InputError):
        bring(source, tmp_path / "home")
