"""The canonical table: one array per column and a header that commits to every byte of them.

A folder holds ``header.json`` (canonical JSON) and one ``<column>.bin`` per column: little-endian float64 for a number
(NaN = missing) or int32 codes into the column's words for a category (-1 = missing). The digest of a table is the
digest of its header, which names the digest of every array. A table on disk is hostile until read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import FaultError, InputError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.pilot.document import Noun, read_json, to_bytes
from pilotbase.pilot.scenario import Digest, Name
from pilotbase.store.disk import disk_work, sync_folder

HEADER = "header.json"
_DTYPES = {"number": "<f8", "category": "<i4"}
_BINARY = getattr(os, "O_BINARY", 0)  # where a system knows text files
_CAREFUL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | _BINARY
_LARGEST_HEADER = 64 << 20  # bytes; a header of a million words stays below it

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class HeaderColumn(Noun, frozen=True, kw_only=True):
    """One column as the header tells it."""

    name: Name
    type: Literal["number", "category"]
    words: tuple[Word, ...]
    """The words of a category, in code order; none for a number."""
    sha256: Digest
    """Digest of the array's bytes."""


class Header(Noun, frozen=True, kw_only=True):
    """What the arrays beside it mean."""

    SCHEMA: ClassVar[str] = "pilotbase/table/1"

    schema: str
    rows: Annotated[int, msgspec.Meta(ge=0)]
    columns: tuple[HeaderColumn, ...]


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column in memory."""

    type: Literal["number", "category"]
    words: tuple[str, ...]
    """The words of a category, in code order; empty for a number."""
    values: NDArray
    """(rows,) float64, NaN missing; or int32 codes into ``words``, -1 missing."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table in memory. Column order is part of its digest."""

    rows: int
    columns: Mapping[str, TableColumn]


def number_text(value: float) -> str:
    """Write a number as people write it: a whole number without a point, any other by its shortest exact form."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def value_text(column: TableColumn, row: int) -> str:
    """Write one value of a column; empty when it is missing."""
    value = column.values[row]
    if column.type == "number":
        return "" if np.isnan(value) else number_text(float(value))
    return column.words[value] if value >= 0 else ""


def select(table: Table, rows: NDArray) -> Table:
    """Return some rows of a table, by mask (bool) or by index. Words and column order stay as they are."""
    columns = {
        name: TableColumn(column.type, column.words, column.values[rows]) for name, column in table.columns.items()
    }
    return Table(int(np.count_nonzero(rows)) if rows.dtype == np.bool_ else len(rows), columns)


def table_digest(table: Table) -> str:
    """Return the digest of a table: SHA-256 of its header's bytes. Raises InputError if the table is not sound."""
    return sha256(_packed(table)[HEADER])


def write_table(folder: Path, table: Table) -> None:
    """Write a table into a new folder, for its owner's eyes only (folder 0700, files 0600), synced to disk.

    Raises InputError if the table is not sound, FaultError if the folder exists or the disk fails.
    """
    files = _packed(table)
    with disk_work(folder, _UNTOUCHED):
        folder.mkdir(mode=0o700)
        for name, data in files.items():
            write_private(folder / name, data)
        sync_folder(folder)


_UNTOUCHED = Text(zh="已有的数据未改动", en="the data that was there is untouched")


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that only its owner can read, and sync it. Raises OSError."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600), "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _packed(table: Table) -> dict[str, bytes]:
    """Return the files of a table. One table has one form: every NaN is the same NaN."""
    arrays: dict[str, bytes] = {}
    heads: list[HeaderColumn] = []
    for name, column in table.columns.items():
        values = np.array(column.values, dtype=_DTYPES[column.type])
        if column.type == "number":
            values[np.isnan(values)] = np.nan
        arrays[f"{name}.bin"] = values.tobytes()
        digest = sha256(arrays[f"{name}.bin"])
        heads.append(HeaderColumn(name=name, type=column.type, words=column.words, sha256=digest))
    header = Header(schema=Header.SCHEMA, rows=table.rows, columns=tuple(heads))
    # Read back what was written: a table that could not be read again is refused before it reaches the disk.
    sound = _read_header(to_bytes(header), Path(HEADER))
    for column in sound.columns:
        _array(arrays[f"{column.name}.bin"], column, sound.rows, Path(f"{column.name}.bin"))
    return {HEADER: to_bytes(header)} | arrays


