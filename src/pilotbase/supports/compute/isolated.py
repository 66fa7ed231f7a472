"""Isolation of level full: a cell for a candidate, and one-shot jobs in a cell.

Both refuse where the self-test of this machine does not find every required layer.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pilotbase.supports.compute.cell import STDOUT_LIMIT, Cell, CellSpec, Worked
from pilotbase.supports.compute.harvest import Harvest
from pilotbase.supports.compute.opening import Yard, opened, opened_with_yard
from pilotbase.supports.compute.selftest import require_full

CAPACITY = 2 << 30  # bytes that a job may put out, held in memory until they are brought
FILES = 100_000
_STOPPED = 137  # exit code of a job that was killed


@contextmanager
def isolated(spec: CellSpec, state: Path) -> Generator[Cell]:
    """Open a cell of level full; it is empty at the end of the block.

    Raises IsolationError (what is missing, and the remedy for this system) instead of giving less.
    """
    require_full(state)
    with opened(spec, state) as cell:
        yield cell


def work(
    spec: CellSpec, output: Path, seconds: float, *, state: Path, capacity: int = CAPACITY, files: int = FILES
) -> Worked:
    """Run a job to its end in a cell of level full that has one writable folder, /out.

    The job gets no input. When it ends with 0, plain files of /out are copied to ``output``, which must not exist
    or be empty.

    Raises IsolationError; InputError when the job left anything but plain files within the bounds.
    """
    require_full(state)
    limited = replace(spec, limits=replace(spec.limits, run=min(seconds, spec.limits.run)))
    with opened_with_yard(limited, state, Yard(size=capacity, files=files)) as (cell, folder):
        stdout, usage, failure, status = cell.run_to_end(STDOUT_LIMIT)
        exit_code = _STOPPED if failure or status is None else status
        if exit_code == 0:
            Harvest(capacity=capacity, files=files, place=" ".join(spec.arguments[:3])).bring(folder, output)
    return Worked(exit_code=exit_code, failure=failure, stdout=stdout, stderr=cell.stderr, usage=usage)
