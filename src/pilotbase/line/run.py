"""Running: requests go to the cell batch by batch, replies come back or fail. No truth is in this room.

A crash, a time-out, a wrong count, a NaN is a reply too: the candidate's failure for every row of that batch. After a
failure the next batch meets a new cell; a candidate that fails three cells in a row is asked no more. After a fault of
the platform the batch in flight is shown once more, to a new cell; a second fault makes its rows invalid (FORMATS 5).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pilotbase.foundation.errors import NOWHERE, FaultError
from pilotbase.foundation.units import seconds
from pilotbase.line.means import Watch
from pilotbase.pilot.measurement import CANDIDATE, OK, PLATFORM
from pilotbase.pilot.scenario import Limits, Output
from pilotbase.pilot.trace import Failure, Usage
from pilotbase.supports.applications.predict import BadReply, decode, encode, expect
from pilotbase.supports.compute.cell import CandidateFailed, Cell
from pilotbase.supports.data.custody import Requests

OpenCell = Callable[[], AbstractContextManager[Cell]]
SHOWN_AGAIN = 1  # time that a batch is shown again after a fault of the platform
PATIENCE = 3  # cells in a row that may fail before the candidate is asked no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The answers to one batch."""

    status: NDArray[np.uint8]
    """(n,)"""
    answers: NDArray[np.float64]
    """(n, k); NaN where the candidate failed."""
    seconds: float
    """Host-side time from request to reply."""


@dataclass(slots=True)
class Session:
    """One candidate being asked, over as many cells as it takes; collects what happened."""

    open_cell: OpenCell
    outputs: tuple[Output, ...]
    limits: Limits
    failures: list[Failure] = field(default_factory=list)
    faults: list[FaultError] = field(default_factory=list)
    """The platform's own; each lost a batch in flight, which was shown again or given up."""
    shown_again: int = 0
    """Batches that a second cell saw."""
    usages: list[Usage] = field(default_factory=list)
    stderr: list[bytes] = field(default_factory=list)
    _broken: int = 0
    _cell: AbstractContextManager[Cell] | None = None
    _entered: Cell | None = None

    def ask(self, numbers: NDArray[np.float64], codes: NDArray[np.int32]) -> Batch:
        """Ask one batch: numbers (n, p), codes (n, q)."""
        rows = len(numbers)
        if self._broken >= PATIENCE:
            return _without(CANDIDATE, rows, len(self.outputs), 0.0)
        for times in range(1 + SHOWN_AGAIN):
            self.shown_again += times
            try:
                return self._ask(numbers, codes)
            except FaultError as fault:
                self.faults.append(fault)
                self._drop()
        return _without(PLATFORM, rows, len(self.outputs), 0.0)

    def _ask(self, numbers: NDArray[np.float64], codes: NDArray[np.int32]) -> Batch:
        rows = len(numbers)
        began = time.perf_counter()
        try:
            cell = self._ready()
            began = time.perf_counter()
            reply = cell.exchange(
                encode(numbers, codes), expect(rows, len(self.outputs)), seconds(self.limits.call, NOWHERE)
            )
            answers = decode(reply, rows, self.outputs)
        except (CandidateFailed, BadReply) as error:
            self.failures.append(_failure(error))
            self._broken += 1
            self.close()
            return _without(CANDIDATE, rows, len(self.outputs), time.perf_counter() - began)
        took = time.perf_counter() - began
        self._broken = 0
        return Batch(status=np.full(rows, OK, dtype=np.uint8), answers=answers, seconds=took)

    def _ready(self) -> Cell:
        """Return a cell whose candidate has said that it is ready."""
        if self._entered is None:
            self._cell = self.open_cell()
            self._entered = self._cell.__enter__()
            ready = self._entered.exchange(b"", lambda _: _READY, seconds(self.limits.start, NOWHERE))
            if any(ready):
                raise BadReply("protocol", "the first frame is not the ready frame")
        return self._entered

    def _drop(self) -> None:
        """Let go of a cell that the platform lost."""
        with suppress(FaultError):
            self.close()

    def close(self) -> None:
        """Close the cell, if one is open, and keep what it used."""
        if self._cell is None or self._entered is None:
            return
        cell, manager = self._entered, self._cell
        self._cell = self._entered = None
        try:
            self.usages.append(self._closed(cell))
            self.stderr.append(cell.stderr)
        finally:
            manager.__exit__(None, None, None)

    def _closed(self, cell: Cell) -> Usage:
        """Close a cell; bytes behind the last reply are a failure, and hide nothing of what it used."""
        try:
            return cell.close()
        except CandidateFailed as error:
            self.failures.append(error.failure)
            return cell.close()


_READY = 8  # bytes of the ready frame, all zero; docs/spec/protocol.md


def _failure(error: CandidateFailed | BadReply) -> Failure:
    if isinstance(error, BadReply):
        return Failure(kind=error.kind, detail=error.detail)
    return error.failure


def _without(status: int, rows: int, columns: int, took: float) -> Batch:
    """Return a batch without answers, and whose fault that is."""
    return Batch(status=np.full(rows, status, dtype=np.uint8), answers=np.full((rows, columns), np.nan), seconds=took)


def batches(requests: Requests, rows: int) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int32]]]:
    """Cut requests into batches of at most so many rows, in their order."""
    for start in range(0, len(requests.ids), rows):
        yield requests.numbers[start : start + rows], requests.codes[start : start + rows]


def first(requests: Requests, rows: int) -> Requests:
    """Return the first so many requests."""
    return replace(requests, ids=requests.ids[:rows], numbers=requests.numbers[:rows], codes=requests.codes[:rows])


class Recall(Protocol):
    """Answers that were got before: a killed run goes on after the last one."""

    def load(self, number: int) -> Batch | None:
        """Return the answers to a batch that was asked before."""

    def keep(self, number: int, batch: Batch) -> None:
        """Keep the answers to a batch, before the next one is asked."""


class Forgetful:
    """Nothing was asked before, and nothing is kept: for rows that may be shown again."""

    def load(self, number: int) -> Batch | None:  # noqa: ARG002 - the interface
        """Return nothing."""
        return None

    def keep(self, number: int, batch: Batch) -> None:
        """Keep nothing."""


def ask_all(session: Session, requests: Requests, rows: int, watch: Watch, recall: Recall) -> list[Batch]:
    """Ask every request once, in order; what is remembered is not asked again."""
    done, asked = 0, []
    for number, (numbers, codes) in enumerate(batches(requests, rows)):
        batch = recall.load(number)
        if batch is None:
            batch = session.ask(numbers, codes)
            recall.keep(number, batch)
        asked.append(batch)
        done += len(numbers)
        watch.advance(done)
    return asked
