"""The chain of events: what was written reads back, and any change breaks it at the right place."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.chain import ORIGIN, SCHEMA, Event, read_chain, read_event
from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import InputError

PILOT = "019ab000-0000-7000-8000-000000000001"
BODIES = st.dictionaries(
    st.text(alphabet="abc", min_size=1), st.integers(-5, 5) | st.text(alphabet="é☃ab", max_size=3), max_size=3
)


def write(bodies: list[dict], pilot: str = PILOT) -> list[bytes]:
    lines: list[bytes] = []
    for seq, body in enumerate(bodies, start=1):
        previous = sha256(lines[-1]) if lines else ORIGIN
        event = Event(
            pilot=pilot, seq=seq, at="2026-11-23T08:15:00.000000Z", kind="step.done", body=body, previous=previous
        )
        lines.append(event.to_bytes())
    return lines


@given(st.lists(BODIES, max_size=6))
def test_a_chain_reads_back_as_it_was_written(bodies):
    events = read_chain(write(bodies))
    assert [event.body for event in events] == bodies
    assert [event.seq for event in events] == list(range(1, len(bodies) + 1))
    for before, after in pairwise(events):
        assert after.previous == before.digest


def test_the_first_event_links_to_the_origin():
    assert read_chain(write([{}]))[0].previous == ORIGIN == "0" * 64


def test_an_events_digest_is_that_of_its_canonical_bytes():
    line = write([{"n": 1}])[0]
    assert read_event(line).digest == sha256(line)
    assert line == (
        b'{"at":"2026-11-23T08:15:00.000000Z","body":{"n":1},"kind":"step.done","pilot":"' + PILOT.encode()
        + b'","previous":"' + b"0" * 64 + b'","schema":"pilotbase/event/1","seq":1}'
    )  # fmt: skip


@given(st.integers(0, 3), st.data())
def test_any_changed_byte_is_noticed(index, data):
    lines = write([{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}])
    place = data.draw(st.integers(0, len(lines[index]) - 1))
    changed = bytearray(lines[index])
    changed[place] ^= data.draw(st.integers(1, 255))
    lines[index] = bytes(changed)
    try:
        events = read_chain(lines)
    except InputError:
        return
    # Only the last event can be rewritten without breaking a link: the head, which is signed, tells it.
    assert index == 3
    assert events[-1].digest != read_event(write([{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}])[3]).digest


@pytest.mark.parametrize(
    ("fault", "number"),
    [
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[0], lines[2]], 2),
        (lambda lines: [lines[0], lines[2], lines[1]], 2),
        (lambda lines: [lines[0], *lines], 2),
        (lambda lines: [*lines[:2], write([{"n": 1}, {"n": 9}, {"n": 3}])[2]], 3),
        (lambda lines: [lines[0], *write([{"n": 1}, {"n": 2}], pilot="another")[1:]], 2),
    ],
    ids=["first gone", "middle gone", "swapped", "doubled", "other history", "other pilot"],
)
def test_the_first_event_that_does_not_fit_is_named(fault, number):
    with pytest.raises(InputError, match=f"event {number} of the ledger"):
        read_chain(fault(write([{"n": 1}, {"n": 2}, {"n": 3}])))


def raw(**changes: object) -> bytes:
    fields: dict[str, object] = {
        "schema": SCHEMA, "pilot": PILOT, "seq": 1, "at": "2026-11-23T08:15:00.000000Z", "kind": "step.done",
        "body": {}, "previous": ORIGIN,
    }  # fmt: skip
    fields.update(changes)
    return canonical_bytes({name: value for name, value in fields.items() if value is not ...})


def test_the_untouched_event_is_read():
    assert read_event(raw()).kind == "step.done"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"null", b"[]", b"{}", b'"x"', b"\xff", raw() + b"\n", b" " + raw(),
        raw().replace(b'"seq":1', b'"seq":1,"seq":1'), raw(schema="pilotbase/event/2"), raw(extra=1), raw(kind=...),
        raw(schema=...), raw().replace(b":", b": ", 1), raw().replace(b"step", b"\\u0073tep"),
    ],
)  # fmt: skip
def test_bytes_that_are_not_one_canonical_event_are_refused(data):
    with pytest.raises(InputError, match="not one canonical ledger event"):
        read_event(data)


@pytest.mark.parametrize(
    "data",
    [
        raw(seq=True), raw(kind=1), raw(body=[]), raw(pilot=None), raw(at=0), raw(previous=1),
        raw().replace(b'"seq":1', b'"seq":1.5'), raw().replace(b"{}", b'{"x":NaN}'), b"[" * 100_000,
    ],
    ids=["seq true", "kind int", "body list", "pilot null", "at int", "previous int", "float", "nan", "deep"],
)  # fmt: skip
def test_fields_of_another_type_are_refused(data):
    with pytest.raises(InputError, match="not one canonical ledger event"):
        read_event(data)
