"""Measures: from replies and truths to a row of numbers per item. Pure arrays in, arrays out.

A candidate that fails to answer an item has given the worst possible answer to it: the worst score for its truth, a
squared error of 1, nothing detected. It can never gain by silence. A platform or data fault leaves an invalid item.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilotbase.pilot.measurement import CANDIDATE, OK, Header, RecordColumn, Records
from pilotbase.pilot.scenario import Criterion, StageName


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """What a measure may see: n items with their truth and the candidate's answers. No inputs."""

    ids: NDArray[np.void]
    """(n,) re-keyed ids, 16 bytes."""
    status: NDArray[np.uint8]
    """(n,) OK, CANDIDATE, PLATFORM or DATA."""
    positive: NDArray[np.uint8]
    """(n,) truth, 0 or 1."""
    answers: Mapping[str, NDArray[np.float64]]
    """Output name -> (n,); anything where the status is not OK."""
    groups: Mapping[str, NDArray[np.int32]]
    """Group column -> (n,) code, -1 missing."""

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Where the candidate failed."""
        return self.status == CANDIDATE


Write = Callable[[Criterion, Items], dict[RecordColumn, NDArray]]

_SCORE = RecordColumn(name="score", dtype="<f8", unit="1")
_DECISION = RecordColumn(name="decision", dtype="|u1", unit="1")
_POSITIVE = RecordColumn(name="positive", dtype="|u1", unit="1")
_ERROR = RecordColumn(name="squared_error", dtype="<f8", unit="1")
_DETECTED = RecordColumn(name="detected", dtype="|u1", unit="1")
_RIGHT = RecordColumn(name="right", dtype="|u1", unit="1")
_UNIT = RecordColumn(name="unit", dtype="|V16", unit="1")
_STATUS = RecordColumn(name="status", dtype="|u1", unit="1")
LATENCY = RecordColumn(name="seconds", dtype="<f8", unit="s", timed=True)


def _auroc(_: Criterion, items: Items) -> dict[RecordColumn, NDArray]:
    worst = np.where(items.positive == 1, 0.0, 1.0)
    return {_POSITIVE: items.positive, _SCORE: np.where(items.status == OK, items.answers["score"], worst)}


def _brier(_: Criterion, items: Items) -> dict[RecordColumn, NDArray]:
    error = (items.answers["score"] - items.positive) ** 2
    return {_ERROR: np.where(items.status == OK, error, 1.0)}


def _sensitivity_gap(criterion: Criterion, items: Items) -> dict[RecordColumn, NDArray]:
    decided = (items.answers["decision"] == 1) & (items.status == OK)
    detected = decided & (items.positive == 1)
    name = f"group_{criterion.group}"
    return {
        _POSITIVE: items.positive,
        _DECISION: decided.astype(np.uint8),
        _DETECTED: detected.astype(np.uint8),
        RecordColumn(name=name, dtype="<i4", unit="1"): items.groups[str(criterion.group)],
    }


def _rate(_: Criterion, items: Items) -> dict[RecordColumn, NDArray]:
    right = (items.answers["decision"] == items.positive) & (items.status == OK)
    return {_POSITIVE: items.positive, _RIGHT: right.astype(np.uint8)}


MEASURES: dict[str, Write] = {
    "auroc": _auroc,
    "brier": _brier,
    "accuracy": _rate,
    "sensitivity": _rate,
    "specificity": _rate,
    "sensitivity_gap": _sensitivity_gap,
}
"""Measures of items. Facts (``rows_per_second``, ``peak_memory``, intake checks) are observed by the stage itself."""


def measure_items(stage: StageName, criteria: tuple[Criterion, ...], items: Items) -> Records:
    """Write the records of a stage: unit id, status, then the columns of every measure, each column once."""
    columns: dict[RecordColumn, NDArray] = {_UNIT: items.ids, _STATUS: items.status}
    for criterion in criteria:
        if criterion.measure in MEASURES:
            columns |= MEASURES[criterion.measure](criterion, items)
    return _records(stage, columns, len(items.ids))


def measure_latency(stage: StageName, seconds: NDArray[np.float64], status: NDArray[np.uint8]) -> Records:
    """Write the records of a timing: one row per request; a request that failed took for ever."""
    columns = {_STATUS: status, LATENCY: np.where(status == CANDIDATE, np.inf, seconds)}
    return _records(stage, columns, len(seconds))


def _records(stage: StageName, columns: dict[RecordColumn, NDArray], rows: int) -> Records:
    header = Header(schema=Header.SCHEMA, stage=stage, rows=rows, columns=tuple(columns))
    return Records(header, {column.name: values for column, values in columns.items()})
