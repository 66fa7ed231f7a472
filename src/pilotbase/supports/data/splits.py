"""Splits: rows that are excluded, then units dealt to sample, diagnostic and hidden by a public salted hash.

A unit's place is u / 2^64, u = the first 8 bytes (little-endian) of SHA-256(salt, newline, unit text), against the
cumulative shares sample, diagnostic, hidden. Anyone with the table can deal it again; no generator, no order of rows.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.pilot.scenario import Scenario, SplitName
from pilotbase.supports.data.columns import check_fit, truth
from pilotbase.supports.data.table import Table, TableColumn, number_text, select, table_digest, value_text

SPLITS: tuple[SplitName, ...] = ("sample", "diagnostic", "hidden")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealt:
    """A table, dealt."""

    whole: str
    """Digest of the table that was dealt."""
    tables: Mapping[SplitName, Table]
    excluded: tuple[tuple[Text, int], ...]
    """Why rows were left out, and how many; a row that two exclusions name is counted with the first."""
    units: Mapping[SplitName, int]
    """Units in each split."""
    repeats: Mapping[SplitName, int]
    """Rows of each split that are not served because their unit has an earlier one."""

    @property
    def rows(self) -> dict[SplitName, int]:
        """Rows in each split."""
        return {name: table.rows for name, table in self.tables.items()}


def deal(scenario: Scenario, table: Table) -> Dealt:
    """Deal a table as the scenario says.

    Raises InputError if the table does not fit the contract, shares do not add up to 1, a unit is missing, or a split
    would be empty or hold one class only.
    """
    check_fit(scenario, table)
    kept, excluded = _exclude(scenario, table)
    served = select(table, kept)
    positive = truth(scenario, served)
    names, unit = _units(scenario, served)
    split = _places(scenario, names)[unit]
    tables: dict[SplitName, Table] = {}
    units: dict[SplitName, int] = {}
    repeats: dict[SplitName, int] = {}
    for number, name in enumerate(SPLITS):
        inside = np.flatnonzero(split == number)
        units[name] = len(np.unique(unit[inside]))
        rows = _first_of_each(inside, unit) if scenario.splits.one_row_per_unit and name != "sample" else inside
        repeats[name] = len(inside) - len(rows)
        _check_classes(name, positive[rows])
        tables[name] = select(served, rows)
    return Dealt(whole=table_digest(table), tables=tables, excluded=excluded, units=units, repeats=repeats)


def _exclude(scenario: Scenario, table: Table) -> tuple[NDArray[np.bool_], tuple[tuple[Text, int], ...]]:
    kept = np.ones(table.rows, dtype=bool)
    counted: list[tuple[Text, int]] = []
    for index, exclusion in enumerate(scenario.exclude):
        column = table.columns.get(exclusion.column)
        if column is None:
            raise InputError(
                Text(zh="数据表没有排除条件所用的列", en="the table does not have the column of an exclusion"),
                place=Place(file="scenario.toml", field=f"exclude[{index}].column"),
                found=exclusion.column,
                expected=Text(zh="{names}", en="{names}").fill(names=printable(", ".join(table.columns))),
            )
        hit = kept & _equals(column, exclusion.equals)
        kept &= ~hit
        counted.append((exclusion.why, int(np.count_nonzero(hit))))
    return kept, tuple(counted)


def _equals(column: TableColumn, text: str) -> NDArray[np.bool_]:
    if column.type == "category":
        return np.isin(column.values, [code for code, word in enumerate(column.words) if word == text])
    distinct, which = np.unique(column.values, return_inverse=True)
    return np.array([np.isfinite(value) and number_text(float(value)) == text for value in distinct], dtype=bool)[which]


def _units(scenario: Scenario, table: Table) -> tuple[list[str], NDArray[np.intp]]:
    """Return the text of every unit, and for each row the number of its unit."""
    place = Place(file="scenario.toml", field="splits.unit")
    if [column.name for column in scenario.columns("unit")] != [scenario.splits.unit]:
        raise InputError(
            Text(zh="划分单位须是合同中的 unit 列", en="units are dealt by the contract's column of role unit"),
            place=place,
            found=scenario.splits.unit,
        )
    column = table.columns[scenario.splits.unit]
    missing = np.isnan(column.values) if column.type == "number" else column.values < 0
    if missing.any():
        raise InputError(
            Text(zh="有行缺少划分单位", en="a row does not say to which unit it belongs"),
            place=Place(field=f"{scenario.splits.unit}[{int(np.argmax(missing))}]"),
            remedy=Text(zh="请补全，或排除这些行", en="fill it in, or leave such rows out"),
        )
    _, first, which = np.unique(column.values, return_index=True, return_inverse=True)
    return [value_text(column, int(row)) for row in first], which


def _places(scenario: Scenario, units: list[str]) -> NDArray[np.int8]:
    """Return for each unit the number of its split."""
    written = [scenario.splits.sample, scenario.splits.diagnostic, scenario.splits.hidden]
    shares = [Fraction(share) for share in written if share.is_finite() and share >= 0]
    if len(shares) != len(written) or sum(shares) != 1:
        raise InputError(
            Text(zh="各部分的比例之和须为 1", en="the shares of the splits must add up to 1"),
            place=Place(file="scenario.toml", field="splits"),
            found=" + ".join(str(share) for share in written),
            remedy=Text(zh="请改正 sample、diagnostic、hidden", en="mend sample, diagnostic and hidden"),
        )
    # u / 2^64 < share is u < ceil(share * 2^64) for a whole u: exact, without a float.
    ends = [math.ceil(sum(shares[: number + 1]) * 2**64) for number in range(len(SPLITS))]
    salt = scenario.splits.salt.encode() + b"\n"
    places = np.empty(len(units), dtype=np.int8)
    for index, unit in enumerate(units):
        drawn = int.from_bytes(hashlib.sha256(salt + unit.encode()).digest()[:8], "little")
        places[index] = next(number for number, end in enumerate(ends) if drawn < end)
    return places


def _first_of_each(rows: NDArray[np.intp], unit: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the first row of each unit, in table order."""
    _, first = np.unique(unit[rows], return_index=True)
    return rows[np.sort(first)]


def _check_classes(name: SplitName, positive: NDArray[np.uint8]) -> None:
    positives = int(np.count_nonzero(positive))
    if 0 < positives < len(positive):
        return
    raise InputError(
        Text(zh="划分后的 {split} 部分为空或只有一类", en="the split {split} is empty or holds one class only").fill(
            split=name
        ),
        place=Place(file="scenario.toml", field=f"splits.{name}"),
        found=f"{len(positive)}, {positives} +",
        expected=Text(zh="至少一行阳性和一行阴性", en="at least one positive and one negative row"),
        remedy=Text(zh="请增大该部分的比例，或补充数据", en="give the split a larger share, or bring more data"),
    )
