"""The sections of a page as plain values in one language: what the templates lay out, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from pilotbase.foundation.text import Language, Text
from pilotbase.pilot.aggregates import Aggregates, GroupBars
from pilotbase.pilot.plan import OBSERVED, PlannedStage
from pilotbase.pilot.scenario import Criterion, Limits, StageName
from pilotbase.pilot.trace import Environment, Isolation, Usage
from pilotbase.pilot.verdict import STAGE_NAMES, Finding, StageFindings, stage_name
from pilotbase.report import charts, numbers
from pilotbase.report.numbers import confidence, measure, rate, written
from pilotbase.report.signs import sign
from pilotbase.report.table import largest, shown
from pilotbase.report.words import (
    ANSWER_SIGNS,
    ANSWERS,
    COUNTS,
    GRADES,
    NOT_RUN,
    SAME_ROWS,
    SEMICOLON,
    SPLITS,
    WORDS,
    Sign,
)

Pairs = list[tuple[str, str]]
"""Label and value."""
Planned = Sequence[PlannedStage]
Found = Sequence[StageFindings]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One requirement with its finding."""

    title: str
    sign: str
    look: str
    word: str
    sentence: str
    chart: str
    facts: Pairs
    counts: str
    required: str
    observed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePart:
    """One stage: what it showed, what was found, or why it was not run."""

    name: str
    sign: str
    look: str
    word: str
    shows: str
    why: str
    rated: list[Answered]
    facts: list[Answered]
    left: list[str]


def stage_parts(planned: Planned, stages: Found, language: Language) -> list[StagePart]:
    """Lay out all planned stages, in their order."""
    return [_stage_part(plan, found, language) for plan, found in zip(planned, stages, strict=True)]


def _stage_part(planned: PlannedStage, found: StageFindings, language: Language) -> StagePart:
    criteria = {criterion.id: criterion for criterion in planned.criteria}
    answered = [(finding, _answered(criteria[finding.criterion], finding, language)) for finding in found.findings]
    kind, word = _stage_sign(found)
    return StagePart(
        name=stage_name(planned.name).say(language),
        sign=sign(kind),
        look=kind,
        word=word.say(language),
        shows=_shows(planned).say(language) if found.ran else "",
        why=found.why.say(language) if found.why else "",
        rated=[one for finding, one in answered if finding.method != OBSERVED],
        facts=[one for finding, one in answered if finding.method == OBSERVED],
        left=[] if found.ran else [criterion.text.say(language) for criterion in planned.criteria],
    )


def _shows(planned: PlannedStage) -> Text:
    return SAME_ROWS if planned.name == "fairness" else SPLITS[planned.split].fill(rows=f"{planned.rows:,}")


def _stage_sign(found: StageFindings) -> tuple[Sign, Text]:
    answers = {finding.answer for finding in found.findings}
    if not found.ran:
        return "idle", NOT_RUN
    worst = "refused" if "refused" in answers else "not_shown" if "not_shown" in answers else "held"
    return ANSWER_SIGNS[worst], ANSWERS[worst]


def _answered(criterion: Criterion, finding: Finding, language: Language) -> Answered:
    kind = ANSWER_SIGNS[finding.answer]
    told = shown(finding, language)
    rated = finding.method != OBSERVED
    key = f"c-{finding.stage}-{finding.criterion}"
    return Answered(
        title=criterion.text.say(language),
        sign=sign(kind),
        look=kind,
        word=ANSWERS[finding.answer].say(language),
        sentence=finding.sentence.say(language),
        chart=charts.interval(criterion, finding, key, language) if rated else "",
        facts=_facts(criterion, finding, language) if rated else [],
        counts=_counts(finding.counts, language) if rated else "",
        required=told.required,
        observed=told.estimate,
    )


