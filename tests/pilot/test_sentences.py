"""Sentences: what a head nurse reads agrees with what was judged, in both languages, and never rounds in favour."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import a_good_candidate, make_evidence, make_plan

from pilotbase.foundation.text import LANGUAGES, Text
from pilotbase.pilot.criteria import Reading
from pilotbase.pilot.sentences import confidence, fact_sentence, finding_sentence, join, number, quantity
from pilotbase.pilot.verdict import judge

PLAN = make_plan()
CRITERIA = {one.id: one for stage in PLAN.stages for one in stage.criteria}
FINDINGS = judge(PLAN, make_evidence(PLAN, a_good_candidate()), "full").findings


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: finding.criterion)
def test_every_finding_has_a_whole_sentence_in_both_languages(finding) -> None:
    for language in LANGUAGES:
        said = finding.sentence.say(language)
        assert "{" not in said
        assert "None" not in said
        assert said.endswith("。" if language == "zh" else ".")
    assert re.search("[\u4e00-\u9fff]", finding.sentence.zh)
    assert not re.search("[\u4e00-\u9fff]", finding.sentence.en)


def test_a_sentence_holds_estimate_bound_bar_and_confidence() -> None:
    found = next(one for one in FINDINGS if one.criterion == "auroc")
    assert found.estimate is not None
    for language in LANGUAGES:
        said = found.sentence.say(language)
        assert f"{100 * float(found.estimate):.3g}" in said
        assert "73" in said
        assert "95%" in said


@given(st.floats(0.0001, 0.9999))
def test_bounds_are_never_told_better_than_they_are(bound: float) -> None:
    reading = Reading(estimate=0.9, lower=bound, upper=bound, counts={"hits": 1, "counted": 2})
    floor = finding_sentence(CRITERIA["auroc"], reading, "held", PLAN.words).en
    told = re.search(r"confidence in at least ([\d.]+)\.", floor)
    assert told is not None
    assert float(told[1]) / 100 <= bound
    ceiling = finding_sentence(CRITERIA["brier"], reading, "held", PLAN.words).en
    told = re.search(r"confidence at most ([\d.]+)\.", ceiling)
    assert told is not None
    assert float(told[1]) >= bound


def test_a_refusal_with_a_margin_names_what_was_ruled_out() -> None:
    reading = Reading(estimate=0.6, lower=0.55, upper=0.65, counts={})
    said = finding_sentence(CRITERIA["auroc"], reading, "refused", PLAN.words)
    assert "0.76 or better" in said.en
    assert "0.76 或更好" in said.zh
    bare = msgspec.structs.replace(CRITERIA["auroc"], margin=Decimal(0))
    assert finding_sentence(bare, reading, "refused", PLAN.words).en.endswith("Refused.")


def test_a_closed_method_says_why_instead_of_numbers() -> None:
    why = Text(zh="样本太少", en="too few samples")
    reading = Reading(estimate=None, lower=None, upper=None, counts={}, closed=why)
    said = finding_sentence(CRITERIA["auroc"], reading, "not_shown", PLAN.words)
    assert said.en.startswith("too few samples")
    assert "证据不足" in said.zh


def test_what_never_came_back_is_a_dash() -> None:
    reading = Reading(estimate=float("inf"), lower=0.1, upper=float("inf"), counts={})
    assert "within –;" in finding_sentence(CRITERIA["latency_p99"], reading, "not_shown", PLAN.words).en


@pytest.mark.parametrize("op", [">=", "<="])
def test_rates_count_their_cases(op: str) -> None:
    criterion = msgspec.structs.replace(CRITERIA["brier"], measure="accuracy", method="clopper-pearson/1", op=op)
    reading = Reading(estimate=0.5, lower=0.4, upper=0.6, counts={"hits": 5, "counted": 10})
    said = finding_sentence(criterion, reading, "held", PLAN.words)
    assert "5 of 10" in said.en
    assert ("at least 40" if op == ">=" else "at most 60") in said.en
    assert "10 例中有 5 例" in said.zh


def test_facts_tell_what_was_seen_with_their_details() -> None:
    detail = Text(zh="缺少文件。", en="A file is missing.")
    said = fact_sentence(CRITERIA["requirements_locked"], Decimal(1), (detail,), "refused")
    assert "A file is missing. Refused." in said.en
    assert "缺少文件。不达标。" in said.zh
    speed = fact_sentence(CRITERIA["rows_per_second"], Decimal(20000), (), "held")
    assert "20,000 row/s" in speed.en
    memory = fact_sentence(CRITERIA["peak_memory"], Decimal(100 << 20), (), "held")
    assert "100 MiB" in memory.en
    assert "512 MiB" in memory.zh


def test_numbers_for_people() -> None:
    assert [number(value) for value in (None, float("inf"), 0.123456, 1234.6, Decimal("0.5"))] == [
        "–", "–", "0.1235", "1,235", "0.5",
    ]  # fmt: skip
    assert [quantity(0.012, "s"), quantity(2, "s"), quantity(1 << 30, "byte"), quantity(3, "1")] == [
        "12 ms", "2 s", "1,024 MiB", "3",
    ]  # fmt: skip
    assert [confidence(0.05), confidence(Decimal("0.001")), confidence(0.0125)] == ["95%", "99.9%", "98.75%"]


def test_sentences_are_put_together_by_the_custom_of_each_language() -> None:
    assert join(Text(zh="一。", en="One."), Text(zh="二。", en="Two.")) == Text(zh="一。二。", en="One. Two.")


def test_latency_of_nothing_is_said() -> None:
    seconds = np.full(500, np.inf)
    said = judge(PLAN, make_evidence(PLAN, a_good_candidate(), seconds), "full")
    finding = next(one for one in said.findings if one.criterion == "latency_p99")
    assert finding.answer == "refused"
    assert finding.estimate is None
    assert "–" in finding.sentence.en
