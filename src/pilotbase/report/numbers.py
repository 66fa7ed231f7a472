"""Numbers and dates for people. A bound is rounded outward: what is printed is never stronger than what is true."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Literal

from pilotbase.foundation.clock import read_stamp
from pilotbase.foundation.text import Language, Text

Side = Literal["near", "lower", "upper"]
_ROUNDING = {"near": ROUND_HALF_EVEN, "lower": ROUND_FLOOR, "upper": ROUND_CEILING}
_SMALL, _TEN, _HUNDRED, _THOUSAND = Decimal(1), Decimal(10), Decimal(100), Decimal(1000)


@dataclass(frozen=True, slots=True)
class Measure:
    """A unit as people read it: stored value times ``factor``, followed by ``label``."""

    factor: Decimal
    label: Text | None
    places: int = 2
    """Decimals of numbers below ten."""

    def write(self, value: str, side: Side, language: Language) -> str:
        """Write a stored decimal text in this unit, rounded to the given side."""
        return self.join(digits(Decimal(value) * self.factor, side, self.places), language)

    def join(self, number: str, language: Language) -> str:
        """Put number and unit together."""
        return number if self.label is None else f"{number} {self.label.say(language)}"


_PURE = Measure(Decimal(1), None, places=4)
_MILLI = Measure(Decimal(1000), Text(zh="ms", en="ms"))
_MIB = Measure(Decimal(1) / Decimal(2**20), Text(zh="MiB", en="MiB"))
_LABELS = {"row/s": Text(zh="行/秒", en="rows/s"), "s": Text(zh="s", en="s")}


def measure(unit: str, largest: Decimal) -> Measure:
    """Choose how to write values of a unit, when the largest one to be written is known."""
    if unit == "1":
        return _PURE
    if unit == "byte":
        return _MIB
    if unit == "s" and largest < _SMALL:
        return _MILLI
    return Measure(Decimal(1), _LABELS.get(unit, Text(zh=unit, en=unit)))


def digits(value: Decimal, side: Side = "near", places: int = 4) -> str:
    """Write a number with fewer decimals the larger it is; whole numbers as they are.

    >>> digits(Decimal("0.729996"), "lower"), digits(Decimal("0.729996"), "upper"), digits(Decimal(12345))
    ('0.7299', '0.7300', '12,345')
    """
    size = abs(value)
    if value == value.to_integral_value() or size >= _THOUSAND:
        places = 0
    elif size >= _TEN:
        places = min(places, 2 if size < _HUNDRED else 1)
    return f"{value.quantize(Decimal(1).scaleb(-places), rounding=_ROUNDING[side]):,f}"


def written(value: Decimal) -> str:
    """Write a threshold as the person who set it meant it: all its digits, no more.

    >>> written(Decimal("0.050") * 1000), written(Decimal("0.73"))
    ('50', '0.73')
    """
    return f"{value.normalize():,f}"


def share(part: int, whole: int) -> str:
    """Write a share as a percentage.

    >>> share(112, 148), share(0, 0)
    ('75.7%', '–')
    """
    return f"{100 * part / whole:.1f}%" if whole else "–"


def odds(rate: Decimal) -> tuple[int, int]:
    """Return a small error rate as *so many times in so many*, in hundreds where they suffice.

    >>> odds(Decimal("0.05")), odds(Decimal("0.025"))
    ((5, 100), (25, 1000))
    """
    of = 100
    while rate * of != int(rate * of):
        of *= 10
    return int(rate * of), of


def confidence(rate: Decimal) -> str:
    """Return ``95%`` for an error rate of 0.05; ``98.34%`` is rounded down."""
    return f"{((1 - rate) * 100).quantize(Decimal('0.01'), rounding=ROUND_FLOOR).normalize():f}%"


def rate(text: str) -> Decimal:
    """Read an error rate as findings write it: ``0.05`` or ``0.05/3``."""
    above, _, below = text.partition("/")
    return Decimal(above) / Decimal(below or 1)


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def date(stamp: str, language: Language) -> str:
    """Write the day of a moment, UTC."""
    day = read_stamp(stamp)
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def moment(stamp: str) -> str:
    """Write a moment to the second, UTC."""
    return f"{read_stamp(stamp):%Y-%m-%d %H:%M:%S} UTC"


_TIMES = {
    "day": Text(zh="天", en="days"),
    "h": Text(zh="小时", en="h"),
    "min": Text(zh="分钟", en="min"),
    "s": Text(zh="秒", en="s"),
    "ms": Text(zh="毫秒", en="ms"),
}


def quantity(text: str, language: Language) -> str:
    """Write a quantity of a plan (``180 day``, ``1 GiB``) in the reader's words."""
    amount, _, unit = text.partition(" ")
    return f"{amount} {_TIMES[unit].say(language)}" if unit in _TIMES else text
