"""The exported sample: what a maker may train and rehearse on, as a CSV that people can open.

It holds the inputs as the candidate will see them, the groups, the truth, and the unit under another name. Columns that
are only judged by, and inputs known after the decision, are not in it: no copy of them exists outside custody.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isnan
from pathlib import Path

import numpy as np

from pilotbase.foundation.digests import keyed
from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text
from pilotbase.pilot.scenario import Column, Scenario
from pilotbase.store.disk import disk_work
from pilotbase.supports.data.columns import check_fit, coded, truth
from pilotbase.supports.data.table import Table, number_text, value_text

UNLISTED = "(unlisted)"
"""Stands for every word that the contract does not list: to a candidate they are all code -2."""
_PSEUDONYM = 16  # hexadecimal digits of a re-keyed unit


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleCounts:
    """What the sample holds."""

    rows: int
    units: int
    positives: int
    groups: Mapping[str, Mapping[str, int]]
    """Group column -> word -> rows."""


def counts(scenario: Scenario, table: Table) -> SampleCounts:
    """Count the sample. Raises InputError if the table does not fit the contract."""
    check_fit(scenario, table)
    groups: dict[str, dict[str, int]] = {}
    for column in scenario.columns("group"):
        codes = coded(column, table.columns[column.name])
        groups[column.name] = {word: int((codes == code).sum()) for code, word in enumerate(column.vocabulary)}
    return SampleCounts(
        rows=table.rows,
        units=len(np.unique(table.columns[scenario.splits.unit].values)),
        positives=int(truth(scenario, table).sum()),
        groups=groups,
    )


def export(scenario: Scenario, table: Table, path: Path) -> None:
    """Write the sample split as CSV: UTF-8, one header line, an empty field = missing.

    Units are re-keyed with the scenario's public salt. That keeps rows of one unit together without naming it; as the
    salt is public, it does not hide a unit from someone who can guess its name.

    Raises InputError if the table does not fit the contract, FaultError if the disk fails.
    """
    check_fit(scenario, table)
    columns = [column for column in scenario.contract.columns if _exported(column)]
    cells = [_cells(scenario, column, table) for column in columns]
    with disk_work(path, Text(zh="已有的文件未改动", en="the file that was there is untouched")):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".sample-", dir=path.parent)
        fresh = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream, lineterminator="\n")
                writer.writerow([column.name for column in columns])
                writer.writerows([cell(row) for cell in cells] for row in range(table.rows))
            fresh.chmod(0o644)  # the sample is public
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)


def _exported(column: Column) -> bool:
    return column.role in {"unit", "group", "target"} or (column.role == "input" and column.known_at == "decision")


def _cells(scenario: Scenario, column: Column, table: Table) -> Callable[[int], str]:
    """Return what writes one cell of a column."""
    found = table.columns[column.name]
    if column.role == "unit":
        salt = scenario.splits.salt.encode()
        return lambda row: keyed(salt, b"unit", value_text(found, row).encode()).hex()[:_PSEUDONYM]
    if column.type == "number":
        numbers = found.values.tolist()
        return lambda row: "" if isnan(numbers[row]) else number_text(numbers[row])
    if UNLISTED in column.vocabulary:
        raise InputError(
            Text(zh="词表中的词与保留字相同", en="a word of the vocabulary is a reserved one"),
            place=Place(file="scenario.toml", field=f"contract.columns.{column.name}.vocabulary"),
            found=UNLISTED,
        )
    words = [*column.vocabulary, UNLISTED, ""]  # codes -2 and -1 count from the end
    codes = coded(column, found).tolist()
    return lambda row: words[codes[row]]
