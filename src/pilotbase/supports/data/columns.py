"""A table seen through a contract: whether it fits, codes in the contract's vocabulary, and the truth.

The table has its own words; the contract has the words that a candidate knows. Code -1 = missing, -2 = a word that the
contract does not list. Truth 1 (positive) is the second word of the target's vocabulary, or the number 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.pilot.scenario import Column, Scenario
from pilotbase.supports.data.table import Table, TableColumn, number_text

MISSING, UNSEEN = -1, -2
_CLASSES = 2


def check_fit(scenario: Scenario, table: Table) -> None:
    """Raise InputError unless the table has every column of the contract, with its type.

    Values are not looked at here: the truth by ``truth``, codes by ``coded``.
    """
    for index, column in enumerate(scenario.contract.columns):
        found = table.columns.get(column.name)
        if found is None or found.type != column.type:
            raise InputError(
                Text(zh="数据表没有合同所写的这一列", en="the table does not have this column of the contract"),
                place=_place(index),
                found=found.type if found else printable(", ".join(table.columns)),
                expected=Text(zh="{name}，类型 {type}", en="{name}, of type {type}").fill(
                    name=column.name, type=column.type
                ),
                remedy=Text(
                    zh="请核对场景文件或数据的装载程序", en="check the scenario, or the program that loads the data"
                ),
            )
        if column.role == "group" and column.type != "category":
            raise InputError(
                Text(zh="分组列必须是类别列", en="a group column must be a category"),
                place=_place(index),
                found=column.type,
            )
    for role in ("target", "unit"):
        _one(scenario, role)


def _one(scenario: Scenario, role: str) -> Column:
    """Return the only column of a role. Raises InputError if there is none, or more than one."""
    columns = scenario.columns(role)
    if len(columns) != 1:
        raise InputError(
            Text(zh="合同中 {role} 列须恰有一列", en="a contract needs exactly one column of role {role}").fill(
                role=role
            ),
            place=Place(file="scenario.toml", field="contract.columns"),
            found=", ".join(column.name for column in columns),
        )
    return columns[0]


def _place(index: int) -> Place:
    return Place(file="scenario.toml", field=f"contract.columns[{index}]")


def coded(column: Column, found: TableColumn) -> NDArray[np.int32]:
    """Return (rows,) codes in the contract's vocabulary: -1 missing, -2 a word that it does not list."""
    known = {word: code for code, word in enumerate(column.vocabulary)}
    # One entry more than words: the table's -1 (missing) is an index from the end.
    meaning = np.array([known.get(word, UNSEEN) for word in found.words] + [MISSING], dtype=np.int32)
    return meaning[found.values]


def truth(scenario: Scenario, table: Table) -> NDArray[np.uint8]:
    """Return (rows,) truth, 1 = positive. Raises InputError for a truth that is missing or neither of the two."""
    column = _one(scenario, "target")
    found = table.columns[column.name]
    if column.type == "category" and len(column.vocabulary) != _CLASSES:
        raise InputError(
            Text(zh="答案列的词表须恰有两个词", en="the vocabulary of the target needs exactly two words"),
            place=Place(file="scenario.toml", field="contract.columns"),
            found=printable(", ".join(column.vocabulary)),
            expected=Text(zh="先写阴性的词，再写阳性的词", en="the negative word, then the positive word"),
        )
    values = coded(column, found) if column.type == "category" else found.values
    wrong = (values != 0) & (values != 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        code = found.values[row]
        said = number_text(float(code)) if column.type == "number" and np.isfinite(code) else ""
        raise InputError(
            Text(zh="答案缺失，或不是两类之一", en="a truth is missing or is neither of the two classes"),
            place=Place(field=f"{column.name}[{row}]"),
            found=printable(found.words[code] if column.type == "category" and code >= 0 else said),
            expected=Text(zh="{words}", en="{words}").fill(words=" / ".join(column.vocabulary) or "0 / 1"),
            remedy=Text(
                zh="请在场景文件的 exclude 中写明排除这些行及理由",
                en="leave such rows out in the scenario's exclude, and say why",
            ),
        )
    return values.astype(np.uint8)
