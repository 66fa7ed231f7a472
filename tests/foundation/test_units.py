"""Quantities with their unit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.units import BYTES, SECONDS, seconds, size

HERE = Place(file="candidate.toml", field="limits.time", line=7)


@given(st.integers(0, 10**6), st.sampled_from(sorted(SECONDS)))
def test_a_duration_is_its_number_times_its_unit(number, unit):
    assert seconds(f"{number} {unit}", HERE) == pytest.approx(number * float(SECONDS[unit]), rel=1e-15)


@given(st.integers(0, 10**6), st.sampled_from(sorted(BYTES)))
def test_a_size_is_a_whole_number_of_bytes(number, unit):
    assert size(f"{number} {unit}", HERE) == number * int(BYTES[unit])


@pytest.mark.parametrize(
    ("text", "value"), [("250 ms", 0.25), ("1.5 min", 90.0), ("2 h", 7200.0), ("90 day", 7776000.0), ("0.1 s", 0.1)]
)
def test_durations(text, value):
    assert seconds(text, HERE) == value


@pytest.mark.parametrize(("text", "value"), [("1 B", 1), ("1.5 KiB", 1536), ("0.5 GiB", 2**29)])
def test_sizes(text, value):
    assert size(text, HERE) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "30",
        "30s",
        "30  s",
        " 30 s",
        "30 s ",
        "30 sec",
        "-1 s",
        "1e3 s",
        ".5 s",
        "5. s",
        "1,5 s",
        "30 S",
        "s",
        "30 s\n",
    ],
)
def test_anything_else_is_refused_with_place_found_expected_and_remedy(text):
    with pytest.raises(InputError) as caught:
        seconds(text, HERE)
    assert caught.value.place == HERE
    assert caught.value.expected is not None
    assert "ms, s, min, h, day" in caught.value.expected.en
    assert caught.value.remedy is not None
    assert caught.value.found.isprintable()


def test_a_duration_is_no_size():
    with pytest.raises(InputError):
        size("30 s", HERE)
    with pytest.raises(InputError):
        seconds("1 GiB", HERE)


def test_a_part_of_a_byte_is_refused():
    with pytest.raises(InputError):
        size("0.5 B", HERE)


def test_digits_of_another_script_are_refused():
    with pytest.raises(InputError):
        seconds("３０ s", HERE)


def test_a_number_without_end_is_refused():
    with pytest.raises(InputError):
        seconds(f"{'9' * 400} s", HERE)
