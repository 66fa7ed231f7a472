"""Criteria: from measurements to readings and answers. Pure: same plan, same measurements, same answer for ever.

Errors   All alphas are one-sided. A criterion is *held* if "worse than the threshold" is refuted at alpha, *refused* if
         "threshold plus margin or better" is refuted at beta/m, m = rated criteria of the whole plan; else *not shown*.
Source   docs/spec/methods.md gives each method as formula, with sources and test values.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pilotbase.foundation.errors import InputError
from pilotbase.foundation.text import Text, printable
from pilotbase.pilot.measurement import CANDIDATE, OK, Records
from pilotbase.pilot.plan import OBSERVED
from pilotbase.pilot.scenario import Criterion
from pilotbase.stats import auroc, betting, gap, intervals, quantile

Answer = Literal["held", "refused", "not_shown"]
Grade = Literal["exact", "finite-sample", "asymptotic", "observed"]

GUARD = 1e-9  # a continuous criterion accepts only past its threshold by this much, FORMATS section 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The error rates at which one criterion is judged."""

    alpha: float
    beta: float  # already divided by m


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a method read off the records: an estimate with its bounds, before any answer."""

    estimate: float | None  # may be infinite: a request that never came back took for ever
    lower: float | None  # for ">=" at alpha, for "<=" at beta/m
    upper: float | None  # for ">=" at beta/m, for "<=" at alpha; None = no bound: the method is closed
    counts: dict[str, int]
    parts: tuple[tuple[str, int, int], ...] = field(default=())
    """For groups: word, successes, total."""
    closed: Text | None = None
    """Why the method may not decide here: its gate is closed."""


def usable(records: Records) -> NDArray[np.bool_]:
    """Return which items count: measured ones and the candidate's own failures, not invalid ones."""
    return (records["status"] == OK) | (records["status"] == CANDIDATE)


def _counts(records: Records, **more: int) -> dict[str, int]:
    status = records["status"]
    return {
        "n": int(usable(records).sum()),
        "candidate_failures": int((status == CANDIDATE).sum()),
        "invalid": int(len(status) - usable(records).sum()),
    } | more


Read = Callable[[Criterion, Records, Rates, dict[str, tuple[str, ...]]], Reading]


def _sides(criterion: Criterion, rates: Rates) -> tuple[float, float]:
    """Return the error rates of the lower and of the upper bound."""
    return (rates.alpha, rates.beta) if criterion.op == ">=" else (rates.beta, rates.alpha)


def _read_auroc(criterion: Criterion, records: Records, rates: Rates, _: dict[str, tuple[str, ...]]) -> Reading:
    keep = usable(records)
    positive = records["positive"][keep]
    counts = _counts(records, positives=int(positive.sum()), negatives=int((positive == 0).sum()))
    if not counts["positives"] or not counts["negatives"]:
        return Reading(estimate=None, lower=None, upper=None, counts=counts, closed=_ONE_CLASS)
    area = auroc.delong(records["score"][keep], positive)
    down, up = _sides(criterion, rates)
    reading = Reading(
        estimate=area.area, lower=auroc.logit_lower(area, down), upper=auroc.logit_upper(area, up), counts=counts
    )
    if auroc.gate_open(area, float(criterion.threshold)):
        return reading
    return Reading(estimate=area.area, lower=None, upper=None, counts=counts, closed=_FEW)


_ONE_CLASS = Text(zh="只有一类真值，无法判定", en="only one class of truth is there, so nothing can be decided")
_FEW = Text(
    zh="样本太少：较少一类的个数乘以（1 − 门槛）须不小于 20",
    en="too few samples: the smaller class times (1 - threshold) must be at least 20",
)


def _read_mean(criterion: Criterion, records: Records, rates: Rates, _: dict[str, tuple[str, ...]]) -> Reading:
    values = records["squared_error"][usable(records)]
    if not len(values):
        return Reading(estimate=None, lower=None, upper=None, counts=_counts(records), closed=_NOTHING)
    down, up = _sides(criterion, rates)
    return Reading(
        estimate=math.fsum(values) / len(values),
        lower=betting.mean_lower(values, down),
        upper=betting.mean_upper(values, up),
        counts=_counts(records),
    )


_NOTHING = Text(zh="没有可用的样本", en="there is no usable sample")


