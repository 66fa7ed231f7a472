"""Disk trouble in words: what failed, what was kept, and what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pilotbase.foundation.errors import FaultError, Place
from pilotbase.foundation.text import Text, printable

_FULL = (errno.ENOSPC, errno.EDQUOT)

DISK_FULL = Text(zh="磁盘已满", en="the disk is full")
FREE_SPACE = Text(
    zh="请腾出空间，然后用 pilotbase run --resume 继续",
    en="free some space, then go on with pilotbase run --resume",
)
_FAILED = Text(zh="磁盘读写失败", en="the disk could not be read or written")
_CHECK = Text(zh="请检查该位置的权限、挂载与硬件", en="check the rights, the mount and the hardware at this place")


@contextmanager
def disk_work(place: Path, kept: Text) -> Generator[None]:
    """Turn an OSError of the block into a FaultError that names the place and says what was kept."""
    try:
        yield
    except OSError as error:
        full = error.errno in _FULL
        what = Text(zh="{what}；{kept}", en="{what}; {kept}").fill(what=DISK_FULL if full else _FAILED, kept=kept)
        raise FaultError(
            what,
            place=Place(file=str(place)),
            found=printable(str(error.strerror or error)),
            remedy=FREE_SPACE if full else _CHECK,
        ) from error


def sync_folder(folder: Path) -> None:
    """Make the names inside a folder as durable as the files' content."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
