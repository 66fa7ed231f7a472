"""Quantities that people write with their unit: ``"1 GiB"``, ``"30 s"``, ``"90 day"``. A bare number is refused."""

from __future__ import annotations

import re
from decimal import Decimal

from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text, printable

SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "min": Decimal(60), "h": Decimal(3600), "day": Decimal(86400)}
BYTES = {"B": Decimal(1), "KiB": Decimal(2**10), "MiB": Decimal(2**20), "GiB": Decimal(2**30)}

_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ([A-Za-z]+)")


def seconds(text: str, place: Place) -> float:
    """Read a duration. Raises InputError naming the place."""
    return float(_read(text, SECONDS, place))


def size(text: str, place: Place) -> int:
    """Read a whole number of bytes. Raises InputError naming the place."""
    number = _read(text, BYTES, place)
    if number != int(number):
        raise InputError(
            Text(zh="字节数须为整数", en="a size must be a whole number of bytes"), place=place, found=printable(text)
        )
    return int(number)


def _read(text: str, units: dict[str, Decimal], place: Place) -> Decimal:
    match = _QUANTITY.fullmatch(text)
    if match is None or match[2] not in units:
        known = ", ".join(units)
        raise InputError(
            Text(zh="数量须写明单位", en="a quantity needs its unit"),
            place=place,
            found=printable(text),
            expected=Text(zh="数字、一个空格、单位（{known}）", en="a number, one space, a unit ({known})").fill(
                known=known
            ),
            remedy=Text(zh='例如 "30 s" 或 "1 GiB"', en='for example "30 s" or "1 GiB"'),
        )
    return Decimal(match[1]) * units[match[2]]
