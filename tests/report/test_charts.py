from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from decimal import Decimal

import msgspec
import pytest
from report_samples import make_contents

from pilotbase.foundation.text import LANGUAGES
from pilotbase.pilot.aggregates import GroupBar, Latency, LatencyPoint
from pilotbase.pilot.verdict import Finding
from pilotbase.report import charts

NAMESPACE = ""


def read(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own drawing


def classed(drawing: ET.Element, look: str) -> list[ET.Element]:
    return [part for part in drawing.iter() if look in part.get("class", "").split()]


def findings(story: str):
    contents = make_contents(story)
    criteria = {one.id: one for stage in contents.plan.stages for one in stage.criteria}
    return [(criteria[one.criterion], one) for one in contents.verdict.judgement.findings if one.alpha is not None]


RATED = [pair for story in ("accepted", "rejected", "undecided") for pair in findings(story)]


@pytest.mark.parametrize(("criterion", "finding"), RATED, ids=lambda one: getattr(one, "id", ""))
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_numbers_of_an_interval_are_those_of_its_finding(criterion, finding, language):
    drawing = read(charts.interval(criterion, finding, "k", language))
    (dot,), (bar,), (threshold,) = (classed(drawing, look) for look in ("dot", "interval", "threshold"))
    assert dot.get("data-value") == finding.estimate
    assert (bar.get("data-lower"), bar.get("data-upper")) == (finding.lower, finding.upper)
    assert Decimal(threshold.get("data-value")) == Decimal(finding.threshold)
    placed = [
        (float(finding.estimate), float(dot.get("cx"))),
        (float(finding.lower), float(bar.get("x1"))),
        (float(finding.upper), float(bar.get("x2"))),
        (float(finding.threshold), float(threshold.get("x1"))),
    ]
    (low, left), (high, right) = min(placed), max(placed)
    for value, x in placed:  # all four lie on one straight axis
        assert x == pytest.approx(left + (value - low) / (high - low) * (right - left), abs=0.02)
    assert left < right
    assert all(0 <= x <= charts.WIDTH for _, x in placed)


@pytest.mark.parametrize(("criterion", "finding"), RATED, ids=lambda one: getattr(one, "id", ""))
def test_the_good_side_and_the_margin_lie_where_the_requirement_says(criterion, finding):
    drawing = read(charts.interval(criterion, finding, "k", "en"))
    (threshold,), (good,) = (classed(drawing, look) for look in ("threshold", "good"))
    x, begin = float(threshold.get("x1")), float(good.get("x"))
    end = begin + float(good.get("width"))
    assert (begin if criterion.op == ">=" else end) == pytest.approx(x, abs=0.02)
    zone = classed(drawing, "zone")
    assert len(zone) == (1 if criterion.margin else 0)
    if zone:
        assert float(zone[0].get("x")) == pytest.approx(x, abs=0.02)
        assert Decimal(zone[0].get("data-margin")) == criterion.margin
        assert classed(drawing, "hatch")  # to be seen without colour


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_interval_is_an_image_with_a_name_and_a_description(language):
    criterion, finding = RATED[0]
    drawing = read(charts.interval(criterion, finding, "key", language))
    assert drawing.get("role") == "img"
    assert drawing.get("aria-labelledby") == "key-t key-d"
    assert drawing.find("title").text == criterion.text.say(language)
    assert "0.8317" in drawing.find("desc").text or "0.8318" in drawing.find("desc").text
    assert not [part for part in drawing.iter() if part.get("style")]


def test_a_side_without_bound_runs_to_the_edge_and_ends_in_an_arrow():
    criterion, finding = next(pair for pair in RATED if pair[0].measure == "latency")
    open_ended = msgspec.structs.replace(finding, upper=None, estimate=None)
    drawing = read(charts.interval(criterion, open_ended, "k", "en"))
    (bar,) = classed(drawing, "interval")
    assert float(bar.get("x2")) > charts.WIDTH - 20
    assert [part.tag for part in classed(drawing, "cap")] == ["line", "path"]
    assert not classed(drawing, "dot")


def test_a_closed_gate_draws_no_interval_and_says_so():
    criterion, finding = RATED[0]
    closed = msgspec.structs.replace(finding, lower=None, upper=None)
    drawing = read(charts.interval(criterion, closed, "k", "zh"))
    assert not classed(drawing, "interval")
    assert "样本不足，不计算区间" in "".join(drawing.itertext())


@pytest.mark.parametrize(
    ("estimate", "lower", "upper", "threshold"),
    [
        ("0.000000", "0.000000", "0.000000", "0"),
        ("1.000000", "1.000000", "1.000000", "1"),
        ("7.000000", "7.000000", "7.000000", "7"),
    ],
)
def test_an_interval_of_no_width_still_has_an_axis(estimate, lower, upper, threshold):
    criterion, finding = RATED[0]
    point = msgspec.structs.replace(finding, estimate=estimate, lower=lower, upper=upper, threshold=threshold)
    flat = msgspec.structs.replace(criterion, threshold=Decimal(threshold), margin=Decimal(0))
    assert len(classed(read(charts.interval(flat, point, "k", "en")), "axis")) >= 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_roc_is_drawn_through_its_knots(language):
    picture = make_contents("accepted").aggregates.roc
    drawing = read(charts.roc(picture, "k", language))
    dots = classed(drawing, "knot")
    assert [(dot.get("data-across"), dot.get("data-up")) for dot in dots] == [
        (knot.false_alarms, knot.detected) for knot in picture.knots
    ]
    xs, ys = [float(dot.get("cx")) for dot in dots], [float(dot.get("cy")) for dot in dots]
    assert xs == sorted(xs)
    assert ys == sorted(ys, reverse=True)
    (curve,) = classed(drawing, "curve")
    assert len(re.findall("[ML]", curve.get("d"))) == len(picture.knots)


def test_reliability_dots_lie_on_the_diagonal_when_stated_is_observed():
    bins = make_contents("accepted").aggregates.reliability.bins
    honest = tuple(msgspec.structs.replace(one, observed=one.stated) for one in bins)
    drawing = read(charts.reliability(honest, "k", "en"))
    (line,) = classed(drawing, "diagonal")
    x1, y1, x2, y2 = (float(line.get(name)) for name in ("x1", "y1", "x2", "y2"))
    for dot in classed(drawing, "knot"):
        x, y = float(dot.get("cx")), float(dot.get("cy"))
        assert y == pytest.approx(y1 + (x - x1) / (x2 - x1) * (y2 - y1), abs=0.05)


def test_group_bars_are_as_long_as_their_share():
    bars = (GroupBar(words=("female",), hits=30, total=40), GroupBar(words=("male", "other"), hits=10, total=40))
    drawing = read(charts.groups(bars, "k", "zh"))
    long, short = (float(bar.get("width")) for bar in classed(drawing, "bar"))
    assert long == pytest.approx(3 * short, abs=0.05)
    words = "".join(drawing.itertext())
    assert "male、other" in words
    assert "30 / 40（75.0%）" in words


def test_latency_shows_quantiles_requirement_and_silence():
    picture = Latency(
        points=(LatencyPoint(percent=50, seconds="0.004000"), LatencyPoint(percent=99, seconds=None)), requests=200
    )
    (criterion, _) = next(pair for pair in RATED if pair[0].measure == "latency")
    drawing = read(charts.latency(picture, criterion, "k", "en"))
    words = "".join(drawing.itertext())
    assert "50% of the requests within 4 ms" in words
    assert "99%: not answered" in words
    (line,) = classed(drawing, "threshold")
    assert line.get("data-value") == "0.05"
    assert not classed(read(charts.latency(picture, None, "k", "en")), "threshold")


def test_the_samples_hold_every_answer():
    assert {finding.answer for _, finding in RATED} == {"held", "refused", "not_shown"}
    assert all(isinstance(finding, Finding) for _, finding in RATED)
