"""The pictures: findings as intervals against their thresholds, and the coarse aggregates. Strings of SVG.

Each interval has an axis of its own unit and range: an area of 0.81 and a gap of 0.05 do not lie on one ruler.
"""

from __future__ import annotations

from decimal import Decimal

from pilotbase.foundation.text import Language, Text
from pilotbase.pilot.aggregates import Bin, GroupBar, Knot, Latency, LatencyPoint, Roc
from pilotbase.pilot.scenario import Criterion
from pilotbase.pilot.verdict import Finding
from pilotbase.report.numbers import Measure, measure, share, written
from pilotbase.report.svg import Drawing, Scale, ticks
from pilotbase.report.table import largest, shown
from pilotbase.report.words import LISTED

WIDTH = 340  # fits a narrow screen without shrinking the text
_EDGE = 14
_BAND = (24, 52)  # upper and lower edge of the interval's band
_RATE_LIKE = "1"  # unit of values that lie within 0..1


def interval(criterion: Criterion, finding: Finding, key: str, language: Language) -> str:
    """Draw one rated finding: its interval, estimate, threshold, margin and the side that is good enough."""
    numbers = shown(finding, language)
    drawing = Drawing(
        WIDTH,
        86,
        key=key,
        title=criterion.text.say(language),
        description=_INTERVAL.fill(
            estimate=numbers.estimate, lower=numbers.lower, upper=numbers.upper, required=numbers.required
        ).say(language),
    )
    scale = _range(criterion, finding)
    _draw_requirement(drawing, scale, criterion, numbers.required)
    if finding.lower is None and finding.upper is None:
        drawing.text(WIDTH / 2, 41, _NO_INTERVAL.say(language), "label quiet", "middle")
    else:
        _draw_interval(drawing, scale, finding)
    if finding.estimate is not None:
        drawing.circle(scale.at(float(finding.estimate)), 38, 5, "dot", value=finding.estimate)
    _draw_axis(drawing, scale, measure(finding.unit, largest(finding)), language)
    return str(drawing)


_INTERVAL = Text(
    zh="估计值 {estimate}，下界 {lower}，上界 {upper}；要求 {required}。",
    en="Estimate {estimate}, lower bound {lower}, upper bound {upper}; required {required}.",
)
_NO_INTERVAL = Text(zh="样本不足，不计算区间", en="too few samples for an interval")


def _bar(criterion: Criterion) -> float:
    """Return the far end of the margin: threshold plus margin, on the good side."""
    margin = float(criterion.margin)
    return float(criterion.threshold) + (margin if criterion.op == ">=" else -margin)


def _range(criterion: Criterion, finding: Finding) -> Scale:
    """Choose an axis that shows interval, threshold and margin with some room on both sides."""
    told = [float(value) for value in (finding.estimate, finding.lower, finding.upper) if value is not None]
    values = [*told, float(criterion.threshold), _bar(criterion)]
    room = 0.18 * (max(values) - min(values)) or 0.5 * abs(values[0]) or 1.0
    low, high = min(values) - room, max(values) + room
    if min(values) >= 0:
        low = max(low, 0.0)
    if criterion.unit == _RATE_LIKE and max(values) <= 1:
        high = min(high, 1.0)
    return Scale(low, high, _EDGE, WIDTH - _EDGE)


def _draw_requirement(drawing: Drawing, scale: Scale, criterion: Criterion, required: str) -> None:
    upper, lower = _BAND
    threshold = scale.at(float(criterion.threshold))
    bar = scale.at(_bar(criterion))
    good = (threshold, scale.end) if criterion.op == ">=" else (scale.begin, threshold)
    drawing.rect(scale.begin, upper, scale.end - scale.begin, lower - upper, "band")
    drawing.rect(good[0], upper, good[1] - good[0], lower - upper, "good")
    left, right = sorted((threshold, bar))
    drawing.rect(left, upper, right - left, lower - upper, "zone", margin=f"{criterion.margin:f}")
    x = left + 4
    while x < right:  # a hatch survives black-and-white print
        drawing.line(x, lower, min(x + 6, right), upper, "hatch")
        x += 5
    drawing.line(threshold, upper - 5, threshold, lower + 5, "threshold", value=f"{criterion.threshold:f}")
    half = 4 + 3.4 * len(required)  # half of the label's width, to keep it inside the picture
    drawing.text(min(max(threshold, half), WIDTH - half), upper - 10, required, "label strong", "middle")


