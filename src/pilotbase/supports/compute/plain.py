"""Level none: an ordinary process on any operating system, for rehearsals and for code that its operator trusts.

Nothing is isolated here and nothing claims to be. Frames, deadlines, the cap on standard error and the failures are
those of a real cell, so that a rehearsal tells the same story; memory, scratch and processes are not bounded.
The targets of a spec (``/candidate``) do not exist here: arguments and variables that begin with one get the real path.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn, cast

from pilotbase.foundation.errors import FaultError, InputError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.pilot.trace import Failure, Usage
from pilotbase.supports.compute.cell import (
    STDERR_LIMIT,
    CandidateFailed,
    Cell,
    CellLimits,
    CellSpec,
    Expect,
    Worked,
)
from pilotbase.supports.compute.child import Child
from pilotbase.supports.compute.room import Room
from pilotbase.supports.compute.streams import Drain, Feed, Inbox

_BEYOND = Failure(kind="protocol", detail="bytes beyond the last reply")
_SIGNALLED = 128
_STOPPED = 137  # exit code of a job that was killed
_TAIL = 64 << 10  # bytes of a job's output that are kept
_GRACE = 1.0  # seconds that a process has to end once it closed its output


@contextmanager
def plain(spec: CellSpec) -> Generator[Cell]:
    """Open a cell of level none; its process is gone at the end of the block."""
    with _folder() as folder:
        child = Room(spec, folder).start(subprocess.PIPE, subprocess.PIPE, subprocess.PIPE)
        cell = PlainCell(child, spec.limits)
        try:
            yield cell
        finally:
            cell.end()


def plain_work(spec: CellSpec, output: Path, seconds: float) -> Worked:
    """Run a job to its end without isolation; ``/out`` is a fresh folder, copied to ``output`` when it ends with 0.

    ``output`` must not exist, or be empty. Raises InputError when the job left a link.
    """
    limit = min(seconds, spec.limits.run)
    with _folder() as folder:
        room = Room(spec, folder)
        yard = room.add("/out")
        paths = folder / "stdout", folder / "stderr"
        with paths[0].open("wb") as stdout, paths[1].open("wb") as stderr:
            child = room.start(subprocess.DEVNULL, stdout, stderr)
            try:
                in_time = child.wait(limit)
            finally:
                child.kill()
        code = child.exit_code if in_time else None
        if code == 0:
            _carry(yard, output, " ".join(spec.arguments[:3]))
        told = [path.read_bytes() for path in paths]
    return Worked(
        exit_code=_STOPPED if code is None else code,
        failure=None if in_time else Failure(kind="killed_time", detail=f"not done within {limit:g} s"),
        stdout=told[0][-_TAIL:],
        stderr=told[1][-_TAIL:],
        usage=child.usage(len(told[1])),
    )


class PlainCell:
    """A running process of level none. See ``cell.Cell``."""

    def __init__(self, child: Child, limits: CellLimits) -> None:
        """Own the child and its pipes."""
        self._child = child
        self._limits = limits
        self._opened = time.monotonic()
        self._answered = False
        self._ended = False
        self._failure: Failure | None = None
        self._stopped: Failure | None = None  # why a thread of ours killed it
        self._inbox = Inbox(child.stdout)
        self._feed = Feed(child.stdin)
        self._drain = Drain(child.stderr, STDERR_LIMIT, self._flooded)
        self._timer = threading.Timer(limits.run, self._overran)
        self._timer.daemon = True
        self._timer.start()

    @property
    def stderr(self) -> bytes:
        """The end of standard error; empty while it runs."""
        return self._drain.tail if self._ended else b""

    def exchange(self, frame: bytes | memoryview, expect: Expect, seconds: float) -> bytes:
        """Send a frame and return the reply. See ``cell.Cell``."""
        if self._failure is not None:
            raise CandidateFailed(self._failure)
        if self._ended:
            raise FaultError(Text(zh="沙箱已关闭", en="the cell is closed"))
        first = not self._answered
        deadline = self._opened + self._limits.start if first else time.monotonic() + seconds
        if not first and self._inbox.unread():
            self._fail(_BEYOND)
        self._feed.send(frame)
        try:
            reply = self._inbox.take(expect, deadline)
            self._feed.wait(deadline)
        except TimeoutError:
            allowed = self._limits.start if first else seconds
            self._fail(Failure(kind="slow_start" if first else "slow_call", detail=f"no reply within {allowed:g} s"))
        except EOFError:
            self._fail(self._why())
        except CandidateFailed as error:
            self._fail(error.failure)
        self._answered = True
        return reply

    def close(self) -> Usage:
        """Kill it and return what it used. See ``cell.Cell``."""
        beyond = not self._ended and self._answered and self._inbox.unread()
        self.end()
        if beyond:
            self._failure = _BEYOND
            raise CandidateFailed(_BEYOND)
        return self._child.usage(self._drain.count)

    def end(self) -> None:
        """Kill it and let go of everything; may be called again."""
        if self._ended:
            return
        self._ended = True
        self._timer.cancel()
        self._child.kill()
        self._inbox.stop()
        self._feed.stop()
        for thread in (self._inbox, self._feed, self._drain):
            thread.join(_GRACE)
        for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
            with suppress(OSError):
                stream.close()

    def _fail(self, failure: Failure) -> NoReturn:
        self.end()
        self._failure = failure
        raise CandidateFailed(failure) from None

    def _why(self) -> Failure:
        """Return why its output ended."""
        gone = self._child.wait(_GRACE)
        if self._stopped:
            return self._stopped
        if not gone:
            return Failure(kind="protocol", detail="standard output closed")
        code = cast("int", self._child.exit_code)
        return Failure(
            kind="exited", detail=f"signal {code - _SIGNALLED}" if code > _SIGNALLED else f"exit code {code}"
        )

    def _flooded(self, count: int) -> None:
        self._stop(Failure(kind="killed_output", detail=f"{count} bytes on standard error, limit {STDERR_LIMIT}"))

    def _overran(self) -> None:
        self._stop(Failure(kind="killed_time", detail=f"limit {self._limits.run:g} s"))

    def _stop(self, failure: Failure) -> None:
        """End it from a thread of ours: its output ends, and whoever waits learns why."""
        self._stopped = self._stopped or failure
        self._child.signal()


@contextmanager
def _folder() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="pilotbase-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _carry(yard: Path, output: Path, job: str) -> None:
    """Copy a job's files; a link is refused as in a real cell."""
    links = [path.name for path in yard.rglob("*") if path.is_symlink()]
    if links:
        raise InputError(
            Text(zh="输出中有链接", en="a link was put out"),
            place=Place(file=job),
            found=printable(", ".join(links[:5])),
            expected=Text(zh="普通文件与文件夹", en="plain files and folders"),
            remedy=Text(zh="请修改写出这些文件的程序", en="mend the program that wrote them"),
        )
    shutil.copytree(yard, output, dirs_exist_ok=True)
