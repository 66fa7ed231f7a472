"""Cells for a candidate: its environment is built once, then each stage gets fresh cells with the candidate in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from pilotbase.foundation.errors import NOWHERE
from pilotbase.foundation.text import Text
from pilotbase.foundation.units import seconds, size
from pilotbase.line.means import Watch
from pilotbase.line.run import OpenCell
from pilotbase.line.seal import Submission
from pilotbase.line.stages import Done
from pilotbase.pilot.scenario import Limits, Scenario
from pilotbase.pilot.trace import Environment, Isolation
from pilotbase.supports.applications.start import (
    ARGUMENTS,
    CANDIDATE,
    CONFIGURATION,
    ENVIRONMENT,
    SHIM,
    configuration,
    shim,
)
from pilotbase.supports.compute import machine
from pilotbase.supports.compute.cell import Cell, CellLimits, CellSpec, Mount

Open = Callable[[CellSpec], AbstractContextManager[Cell]]
Build = Callable[[Path], Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """How this run isolates: how an environment is built, how a cell is opened, and what that is worth."""

    isolation: Isolation
    build: Build
    """From a hash-locked requirements file to a folder of installed packages."""
    open: Open

    def opener(self, scenario: Scenario, submission: Submission, watch: Watch) -> OpenCell:
        """Return what opens a fresh cell with this candidate in it."""
        built: list[CellSpec] = []

        def open_cell() -> AbstractContextManager[Cell]:
            if not built:
                watch.note(_BUILDING)
                built.append(_spec(scenario, submission, self.build(_lock(submission))))
            return self.open(built[0])

        return open_cell

    def facts(self, submission: Submission, done: Sequence[Done]) -> Environment:
        """Return the facts of machine and environment; a candidate that was never started has no packages."""
        started = any(one.usages for one in done)
        return machine.environment(self.build(_lock(submission)) if started else None)


def _lock(submission: Submission) -> Path:
    return submission.folder / submission.candidate.run.requirements


_BUILDING = Text(zh="准备应用的运行环境", en="preparing the application's environment")


def _spec(scenario: Scenario, submission: Submission, environment: Path) -> CellSpec:
    return CellSpec(
        arguments=ARGUMENTS,
        files={SHIM: shim(submission.candidate), CONFIGURATION: configuration(scenario, submission.candidate)},
        mounts=(Mount(source=submission.folder, target=CANDIDATE), Mount(source=environment, target=ENVIRONMENT)),
        variables={},
        limits=cell_limits(scenario.limits),
    )


def cell_limits(limits: Limits) -> CellLimits:
    """Return the limits of a cell, in bytes and seconds."""
    return CellLimits(
        memory=size(limits.memory, NOWHERE),
        scratch=size(limits.scratch, NOWHERE),
        processes=limits.processes,
        start=seconds(limits.start, NOWHERE),
        run=seconds(limits.run, NOWHERE),
    )