def read_table(folder: Path) -> Table:
    """Read a table, trusting nothing: plain files only, sizes before reading, digests, codes and numbers in range.

    Raises InputError with file, field, found, expected and remedy.
    """
    header = _read_header(_read_plain(folder / HEADER, None), folder / HEADER)
    wanted = {HEADER} | {f"{column.name}.bin" for column in header.columns}
    if surplus := {path.name for path in folder.iterdir()} - wanted:
        raise InputError(
            Text(zh="数据表目录中有多余文件", en="the folder of the table holds files that are not of the table"),
            place=Place(file=str(folder)),
            found=printable(", ".join(sorted(surplus))),
            remedy=Text(zh="请移走这些文件", en="take them out"),
        )
    columns = {}
    for column in header.columns:
        path = folder / f"{column.name}.bin"
        data = _read_plain(path, header.rows * np.dtype(_DTYPES[column.type]).itemsize)
        columns[column.name] = TableColumn(column.type, column.words, _array(data, column, header.rows, path))
    return Table(header.rows, columns)


_AGAIN = Text(zh="请重新生成或重新取得该数据表", en="make the table again, or fetch it again")


def _read_plain(path: Path, size: int | None) -> bytes:
    """Read a plain file after looking at its size: exactly ``size`` bytes, or a header within its cap."""
    try:
        # The open itself refuses a link and does not wait for a pipe: nothing changes between looking and reading.
        with os.fdopen(os.open(path, os.O_RDONLY | _CAREFUL), "rb") as stream:
            status = os.fstat(stream.fileno())
            fits = status.st_size <= _LARGEST_HEADER if size is None else status.st_size == size
            data = stream.read(status.st_size) if fits and stat.S_ISREG(status.st_mode) else None
    except OSError as error:
        raise InputError(
            Text(zh="数据表缺少文件，或文件无法读取", en="a file of the table is missing or cannot be read"),
            place=Place(file=str(path)),
            found=printable(error.strerror or str(error)),
            expected=Text(zh="普通文件", en="a plain file"),
            remedy=_AGAIN,
        ) from error
    if data is None or len(data) != status.st_size:
        at_most = Text(zh="不超过 {size} 字节", en="at most {size} bytes").fill(size=_LARGEST_HEADER)
        raise InputError(
            Text(zh="数据表文件大小不对", en="a file of the table has the wrong size"),
            place=Place(file=str(path)),
            found=f"{status.st_size} B",
            expected=at_most if size is None else Text(zh="{size} 字节", en="{size} bytes").fill(size=size),
            remedy=_AGAIN,
        )
    return data


def _read_header(data: bytes, path: Path) -> Header:
    try:
        header = read_json(data, Header, str(path))
    except FaultError as error:  # a float or a lone surrogate: what the header's author did, not what we did
        raise InputError(error.what, place=Place(file=str(path)), found=error.found, remedy=_AGAIN) from error
    names = [column.name for column in header.columns]
    for index, column in enumerate(header.columns):
        place = Place(file=str(path), field=f"columns[{index}]")
        if column.name in names[:index]:
            raise InputError(Text(zh="列名重复", en="a column's name comes twice"), place=place, found=column.name)
        if len(set(column.words)) != len(column.words) or (column.type == "number" and column.words):
            raise InputError(
                Text(zh="列的取值词表不合规", en="the words of a column are not sound"),
                place=place,
                found=printable(", ".join(column.words)),
                expected=Text(zh="类别列的词互不相同；数值列没有词", en="different words; none for a number"),
                remedy=_AGAIN,
            )
    return header


def _array(data: bytes, column: HeaderColumn, rows: int, path: Path) -> NDArray:
    """Return the values of one column, read-only, once they are what the header says."""
    if sha256(data) != column.sha256:
        raise InputError(
            Text(zh="数据表文件与表头的摘要不符", en="a file of the table does not have the digest in the header"),
            place=Place(file=str(path)),
            found=sha256(data),
            expected=Text(zh=column.sha256, en=column.sha256),
            remedy=_AGAIN,
        )
    values = np.frombuffer(data, dtype=_DTYPES[column.type])
    if len(values) != rows:
        raise InputError(
            Text(zh="列的行数与表头不符", en="a column does not have the rows of the header"),
            place=Place(file=str(path)),
            found=str(len(values)),
            expected=Text(zh=str(rows), en=str(rows)),
            remedy=_AGAIN,
        )
    wrong = np.isinf(values) if column.type == "number" else (values < -1) | (values >= len(column.words))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            Text(zh="列中有取值范围之外的值", en="a column holds a value outside its range"),
            place=Place(file=str(path), field=f"[{row}]"),
            found=str(values[row]),
            expected=Text(zh="有限数；或 -1 至 {last} 的编码", en="a finite number, or a code from -1 to {last}").fill(
                last=len(column.words) - 1
            ),
            remedy=_AGAIN,
        )
    return values
