"""Time as text, and ids that sort by time."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.foundation.clock import new_id, read_stamp, stamp, system_clock
from pilotbase.foundation.errors import InputError

MOMENTS = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


def test_a_stamp_is_rfc_3339_in_utc_with_microseconds():
    beijing = timezone(timedelta(hours=8))
    assert stamp(datetime(2026, 11, 23, 16, 15, tzinfo=beijing)) == "2026-11-23T08:15:00.000000Z"


@given(MOMENTS)
def test_a_stamp_reads_back_as_the_same_moment(moment):
    assert read_stamp(stamp(moment)) == moment


@given(MOMENTS, MOMENTS)
def test_stamps_sort_as_the_moments_do(one, other):
    assert (stamp(one) < stamp(other)) == (one < other)


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-11-23", "2026-11-23T08:15:00Z", "2026-11-23T08:15:00.000000", "2026-11-23T08:15:00.000000+00:00",
        "2026-11-23 08:15:00.000000Z", "2026-13-23T08:15:00.000000Z", " 2026-11-23T08:15:00.000000Z",
        "2026-11-23T08:15:00.000000Z\n",
    ],
)  # fmt: skip
def test_any_other_time_is_refused(text):
    with pytest.raises(InputError) as caught:
        read_stamp(text)
    assert caught.value.expected is not None
    assert read_stamp(caught.value.expected.en)  # the example in the message is one


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T08:15:00.5Z",
        "2026-1-2T3:4:5.000000Z",
        "2026-11-23t08:15:00.000000z",
        "２０２６-11-23T08:15:00.000000Z",
    ],
)
def test_a_time_written_in_another_way_is_refused(text):
    with pytest.raises(InputError):
        read_stamp(text)


@given(MOMENTS)
def test_an_id_is_a_uuid_of_version_7_that_holds_its_millisecond(moment):
    number = uuid.UUID(new_id(moment))
    assert (number.version, number.variant) == (7, uuid.RFC_4122)
    milliseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert abs((number.int >> 80) - milliseconds) <= 1  # a float of seconds may fall just short


def test_ids_of_later_milliseconds_sort_later_and_no_two_are_alike():
    start = datetime(2026, 11, 23, tzinfo=UTC)
    ids = [new_id(start + timedelta(milliseconds=2 * step)) for step in range(200)]
    assert ids == sorted(ids)
    assert len({new_id(start) for _ in range(1000)}) == 1000


def test_the_system_clock_is_in_utc():
    assert system_clock().utcoffset() == timedelta(0)
