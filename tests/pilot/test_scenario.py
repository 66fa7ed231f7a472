"""The scenario's nouns, and the terms in which it may ask: the same in code, in the methods and in the pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from samples import SCENARIO

from pilotbase.pilot.candidate import Candidate
from pilotbase.pilot.criteria import METHODS
from pilotbase.pilot.document import read_toml
from pilotbase.pilot.measures import MEASURES
from pilotbase.pilot.plan import CONFORMANCE, INTAKE
from pilotbase.pilot.scenario import StageName
from pilotbase.pilot.terms import HOUSE, OBSERVED, STAGE_ORDER, TERMS
from pilotbase.pilot.verdict import STAGE_NAMES

SPEC = Path(__file__).parents[2] / "docs" / "spec"


def test_a_scenario_is_named_with_its_version() -> None:
    assert SCENARIO.name == "healthcare/covid-test-triage@1.0.0"


def test_columns_come_by_role_in_contract_order() -> None:
    served = [column.name for column in SCENARIO.columns("input")]
    everything = [column.name for column in SCENARIO.contract.columns]
    assert served == [name for name in everything if name in served]
    assert [column.name for column in SCENARIO.columns("group")] == ["gender"]
    assert SCENARIO.columns("none") == ()


def test_a_candidate_is_named_with_its_version() -> None:
    text = b"""
schema = "pilotbase/candidate/1"
id = "some-one"
version = "2.0.1"
kind = "predict"
licence = "MIT"
run = { adapter = "onnx", entry = "model.onnx", threshold = 0.50 }
asks = { inputs = ["a"], output = ["score"] }
card = { summary = { zh = "\xe4\xb8\x80", en = "one" }, trained_on = { zh = "\xe4\xba\x8c", en = "two" } }
"""
    candidate = read_toml(text, Candidate, "candidate.toml")
    assert candidate.name == "some-one@2.0.1"
    assert str(candidate.run.threshold) == "0.50"
    assert candidate.run.requirements == "requirements.lock"


def test_terms_methods_and_measures_know_one_another() -> None:
    methods = {method for term in TERMS.values() for method in term.methods}
    assert methods == {*METHODS, OBSERVED}
    of_items = {name for name, term in TERMS.items() if "effectiveness" in term.stages}
    assert of_items == set(MEASURES)
    assert all(set(term.stages) <= set(STAGE_ORDER) for term in TERMS.values())


def test_the_houses_criteria_are_those_whose_names_are_taken() -> None:
    assert tuple(one.id for one in (*INTAKE, *CONFORMANCE)) == HOUSE
    assert not set(HOUSE) & set(TERMS)


def test_every_stage_has_its_place_and_its_name() -> None:
    assert get_args(StageName) == STAGE_ORDER == tuple(STAGE_NAMES)


def test_the_page_on_measures_is_this_table() -> None:
    rows = re.findall(r"(?m)^\| `(\w+)` \|.*\| `([\w/-]+)` \|$", (SPEC / "measures.md").read_text(encoding="utf-8"))
    rated = {(name, method) for name, term in TERMS.items() for method in term.methods if method != OBSERVED}
    assert set(rows) == rated