def _facts(criterion: Criterion, finding: Finding, language: Language) -> Pairs:
    """Return what stands beside a rated finding: numbers, denominators, error rates, method, grade."""
    told = shown(finding, language)
    alpha, beta = rate(str(finding.alpha)), rate(str(finding.beta))
    down, up = (alpha, beta) if finding.op == ">=" else (beta, alpha)
    facts = [
        (_word("estimate", language), told.estimate),
        (WORDS["lower"].fill(sure=confidence(down)).say(language), told.lower),
        (WORDS["upper"].fill(sure=confidence(up)).say(language), told.upper),
        (_word("required", language), told.required),
    ]
    if criterion.margin:
        unit = measure(finding.unit, largest(finding))
        facts.append((_word("margin", language), unit.join(written(criterion.margin * unit.factor), language)))
    facts += [
        (_word("wrongly_held", language), f"≤{_percent_up(alpha)}"),
        (_word("wrongly_refused", language), f"≤{_percent_up(beta)}"),
        (_word("method", language), finding.method),
        (_word("grade", language), GRADES[finding.grade].say(language)),
    ]
    if finding.answer == "not_shown":
        facts.append((_word("needs", language), _needs(finding).say(language)))
    return facts


def _word(name: str, language: Language) -> str:
    return WORDS[name].say(language)


def _needs(finding: Finding) -> Text:
    if finding.needs is None:
        return WORDS["needs_none"]
    return WORDS["needs_far"] if finding.needs > _FAR else WORDS["needs_rows"].fill(rows=f"{finding.needs:,}")


_FAR = 1_000_000  # samples; a rule of thumb that asks for more says no more than "far too many"


def _percent_up(value: Decimal) -> str:
    """Write an error rate as a percentage, rounded up: a promise is never printed stronger than it is."""
    return f"{(100 * value).quantize(Decimal('0.01'), rounding=ROUND_CEILING).normalize():f}%"


