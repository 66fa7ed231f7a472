"""The uid of a cell: as root, one of a pool, locked for as long as the cell's supervisor lives; as a user, none."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pilotbase.foundation.errors import InputError, IsolationError, Place
from pilotbase.foundation.text import Text, printable

if sys.platform != "win32":
    import fcntl
    import pwd

SETTING = "PILOTBASE_POOL_UIDS"
DEFAULT = "64100-64131"
_LARGEST = 2**31 - 2


@dataclass(frozen=True, slots=True)
class Seat:
    """A pool uid that is ours while the lock's descriptor is open somewhere."""

    uid: int
    lock: int


def pool(settings: Mapping[str, str]) -> range:
    """Read the setting, ``FIRST-LAST``. Raises InputError."""
    text = settings.get(SETTING, DEFAULT)
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and 0 < int(first) <= int(last) <= _LARGEST):
        raise InputError(
            Text(zh="用户编号范围无法识别", en="the range of user ids cannot be read"),
            place=Place(field=SETTING),
            found=printable(text),
            expected=Text(zh=f"例如 {DEFAULT}", en=f"for example {DEFAULT}"),
            remedy=Text(zh="请改正或删除该环境变量", en="mend the variable, or unset it"),
        )
    return range(int(first), int(last) + 1)


def take(state: Path) -> Seat | None:
    """Lock a free uid; None for an ordinary user, who cannot change. Raises IsolationError when none is free."""
    if os.geteuid() != 0:
        return None
    uids = pool(os.environ)
    folder = state / "pool"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for uid in uids:
        if _is_a_person(uid):
            continue
        handle = os.open(folder / str(uid), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            continue
        return Seat(uid=uid, lock=handle)
    raise IsolationError(
        Text(zh="沙箱专用用户编号已用完", en="every user id of the pool is taken"),
        found=f"{uids.start}-{uids.stop - 1}",
        expected=Text(zh="至少一个空闲且未分配给真实用户的编号", en="one that is free and belongs to no account"),
        remedy=Text(
            zh=f"请等待其他沙箱结束，或用 {SETTING} 指定更大的范围",
            en=f"wait for another cell to end, or give a wider range in {SETTING}",
        ),
    )


def _is_a_person(uid: int) -> bool:
    """Say whether an account of this machine has the uid: a candidate must never run as somebody."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
