"""A small SVG writer: shapes and text with classes, styled by the page. No script, no link, no image, no font.

Every drawing is an image to a screen reader: role, title and description. Text stays text and passes ``printable``.
Units are user units, drawn at one CSS pixel each on a narrow screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from html import escape
from typing import Literal

from pilotbase.foundation.text import printable

Anchor = Literal["start", "middle", "end"]
Attribute = str | float | Decimal


def number(value: float) -> str:
    """Write a coordinate with at most two decimals.

    >>> number(12.0), number(3.14159), number(-0.001)
    ('12', '3.14', '0')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def element(name: str, attributes: dict[str, Attribute], *children: str) -> str:
    """Return one element; attribute values are escaped, children must be elements or escaped already."""
    written = "".join(f' {key}="{_value(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>{''.join(children)}</{name}>" if children else f"<{name}{written}/>"


def _value(value: Attribute) -> str:
    return escape(printable(value)) if isinstance(value, str) else number(float(value))


class Drawing:
    """A picture in the making; coordinates from the upper left corner."""

    def __init__(self, width: float, height: float, *, key: str, title: str, description: str) -> None:
        """Begin a drawing. ``key`` must differ from that of every other drawing on the page."""
        self._frame: dict[str, Attribute] = {
            "class": "chart",
            "viewBox": f"0 0 {number(width)} {number(height)}",
            "role": "img",
            "aria-labelledby": f"{key}-t {key}-d",
        }
        self._parts = [
            element("title", {"id": f"{key}-t"}, escape(printable(title))),
            element("desc", {"id": f"{key}-d"}, escape(printable(description, 2000))),
        ]

    def line(self, x1: float, y1: float, x2: float, y2: float, look: str, **more: Attribute) -> None:
        """Draw a line."""
        self._add("line", {"class": look, "x1": x1, "y1": y1, "x2": x2, "y2": y2}, more)

    def rect(self, x: float, y: float, width: float, height: float, look: str, **more: Attribute) -> None:
        """Draw a rectangle; a width or height below zero draws nothing."""
        if width > 0 and height > 0:
            self._add("rect", {"class": look, "x": x, "y": y, "width": width, "height": height}, more)

    def circle(self, x: float, y: float, radius: float, look: str, **more: Attribute) -> None:
        """Draw a circle."""
        self._add("circle", {"class": look, "cx": x, "cy": y, "r": radius}, more)

    def path(self, points: list[tuple[float, float]], look: str, **more: Attribute) -> None:
        """Draw a line through points."""
        steps = " ".join(f"{'L' if index else 'M'}{number(x)} {number(y)}" for index, (x, y) in enumerate(points))
        self._add("path", {"class": look, "d": steps}, more)

    def text(
        self, x: float, y: float, content: str, look: str = "label", anchor: Anchor = "start", *, turn: int = 0
    ) -> None:
        """Write text, turned by ``turn`` degrees about its own place."""
        attributes: dict[str, Attribute] = {"class": look, "x": x, "y": y, "text-anchor": anchor}
        if turn:
            attributes["transform"] = f"rotate({turn} {number(x)} {number(y)})"
        self._parts.append(element("text", attributes, escape(printable(content))))

    def _add(self, name: str, attributes: dict[str, Attribute], more: dict[str, Attribute]) -> None:
        named = {f"data-{key}": value for key, value in more.items()}
        self._parts.append(element(name, attributes | named))

    def __str__(self) -> str:
        """Return the finished picture."""
        return element("svg", self._frame, *self._parts)


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight axis: values low..high onto coordinates begin..end."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        """Return the coordinate of a value, held within the axis."""
        part = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.begin + part * (self.end - self.begin)


def ticks(low: float, high: float, most: int) -> list[Decimal]:
    """Return at most ``most`` round values from low to high, evenly spaced by 1, 2 or 5 times a power of ten.

    >>> [str(tick) for tick in ticks(0.0, 1.0, 6)]
    ['0.0', '0.2', '0.4', '0.6', '0.8', '1.0']
    """
    first, last = Decimal(repr(low)), Decimal(repr(high))
    size = (last - first).adjusted() - 1
    while True:
        for lead in (1, 2, 5):
            step = Decimal(lead).scaleb(size)
            begin = (first / step).to_integral_value(ROUND_CEILING)
            count = int((last / step).to_integral_value(ROUND_FLOOR) - begin) + 1
            if count <= most:
                return [(begin + index) * step for index in range(count)]
        size += 1
