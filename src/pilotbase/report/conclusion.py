"""The conclusion in words: outcome, reason and chance of error, each in a sentence that a director can sign."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pilotbase.foundation.text import LANGUAGES, Text
from pilotbase.pilot.plan import OBSERVED, PlannedStage
from pilotbase.pilot.sentences import join
from pilotbase.pilot.verdict import Finding, Judgement, StageFindings, Verdict, stage_name
from pilotbase.report.numbers import date, odds
from pilotbase.report.words import COMMA, OUTCOME_LINES, OUTCOMES

SHOWN_REASONS = 2  # on page one; the others stand in the section on criteria


def conclusion(verdict: Verdict) -> Text:
    """Return the whole conclusion as one paragraph, for a terminal or a letter."""
    opening = _OPENING.fill(
        candidate=verdict.candidate,
        scenario=verdict.scenario,
        outcome=OUTCOMES[verdict.outcome],
        line=OUTCOME_LINES[verdict.outcome],
    )
    parts = [*why(verdict.judgement), promise(verdict)]
    parts.append(_VALID.fill(begin=_date(verdict.issued_at), end=_date(verdict.valid_until)))
    if verdict.data_public:
        parts.append(_PUBLIC)
    return functools.reduce(join, parts, opening)


_OPENING = Text(
    zh="{candidate} 在应用场景 {scenario} 中的中试结论：{outcome}，{line}。",
    en="{candidate} in the scenario {scenario}: {outcome}; {line}.",
)
_VALID = Text(zh="有效期：{begin}至{end}。", en="Valid from {begin} to {end}.")
_PUBLIC = Text(
    zh="注意：隐藏数据任何人都可取得，本结论仅作方法演示。",
    en="Note: the hidden rows can be had by anyone; this verdict demonstrates the method.",
)


def _date(stamp: str) -> Text:
    zh, en = (date(stamp, language) for language in LANGUAGES)
    return Text(zh=zh, en=en)


def why(judgement: Judgement) -> tuple[Text, ...]:
    """Return the reason of an outcome: one sentence for an acceptance, else the first reasons and how many more."""
    if judgement.outcome == "accepted":
        rated = sum(finding.method != OBSERVED for finding in judgement.findings)
        total = len(judgement.findings)
        return (_ALL_HELD.fill(total=total, rated=rated, observed=total - rated),)
    shown, more = judgement.reasons[:SHOWN_REASONS], len(judgement.reasons) - SHOWN_REASONS
    return shown if more <= 0 else (*shown, _MORE.fill(more=more))


_ALL_HELD = Text(
    zh="{total} 项要求全部达标：{rated} 项由数据在规定的错误率下证明，{observed} 项为直接核查的事实。",
    en="All {total} requirements are held: {rated} shown by data at the stated error rates, {observed} checked as "
    "facts.",
)
_MORE = Text(zh="另有 {more} 条理由，见判据部分。", en="And {more} more: see the criteria.")


def promise(verdict: Verdict) -> Text:
    """Say in plain words how often a test like this errs; with public data, on which condition.

    Berger (1982): an acceptance errs at most at the largest alpha. A refusal errs at most at the plan's beta: the
    shares beta/m of its m rated criteria add up to no more.
    """
    judgement = verdict.judgement
    said = _promise(judgement)
    rests_on_data = any(finding.method != OBSERVED for finding in judgement.findings) and said != _FACTS
    return join(said, _UNSEEN) if verdict.data_public and rests_on_data else said


_UNSEEN = Text(zh="前提是应用事先没有见过隐藏数据。", en="This supposes that it had not seen the hidden rows before.")


def _promise(judgement: Judgement) -> Text:
    rated = [finding for finding in judgement.findings if finding.method != OBSERVED]
    if judgement.outcome == "rejected":
        refused = [finding for finding in rated if finding.answer == "refused"]
        if not refused:
            return _FACTS
        return _odds(_WRONG_REJECT, max(Decimal(str(finding.beta).partition("/")[0]) for finding in refused), refused)
    if not rated:
        return _FACTS if judgement.outcome == "accepted" else _NEITHER
    said = _odds(_WRONG_ACCEPT, max(Decimal(str(finding.alpha)) for finding in rated), rated)
    return said if judgement.outcome == "accepted" else join(_NEITHER, said)


def _odds(sentence: Text, rate: Decimal, rests_on: Sequence[Finding]) -> Text:
    times, of = odds(rate)
    said = sentence.fill(times=times, of=of)
    return join(said, _LARGE_SAMPLE) if any(finding.grade == "asymptotic" for finding in rests_on) else said


_WRONG_ACCEPT = Text(
    zh="假如该应用在某一项由数据判定的要求上其实不够好，这样的测试在 {of} 次中至多有 {times} 次会误让它通过。",
    en="If the application were not good enough on some requirement that data decides, a test like this would let it "
    "pass at most {times} times in {of}.",
)
_WRONG_REJECT = Text(
    zh="假如该应用在由数据判定的各项要求上都好过门槛并超出余量，"
    "这样的测试在 {of} 次中至多有 {times} 次会误判它不通过。",
    en="If the application were better than every bar that data decides, and by its margin, a test like this would "
    "reject it at most {times} times in {of}.",
)
_LARGE_SAMPLE = Text(
    zh="其中部分方法为大样本近似，这一概率是近似值。",
    en="Some of the methods are large-sample approximations, so this rate is approximate.",
)
_FACTS = Text(
    zh="结论依据直接核查的事实，不涉及错误率。",
    en="The outcome rests on facts that were checked directly; no error rate applies.",
)
_NEITHER = Text(zh="“证据不足”既不是通过，也不是不通过。", en='"Undecided" is neither an acceptance nor a rejection.')


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many of a plan's requirements stand how."""

    held: int
    refused: int
    not_shown: int
    not_run: int

    @property
    def total(self) -> int:
        """All requirements of the plan."""
        return self.held + self.refused + self.not_shown + self.not_run


