"""The cell as its users see it: what goes in, what comes back, how a candidate fails.

A cell is one process tree that serves one candidate for one stage. Frames go in by its standard input, replies come
back by its standard output; whatever comes back is hostile input and is measured before it is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pilotbase.foundation.errors import FaultError
from pilotbase.foundation.text import Text, printable
from pilotbase.pilot.trace import Failure, FailureKind, Usage

Expect = Callable[[bytes], int]
"""Given the reply so far (``b""`` first), say how many bytes are wanted in all; raise CandidateFailed for a head that
cannot be. It is asked again whenever the reply has the length it asked for, and ends the reply by asking no more."""

STDERR_LIMIT = 8 << 20  # bytes; a candidate that writes more is stopped
STDOUT_LIMIT = 8 << 20  # bytes; for jobs, whose standard output is not a protocol
INODE_LIMIT = 20_000  # files in the scratch folders; the size of a tmpfs does not bound their number

_TARGET = re.compile(r"/[a-z][a-z0-9_.-]{0,60}")
_TAKEN = re.compile(r"/(usr|lib(32|64|x32)?|s?bin|etc|proc|sys|dev|tmp|out|stage_one\.py)")


def _usable(target: str) -> bool:
    return bool(_TARGET.fullmatch(target)) and not _TAKEN.fullmatch(target)


class CandidateFailed(Exception):  # noqa: N818 - a failing candidate is a measurement, not an error of ours
    """The candidate's own fault; the cell is empty by the time this is raised."""

    def __init__(self, failure: Failure) -> None:
        """Keep the failure as the value that is recorded."""
        super().__init__(f"{failure.kind}: {failure.detail}")
        self.failure = failure


def failed(kind: FailureKind, detail: str) -> CandidateFailed:
    """Return a failure ready to raise."""
    return CandidateFailed(Failure(kind=kind, detail=detail))


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLimits:
    """What the tree of processes may use."""

    memory: int
    """Bytes resident, summed over the tree."""
    scratch: int
    """Bytes in /tmp and /dev/shm together."""
    processes: int
    """Processes and threads at once."""
    start: float
    """Seconds from launch to the first reply."""
    run: float
    """Seconds from launch to the end of the cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A folder of the host that the cell sees, read-only."""

    source: Path
    target: str
    """One name below the root, for example ``/candidate``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSpec:
    """What to start. Anything not named here is not in the cell."""

    arguments: tuple[str, ...]
    """Arguments of the interpreter, which itself runs without site packages (-S), script folder (-P) or byte code."""
    limits: CellLimits
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Small read-only files by target, given as descriptors: they need no readable place on the host."""
    mounts: tuple[Mount, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    """Beside the fixed ones of ``machine.variables``."""

    def __post_init__(self) -> None:
        """Refuse targets that hide a part of the cell or lie inside one another."""
        targets = [*self.files, *(mount.target for mount in self.mounts)]
        wrong = [name for name in targets if not _usable(name) or targets.count(name) > 1]
        if wrong:
            raise FaultError(
                Text(zh="沙箱内的目标路径不可用", en="a target inside the cell cannot be used"),
                found=printable(", ".join(wrong)),
                expected=Text(
                    zh="根目录下的单个名称，例如 /candidate", en="one name below the root, such as /candidate"
                ),
            )

    @property
    def path(self) -> str:
        """Return PYTHONPATH inside the cell: the environment before the candidate."""
        targets = {mount.target for mount in self.mounts}
        return ":".join(name for name in ("/env", "/candidate") if name in targets)


class Cell(Protocol):
    """A running candidate."""

    @property
    def stderr(self) -> bytes:
        """The end of what the candidate wrote to standard error; for the operator only, empty while it runs."""
        ...

    def exchange(self, frame: bytes | memoryview, expect: Expect, seconds: float) -> bytes:
        """Send a frame and return the reply.

        The first exchange of a cell is its start: it has ``limits.start`` from the launch instead of ``seconds``,
        is ``slow_start`` past it, and its reply may have come before it was asked for. Later ones are ``slow_call``.

        Raises CandidateFailed; then the tree is dead, and every later exchange raises the same failure.
        """
        ...

    def close(self) -> Usage:
        """Kill the tree, reap it, return what it used. May be called again.

        Raises CandidateFailed, the first time only, for bytes that were sent beyond the last reply.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """A finished job."""

    exit_code: int
    """128 + n when signal n ended it."""
    failure: Failure | None
    """Why it was stopped, when it did not end by itself."""
    stdout: bytes
    """The end of its standard output."""
    stderr: bytes
    """The end of its standard error."""
    usage: Usage


def assemble(reply: bytearray, expect: Expect) -> int:
    """Return how many more bytes are wanted; 0 = the reply is complete. Raises what ``expect`` raises."""
    wanted = expect(bytes(reply))
    if wanted < len(reply):
        raise FaultError(Text(zh="期望长度小于已读长度", en="fewer bytes are expected than were read"))
    return wanted - len(reply)
