from __future__ import annotations

import functools
from decimal import Decimal

import msgspec
import pytest
from report_samples import STORIES, make_contents, make_rehearsal

from pilotbase.foundation.text import LANGUAGES
from pilotbase.pilot.criteria import METHODS
from pilotbase.pilot.verdict import Verdict
from pilotbase.report.conclusion import Tally, conclusion, promise, rehearsal_line, tally, why, why_not
from pilotbase.report.table import verdict_rows
from pilotbase.report.words import COUNTS, GRADES, OUTCOMES

contents_of = functools.cache(make_contents)


def verdict_of(story: str, **changes) -> Verdict:
    return msgspec.structs.replace(contents_of(story).verdict, **changes)


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_paragraph_names_candidate_outcome_validity_and_public_data(story, language):
    verdict = verdict_of(story)
    said = conclusion(verdict).say(language)
    assert verdict.candidate in said
    assert OUTCOMES[verdict.outcome].say(language) in said
    assert "2027" in said
    assert {"zh": "仅作方法演示", "en": "demonstrates the method"}[language] in said
    assert "\n" not in said
    assert {"zh": "演示", "en": "demonstrates"}[language] not in conclusion(verdict_of(story, data_public=False)).say(
        language
    )


def test_an_acceptance_promises_the_largest_alpha():
    verdict = verdict_of("accepted", data_public=False)
    assert "at most 5 times in 100" in promise(verdict).en
    assert "approximate" in promise(verdict).en  # logit-delong is asymptotic
    stages = tuple(
        msgspec.structs.replace(
            stage,
            findings=tuple(
                msgspec.structs.replace(one, alpha="0.025", grade="exact") if one.alpha and one.criterion != "auroc"
                else msgspec.structs.replace(one, alpha="0.01", grade="exact") if one.alpha else one
                for one in stage.findings
            ),
        )
        for stage in verdict.judgement.stages
    )  # fmt: skip
    exact = msgspec.structs.replace(verdict, judgement=msgspec.structs.replace(verdict.judgement, stages=stages))
    assert "at most 25 times in 1000" in promise(exact).en
    assert "approximate" not in promise(exact).en


def test_with_public_data_the_promise_names_its_condition():
    assert "had not seen the hidden rows" in promise(verdict_of("accepted")).en
    assert "没有见过隐藏数据" in promise(verdict_of("accepted")).zh


def test_a_rejection_by_data_promises_beta_and_one_by_facts_promises_nothing():
    assert "reject it at most 5 times in 100" in promise(verdict_of("rejected")).en
    assert promise(verdict_of("intake")).en == (
        "The outcome rests on facts that were checked directly; no error rate applies."
    )


def test_undecided_is_neither():
    assert promise(verdict_of("undecided")).en.startswith('"Undecided" is neither an acceptance nor a rejection.')


def test_reasons_beyond_two_are_counted():
    judgement = verdict_of("undecided").judgement
    assert len(judgement.reasons) == 3
    assert why(judgement)[:2] == judgement.reasons[:2]
    assert why(judgement)[2].en == "And 1 more: see the criteria."
    assert len(why(verdict_of("accepted").judgement)) == 1
    assert "All 12 requirements are held: 4 shown by data" in why(verdict_of("accepted").judgement)[0].en


def test_a_rehearsal_counts_what_was_not_run():
    rehearsal = make_rehearsal("rejected")
    counted = tally(rehearsal.planned, rehearsal.stages)
    assert counted == Tally(held=6, refused=1, not_shown=1, not_run=4)
    assert counted.total == 12
    assert rehearsal_line(counted).en == "would pass 6 of 12, 1 refused, 1 not shown, 4 not run"
    assert rehearsal_line(counted).zh == "12 项要求中预计有 6 项达标，1 项不达标，1 项证据不足，4 项未进行"
    assert rehearsal_line(Tally(held=9, refused=0, not_shown=0, not_run=0)).en == "would pass 9 of 9"
    assert len(why_not(rehearsal.stages)) == 4


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_has_a_row_for_every_finding_and_for_every_stage_that_was_not_run(language):
    verdict = verdict_of("undecided")
    rows = verdict_rows(verdict, language)
    assert len(rows) == len(verdict.judgement.findings) + 2
    assert [row.mark for row in rows if not row.criterion] == ["–", "–"]
    auroc = next(row for row in rows if row.criterion == "auroc")
    assert (auroc.mark, auroc.required, auroc.counted) == ("?", "≥ 0.73", "4,612")
    assert auroc.bounds == "0.7218 … 0.7854"
    latency = next(row for row in verdict_rows(verdict_of("accepted"), language) if row.criterion == "latency_p99")
    assert (latency.required, latency.estimate) == ("≤ 50 ms", "9.68 ms")
    assert all("" not in (row.stage, row.answer, row.sentence) for row in rows)


def test_rows_print_bounds_outward():
    for finding, row in zip(
        verdict_of("accepted").judgement.findings, verdict_rows(verdict_of("accepted"), "en"), strict=True
    ):
        if finding.unit == "1" and finding.lower and finding.upper:
            lower, upper = row.bounds.split(" … ")
            assert Decimal(lower) <= Decimal(finding.lower)
            assert Decimal(upper) >= Decimal(finding.upper)


def test_every_count_and_grade_of_the_methods_has_words():
    counted = {name for story in STORIES for finding in verdict_of(story).judgement.findings for name in finding.counts}
    assert counted <= set(COUNTS)
    assert {method.grade for method in METHODS.values()} | {"observed"} == set(GRADES)
