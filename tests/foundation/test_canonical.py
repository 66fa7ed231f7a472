"""Canonical bytes against a naive reference, and bounds that are rounded outward."""

from __future__ import annotations

import json
from decimal import Decimal
from enum import Enum
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.foundation.canonical import canonical_bytes, round_down, round_near, round_up
from pilotbase.foundation.errors import FaultError

LARGEST = 2**53 - 1
KEYS = st.text(alphabet=st.characters(max_codepoint=127))
STRINGS = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | STRINGS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)
SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def naive(value: object) -> str:
    """Return RFC 8785 as it is written, rule by rule, without the library that the encoder uses."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + "".join(SHORT.get(c, c if c >= " " else f"\\u{ord(c):04x}") for c in value) + '"'
    if isinstance(value, list):
        return "[" + ",".join(naive(item) for item in value) + "]"
    assert isinstance(value, dict)
    keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
    return "{" + ",".join(f"{naive(key)}:{naive(value[key])}" for key in keys) + "}"


@given(DOCUMENTS)
def test_bytes_equal_the_naive_reference(document):
    assert canonical_bytes(document) == naive(document).encode()


@given(DOCUMENTS)
def test_what_is_read_back_is_the_document_and_has_the_same_bytes(document):
    data = canonical_bytes(document)
    assert json.loads(data) == document
    assert canonical_bytes(json.loads(data)) == data


@given(st.dictionaries(KEYS, st.integers(-9, 9), max_size=6), st.randoms(use_true_random=False))
def test_the_order_in_which_keys_were_put_in_does_not_matter(document, random):
    items = list(document.items())
    random.shuffle(items)
    assert canonical_bytes(dict(items)) == canonical_bytes(document)


def test_the_escapes_of_rfc_8785():
    document = {"€ is not ASCII, but a value may hold it": '€$\x0f\nA\'B"\\\\"/'}
    with pytest.raises(FaultError):
        canonical_bytes(document)
    value = next(iter(document.values()))
    # RFC 8785 section 3.2.4 gives this string's bytes.
    expected = bytes.fromhex("22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f22")
    assert canonical_bytes(value) == expected


class Colour(Enum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"a": [1, 2.0]}, "$.a[1]"),
        (float("nan"), "$"),
        (LARGEST + 1, "$"),
        ({"b": {"c": -LARGEST - 1}}, "$.b.c"),
        ({"é": 1}, "é"),
        ({1: 1}, "$.1"),
        ([b"bytes"], "$[0]"),
        ({"x": Decimal(1)}, "$.x"),
        ({"x": {1, 2}}, "$.x"),
        (Colour.RED, "$"),
    ],
)
def test_what_has_no_canonical_bytes_is_refused_with_its_path(value, path):
    with pytest.raises(FaultError) as caught:
        canonical_bytes(value)
    assert path in caught.value.found


def test_a_tuple_is_written_as_a_list():
    assert canonical_bytes({"a": (1, ("x",))}) == b'{"a":[1,["x"]]}'


def test_a_lone_surrogate_is_refused():
    with pytest.raises(FaultError, match="surrogate"):
        canonical_bytes({"x": "\ud800"})


def test_the_largest_integers_pass():
    assert canonical_bytes([LARGEST, -LARGEST]) == b"[9007199254740991,-9007199254740991]"


REALS = st.floats(min_value=-1e15, max_value=1e15)
STEP = Fraction(1, 1_000_000)


@given(REALS)
def test_bounds_are_rounded_outward_by_less_than_one_step(value):
    low, high = Fraction(round_down(value)), Fraction(round_up(value))
    assert low <= Fraction(value) <= high
    assert max(Fraction(value) - low, high - Fraction(value)) < STEP


@given(REALS)
def test_every_rounded_number_has_six_decimals_and_no_exponent(value):
    for text in (round_down(value), round_up(value), round_near(value)):
        whole, _, decimals = text.partition(".")
        assert len(decimals) == 6
        assert decimals.isdecimal()
        assert whole.removeprefix("-").isdecimal()
        assert text != "-0.000000"


@given(REALS)
def test_an_estimate_lies_within_half_a_step(value):
    assert abs(Fraction(round_near(value)) - Fraction(value)) <= STEP / 2


@given(REALS, REALS)
def test_rounding_keeps_order(one, other):
    one, other = sorted((one, other))
    for rounded in (round_down, round_up, round_near):
        assert Decimal(rounded(one)) <= Decimal(rounded(other))


def test_the_binary_value_counts_not_what_it_was_written_as():
    # 0.1 is a little above one tenth in binary; 0.7 a little below seven tenths.
    assert (round_down(0.1), round_up(0.1)) == ("0.100000", "0.100001")
    assert (round_down(0.7), round_up(0.7)) == ("0.699999", "0.700000")
    assert (round_down(0.5), round_up(0.5)) == ("0.500000", "0.500000")
    assert (round_down(-1e-9), round_up(-1e-9)) == ("-0.000001", "0.000000")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("rounded", [round_down, round_up, round_near])
def test_a_number_that_is_none_is_never_written(rounded, value):
    with pytest.raises(FaultError):
        rounded(value)
