"""Measurements: the fixed rows of numbers that a stage leaves behind, their bytes and their commitment.

No input and no raw row is here; what judging needs of a truth (class, error) is, so records are custody data.
Stored as one little-endian fixed-width array per column beside a small JSON header: readable with numpy alone.
FORMATS section 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.digests import keyed, merkle_leaf, merkle_root, sha256
from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.pilot.document import Noun, read_json, to_bytes
from pilotbase.pilot.scenario import Name, StageName

BLOCK = 1024  # rows per Merkle leaf, FORMATS section 5

OK, CANDIDATE, PLATFORM, DATA = 0, 1, 2, 3
"""Row status: measured; the candidate failed (counts against it); platform or data failed (an invalid item)."""


class RecordColumn(Noun, frozen=True, kw_only=True):
    """One column of a stage's records."""

    name: Name
    dtype: Literal["<f8", "<i4", "|u1", "|V16"]
    unit: str
    timed: bool = False
    """A time depends on the machine: it stays out of the outcome digest."""


class Header(Noun, frozen=True, kw_only=True):
    """What the arrays beside it mean."""

    SCHEMA: ClassVar[str] = "pilotbase/records/1"

    schema: str
    stage: StageName
    rows: int
    columns: tuple[RecordColumn, ...]


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one stage. Every array has ``header.rows`` entries, in the order of the requests."""

    header: Header
    arrays: Mapping[str, NDArray]

    def __getitem__(self, name: str) -> NDArray:
        """Return one column."""
        return self.arrays[name]


class Fact(Noun, frozen=True, kw_only=True):
    """Something observed once, about the whole candidate or run."""

    measure: Name
    value: str
    """Decimal text."""
    unit: str
    details: tuple[Text, ...] = ()
    """What was seen, for people; foreign words in it are made printable first."""
    timed: bool = False


class Facts(Noun, frozen=True, kw_only=True):
    """All that one stage observed."""

    SCHEMA: ClassVar[str] = "pilotbase/facts/1"

    schema: str
    stage: StageName
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEvidence:
    """All that a stage leaves for judgement. A stage that was not run says why."""

    stage: StageName
    records: Records | None = None
    facts: tuple[Fact, ...] = field(default=())
    skipped: Text | None = None


def pack(records: Records) -> dict[str, bytes]:
    """Return the files of a stage's records: ``header.json`` and ``<column>.bin``."""
    files = {"header.json": to_bytes(records.header)}
    for column in records.header.columns:
        files[f"{column.name}.bin"] = np.ascontiguousarray(records[column.name], dtype=column.dtype).tobytes()
    return files


def unpack(files: Mapping[str, bytes]) -> Records:
    """Read records from their files. Raises InputError if an array is missing, surplus or of the wrong size."""
    header = read_json(files.get("header.json", b""), Header, "header.json")
    wanted = {f"{column.name}.bin" for column in header.columns} | {"header.json"}
    if wanted != set(files):
        raise InputError(
            Text(zh="记录文件与表头不符", en="the record files are not those of the header"),
            place=Place(file="header.json"),
            found=printable(", ".join(sorted(files))),
            expected=Text(zh=", ".join(sorted(wanted)), en=", ".join(sorted(wanted))),
        )
    arrays = {}
    for column in header.columns:
        data = files[f"{column.name}.bin"]
        size = header.rows * np.dtype(column.dtype).itemsize
        if len(data) != size:
            raise InputError(
                Text(zh="记录数组大小不对", en="a record array has the wrong size"),
                place=Place(file=f"{column.name}.bin"),
                found=str(len(data)),
                expected=Text(zh=f"{size} 字节", en=f"{size} bytes"),
            )
        arrays[column.name] = np.frombuffer(data, dtype=column.dtype)
    return Records(header, arrays)


def records_root(files: Mapping[str, bytes], salt: bytes) -> str:
    """Return the Merkle root of a stage's records, salted: one leaf per block of 1,024 rows.

    Leaf i hashes, after its salt HMAC-SHA256(salt, "leaf", i), the header and then each column's bytes of that block
    in header order. The header enters every leaf, so that no array can be read under another's name.
    """
    records = unpack(files)
    header = files["header.json"]
    leaves = []
    for number in range(max(1, -(-records.header.rows // BLOCK))):
        block = slice(number * BLOCK, (number + 1) * BLOCK)
        body = b"".join(records[column.name][block].tobytes() for column in records.header.columns)
        leaves.append(merkle_leaf(keyed(salt, b"leaf", str(number).encode()) + header + body))
    return merkle_root(leaves).hex()


def outcome_digest(evidence: tuple[StageEvidence, ...]) -> str:
    """Digest what a replay must reproduce: predictions and deterministic measurements, never times."""
    rows: list[object] = []
    for stage in evidence:
        facts = [[fact.measure, fact.value, fact.unit] for fact in stage.facts if not fact.timed]
        columns = stage.records.header.columns if stage.records else ()
        digests = [
            [column.name, sha256(np.ascontiguousarray(stage.records[column.name], dtype=column.dtype).tobytes())]
            for column in columns
            if stage.records and not column.timed
        ]
        rows.append([stage.stage, stage.skipped is None, facts, digests])
    return sha256(canonical_bytes(rows))