def _draw_interval(drawing: Drawing, scale: Scale, finding: Finding) -> None:
    """Draw the interval; a side without a bound runs to the edge and ends in an arrow."""
    y = 38
    begin = scale.begin if finding.lower is None else scale.at(float(finding.lower))
    end = scale.end if finding.upper is None else scale.at(float(finding.upper))
    drawing.line(begin, y, end, y, f"interval {finding.answer}", lower=finding.lower or "", upper=finding.upper or "")
    for x, bound, way in ((begin, finding.lower, 1), (end, finding.upper, -1)):
        if bound is None:
            drawing.path([(x + 6 * way, y - 6), (x, y), (x + 6 * way, y + 6)], "cap")
        else:
            drawing.line(x, y - 7, x, y + 7, "cap")


def _draw_axis(drawing: Drawing, scale: Scale, unit: Measure, language: Language) -> None:
    low, high = scale.low * float(unit.factor), scale.high * float(unit.factor)
    drawn = Scale(low, high, scale.begin, scale.end)
    drawing.line(scale.begin, 60, scale.end, 60, "axis")
    for value, words in _unit_marks(drawn, unit, language):
        x = drawn.at(value)
        drawing.line(x, 60, x, 64, "axis")
        drawing.text(min(max(x, 10), WIDTH - 4 - 3 * len(words)), 77, words, "label", "middle")


_SQUARE = (46, 12, 326, 252)  # left, top, right, bottom of a square picture's field
_HEIGHT = 292


def _field(key: str, title: str, description: str, axes: tuple[str, str], high: float) -> tuple[Drawing, Scale, Scale]:
    """Begin a picture of two shares, each from 0 to ``high``, with its grid and the diagonal."""
    left, top, right, bottom = _SQUARE
    drawing = Drawing(WIDTH, _HEIGHT, key=key, title=title, description=description)
    across, up = Scale(0, high, left, right), Scale(0, high, bottom, top)
    for mark in ticks(0, high, 6):
        value = float(mark)
        drawing.line(left, up.at(value), right, up.at(value), "grid")
        drawing.line(across.at(value), top, across.at(value), bottom, "grid")
        words = f"{written(100 * mark)}%"
        drawing.text(left - 6, up.at(value) + 4, words, "label", "end")
        drawing.text(across.at(value), bottom + 16, words, "label", "middle")
    drawing.line(left, bottom, right, top, "diagonal")
    drawing.text((left + right) / 2, bottom + 34, axes[0], "label", "middle")
    drawing.text(10, (top + bottom) / 2, axes[1], "label", "middle", turn=-90)
    return drawing, across, up


def roc(picture: Roc, key: str, language: Language) -> str:
    """Draw the coarse ROC."""
    description = "; ".join(f"{_points(knot.false_alarms)} {_points(knot.detected)}" for knot in picture.knots)
    axes = (_FALSE_ALARMS.say(language), _DETECTED.say(language))
    drawing, across, up = _field(key, _ROC.say(language), description, axes, 1.0)
    places = [_knot(knot, across, up) for knot in picture.knots]
    drawing.path(places, "curve")
    for knot, (x, y) in zip(picture.knots, places, strict=True):
        drawing.circle(x, y, 2.6, "knot", across=knot.false_alarms, up=knot.detected)
    return str(drawing)


_ROC = Text(zh="粗粒度 ROC 曲线", en="Coarse ROC curve")
_FALSE_ALARMS = Text(zh="误报率（1 − 特异度）", en="false alarms (1 − specificity)")
_DETECTED = Text(zh="检出率（灵敏度）", en="detected (sensitivity)")


def _knot(knot: Knot, across: Scale, up: Scale) -> tuple[float, float]:
    return across.at(float(knot.false_alarms)), up.at(float(knot.detected))


def _points(value: str) -> str:
    return f"{100 * float(value):.1f}%"


def reliability(bins: tuple[Bin, ...], key: str, language: Language) -> str:
    """Draw stated probabilities against observed shares; if they can be trusted, the dots lie on the diagonal."""
    top = max(float(value) for one in bins for value in (one.stated, one.observed))
    high = next(limit for limit in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, top) if top <= limit)
    description = "; ".join(f"{_points(one.stated)} {_points(one.observed)} n={one.rows}" for one in bins)
    axes = (_STATED.say(language), _OBSERVED.say(language))
    drawing, across, up = _field(key, _RELIABILITY.say(language), description, axes, high)
    places = [(across.at(float(one.stated)), up.at(float(one.observed))) for one in bins]
    for one, (x, y) in zip(bins, places, strict=True):
        drawing.circle(x, y, 4, "knot", across=one.stated, up=one.observed, rows=str(one.rows))
    return str(drawing)


