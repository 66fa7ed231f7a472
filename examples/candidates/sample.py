"""The exported sample, read into the very columns that a cell hands to a candidate.

Shapes  n specimens. Number columns float64, NaN = missing; category columns int32 codes into the vocabulary of
        ``scenario.toml``, -1 = missing, -2 = a word that it does not list.
"""

from __future__ import annotations

import csv
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.dont_write_bytecode = True  # a candidate's digest covers its whole folder: building leaves nothing but the model

HERE = Path(__file__).resolve().parent
SCENARIO = HERE.parents[1] / "src/pilotbase/sectors/healthcare/covid_test_triage/scenario.toml"


@dataclass(frozen=True, slots=True)
class Sample:
    """The public sample split."""

    columns: dict[str, NDArray]
    """Input columns by name, each (n,)."""
    positive: NDArray[np.float64]
    """(n,) truth, 0 or 1."""
    subject: NDArray[np.int64]
    """(n,) subjects, numbered as they first appear."""


def read(path: Path) -> Sample:
    """Read the CSV that ``pilotbase scenarios sample`` writes."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    columns = {
        column["name"]: _encode([row[column["name"]] for row in rows], column)
        for column in tomllib.loads(SCENARIO.read_text(encoding="utf-8"))["contract"]["columns"]
        if column["role"] == "input"
    }
    numbers: dict[str, int] = {}
    subject = [numbers.setdefault(row["subject_id"], len(numbers)) for row in rows]
    return Sample(columns, np.array([float(row["positive"]) for row in rows]), np.array(subject))


def _encode(words: list[str], column: dict[str, Any]) -> NDArray:
    if column["type"] == "number":
        return np.array([float(word) if word else np.nan for word in words])
    codes = {"": -1} | {word: code for code, word in enumerate(column["vocabulary"])}
    return np.array([codes.get(word, -2) for word in words], dtype=np.int32)


def inputs_of(folder: Path) -> list[str]:
    """Return the columns that a candidate asks for, in its order."""
    return tomllib.loads((folder / "candidate.toml").read_text(encoding="utf-8"))["asks"]["inputs"]


def matrix(columns: dict[str, NDArray], names: list[str]) -> NDArray[np.float64]:
    """Return (n, p) numbers: the columns in this order, codes taken as numbers."""
    return np.column_stack([columns[name].astype(np.float64) for name in names])
