"""A tree of processes, read from /proc: who is in it, what it holds, and how it is emptied.

Standard library only: the supervisor imports this file in a bare interpreter.
Source  proc(5): ``task/TID/children``, ``statm``, ``smaps_rollup``.
"""

# ruff: noqa: PTH208
# It must start fast: no pathlib.

from __future__ import annotations

import os
import time
from contextlib import suppress

SIGKILL = 9
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_GRACE = 0.2  # seconds for an orderly end
_PATIENCE = 10.0  # seconds until a tree that does not die is reported


def _read(path: str) -> bytes:
    """Read a small file of /proc; ``b""`` when the process is gone."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(handle, 1 << 16)
    except OSError:
        return b""
    finally:
        os.close(handle)


def _threads(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def children(pid: int) -> list[int]:
    """List the children of every thread of a process."""
    return [int(word) for tid in _threads(pid) for word in _read(f"/proc/{pid}/task/{tid}/children").split()]


def below(pid: int) -> list[int]:
    """List every descendant, nearest first."""
    found: list[int] = []
    fresh = children(pid)
    while fresh:
        found += fresh
        fresh = [child for parent in fresh for child in children(parent)]
    return found


def resident(pid: int) -> int:
    """Return resident bytes of one process, shared pages included."""
    words = _read(f"/proc/{pid}/statm").split()
    return int(words[1]) * _PAGE if len(words) > 1 else 0


def proportional(pid: int) -> int:
    """Return resident bytes with shared pages parted among those who share them."""
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) << 10
    return resident(pid)


def tasks(pid: int) -> int:
    """Return the number of threads of one process, 0 when it is gone."""
    return len(_threads(pid))


def kill(pids: list[int]) -> None:
    """Send SIGKILL; who is gone already is no fault."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, SIGKILL)


def reap() -> list[tuple[int, int]]:
    """Collect every child that has ended, as (pid, status)."""
    ended: list[tuple[int, int]] = []
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            ended.append((pid, status))
    return ended


def settle(inner: int) -> None:
    """End the members of a pid namespace in an order that lets its process 1 count what they used.

    A process 1 that is killed discards the usage of whatever still runs below it. So the other members go first, then
    the command, and process 1 ends by itself; whoever is slow is left to ``empty``.
    """
    deadline = time.monotonic() + _GRACE
    command = next(iter(children(inner)), 0)
    while (others := [pid for pid in below(inner) if pid != command and resident(pid)]) and time.monotonic() < deadline:
        kill(others)  # who holds no memory is dead, and waits for its parent to ask
        time.sleep(0.001)
    kill([command] if command else [])
    while children(inner) and time.monotonic() < deadline:
        reap()
        time.sleep(0.001)


def empty() -> int:
    """Kill every descendant of this process until none is left; return how many would not die.

    This process must be a subreaper: then nothing escapes by a double fork.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        kill(below(os.getpid()))
        reap()
        left = below(os.getpid())
        if not left or time.monotonic() > deadline:
            return len(left)
        time.sleep(0.002)