_RELIABILITY = Text(zh="可靠性图", en="Reliability diagram")
_STATED = Text(zh="应用给出的概率（各组平均）", en="stated probability (mean of each bin)")
_OBSERVED = Text(zh="实际发生的比例", en="share that happened")

_ROW = 40  # height of one horizontal bar with its words


def groups(bars: tuple[GroupBar, ...], key: str, language: Language) -> str:
    """Draw the share detected in each group."""
    rows = [(LISTED[language].join(bar.words), f"{bar.hits} / {bar.total}", bar) for bar in bars]
    description = "; ".join(f"{words}: {count} ({share(bar.hits, bar.total)})" for words, count, bar in rows)
    drawing = Drawing(WIDTH, _ROW * len(rows) + 26, key=key, title=_GROUPS.say(language), description=description)
    scale = Scale(0, 1, _EDGE, WIDTH - _EDGE)
    _bar_axis(drawing, scale, len(rows), [(float(mark), f"{written(100 * mark)}%") for mark in ticks(0, 1, 6)])
    for index, (words, count, bar) in enumerate(rows):
        part = share(bar.hits, bar.total)
        told = f"{count}（{part}）" if language == "zh" else f"{count} ({part})"
        _bar_row(drawing, scale, index, words, bar.hits / bar.total)
        drawing.text(scale.end, _ROW * index + 16, told, "label", "end")
    return str(drawing)


_GROUPS = Text(zh="各组检出率", en="Share detected by group")


def latency(picture: Latency, bar: Criterion | None, key: str, language: Language) -> str:
    """Draw the latency's quantiles, with the requirement where there is one."""
    seconds = [Decimal(point.seconds) for point in picture.points if point.seconds is not None]
    high = max([*seconds, bar.threshold] if bar else seconds, default=Decimal(1))
    unit = measure("s", high)
    rows = [(_row_words(point, unit, language), point.seconds) for point in picture.points]
    description = "; ".join(words for words, _ in rows)
    drawing = Drawing(WIDTH, _ROW * len(rows) + 26, key=key, title=_LATENCY.say(language), description=description)
    scale = Scale(0, float(high * unit.factor) * 1.08, _EDGE, WIDTH - _EDGE)
    _bar_axis(drawing, scale, len(rows), _unit_marks(scale, unit, language))
    for index, (words, told) in enumerate(rows):
        _bar_row(drawing, scale, index, words, scale.high if told is None else float(Decimal(told) * unit.factor))
    if bar:
        x = scale.at(float(bar.threshold * unit.factor))
        drawing.line(x, 4, x, _ROW * len(rows) + 4, "threshold", value=f"{bar.threshold:f}")
    return str(drawing)


_LATENCY = Text(zh="单条请求的应答时间", en="Time to answer a single request")
_UNTIL = Text(zh="{percent}% 的请求不超过 {took}", en="{percent}% of the requests within {took}")
_NEVER = Text(zh="第 {percent} 百分位的请求未获应答", en="{percent}%: not answered")


def _row_words(point: LatencyPoint, unit: Measure, language: Language) -> str:
    if point.seconds is None:
        return _NEVER.fill(percent=point.percent).say(language)
    return _UNTIL.fill(percent=point.percent, took=unit.write(point.seconds, "near", language)).say(language)


def _unit_marks(scale: Scale, unit: Measure, language: Language) -> list[tuple[float, str]]:
    """Return round marks for an axis, the last one with the unit."""
    marks = ticks(scale.low, scale.high, 6)
    told = [written(mark) for mark in marks[:-1]] + [unit.join(written(marks[-1]), language)]
    return [(float(mark), words) for mark, words in zip(marks, told, strict=True)]


def _bar_axis(drawing: Drawing, scale: Scale, rows: int, marks: list[tuple[float, str]]) -> None:
    bottom = _ROW * rows + 4
    for value, words in marks:
        x = scale.at(value)
        drawing.line(x, 4, x, bottom, "grid")
        drawing.text(min(max(x, 10), WIDTH - 4 - 3 * len(words)), bottom + 15, words, "label", "middle")


def _bar_row(drawing: Drawing, scale: Scale, index: int, words: str, value: float) -> None:
    top = _ROW * index
    drawing.text(scale.begin, top + 16, words, "label strong")
    drawing.rect(scale.begin, top + 21, scale.at(value) - scale.begin, 13, "bar")
