from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.report.numbers import confidence, date, digits, measure, moment, odds, quantity, rate, share, written

STORED = st.decimals(-(10**7), 10**7, places=6)


@given(value=STORED)
def test_bounds_are_printed_outward(value):
    lower, upper = (Decimal(digits(value, side).replace(",", "")) for side in ("lower", "upper"))
    assert lower <= value <= upper


@pytest.mark.parametrize(
    ("value", "side", "shown"),
    [("0.729996", "lower", "0.7299"), ("0.729996", "near", "0.7300"), ("0.729996", "upper", "0.7300"),
     ("12.345678", "near", "12.35"), ("0", "near", "0"), ("48210", "near", "48,210"),
     ("1234.567800", "upper", "1,235")],
)  # fmt: skip
def test_numbers_are_as_long_as_people_read_them(value, side, shown):
    assert digits(Decimal(value), side) == shown


@pytest.mark.parametrize(
    ("unit", "value", "zh", "en"),
    [
        ("1", "0.812345", "0.8123", "0.8123"),
        ("s", "0.009681", "9.68 ms", "9.68 ms"),
        ("s", "2.500000", "2.50 s", "2.50 s"),
        ("byte", "218103808", "208 MiB", "208 MiB"),
        ("row/s", "48210", "48,210 行/秒", "48,210 rows/s"),
        ("kWh", "12.5", "12.50 kWh", "12.50 kWh"),
    ],
)
def test_units_are_those_that_people_use(unit, value, zh, en):
    found = measure(unit, Decimal(value))
    assert found.write(value, "near", "zh") == zh
    assert found.write(value, "near", "en") == en


@pytest.mark.parametrize(
    ("text", "times"), [("0.05", (5, 100)), ("0.025", (25, 1000)), ("0.001", (1, 1000)), ("0.1", (10, 100))]
)
def test_odds_are_whole(text, times):
    assert odds(Decimal(text)) == times


def test_confidence_is_never_printed_higher_than_it_is():
    assert confidence(Decimal("0.05")) == "95%"
    assert confidence(rate("0.05/3")) == "98.33%"
    assert rate("0.05") == Decimal("0.05")


def test_thresholds_are_written_as_they_were_set():
    assert written(Decimal("0.20")) == "0.2"
    assert written(Decimal("0.050") * 1000) == "50"
    assert written(Decimal(1000)) == "1,000"


def test_dates_and_quantities_are_in_the_readers_words():
    stamp = "2026-11-03T08:15:20.500000Z"
    assert (date(stamp, "zh"), date(stamp, "en")) == ("2026年11月3日", "3 November 2026")
    assert moment(stamp) == "2026-11-03 08:15:20 UTC"
    assert (quantity("180 day", "zh"), quantity("180 day", "en")) == ("180 天", "180 days")
    assert quantity("2 GiB", "zh") == "2 GiB"
    assert share(0, 0) == "–"