def tally(planned: Sequence[PlannedStage], stages: Sequence[StageFindings]) -> Tally:
    """Count the requirements of all planned stages, those of stages that were not run included."""
    found = [finding.answer for stage in stages for finding in stage.findings]
    return Tally(
        held=found.count("held"),
        refused=found.count("refused"),
        not_shown=found.count("not_shown"),
        not_run=sum(len(stage.criteria) for stage in planned) - len(found),
    )


def rehearsal_line(counted: Tally) -> Text:
    """Say how a rehearsal went: would pass 7 of 9."""
    said = _WOULD.fill(total=counted.total, held=counted.held)
    left = ((counted.refused, _REFUSED), (counted.not_shown, _NOT_SHOWN), (counted.not_run, _NOT_RUN))
    parts = [said, *(words.fill(number=number) for number, words in left if number)]
    zh, en = (COMMA[language].join(part.say(language) for part in parts) for language in LANGUAGES)
    return Text(zh=zh, en=en)


_WOULD = Text(zh="{total} 项要求中预计有 {held} 项达标", en="would pass {held} of {total}")
_REFUSED = Text(zh="{number} 项不达标", en="{number} refused")
_NOT_SHOWN = Text(zh="{number} 项证据不足", en="{number} not shown")
_NOT_RUN = Text(zh="{number} 项未进行", en="{number} not run")


def why_not(stages: Sequence[StageFindings]) -> tuple[Text, ...]:
    """Return what stands between a rehearsed candidate and an acceptance, in the order of the stages."""
    reasons: list[Text] = []
    for stage in stages:
        if stage.why is not None:
            reasons.append(_IDLE.fill(stage=stage_name(stage.stage), why=stage.why))
        reasons.extend(finding.sentence for finding in stage.findings if finding.answer != "held")
    return tuple(reasons)


_IDLE = Text(zh="{stage}未进行：{why}", en="{stage} was not run: {why}")