def _read_gap(criterion: Criterion, records: Records, rates: Rates, groups: dict[str, tuple[str, ...]]) -> Reading:
    keep = usable(records) & (records["positive"] == 1)
    code = records[f"group_{criterion.group}"][keep]
    detected = records["detected"][keep]
    words = groups[str(criterion.group)]
    parts = tuple(
        (word, int(detected[code == number].sum()), int((code == number).sum())) for number, word in enumerate(words)
    )
    counts = _counts(records, positives=int(keep.sum()), without_group=int((code < 0).sum()))
    if len(parts) < 2 or not all(total for _, _, total in parts):  # noqa: PLR2004 - a gap needs two groups
        return Reading(estimate=None, lower=None, upper=None, counts=counts, parts=parts, closed=_EMPTY_GROUP)
    tallies = [(hits, total) for _, hits, total in parts]
    shares = [hits / total for hits, total in tallies]
    down, up = _sides(criterion, rates)
    return Reading(
        estimate=max(shares) - min(shares),
        lower=gap.gap_lower(tallies, down),
        upper=gap.gap_upper(tallies, up),
        counts=counts,
        parts=parts,
    )


_EMPTY_GROUP = Text(zh="有一个组没有样本", en="one of the groups has no sample")


def _read_quantile(criterion: Criterion, records: Records, rates: Rates, _: dict[str, tuple[str, ...]]) -> Reading:
    values = records["seconds"][usable(records)]
    level = float(criterion.quantile or 0)
    if not len(values):
        return Reading(estimate=None, lower=None, upper=None, counts=_counts(records), closed=_NOTHING)
    down, up = _sides(criterion, rates)
    return Reading(
        estimate=quantile.quantile_estimate(values, level),
        lower=quantile.quantile_lower(values, level, down),
        upper=quantile.quantile_upper(values, level, up),
        counts=_counts(records),
    )


def _read_rate(criterion: Criterion, records: Records, rates: Rates, _: dict[str, tuple[str, ...]]) -> Reading:
    keep = usable(records) & _COUNTED[criterion.measure](records)
    hits, total = int(records["right"][keep].sum()), int(keep.sum())
    counts = _counts(records, hits=hits, counted=total)
    if not total:
        return Reading(estimate=None, lower=None, upper=None, counts=counts, closed=_NOTHING)
    down, up = _sides(criterion, rates)
    return Reading(
        estimate=hits / total,
        lower=intervals.rate_lower(hits, total, down),
        upper=intervals.rate_upper(hits, total, up),
        counts=counts,
    )


_COUNTED: dict[str, Callable[[Records], NDArray[np.bool_]]] = {
    "accuracy": lambda records: np.ones(records.header.rows, dtype=np.bool_),
    "sensitivity": lambda records: records["positive"] == 1,
    "specificity": lambda records: records["positive"] == 0,
}
"""Which items each rate counts: its denominator."""


@dataclass(frozen=True, slots=True)
class Method:
    """A versioned way of judging; published versions are never edited or removed."""

    grade: Grade
    read: Read
    continuous: bool
    """Whether the guard applies."""


METHODS: dict[str, Method] = {
    "logit-delong/1": Method("asymptotic", _read_auroc, continuous=True),
    "betting-iid/1": Method("finite-sample", _read_mean, continuous=True),
    "farrington-manning-gap/1": Method("asymptotic", _read_gap, continuous=True),
    "order-statistic/1": Method("exact", _read_quantile, continuous=False),
    "clopper-pearson/1": Method("exact", _read_rate, continuous=False),
}
"""By name; ``terms`` says which measures each reads. ``observed/1`` stands apart: it compares one fact, once."""


def grade_of(method: str) -> Grade:
    """Return the grade that a method's answers carry."""
    return "observed" if method == OBSERVED else METHODS[method].grade


def read(criterion: Criterion, records: Records, rates: Rates, groups: dict[str, tuple[str, ...]]) -> Reading:
    """Read a criterion off its records. Raises InputError for a method that this release does not know."""
    if criterion.method not in METHODS:
        raise InputError(
            Text(zh="未知的判定方法", en="unknown method of judging"),
            found=printable(criterion.method),
            expected=Text(zh=", ".join(METHODS), en=", ".join(METHODS)),
        )
    return METHODS[criterion.method].read(criterion, records, rates, groups)


def answer(criterion: Criterion, reading: Reading) -> Answer:
    """Answer a criterion that carries an error rate."""
    threshold = float(criterion.threshold)
    better = float(criterion.threshold + criterion.margin)  # in decimal: .1 + .2 of floats is past .3
    worse = float(criterion.threshold - criterion.margin)
    guard = GUARD if METHODS[criterion.method].continuous else 0.0
    if reading.closed:
        return "not_shown"
    if criterion.op == ">=":
        if reading.lower is not None and reading.lower >= threshold + guard:
            return "held"
        return "refused" if reading.upper is not None and reading.upper < better else "not_shown"
    if reading.upper is not None and reading.upper <= threshold - guard:
        return "held"
    return "refused" if reading.lower is not None and reading.lower > worse else "not_shown"


def answer_fact(criterion: Criterion, value: float) -> Answer:
    """Answer a criterion about a fact: compared once, equality passes, no error rate."""
    threshold = float(criterion.threshold)
    held = value >= threshold if criterion.op == ">=" else value <= threshold
    return "held" if held else "refused"
