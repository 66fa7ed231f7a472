"""Statements: in-toto's shape, our predicate, nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.evidence.statement import LIMIT, PREDICATE_TYPE, TYPE, Statement, build, read
from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.errors import FaultError, InputError

DIGEST = "0123456789abcdef" * 4
NAMES = st.text(alphabet=st.characters(categories=["L", "N", "P"]), min_size=1, max_size=12)
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)


@given(
    st.dictionaries(NAMES, DIGESTS, min_size=1, max_size=4),
    st.dictionaries(st.text(alphabet="abc"), st.integers(-9, 9) | st.text(max_size=4, alphabet="aé")),
)
def test_a_statement_reads_back_as_it_was_built(subjects, predicate):
    assert read(build(subjects, predicate)) == Statement(subjects=subjects, predicate=predicate)


def test_the_bytes_are_those_of_the_format():
    assert build({"triage@1.0.0": DIGEST}, {"pilot": "p"}) == (
        b'{"_type":"https://in-toto.io/Statement/v1","predicate":{"pilot":"p"},'
        b'"predicateType":"urn:pilotbase:verdict:1","subject":[{"digest":{"sha256":"' + DIGEST.encode()
        + b'"},"name":"triage@1.0.0"}]}'
    )  # fmt: skip


def test_the_order_of_subjects_does_not_matter():
    assert build({"a": DIGEST, "b": DIGEST}, {}) == build({"b": DIGEST, "a": DIGEST}, {})


@pytest.mark.parametrize(
    "subjects",
    [
        {},
        {"": DIGEST},
        {"a\nb": DIGEST},
        {"a": "abc"},
        {"a": DIGEST.upper()},
        {"a": DIGEST + "\n"},
        {"a": DIGEST + "0"},
    ],
)
def test_a_statement_of_nothing_or_without_digest_is_not_built(subjects):
    with pytest.raises(InputError):
        build(subjects, {})


def test_a_float_in_the_predicate_is_refused():
    with pytest.raises(FaultError):
        build({"a": DIGEST}, {"score": 0.5})


def altered(**changes: object) -> bytes:
    tree = json.loads(build({"a": DIGEST}, {"pilot": "p"})) | changes
    return canonical_bytes({name: value for name, value in tree.items() if value is not ...})


SUBJECT = {"name": "a", "digest": {"sha256": DIGEST}}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"{}", ""),
        (altered(more=1), ""),
        (altered(predicate=...), ""),
        (altered(_type="https://in-toto.io/Statement/v0.1"), "_type"),
        (altered(predicateType="urn:pilotbase:verdict:2"), "predicateType"),
        (altered(predicate=[]), "predicate"),
        (altered(subject={}), "subject"),
        (altered(subject=[]), "subject"),
        (altered(subject=[SUBJECT, SUBJECT]), "subject"),
        (altered(subject=[SUBJECT | {"name": "b"}, SUBJECT]), "subject"),
        (altered(subject=["a"]), "subject[0]"),
        (altered(subject=[SUBJECT | {"uri": "x"}]), "subject[0]"),
        (altered(subject=[SUBJECT | {"name": 1}]), "subject[0].name"),
        (altered(subject=[SUBJECT | {"digest": {"sha1": DIGEST}}]), "subject[0].digest"),
        (altered(subject=[SUBJECT | {"digest": {"sha256": "x"}}]), "subject[0]"),
        (altered() + b"\n", ""),
        (altered().replace(b'{"pilot"', b'{"pilot":"q","pilot"'), ""),
        (b" " * (LIMIT + 1), ""),
    ],
)
def test_anything_else_is_refused_with_its_field(data, field):
    with pytest.raises(InputError) as caught:
        read(data, "statement")
    assert caught.value.place.file == "statement"
    assert caught.value.place.field == field


def test_the_identifiers_are_for_ever():
    assert (TYPE, PREDICATE_TYPE) == ("https://in-toto.io/Statement/v1", "urn:pilotbase:verdict:1")
