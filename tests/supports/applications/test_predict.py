from __future__ import annotations

import struct
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pilotbase.foundation.errors import FaultError
from pilotbase.foundation.text import Text
from pilotbase.pilot.scenario import Output
from pilotbase.supports.applications.predict import BadReply, decode, encode, expect, expect_ready

NAME = Text(zh="测试", en="test")
SCORE = Output(name="score", low=Decimal(0), high=Decimal(1), text=NAME)
DECISION = Output(name="decision", low=Decimal(0), high=Decimal(1), text=NAME)
BOTH = (SCORE, DECISION)


def reply(rows: list[list[float]], count: int | None = None) -> bytes:
    flat = [value for row in rows for value in row]
    return struct.pack(f"<Q{len(flat)}d", len(rows) if count is None else count, *flat)


def test_a_request_byte_by_byte():
    frame = encode(np.array([[1.5, np.nan], [2.0, -0.0]]), np.array([[3], [-1]], dtype=np.int32))
    assert frame == struct.pack("<Q4d2i", 2, 1.5, float("nan"), 2.0, -0.0, 3, -1)


@pytest.mark.parametrize(("numbers", "codes"), [((3, 0), (3, 2)), ((3, 2), (3, 0)), ((0, 2), (0, 1))])
def test_empty_blocks_take_no_bytes(numbers, codes):
    frame = encode(np.ones(numbers), np.ones(codes, dtype=np.int32))
    assert len(frame) == 8 + np.prod(numbers) * 8 + np.prod(codes) * 4


def test_blocks_in_another_memory_order_are_sent_row_by_row():
    numbers = np.asfortranarray([[1.0, 2.0], [3.0, 4.0]])
    assert encode(numbers, np.empty((2, 0), dtype=np.int32)) == struct.pack("<Q4d", 2, 1, 2, 3, 4)


def test_blocks_of_unequal_length_are_our_own_fault():
    with pytest.raises(FaultError):
        encode(np.ones((2, 1)), np.ones((3, 1), dtype=np.int32))


def test_a_reader_is_told_how_much_to_read():
    wanted = expect(3, 2)
    assert wanted(b"") == 8
    assert wanted(b"1234567") == 8
    assert wanted(struct.pack("<Q", 3)) == 8 + 48
    assert wanted(reply([[0, 0]] * 3)) == 8 + 48


@pytest.mark.parametrize("count", [0, 2, 4, 2**63, 2**64 - 1])
def test_a_wrong_count_is_seen_before_its_body_is_read(count):
    with pytest.raises(BadReply) as caught:
        expect(3, 2)(struct.pack("<Q", count))
    assert caught.value.kind == "wrong_count"
    assert caught.value.failure.detail == f"{count} rows instead of 3"


def test_ready_is_a_frame_of_no_rows():
    assert expect_ready(b"") == 8
    assert expect_ready(bytes(8)) == 8
    with pytest.raises(BadReply):
        expect_ready(struct.pack("<Q", 1))


def test_answers_in_the_order_of_the_outputs():
    answers = decode(reply([[0.25, 0], [1, 1]]), 2, BOTH)
    np.testing.assert_array_equal(answers, [[0.25, 0], [1, 1]])
    assert not answers.flags.writeable


@pytest.mark.parametrize(
    ("rows", "kind", "detail"),
    [
        ([[float("nan"), 0], [0.5, 1]], "not_finite", "score: 1 of 2 rows, first 0"),
        ([[0.5, 0], [float("inf"), 1]], "not_finite", "score: 1 of 2 rows, first 1"),
        ([[0.5, float("nan")], [0.5, 1]], "not_finite", "decision: 1 of 2 rows, first 0"),
        ([[0.5, 0], [1.0000000000000002, 1]], "out_of_range", "score: 1 of 2 rows, first 1"),
        ([[-5e-324, 0], [-1, 1]], "out_of_range", "score: 2 of 2 rows, first 0"),
        ([[0.5, 0.5], [0.5, 1]], "out_of_range", "decision: 1 of 2 rows, first 0"),
        ([[0.5, 0], [0.5, 2]], "out_of_range", "decision: 1 of 2 rows, first 1"),
    ],
)
def test_bad_values_are_named(rows, kind, detail):
    with pytest.raises(BadReply) as caught:
        decode(reply(rows), 2, BOTH)
    assert (caught.value.kind, caught.value.detail) == (kind, detail)
    assert str(caught.value) == f"{kind}: {detail}"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (reply([[0, 0]]), "wrong_count"),
        (reply([[0, 0]] * 3), "wrong_count"),
        (reply([[0, 0]], count=2), "protocol"),
        (reply([[0, 0]] * 3, count=2), "protocol"),
        (b"", "protocol"),
        (b"\0", "protocol"),
    ],
)
def test_bad_lengths_are_named(data, kind):
    with pytest.raises(BadReply) as caught:
        decode(data, 2, BOTH)
    assert caught.value.kind == kind


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=64) | st.integers(0, 3).flatmap(lambda n: st.binary(min_size=16 * n, max_size=16 * n).map(lambda body: struct.pack("<Q", n) + body)))  # fmt: skip  # noqa: E501
def test_any_bytes_are_answers_within_the_contract_or_a_failure(data):
    try:
        answers = decode(data, 2, BOTH)
    except BadReply:
        return
    assert ((answers >= 0) & (answers <= 1)).all()


@settings(max_examples=50, deadline=None)
@given(answers=hnp.arrays("<f8", st.tuples(st.integers(0, 5), st.just(1)), elements=st.floats(0, 1)))
def test_what_a_candidate_sends_is_what_is_read(answers):
    data = struct.pack("<Q", len(answers)) + answers.tobytes()
    np.testing.assert_array_equal(decode(data, len(answers), (SCORE,)), answers)
