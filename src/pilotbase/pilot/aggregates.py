"""Aggregates: the coarse numbers that public pictures are drawn from. FORMATS section 6.

An exact ROC staircase spells out the label of every hidden row, and two honest pictures of the same rows can be
subtracted from one another. So rows are cut **once**, along the score, and every picture of scores uses those cuts:
each step of the ROC holds at least 20 positives and 20 negatives, each bin of the reliability diagram and each group at
least 20 rows, smaller ones merged. No score at a cut, no largest time and no count of a smaller set is written.

Rows    those that the criteria count: measured ones and the candidate's own failures, which carry the worst answer.
Reals   decimal text, 6 decimals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pilotbase.foundation.canonical import round_near
from pilotbase.foundation.text import Text
from pilotbase.pilot.criteria import usable
from pilotbase.pilot.document import Noun
from pilotbase.pilot.measurement import Records, StageEvidence
from pilotbase.pilot.plan import Plan

SMALLEST = 20  # rows of one class, of one bin, of one group: nothing smaller is told
MOST_KNOTS = 20  # of the ROC, its two corners included
MOST_BINS = 10  # of a reliability diagram that has no ROC to share its cuts with
PERCENTS = (50, 90, 99)  # of the latency; the largest time is never told


class Knot(Noun, frozen=True, kw_only=True):
    """One point of the coarse ROC."""

    false_alarms: str
    """Share of the negatives at or above this score."""
    detected: str
    """Share of the positives at or above this score."""


class Roc(Noun, frozen=True, kw_only=True):
    """The coarse ROC, from (0, 0) to (1, 1); between two knots lie at least 20 positives and 20 negatives."""

    knots: tuple[Knot, ...] = ()
    positives: int = 0
    negatives: int = 0
    absent: Text | None = None
    """Why there is none."""


class Bin(Noun, frozen=True, kw_only=True):
    """One bin of the reliability diagram: at least 20 rows of neighbouring scores."""

    stated: str
    """Mean of the stated probabilities."""
    observed: str
    """Share that turned out positive."""
    rows: int


class Reliability(Noun, frozen=True, kw_only=True):
    """Stated probabilities against what happened, in rising order of the stated ones."""

    bins: tuple[Bin, ...] = ()
    absent: Text | None = None


class GroupBar(Noun, frozen=True, kw_only=True):
    """How many of a group's positives were detected. Small groups stand together in one bar."""

    words: tuple[str, ...]
    hits: int
    total: int


class GroupBars(Noun, frozen=True, kw_only=True):
    """The bars of one group column."""

    column: str
    bars: tuple[GroupBar, ...] = ()
    absent: Text | None = None


class LatencyPoint(Noun, frozen=True, kw_only=True):
    """One quantile of the times of single requests."""

    percent: int
    seconds: str | None
    """None = that request was never answered."""


class Latency(Noun, frozen=True, kw_only=True):
    """A few quantiles of the latency, by order statistic."""

    points: tuple[LatencyPoint, ...] = ()
    requests: int = 0
    absent: Text | None = None


class Aggregates(Noun, frozen=True, kw_only=True):
    """``aggregates.json``: all that public pictures may show."""

    SCHEMA: ClassVar[str] = "pilotbase/aggregates/1"

    schema: str
    roc: Roc
    reliability: Reliability
    groups: tuple[GroupBars, ...]
    latency: Latency


def aggregate(plan: Plan, evidence: tuple[StageEvidence, ...]) -> Aggregates:
    """Reduce the evidence of a pilot to what its public pictures may show; where it is too thin, say why."""
    ladder = _ladder(_with(evidence, {"score", "positive"}))
    cuts = _roc_cuts(ladder) if ladder else []
    return Aggregates(
        schema=Aggregates.SCHEMA,
        roc=_roc(plan, ladder, cuts),
        reliability=_reliability(plan, ladder, cuts, _with(evidence, {"score", "positive", "squared_error"})),
        groups=_groups(plan, evidence),
        latency=_latency(plan, _with(evidence, {"seconds"})),
    )


