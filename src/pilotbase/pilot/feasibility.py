"""Feasibility: what a plan's data can decide, told before anything is run.

A bar that even a perfect candidate could not show on this data is an error when the plan is written, not a verdict
"undecided" after the hidden rows have been spent. DESIGN section 5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text
from pilotbase.pilot.lines import locate
from pilotbase.pilot.plan import OBSERVED, Plan, PlannedStage, rated
from pilotbase.pilot.scenario import Criterion, StageName
from pilotbase.pilot.terms import HOUSE
from pilotbase.stats import auroc, betting, gap, intervals, sizes

LATENCY_REQUESTS = 500  # single requests that the efficiency stage times, if the sample has as many rows
SCENARIO = "scenario.toml"
_FINE = 0.005  # a smaller margin needs more than a hundred thousand samples; their exact number takes long to find


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much evidence a split holds."""

    rows: int
    positives: int
    groups: dict[str, tuple[int, ...]]
    """Positives of each group, in code order, for each group column."""

    @property
    def negatives(self) -> int:
        """Rows whose truth is not positive."""
        return self.rows - self.positives


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What the data can do for one criterion."""

    criterion: Criterion
    stage: StageName
    has: int
    """Samples of the criterion's own denominator."""
    needs: int | None
    """Smallest size at which a fixed-n test decides a candidate one margin beyond the bar; None = not defined."""
    counted: Text
    """What is counted."""
    decidable: bool
    """Whether a perfect candidate would be held."""


_ROWS = Text(zh="样本", en="samples")
_SMALLER = Text(zh="较少一类的样本", en="samples of the smaller class")
_GROUP = Text(zh="最小组的阳性样本", en="positives of the smallest group")
_REQUESTS = Text(zh="单条请求", en="single requests")
_FACT = Text(zh="观察一次", en="one observation")
_POSITIVES = Text(zh="阳性样本", en="positives")


def forecast(stages: tuple[PlannedStage, ...], counts: Counts, alpha_spent: Decimal) -> tuple[Forecast, ...]:
    """Forecast every criterion of a plan's stages, in plan order."""
    shared = rated(stages)
    return tuple(
        _forecast(stage, criterion, counts, alpha_spent, shared) for stage in stages for criterion in stage.criteria
    )


def check(plan: Plan, counts: Counts, scenario: bytes) -> None:
    """Raise InputError if there is a criterion that this data could never show; ``scenario`` is its TOML."""
    for one in forecast(plan.stages, counts, plan.alpha_spent):
        if not one.decidable:
            raise InputError(
                Text(
                    zh="判据 {name} 在这批数据上永远无法达标：门槛对数据量来说过严",
                    en="criterion {name} could never be held on this data: the bar is too tight for its size",
                ).fill(name=one.criterion.id),
                place=_place(plan, one, scenario),
                found=str(one.has),
                expected=_expected(one),
                remedy=Text(
                    zh="放宽门槛、增大 alpha，或收集更多数据", en="loosen the bar, raise alpha, or collect more data"
                ),
            )


def _place(plan: Plan, one: Forecast, scenario: bytes) -> Place:
    """Point at the bar in the scenario, whose stages lack the house's own criteria."""
    number, stage = next((n, stage) for n, stage in enumerate(plan.stages) if stage.name == one.stage)
    written = [criterion for criterion in stage.criteria if criterion.measure not in HOUSE]
    field = f"stages[{number}].criteria[{written.index(one.criterion)}].threshold"
    return locate(field, scenario.decode("utf-8"), SCENARIO)


def _expected(one: Forecast) -> Text:
    if one.needs is None:
        return Text(zh="更多{what}", en="more {what}").fill(what=one.counted)
    return Text(zh="约 {needs} 个{what}", en="about {needs} {what}").fill(needs=one.needs, what=one.counted)


def _forecast(stage: PlannedStage, criterion: Criterion, counts: Counts, alpha_spent: Decimal, shared: int) -> Forecast:
    if criterion.method == OBSERVED:
        return Forecast(criterion=criterion, stage=stage.name, has=1, needs=1, counted=_FACT, decidable=True)
    alpha = float((criterion.alpha or 0) * alpha_spent)
    beta = float(criterion.beta or 0) / shared
    shown = replace(counts, rows=stage.rows) if criterion.measure == "latency" else counts
    has, needs, counted, decidable = _BY_METHOD[criterion.method](criterion, shown, alpha, beta)
    return Forecast(criterion=criterion, stage=stage.name, has=has, needs=needs, counted=counted, decidable=decidable)


_TYPICAL = 0.75  # rate at which the size of a gap test is quoted; the variance of a rate is flat around it

Answer = tuple[int, int | None, Text, bool]


def _area(criterion: Criterion, counts: Counts, alpha: float, beta: float) -> Answer:
    smaller = min(counts.positives, counts.negatives)
    threshold, margin = float(criterion.threshold), float(criterion.margin)
    best = auroc.Auroc(area=1.0, se=0.0, positives=counts.positives, negatives=counts.negatives)
    open_gate = smaller > 0 and auroc.gate_open(best, threshold)
    needs = None
    if margin >= _FINE and smaller:
        share = counts.positives / counts.rows
        needs = min(sizes.approximate_auroc_size(threshold + margin, threshold, alpha, beta, share))
    return smaller, needs, _SMALLER, open_gate


def _mean(criterion: Criterion, counts: Counts, alpha: float, _: float) -> Answer:
    best = betting.mean_upper([0.0] * counts.rows, alpha) if counts.rows else 1.0
    return counts.rows, None, _ROWS, best < float(criterion.threshold)


def _gap(criterion: Criterion, counts: Counts, alpha: float, beta: float) -> Answer:
    totals = counts.groups.get(str(criterion.group), ())
    smallest = min(totals, default=0)
    best = gap.gap_upper([(total, total) for total in totals], alpha) if smallest else 1.0
    needs = sizes.approximate_gap_size(_TYPICAL, float(criterion.threshold), alpha, beta)
    return smallest, needs, _GROUP, best < float(criterion.threshold)


def _quantile(criterion: Criterion, counts: Counts, alpha: float, _: float) -> Answer:
    requests = min(LATENCY_REQUESTS, counts.rows)
    needs = sizes.quantile_size(float(criterion.quantile or 0), alpha)
    return requests, needs, _REQUESTS, needs <= requests


def _rate(criterion: Criterion, counts: Counts, alpha: float, beta: float) -> Answer:
    total = {"sensitivity": counts.positives, "specificity": counts.negatives}.get(criterion.measure, counts.rows)
    threshold, margin = float(criterion.threshold), float(criterion.margin)
    counted = _POSITIVES if criterion.measure == "sensitivity" else _ROWS
    if criterion.op == "<=":
        threshold = 1 - threshold
    needs = sizes.binomial_size(threshold, threshold + margin, alpha, beta)[0] if margin >= _FINE else None
    return total, needs, counted, intervals.rate_lower(total, total, alpha) > threshold


_BY_METHOD = {
    "logit-delong/1": _area,
    "betting-iid/1": _mean,
    "farrington-manning-gap/1": _gap,
    "order-statistic/1": _quantile,
    "clopper-pearson/1": _rate,
}