def _counts(counts: Mapping[str, int], language: Language) -> str:
    """Write all counts in the order of the words; one without a name in this release keeps its own and comes last."""
    named = [f"{COUNTS[name].say(language)} {counts[name]:,}" for name in COUNTS if name in counts]
    others = [f"{name} {number:,}" for name, number in sorted(counts.items()) if name not in COUNTS]
    return SEMICOLON[language].join(named + others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture with its title and caption, or the reason why there is none."""

    title: str
    chart: str
    caption: str
    absent: str


def pictures(aggregates: Aggregates, planned: Planned, language: Language) -> list[Picture]:
    """Draw the coarse aggregates."""
    drawn = [_roc(aggregates, language), _reliability(aggregates, language)]
    drawn += [_groups(group, language) for group in aggregates.groups]
    return [*drawn, _latency(aggregates, planned, language)]


def _roc(aggregates: Aggregates, language: Language) -> Picture:
    picture = aggregates.roc
    return Picture(
        title=Text(zh="检出与误报", en="Detected against false alarms").say(language),
        chart="" if picture.absent else charts.roc(picture, "p-roc", language),
        caption=_ROC.fill(
            knots=len(picture.knots), positives=f"{picture.positives:,}", negatives=f"{picture.negatives:,}"
        ).say(language),
        absent=_absent(picture.absent, language),
    )


_ROC = Text(
    zh="{knots} 个点；阳性 {positives}，阴性 {negatives}。越靠左上越好，虚线为随机排序。",
    en="{knots} points; {positives} positives, {negatives} negatives. The nearer the upper left the better; the dashed "
    "line is a random order.",
)


def _reliability(aggregates: Aggregates, language: Language) -> Picture:
    picture = aggregates.reliability
    rows = [one.rows for one in picture.bins] or [0]
    return Picture(
        title=Text(zh="概率是否可信", en="Stated against observed").say(language),
        chart="" if picture.absent else charts.reliability(picture.bins, "p-reliability", language),
        caption=_BINS.fill(bins=len(rows), least=f"{min(rows):,}", most=f"{max(rows):,}").say(language),
        absent=_absent(picture.absent, language),
    )


_BINS = Text(
    zh="{bins} 组，每组 {least} 至 {most} 个样本。点越靠近虚线，应用给出的概率越可信。",
    en="{bins} bins of {least} to {most} rows. The nearer the dots to the dashed line, the more the stated probability "
    "can be trusted.",
)


def _groups(group: GroupBars, language: Language) -> Picture:
    return Picture(
        title=Text(zh="各组检出率（{column}）", en="Detected by group ({column})")
        .fill(column=group.column)
        .say(language),
        chart="" if group.absent else charts.groups(group.bars, f"p-group-{group.column}", language),
        caption=Text(
            zh="检出数 / 阳性数；按应用自己的判断计算。", en="detected / positives, by the application's own decision."
        ).say(language),
        absent=_absent(group.absent, language),
    )


def _latency(aggregates: Aggregates, planned: Planned, language: Language) -> Picture:
    picture = aggregates.latency
    bars = [criterion for stage in planned for criterion in stage.criteria if criterion.measure == "latency"]
    caption = _REQUESTS.fill(requests=f"{picture.requests:,}").say(language)
    if bars:
        bar = bars[0]
        unit = measure("s", bar.threshold)
        told = unit.join(written(bar.threshold * unit.factor), language)
        caption += _BAR.fill(percent=written(100 * (bar.quantile or Decimal(0))), bar=told).say(language)
    return Picture(
        title=Text(zh="应答时间", en="Time to answer").say(language),
        chart="" if picture.absent else charts.latency(picture, bars[0] if bars else None, "p-latency", language),
        caption=caption,
        absent=_absent(picture.absent, language),
    )


_REQUESTS = Text(
    zh="{requests} 次单条请求；最长的一次不予公布。", en="{requests} single requests; the longest is not told."
)
_BAR = Text(
    zh="竖线为要求：{percent}% 的请求不超过 {bar}。",
    en=" The upright line is the requirement: {percent}% within {bar}.",
)


def _absent(why: Text | None, language: Language) -> str:
    return "" if why is None else WORDS["no_picture"].say(language) + why.say(language)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPart:
    """One layer of isolation."""

    name: str
    sign: str
    state: str
    detail: str


def layers(isolation: Isolation, language: Language) -> list[LayerPart]:
    """Lay out the layers as the self-test found them."""
    parts = []
    for layer in isolation.layers:
        state = _word("present" if layer.present else "missing", language)
        if not layer.required and not layer.present:
            state += _word("optional", language)
        told = layer.detail.say(language)
        kind: Sign = "yes" if layer.present else "no" if layer.required else "idle"
        parts.append(LayerPart(name=layer.name, sign=sign(kind), state=state, detail=told))
    return parts


def usage_rows(usages: Mapping[StageName, Usage], language: Language) -> list[tuple[str, ...]]:
    """Return one row per stage that opened a cell: times in seconds, memory in MiB."""
    return [
        (
            stage_name(stage).say(language),
            f"{Decimal(usage.wall):.2f}",
            f"≥ {Decimal(usage.cpu):.2f}",
            f"≥ {usage.memory / 2**20:,.0f}",
            f"{usage.processes:,}",
            f"{usage.stderr:,}",
        )
        for stage, usage in sorted(usages.items(), key=lambda one: list(STAGE_NAMES).index(one[0]))
    ]


def limit_rows(limits: Limits, language: Language) -> Pairs:
    """Return the limits under which the candidate ran."""
    told = {name: getattr(limits, name) for name in ("memory", "scratch", "call", "start", "run")}
    rows = [(_word(f"limit_{name}", language), numbers.quantity(text, language)) for name, text in told.items()]
    return [*rows, (_word("limit_processes", language), f"{limits.processes:,}")]


def environment_rows(environment: Environment, language: Language) -> Pairs:
    """Return the machine and its settings."""
    return [
        (_word("system", language), environment.system),
        (_word("machine", language), environment.machine),
        (_word("processor", language), environment.processor),
        (_word("cores", language), f"{environment.cores:,}"),
        ("Python", environment.python),
    ]
