"""Strict reading of JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.evidence.reading import MOST_LEVELS, check_fields, read_canonical, read_object
from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.errors import InputError, Place

HERE = Place(file="x.json")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(alphabet="aé☃", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet="ab", max_size=2), inner, max_size=3),
    max_leaves=8,
)


def read(data: bytes) -> dict[str, object]:
    return read_object(data, limit=10_000, place=HERE)


@given(st.dictionaries(st.text(alphabet="abc"), VALUES, max_size=4))
def test_objects_read_as_they_were_written(tree):
    assert read(json.dumps(tree, indent=1).encode()) == tree
    assert read_canonical(canonical_bytes(tree), limit=10_000, place=HERE) == tree


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"1", b'"x"', b"null", b'{"a":1}x', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":1.0}',
        b'{"a":1e3}',        b'{"a":1,"a":1}', b'{"b":{"a":1,"a":2}}', b"\xef\xbb\xbf{}", b'{"a":"\xff"}', b"{'a':1}",
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":' + b"[" * 100_000, b"x" * 10_001,
    ],
)  # fmt: skip
def test_what_two_programs_might_read_differently_is_refused(data):
    with pytest.raises(InputError) as caught:
        read(data)
    assert caught.value.place == HERE
    assert caught.value.found.isprintable()


def nested(levels: int) -> bytes:
    return b'{"a":' + b"[" * levels + b"1" + b"]" * levels + b"}"


def test_nesting_has_a_bound():
    assert read(nested(MOST_LEVELS - 1))
    with pytest.raises(InputError, match="nested"):
        read(nested(MOST_LEVELS))


@pytest.mark.parametrize("data", [b'{"b":1,"a":1}', b'{"a": 1}', b'{"a":"\\u0041"}', b'{"a":"\\ud800"}', b'{"a":1}\n'])
def test_other_bytes_of_the_same_document_are_not_canonical(data):
    assert read(data)
    with pytest.raises(InputError, match="canonical"):
        read_canonical(data, limit=10_000, place=HERE)


def test_fields_are_checked_by_name_and_type():
    kinds = {"name": str, "count": (int, type(None))}
    assert check_fields({"name": "x", "count": None}, kinds, HERE) == {"name": "x", "count": None}
    place = Place(file="x.json", field="rows[2]")
    for tree in ([], None, {"name": "x"}, {"name": "x", "count": 1, "more": 1}):
        with pytest.raises(InputError) as caught:
            check_fields(tree, kinds, place)
        assert caught.value.place == place
    with pytest.raises(InputError) as caught:
        check_fields({"name": 1, "count": 1}, kinds, place)
    assert caught.value.place.field == "rows[2].name"
