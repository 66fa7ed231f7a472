"""Disk trouble in words."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from pilotbase.foundation.errors import FaultError, InputError
from pilotbase.foundation.text import Text
from pilotbase.store.disk import disk_work, sync_folder

KEPT = Text(zh="都在", en="all is kept")


@pytest.mark.parametrize(
    ("code", "words", "remedy"),
    [
        (errno.ENOSPC, "the disk is full; all is kept", "free some space"),
        (errno.EDQUOT, "the disk is full; all is kept", "free some space"),
        (errno.EIO, "the disk could not be read or written; all is kept", "hardware"),
        (errno.EACCES, "the disk could not be read or written; all is kept", "rights"),
        (errno.EROFS, "the disk could not be read or written; all is kept", "mount"),
    ],
)
def test_an_oserror_becomes_a_fault_with_place_and_remedy(code, words, remedy):
    with pytest.raises(FaultError) as caught, disk_work(Path("/some/place"), KEPT):
        raise OSError(code, "what the system said\x1b[2J")
    error = caught.value
    assert error.what.en == words
    assert error.what.zh.endswith("；都在")
    assert error.remedy is not None
    assert remedy in error.remedy.en
    assert error.place.file == "/some/place"
    assert error.found == "what the system said\\x1b[2J"


def test_other_errors_pass_as_they_are():
    with pytest.raises(InputError), disk_work(Path("/some/place"), KEPT):
        raise InputError(KEPT)
    with pytest.raises(ValueError, match="mine"), disk_work(Path("/some/place"), KEPT):
        raise ValueError("mine")


def test_a_folder_that_is_not_there_cannot_be_flushed(tmp_path):
    sync_folder(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "no")