_NOT_ASKED = Text(zh="方案没有这项要求。", en="The plan does not ask for it.")
_NOT_RUN = Text(zh="相应阶段没有进行。", en="The stage that would show it was not run.")
_FEW_OF_A_CLASS = Text(
    zh="每一段都须有至少 20 个阳性和 20 个阴性样本；按分数切分，不足两段。",
    en="Each step needs at least 20 positives and 20 negatives; along the score there are not two such steps.",
)
_FEW_ROWS = Text(zh="每一组须有至少 20 个样本，不足两组。", en="Each bin needs at least 20 rows; there are not two.")
_FEW_IN_GROUPS = Text(
    zh="每一组须有至少 20 个阳性样本；合并小组之后不足两组。",
    en="Each bar needs at least 20 positives; with small groups merged there are not two bars.",
)
_FEW_REQUESTS = Text(zh="单条请求不足 20 次。", en="There are fewer than 20 single requests.")


def _with(evidence: Sequence[StageEvidence], columns: set[str]) -> Records | None:
    """Return the first records that hold all these columns."""
    for one in evidence:
        if one.records and columns <= {column.name for column in one.records.header.columns}:
            return one.records
    return None


def _why_not(plan: Plan, measure: str) -> Text:
    asked = any(criterion.measure == measure for stage in plan.stages for criterion in stage.criteria)
    return _NOT_RUN if asked else _NOT_ASKED


@dataclass(frozen=True, slots=True)
class _Ladder:
    """Rows in falling order of score, tied scores on one rung; every array counts from the top, rung by rung."""

    positives: NDArray[np.int64]
    negatives: NDArray[np.int64]
    scores: NDArray[np.float64]  # sum of the scores

    @property
    def rows(self) -> NDArray[np.int64]:
        return self.positives + self.negatives


def _ladder(records: Records | None) -> _Ladder | None:
    keep = usable(records) if records else np.zeros(0, dtype=np.bool_)
    if records is None or not keep.any():
        return None
    score, positive = records["score"][keep], records["positive"][keep] == 1
    values, rung = np.unique(-score, return_inverse=True)
    size = len(values)
    rows, positives = np.bincount(rung, minlength=size), np.bincount(rung[positive], minlength=size)
    sums = np.cumsum(-values * rows, dtype=np.float64)
    return _Ladder(np.cumsum(positives), np.cumsum(rows - positives), sums)


