"""The findings as plain rows, for terminals and for whoever wants no picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pilotbase.foundation.text import Language
from pilotbase.pilot.verdict import Finding, StageFindings, Verdict, stage_name
from pilotbase.report.numbers import measure, written
from pilotbase.report.words import ANSWER_SIGNS, ANSWERS, GRADES, MARKS, NOT_RUN, Sign

NOTHING = "–"
OPERATORS = {">=": "≥", "<=": "≤"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One finding, or one stage that was not run, in the words of one language."""

    stage: str
    criterion: str
    """Its id; empty for a stage that was not run."""
    sign: Sign
    mark: str
    """The sign as a character."""
    answer: str
    required: str
    estimate: str
    bounds: str
    """Lower to upper bound, rounded outward."""
    counted: str
    """The n that the finding rests on."""
    grade: str
    sentence: str


def verdict_rows(verdict: Verdict, language: Language) -> list[Row]:
    """Return the verdict's table."""
    return stage_rows(verdict.judgement.stages, language)


def stage_rows(stages: Sequence[StageFindings], language: Language) -> list[Row]:
    """Return the rows of judged stages, in their order; a stage that was not run gives one row with the reason."""
    rows: list[Row] = []
    for stage in stages:
        rows.extend(_finding_row(finding, language) for finding in stage.findings)
        if not stage.ran:
            rows.append(_idle_row(stage, language))
    return rows


def _finding_row(finding: Finding, language: Language) -> Row:
    numbers = shown(finding, language)
    sign = ANSWER_SIGNS[finding.answer]
    return Row(
        stage=stage_name(finding.stage).say(language),
        criterion=finding.criterion,
        sign=sign,
        mark=MARKS[sign],
        answer=ANSWERS[finding.answer].say(language),
        required=numbers.required,
        estimate=numbers.estimate,
        bounds=f"{numbers.lower} … {numbers.upper}" if finding.lower or finding.upper else NOTHING,
        counted=f"{finding.counts['n']:,}",
        grade=GRADES[finding.grade].say(language),
        sentence=finding.sentence.say(language),
    )


def _idle_row(stage: StageFindings, language: Language) -> Row:
    return Row(
        stage=stage_name(stage.stage).say(language),
        criterion="",
        sign="idle",
        mark=MARKS["idle"],
        answer=NOT_RUN.say(language),
        required=NOTHING,
        estimate=NOTHING,
        bounds=NOTHING,
        counted=NOTHING,
        grade=NOTHING,
        sentence=stage.why.say(language) if stage.why else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A finding's numbers as people read them, all in one unit."""

    required: str
    estimate: str
    lower: str
    upper: str


def shown(finding: Finding, language: Language) -> Shown:
    """Write the numbers of a finding."""
    unit = measure(finding.unit, largest(finding))
    threshold = unit.join(written(Decimal(finding.threshold) * unit.factor), language)
    return Shown(
        required=f"{OPERATORS[finding.op]} {threshold}",
        estimate=NOTHING if finding.estimate is None else unit.write(finding.estimate, "near", language),
        lower=NOTHING if finding.lower is None else unit.write(finding.lower, "lower", language),
        upper=NOTHING if finding.upper is None else unit.write(finding.upper, "upper", language),
    )


def largest(finding: Finding) -> Decimal:
    """Return the largest number that a finding shows: it decides in which size of the unit all are written."""
    values = (finding.threshold, finding.estimate, finding.lower, finding.upper)
    return max(abs(Decimal(value)) for value in values if value is not None)
