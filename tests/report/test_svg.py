from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.report.svg import Drawing, Scale, element, number, ticks

WORDS = st.text(max_size=40)


@given(title=WORDS, description=WORDS, content=WORDS, value=WORDS)
def test_whatever_is_written_the_drawing_is_well_formed_and_holds_no_more_elements(title, description, content, value):
    drawing = Drawing(10, 10, key="k", title=title, description=description)
    drawing.line(0, 0, 1, 1, "axis", value=value)
    drawing.text(1, 2, content)
    root = ET.fromstring(str(drawing))  # noqa: S314 - our own drawing
    assert [part.tag for part in root.iter()] == ["svg", "title", "desc", "line", "text"]
    assert root.find("text").text in {None, content} or not content.isprintable()


def test_text_and_attributes_are_escaped():
    assert element("a", {"b": '"<&'}) == '<a b="&quot;&lt;&amp;"/>'
    drawing = Drawing(1, 1, key="k", title="<script>", description="a & b")
    drawing.text(0, 0, "\u202e</text><x/>")
    assert "<script>" not in str(drawing)
    assert "\\u202e&lt;/text&gt;&lt;x/&gt;" in str(drawing)


def test_a_rectangle_of_no_size_is_not_drawn():
    drawing = Drawing(1, 1, key="k", title="t", description="d")
    drawing.rect(0, 0, -3, 5, "bar")
    drawing.rect(0, 0, 0, 5, "bar")
    assert "rect" not in str(drawing)


@pytest.mark.parametrize(
    ("value", "written"), [(12.0, "12"), (3.14159, "3.14"), (-0.001, "0"), (100.0, "100"), (0.5, "0.5")]
)
def test_coordinates_are_short(value, written):
    assert number(value) == written


@given(
    low=st.floats(-1e6, 1e6, allow_subnormal=False),
    width=st.floats(1e-6, 1e6, allow_subnormal=False),
    most=st.integers(3, 10),
)
def test_ticks_are_round_even_and_inside(low, width, most):
    high = low + width
    if high <= low:
        return
    found = ticks(low, high, most)
    assert 1 <= len(found) <= most
    assert all(Decimal(repr(low)) <= tick <= Decimal(repr(high)) for tick in found)
    steps = {after - before for before, after in itertools.pairwise(found)}
    assert len(steps) <= 1
    assert all(step.normalize().as_tuple().digits in {(1,), (2,), (5,)} for step in steps)


@given(low=st.floats(-100, 100), width=st.floats(0.01, 100), value=st.floats(-1000, 1000))
def test_a_scale_holds_everything_within_its_axis(low, width, value):
    scale = Scale(low, low + width, 10, 90)
    assert 10 <= scale.at(value) <= 90
    assert scale.at(low) == pytest.approx(10)
    assert scale.at(low + width) == pytest.approx(90)