def _roc_cuts(ladder: _Ladder) -> list[int]:
    """Return the rungs at which steps end, the last rung included; each step >= 20/20 and >= 1/19 of the way.

    The way is the mean of the two shares, so that no more than 19 steps fit in; what is left over joins the last step.
    """
    positives, negatives = int(ladder.positives[-1]), int(ladder.negatives[-1])
    way = ladder.positives * negatives + ladder.negatives * positives
    least = -(-2 * positives * negatives // (MOST_KNOTS - 1))
    return _cuts([(ladder.positives, SMALLEST), (ladder.negatives, SMALLEST), (way, least)])


def _row_cuts(ladder: _Ladder) -> list[int]:
    rows = ladder.rows
    return _cuts([(rows, max(SMALLEST, -(-int(rows[-1]) // MOST_BINS)))])


def _cuts(sums: list[tuple[NDArray[np.int64], int]]) -> list[int]:
    """Cut as soon as every running sum has grown by its least amount; the remainder joins the last step."""
    last = len(sums[0][0]) - 1
    cuts: list[int] = []
    begun = [0] * len(sums)
    while True:
        cut = max(int(np.searchsorted(grown, start + least)) for (grown, least), start in zip(sums, begun, strict=True))
        if cut > last:
            break
        cuts.append(cut)
        begun = [int(grown[cut]) for grown, _ in sums]
    return [*cuts[:-1], last] if cuts else [last]


def _roc(plan: Plan, ladder: _Ladder | None, cuts: list[int]) -> Roc:
    if ladder is None:
        return Roc(absent=_why_not(plan, "auroc"))
    if len(cuts) < 2:  # noqa: PLR2004 - one step is a bare diagonal, which would say something untrue
        return Roc(absent=_FEW_OF_A_CLASS)
    positives, negatives = int(ladder.positives[-1]), int(ladder.negatives[-1])
    knots = [Knot(false_alarms=round_near(0.0), detected=round_near(0.0))]
    knots += [
        Knot(
            false_alarms=round_near(int(ladder.negatives[cut]) / negatives),
            detected=round_near(int(ladder.positives[cut]) / positives),
        )
        for cut in cuts
    ]
    return Roc(knots=tuple(knots), positives=positives, negatives=negatives)


def _reliability(plan: Plan, ladder: _Ladder | None, cuts: list[int], stated: Records | None) -> Reliability:
    """Draw stated against observed over the cuts of the ROC, or over cuts of its own where there is no ROC."""
    if ladder is None or stated is None:
        return Reliability(absent=_why_not(plan, "brier"))
    if len(cuts) < 2:  # noqa: PLR2004 - no ROC is told, so there is nothing to subtract from
        cuts = _row_cuts(ladder)
    if len(cuts) < 2 or int(ladder.rows[-1]) < 2 * SMALLEST:  # noqa: PLR2004 - two bins make a picture
        return Reliability(absent=_FEW_ROWS)
    rows = np.diff(ladder.rows[cuts], prepend=0)
    positives = np.diff(ladder.positives[cuts], prepend=0)
    scores = np.diff(ladder.scores[cuts], prepend=0.0)
    bins = tuple(
        Bin(stated=round_near(float(score) / int(count)), observed=round_near(int(hits) / int(count)), rows=int(count))
        for score, hits, count in zip(scores, positives, rows, strict=True)
    )
    return Reliability(bins=bins[::-1])


def _groups(plan: Plan, evidence: Sequence[StageEvidence]) -> tuple[GroupBars, ...]:
    columns = dict.fromkeys(
        criterion.group
        for stage in plan.stages
        for criterion in stage.criteria
        if criterion.measure == "sensitivity_gap" and criterion.group
    )
    return tuple(_bars(plan, column, _with(evidence, {"detected", f"group_{column}"})) for column in columns)


def _bars(plan: Plan, column: str, records: Records | None) -> GroupBars:
    if records is None:
        return GroupBars(column=column, absent=_NOT_RUN)
    keep = usable(records) & (records["positive"] == 1)
    code, detected = records[f"group_{column}"][keep], records["detected"][keep] == 1
    bars = _merged([
        GroupBar(words=(word,), hits=int(detected[code == number].sum()), total=int((code == number).sum()))
        for number, word in enumerate(plan.words.groups[column])
    ])  # fmt: skip
    if len(bars) < 2:  # noqa: PLR2004 - one bar compares nothing
        return GroupBars(column=column, absent=_FEW_IN_GROUPS)
    return GroupBars(column=column, bars=tuple(bars))


def _merged(bars: list[GroupBar]) -> list[GroupBar]:
    """Join the small bars into one; while that is still small, the next smallest joins too."""
    by_size = sorted(bars, key=lambda bar: bar.total)
    few = [bar for bar in by_size if bar.total < SMALLEST]
    rest = by_size[len(few) :]
    while few and sum(bar.total for bar in few) < SMALLEST and rest:
        few.append(rest.pop(0))
    kept = [bar for bar in bars if bar in rest]
    if few:
        words = tuple(bar.words[0] for bar in bars if bar in few)
        kept.append(
            GroupBar(words=words, hits=sum(bar.hits for bar in few), total=sum(bar.total for bar in few)),
        )
    return kept


def _latency(plan: Plan, records: Records | None) -> Latency:
    if records is None:
        return Latency(absent=_why_not(plan, "latency"))
    seconds = np.sort(records["seconds"][usable(records)])
    count = len(seconds)
    if count < SMALLEST:
        return Latency(absent=_FEW_REQUESTS)
    ranks = [(percent, -(-percent * count // 100)) for percent in PERCENTS]
    points = tuple(_point(percent, float(seconds[rank - 1])) for percent, rank in ranks if rank < count)
    return Latency(points=points, requests=count)


def _point(percent: int, seconds: float) -> LatencyPoint:
    return LatencyPoint(percent=percent, seconds=round_near(seconds) if math.isfinite(seconds) else None)
