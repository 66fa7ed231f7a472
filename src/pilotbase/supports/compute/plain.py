"""Level none: an ordinary process on any operating system, for rehearsals and for code that its operator trusts.

Nothing is isolated here and nothing claims to be. Frames, deadlines, the cap on standard error and the failures are
those of a real cell, so that a rehearsal tells the same story; memory, scratch and processes are not bounded.
The targets of a spec (``/candidate``) do not exist here: arguments and variables that begin with one get the real path.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from pilotbase.foundation.errors import FaultError, InputError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.pilot.trace import Failure, Usage
from pilotbase.supports.compute import interpreter, machine
from pilotbase.supports.compute.cell import STDERR_LIMIT, CandidateFailed, Cell, CellSpec, Expect, Worked, assemble
from pilotbase.supports.compute.streams import Drain, Feed, Inbox

_BEYOND = Failure(kind="protocol", detail="bytes beyond the last reply")
_TAIL = 64 << 10  # bytes of a job's output that are kept
_STOPPED = 137  # exit code of a job that was killed
_GRACE = 1.0  # seconds that a process has to end once it closed its output


@contextmanager
def plain(spec: CellSpec) -> Iterator[Cell]:
    """Open a cell of level none; its process is gone at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="pilotbase-", ignore_cleanup_errors=True) as folder:
        room = Room(spec, Path(folder))
        cell = PlainCell(spec, room)
        try:
            yield cell
        finally:
            cell.abandon()


def work_plain(spec: CellSpec, output: Path, seconds: float) -> Worked:
    """Run a job to its end without isolation; ``/out`` is a fresh folder, copied to ``output`` when it ends with 0.

    Raises InputError when it left anything but plain files.
    """
    with tempfile.TemporaryDirectory(prefix="pilotbase-", ignore_cleanup_errors=True) as folder:
        room = Room(spec, Path(folder))
        yard = room.add("/out")
        paths = Path(folder) / "stdout", Path(folder) / "stderr"
        began = time.monotonic()
        with paths[0].open("wb") as stdout, paths[1].open("wb") as stderr:
            process = room.start(subprocess.DEVNULL, stdout, stderr)
            failure = _await(process, min(seconds, spec.limits.run))
        status, used = _reap(process)
        exit_code = _STOPPED if failure else _exit_code(status)
        if exit_code == 0:
            _carry(yard, output)
        written = paths[1].stat().st_size
        return Worked(
            exit_code=exit_code,
            failure=failure,
            stdout=paths[0].read_bytes()[-_TAIL:],
            stderr=paths[1].read_bytes()[-_TAIL:],
            usage=_usage(used, time.monotonic() - began, written),
        )
