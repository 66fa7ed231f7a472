"""Quality of dealt data: what its custodian should know before a scenario is published or a plan is sealed.

Remarks are for people; nothing here decides a verdict. Whether the data can decide a bar is judged when the plan is
drafted, by the designs of the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pilotbase.foundation.text import Text, printable
from pilotbase.pilot.scenario import Column, Scenario
from pilotbase.supports.data.columns import MISSING, UNSEEN, coded, truth
from pilotbase.supports.data.splits import SPLITS, Dealt
from pilotbase.supports.data.table import Table

Severity = Literal["error", "warning", "note"]

_MANY_MISSING = 0.5  # share of rows from which a column is warned about
_SOME_MISSING = 0.05
_MANY_UNSEEN = 0.01
_MANY_TWINS = 0.05
_FEW_POSITIVES = 20  # in a group of the hidden split; a bar of a picture needs as many, FORMATS section 6


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing worth knowing about the data."""

    severity: Severity
    text: Text
    column: str = ""


def check(scenario: Scenario, dealt: Dealt) -> tuple[Remark, ...]:
    """Look at dealt data; errors first, then warnings, then notes."""
    served = [one for one in scenario.columns("input") if one.known_at == "decision"]
    remarks = [*_shared_units(scenario, dealt), *_twins(served, dealt), *_classes(scenario, dealt)]
    for column in served:
        remarks += [*_missing(column, dealt), *_constant(column, dealt), *_vocabulary(column, dealt)]
    for column in scenario.columns("group"):
        remarks += [*_missing(column, dealt), *_vocabulary(column, dealt), *_group(scenario, column, dealt)]
    rank: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}
    return tuple(sorted(remarks, key=lambda remark: rank[remark.severity]))


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0 %"


def _shared_units(scenario: Scenario, dealt: Dealt) -> Iterator[Remark]:
    """Say that a unit lies in two splits: what is learned from one is then known of the other."""
    unit = scenario.splits.unit
    seen = {name: np.unique(dealt.tables[name].columns[unit].values) for name in SPLITS}
    for first, second in (("sample", "hidden"), ("sample", "diagnostic"), ("diagnostic", "hidden")):
        both = len(np.intersect1d(seen[first], seen[second]))
        if both:
            yield Remark("error", _SHARED.fill(count=both, first=first, second=second), unit)


_SHARED = Text(
    zh="{count} 个单位同时出现在 {first} 与 {second} 中", en="{count} units lie both in {first} and in {second}"
)


def _twins(served: list[Column], dealt: Dealt) -> Iterator[Remark]:
    """Say how many hidden rows look exactly like a sample row: chance where inputs are coarse, a copy where not."""
    known = set(_rows(served, dealt.tables["sample"]))
    hidden = _rows(served, dealt.tables["hidden"])
    twins = sum(row in known for row in hidden)
    if twins:
        severity: Severity = "warning" if twins > _MANY_TWINS * len(hidden) else "note"
        yield Remark(severity, _TWINS.fill(count=twins, share=_share(twins, len(hidden))))


_TWINS = Text(
    zh="hidden 中有 {count} 行（{share}）的全部输入与 sample 中某一行相同",
    en="{count} rows of hidden ({share}) have all inputs equal to those of a row of sample",
)


def _rows(served: list[Column], table: Table) -> list[bytes]:
    """Return each row's inputs as bytes."""
    parts = [
        np.ascontiguousarray(table.columns[one.name].values if one.type == "number" else _codes(one, table))
        for one in served
    ]
    views = [part.view(np.uint8).reshape(table.rows, part.itemsize) for part in parts]
    if not views:
        return []
    return [row.tobytes() for row in np.concatenate(views, axis=1)]


def _codes(column: Column, table: Table) -> NDArray[np.int32]:
    return coded(column, table.columns[column.name])


def _classes(scenario: Scenario, dealt: Dealt) -> Iterator[Remark]:
    for name in SPLITS:
        positive = truth(scenario, dealt.tables[name])
        count, rows = int(positive.sum()), len(positive)
        one_class = count in {0, rows}
        yield Remark(
            "error" if one_class else "note",
            (_ONE_CLASS if one_class else _POSITIVES).fill(
                split=name, count=count, rows=rows, share=_share(count, rows)
            ),
        )


_ONE_CLASS = Text(
    zh="{split} 只有一类：{rows} 行中 {count} 行阳性",
    en="{split} holds one class only: {count} of {rows} rows are positive",
)
_POSITIVES = Text(
    zh="{split}：{rows} 行中 {count} 行阳性（{share}）", en="{split}: {count} of {rows} rows are positive ({share})"
)


def _missing(column: Column, dealt: Dealt) -> Iterator[Remark]:
    for name in SPLITS:
        table = dealt.tables[name]
        values = table.columns[column.name].values
        lost = int((np.isnan(values) if column.type == "number" else values == MISSING).sum())
        if lost > _SOME_MISSING * table.rows:
            severity: Severity = "warning" if lost > _MANY_MISSING * table.rows else "note"
            yield Remark(
                severity, _MISSING.fill(column=column.name, split=name, share=_share(lost, table.rows)), column.name
            )


_MISSING = Text(zh="{column} 列在 {split} 中缺失 {share}", en="{column} is missing in {share} of {split}")


def _constant(column: Column, dealt: Dealt) -> Iterator[Remark]:
    values = dealt.tables["sample"].columns[column.name].values
    if len(np.unique(values)) <= 1:
        yield Remark("warning", _CONSTANT.fill(column=column.name), column.name)


_CONSTANT = Text(zh="{column} 列在 sample 中只有一个值", en="{column} has one value only in sample")


def _vocabulary(column: Column, dealt: Dealt) -> Iterator[Remark]:
    if column.type != "category":
        return
    codes = _codes(column, dealt.tables["sample"])
    absent = [word for code, word in enumerate(column.vocabulary) if not (codes == code).any()]
    if absent:
        yield Remark("note", _ABSENT.fill(column=column.name, words=printable(", ".join(absent))), column.name)
    for name in SPLITS:
        table = dealt.tables[name]
        unseen = int((_codes(column, table) == UNSEEN).sum())
        if unseen:
            severity: Severity = "warning" if unseen > _MANY_UNSEEN * table.rows else "note"
            yield Remark(
                severity, _UNSEEN.fill(column=column.name, split=name, share=_share(unseen, table.rows)), column.name
            )


_ABSENT = Text(
    zh="{column} 列词表中的这些词在 sample 中没有出现：{words}",
    en="these words of the vocabulary of {column} do not occur in sample: {words}",
)
_UNSEEN = Text(
    zh="{column} 列在 {split} 中有 {share} 的值不在词表中",
    en="{share} of {split} have a word in {column} that the vocabulary does not list",
)


def _group(scenario: Scenario, column: Column, dealt: Dealt) -> Iterator[Remark]:
    """Say how many positives each group has in the hidden split: they decide what can be shown of it."""
    table = dealt.tables["hidden"]
    codes, positive = _codes(column, table), truth(scenario, table)
    for code, word in enumerate(column.vocabulary):
        rows = int((codes == code).sum())
        count = int(positive[codes == code].sum())
        severity: Severity = "warning" if count < _FEW_POSITIVES else "note"
        yield Remark(
            severity, _GROUP.fill(column=column.name, word=printable(word), count=count, rows=rows), column.name
        )


_GROUP = Text(
    zh="hidden 中 {column} 为“{word}”的 {rows} 行里有 {count} 行阳性",
    en='in hidden, {count} of the {rows} rows with {column} "{word}" are positive',
)
