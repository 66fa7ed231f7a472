from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pump_samples import BAD, category, number, pumps

from pilotbase.foundation.errors import FaultError, InputError
from pilotbase.supports.data.table import (
    Table,
    number_text,
    read_table,
    select,
    table_digest,
    value_text,
    write_table,
)

FAULTS = {
    "code-out-of-range": "outside its range",
    "column-digest-wrong": "does not have the digest",
    "column-missing": "missing or cannot be read",
    "column-truncated": "wrong size",
    "column-twice": "comes twice",
    "header-float": "no canonical bytes",
    "header-missing": "missing or cannot be read",
    "header-not-canonical": "not in canonical bytes",
    "header-unknown-field": "unknown field",
    "header-version-2": "not a document that this release can read",
    "infinite-number": "outside its range",
    "name-leaves-folder": "does not have the value it needs",
    "rows-beyond-file": "wrong size",
    "surplus-file": "not of the table",
    "word-empty": "does not have the value it needs",
    "word-twice": "not sound",
    "words-on-number": "not sound",
}


def test_every_bad_table_is_known():
    assert {path.name for path in BAD.iterdir() if path.is_dir()} == set(FAULTS)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_bad_table_is_refused_for_its_own_fault(name):
    with pytest.raises(InputError, match=FAULTS[name]) as caught:
        read_table(BAD / name)
    assert str(BAD / name) in caught.value.place.file
    assert caught.value.lines("zh")[0] != caught.value.lines("en")[0]


def test_what_is_written_is_read(tmp_path):
    table = pumps()
    write_table(tmp_path / "t", table)
    again = read_table(tmp_path / "t")
    assert again.rows == table.rows
    assert list(again.columns) == list(table.columns)
    for name, column in table.columns.items():
        assert again.columns[name].type == column.type
        assert again.columns[name].words == column.words
        np.testing.assert_array_equal(again.columns[name].values, column.values)
    assert table_digest(again) == table_digest(table)


def test_digest_is_that_of_the_header_and_the_header_names_every_array(tmp_path):
    write_table(tmp_path / "t", pumps())
    header = (tmp_path / "t/header.json").read_bytes()
    assert hashlib.sha256(header).hexdigest() == table_digest(pumps())
    for column in json.loads(header)["columns"]:
        data = (tmp_path / "t" / f"{column['name']}.bin").read_bytes()
        assert hashlib.sha256(data).hexdigest() == column["sha256"]


def test_written_for_the_owner_only(tmp_path):
    write_table(tmp_path / "t", pumps(10))
    assert stat.S_IMODE((tmp_path / "t").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "t").iterdir()} == {0o600}


def test_an_existing_folder_is_never_written_into(tmp_path):
    with pytest.raises(FaultError):
        write_table(tmp_path, pumps(10))
    assert not list(tmp_path.iterdir())


def test_every_nan_is_the_same_nan():
    odd = np.array([1.0, np.nan])
    odd.view("<u8")[1] |= 0xBAD
    assert table_digest(Table(2, {"a": number(odd)})) == table_digest(Table(2, {"a": number([1.0, np.nan])}))


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (2, {"a": number([1.0])}),
        (1, {"A": number([1.0])}),
        (1, {"a": number([np.inf])}),
        (1, {"a": category(("x",), [1])}),
        (1, {"a": category(("x",), [-2])}),
        (1, {"a": category(("x", "x"), [0])}),
    ],
)
def test_an_unsound_table_has_no_digest(rows, columns):
    with pytest.raises(InputError):
        table_digest(Table(rows, columns))


def test_a_link_is_refused(tmp_path):
    write_table(tmp_path / "t", pumps(10))
    (tmp_path / "t/hours.bin").rename(tmp_path / "hours.bin")
    (tmp_path / "t/hours.bin").symlink_to(tmp_path / "hours.bin")
    with pytest.raises(InputError, match="missing or cannot be read"):
        read_table(tmp_path / "t")


def test_a_pipe_does_not_hang(tmp_path):
    write_table(tmp_path / "t", pumps(10))
    (tmp_path / "t/hours.bin").unlink()
    os.mkfifo(tmp_path / "t/hours.bin")
    with pytest.raises(InputError):
        read_table(tmp_path / "t")


def test_select_by_mask_and_by_index():
    table = pumps(20)
    mask = np.zeros(20, dtype=bool)
    mask[[3, 7]] = True
    by_mask, by_index = select(table, mask), select(table, np.array([3, 7]))
    assert by_mask.rows == by_index.rows == 2
    assert table_digest(by_mask) == table_digest(by_index)
    assert by_mask.columns["site"].words == table.columns["site"].words


def test_texts_of_values():
    assert [number_text(value) for value in (3.0, -0.0, 2.5, 1e22, 0.1)] == ["3", "0", "2.5", str(10**22), "0.1"]
    assert value_text(number([np.nan]), 0) == ""
    assert value_text(category(("x",), [-1, 0]), 0) == ""
    assert value_text(category(("x",), [-1, 0]), 1) == "x"


FILES = [path.name for path in sorted((BAD / "surplus-file").iterdir()) if path.name != "notes.txt"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(file=st.sampled_from(FILES), place=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_any_changed_byte_is_seen(tmp_path, file, place, flip):
    """A table read after a change of one byte is refused, or has another digest (the header's own words)."""
    whole = tmp_path / "whole"
    if not whole.exists():
        shutil.copytree(BAD / "surplus-file", whole)
        (whole / "notes.txt").unlink()
    before = table_digest(read_table(whole))
    data = bytearray((whole / file).read_bytes())
    old = bytes(data)
    data[place % len(data)] ^= flip
    try:
        (whole / file).write_bytes(data)
        assert table_digest(read_table(whole)) != before
        assert file == "header.json"
    except InputError:
        pass
    finally:
        (whole / file).write_bytes(old)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["schema", "rows", "columns"]), inner),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(header=st.binary(max_size=200) | TREES.map(lambda tree: json.dumps(tree).encode()))
def test_any_header_is_refused(tmp_path, header):
    (tmp_path / "header.json").write_bytes(header)
    with pytest.raises(InputError):
        read_table(tmp_path)
