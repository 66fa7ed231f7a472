"""Measurements: arrays and bytes are one, the root commits to every byte of them, the digest leaves times out."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import a_good_candidate, make_evidence, make_plan

from pilotbase.foundation.errors import InputError
from pilotbase.foundation.text import Text
from pilotbase.pilot.measurement import (
    BLOCK,
    Header,
    RecordColumn,
    Records,
    StageEvidence,
    outcome_digest,
    pack,
    records_root,
    unpack,
)
from pilotbase.pilot.measures import measure_latency

SALT = bytes(range(32))
KINDS = {"<f8": np.float64, "<i4": np.int32, "|u1": np.uint8, "|V16": np.dtype("V16")}


def make_records(rows: int, seed: int = 0) -> Records:
    rng = np.random.default_rng(seed)
    arrays: dict[str, Any] = {
        "unit": np.frombuffer(rng.bytes(16 * rows), dtype="V16"),
        "status": rng.integers(0, 4, rows).astype(np.uint8),
        "score": rng.random(rows),
        "group_sex": rng.integers(-1, 3, rows).astype(np.int32),
    }
    dtypes = {"unit": "|V16", "status": "|u1", "score": "<f8", "group_sex": "<i4"}
    columns = tuple(RecordColumn(name=name, dtype=dtypes[name], unit="1") for name in arrays)
    return Records(Header(schema=Header.SCHEMA, stage="effectiveness", rows=rows, columns=columns), arrays)


@given(st.integers(0, 40), st.integers(0, 5))
def test_arrays_come_back_bit_for_bit(rows: int, seed: int) -> None:
    records = make_records(rows, seed)
    again = unpack(pack(records))
    assert again.header == records.header
    for name, values in records.arrays.items():
        assert again[name].tobytes() == values.tobytes()
        assert again[name].dtype == values.dtype


def test_arrays_are_little_endian_whatever_they_were() -> None:
    records = make_records(3)
    turned = Records(records.header, dict(records.arrays) | {"score": records["score"].astype(">f8")})
    assert pack(turned) == pack(records)


def test_numpy_alone_can_read_them() -> None:
    records = make_records(5)
    np.testing.assert_array_equal(np.frombuffer(pack(records)["score.bin"], dtype="<f8"), records["score"])


@pytest.mark.parametrize(
    "change",
    [
        lambda files: files.pop("score.bin"),
        lambda files: files.pop("header.json"),
        lambda files: files.update({"more.bin": b""}),
        lambda files: files.update({"\x1b[2J": b""}),
        lambda files: files.update({"score.bin": files["score.bin"][:-1]}),
        lambda files: files.update({"score.bin": files["score.bin"] + b"\0"}),
        lambda files: files.update({"header.json": files["header.json"].replace(b'"rows":9', b'"rows":8')}),
        lambda files: files.update({"header.json": files["header.json"].replace(b'"rows":9', b'"rows":-9')}),
        lambda files: files.update({"header.json": files["header.json"].replace(b"|u1", b"|O8")}),
        lambda files: files.update({"header.json": b"{}"}),
    ],
)
def test_files_that_do_not_fit_their_header_are_bad_input(change: Any) -> None:
    files = pack(make_records(9))
    change(files)
    with pytest.raises(InputError) as caught:
        unpack(files)
    assert caught.value.found.isprintable()


def own_root(records: Records, salt: bytes) -> str:
    """The root as docs/spec/bytes.md section 6 says, written anew."""
    files = pack(records)
    leaves = []
    for number in range(max(1, -(-records.header.rows // 1024))):
        rows = slice(number * 1024, (number + 1) * 1024)
        key = hmac.new(salt, digestmod="sha256")
        for part in (b"leaf", str(number).encode()):
            key.update(len(part).to_bytes(8, "little") + part)
        data = key.digest() + files["header.json"]
        data += b"".join(records[column.name][rows].tobytes() for column in records.header.columns)
        leaves.append(hashlib.sha256(b"\0" + data).digest())
    while len(leaves) > 1:
        pairs = [leaves[place : place + 2] for place in range(0, len(leaves), 2)]
        leaves = [hashlib.sha256(b"\1" + b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
    return leaves[0].hex()


@pytest.mark.parametrize("rows", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
def test_the_root_is_that_of_the_page(rows: int) -> None:
    records = make_records(rows)
    assert records_root(pack(records), SALT) == own_root(records, SALT)


@given(st.data())
def test_any_changed_byte_changes_the_root(data: st.DataObject) -> None:
    files = pack(make_records(20))
    root = records_root(files, SALT)
    name = data.draw(st.sampled_from(sorted(set(files) - {"header.json"})))
    place = data.draw(st.integers(0, len(files[name]) - 1))
    changed = bytearray(files[name])
    changed[place] ^= data.draw(st.integers(1, 255))
    assert records_root(files | {name: bytes(changed)}, SALT) != root


def test_an_array_cannot_be_read_under_another_name() -> None:
    records = make_records(9)
    score, other = records.header.columns[2], RecordColumn(name="other", dtype="<f8", unit="1")
    renamed = msgspec.structs.replace(
        records.header, columns=(*records.header.columns[:2], other, records.header.columns[3])
    )
    arrays = dict(records.arrays) | {"other": records[score.name]}
    assert records_root(pack(Records(renamed, arrays)), SALT) != records_root(pack(records), SALT)


PLAN = make_plan()
EVIDENCE = make_evidence(PLAN, a_good_candidate())


def with_times(evidence: tuple[StageEvidence, ...], seconds: float) -> tuple[StageEvidence, ...]:
    slow = measure_latency("efficiency", np.full(500, seconds), np.zeros(500, dtype=np.uint8))
    facts = tuple(msgspec.structs.replace(fact, timed=True, value=str(seconds)) for fact in evidence[4].facts)
    return (*evidence[:4], StageEvidence(stage="efficiency", records=slow, facts=facts))


def test_the_digest_leaves_times_out() -> None:
    assert outcome_digest(with_times(EVIDENCE, 0.1)) == outcome_digest(with_times(EVIDENCE, 0.2))


def test_the_digest_holds_all_else() -> None:
    fact = EVIDENCE[0].facts[0]
    failed = (StageEvidence(stage="intake", facts=(msgspec.structs.replace(fact, value="7"), *EVIDENCE[0].facts[1:])),)
    left_out = (StageEvidence(stage="efficiency", skipped=Text(zh="停电", en="dark")),)
    records = EVIDENCE[2].records
    assert records is not None
    scores = records["score"].copy()
    scores[0] = np.nextafter(scores[0], 2)
    moved = Records(records.header, dict(records.arrays) | {"score": scores})
    versions = [
        EVIDENCE,
        failed + EVIDENCE[1:],
        EVIDENCE[:4] + left_out,
        (*EVIDENCE[:2], StageEvidence(stage="effectiveness", records=moved), *EVIDENCE[3:]),
        EVIDENCE[:4],
    ]
    assert len({outcome_digest(one) for one in versions}) == len(versions)


def test_words_of_a_fact_are_no_outcome() -> None:
    fact = msgspec.structs.replace(EVIDENCE[0].facts[0], details=(Text(zh="别的", en="other words"),))
    told = StageEvidence(stage="intake", facts=(fact, *EVIDENCE[0].facts[1:]))
    assert outcome_digest((told, *EVIDENCE[1:])) == outcome_digest(EVIDENCE)
