"""The four signs: yes, no, open, idle. Each has a shape of its own, to be told apart without colour."""

from __future__ import annotations

from pilotbase.report.svg import Attribute, element
from pilotbase.report.words import Sign

_TICK = "M6.6 12.6 L10.6 16.4 L17.6 8.2"
_CROSS = "M8 8 L16 16 M16 8 L8 16"
_QUERY = "M9.3 9.6 A2.8 2.8 0 1 1 13.3 12.1 Q12 12.9 12 14.2 M12 16.9 L12 17"
_DASH = "M8 12 L16 12"


def sign(kind: Sign) -> str:
    """Return a sign as a small drawing. It is hidden from screen readers: the word beside it says the same."""
    shape = {
        "yes": element("circle", {"class": "sign-body", "cx": 12.0, "cy": 12.0, "r": 11.0}),
        "no": element("rect", {"class": "sign-body", "x": 1.5, "y": 1.5, "width": 21.0, "height": 21.0, "rx": 2.0}),
        "open": element("path", {"class": "sign-body", "d": "M12 0.8 L23.2 12 L12 23.2 L0.8 12 Z"}),
        "idle": element("circle", {"class": "sign-body", "cx": 12.0, "cy": 12.0, "r": 10.0}),
    }[kind]
    stroke = {"yes": _TICK, "no": _CROSS, "open": _QUERY, "idle": _DASH}[kind]
    frame: dict[str, Attribute] = {
        "class": f"sign {kind}",
        "viewBox": "0 0 24 24",
        "aria-hidden": "true",
        "focusable": "false",
    }
    return element("svg", frame, shape, element("path", {"class": "sign-stroke", "d": stroke}))
