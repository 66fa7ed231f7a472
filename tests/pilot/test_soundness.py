"""What people get wrong: each fault is told with file, field, line, found and how to mend it, in both languages."""

from __future__ import annotations

import re
from decimal import Decimal

import make_bad
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import PACK, make_plan

from pilotbase.foundation.errors import InputError
from pilotbase.foundation.text import LANGUAGES
from pilotbase.pilot import feasibility
from pilotbase.pilot.candidate import Candidate
from pilotbase.pilot.document import Noun, read_toml
from pilotbase.pilot.feasibility import Counts
from pilotbase.pilot.plan import plan_stages
from pilotbase.pilot.scenario import Scenario
from pilotbase.pilot.soundness import read_sound

BAD = make_bad.BAD
FIELDS = {
    "candidate_another_document": "schema",
    "candidate_control_signs": "card.trained_on.en",
    "candidate_id_with_spaces": "id",
    "candidate_input_twice": "asks.inputs[1]",
    "candidate_licence_empty": "licence",
    "candidate_missing_field": "licence",
    "candidate_missing_table": "card",
    "candidate_no_inputs": "asks.inputs",
    "candidate_output_twice": "asks.output[1]",
    "candidate_requirements_outside": "run.requirements",
    "candidate_threshold_not_a_number": "run.threshold",
    "candidate_threshold_of_a_function": "run.threshold",
    "candidate_unknown_adapter": "run.adapter",
    "candidate_unknown_field": "run.adaptor",
    "candidate_wrong_type": "asks.inputs",
    "scenario_alpha_missing": "stages[2].criteria[0].alpha",
    "scenario_alpha_not_a_number": "stages[2].criteria[0].alpha",
    "scenario_alpha_nought": "stages[2].criteria[0].alpha",
    "scenario_alpha_of_a_fact": "stages[4].criteria[1].alpha",
    "scenario_alpha_past_one_half": "stages[2].criteria[0].alpha",
    "scenario_another_document": "schema",
    "scenario_batch_rows_none": "contract.batch_rows",
    "scenario_batch_rows_too_many": "contract.batch_rows",
    "scenario_bound_from_the_other_side": "stages[2].criteria[1].op",
    "scenario_call_in_bytes": "limits.call",
    "scenario_category_without_words": "contract.columns[2].vocabulary",
    "scenario_column_twice": "contract.columns[1].name",
    "scenario_control_signs": "title.en",
    "scenario_criterion_at_intake": "stages[0].criteria[0].measure",
    "scenario_criterion_named_like_the_houses": "stages[2].criteria[1].id",
    "scenario_criterion_twice": "stages[2].criteria[1].id",
    "scenario_decision_upside_down": "contract.output[1].low",
    "scenario_disclosure_full_of_secret_data": "disclosure",
    "scenario_empty_text": "title.en",
    "scenario_fraction_of_a_row": "contract.batch_rows",
    "scenario_gap_without_group": "stages[3].criteria[0].group",
    "scenario_group_of_numbers": "contract.columns[2].type",
    "scenario_group_of_one_word": "stages[3].criteria[0].group",
    "scenario_group_that_is_an_input": "stages[3].criteria[0].group",
    "scenario_group_that_is_no_column": "stages[3].criteria[0].group",
    "scenario_group_without_gap": "stages[2].criteria[0].group",
    "scenario_half_a_byte": "limits.scratch",
    "scenario_id_without_sector": "id",
    "scenario_intake_that_lets_all_through": "stages[0].continue",
    "scenario_isolation_none": "isolation",
    "scenario_key_twice": "",
    "scenario_latency_in_milliseconds": "stages[4].criteria[0].unit",
    "scenario_later_major_version": "schema",
    "scenario_licences_none": "licences",
    "scenario_margin_negative": "stages[2].criteria[0].margin",
    "scenario_margin_of_a_fact": "stages[4].criteria[1].margin",
    "scenario_margin_past_the_range": "stages[2].criteria[0].margin",
    "scenario_max_invalid_all": "max_invalid",
    "scenario_measure_of_another_stage": "stages[2].criteria[0].measure",
    "scenario_memory_in_seconds": "limits.memory",
    "scenario_method_of_another_measure": "stages[2].criteria[0].method",
    "scenario_missing_field": "valid_for",
    "scenario_missing_field_inside": "stages[2].criteria[0].id",
    "scenario_missing_language": "title.en",
    "scenario_no_time_at_all": "limits.call",
    "scenario_not_toml": "",
    "scenario_not_utf8": "",
    "scenario_nothing_to_serve": "contract.columns",
    "scenario_number_with_words": "contract.columns[1].vocabulary",
    "scenario_output_missing": "stages[3].criteria[0].measure",
    "scenario_output_none": "contract.output",
    "scenario_output_twice": "contract.output[1].name",
    "scenario_processes_too_many": "limits.processes",
    "scenario_quantile_missing": "stages[4].criteria[0].quantile",
    "scenario_quantile_of_a_mean": "stages[2].criteria[1].quantile",
    "scenario_quantile_past_one": "stages[4].criteria[0].quantile",
    "scenario_quantity_without_unit": "limits.memory",
    "scenario_score_past_one": "contract.output[0].low",
    "scenario_share_of_nothing": "splits.diagnostic",
    "scenario_shares_past_one": "splits.sample",
    "scenario_stage_conformance_missing": "stages",
    "scenario_stage_intake_missing": "stages",
    "scenario_stage_twice": "stages[1].name",
    "scenario_stages_none": "stages",
    "scenario_stages_out_of_order": "stages[1].name",
    "scenario_target_missing": "contract.columns",
    "scenario_target_of_three_words": "contract.columns[3].vocabulary",
    "scenario_threshold_infinite": "stages[2].criteria[1].threshold",
    "scenario_threshold_negative": "stages[2].criteria[1].threshold",
    "scenario_threshold_no_number": "stages[2].criteria[0].threshold",
    "scenario_threshold_past_the_range": "stages[2].criteria[0].threshold",
    "scenario_turned_line": "title.en",
    "scenario_unit_that_is_no_unit": "splits.unit",
    "scenario_unknown_field": "stages[3].criteria[0].groop",
    "scenario_unknown_field_like_none": "contract.zzz",
    "scenario_unknown_language": "title.fr",
    "scenario_unknown_measure": "stages[2].criteria[0].measure",
    "scenario_unknown_method": "stages[2].criteria[0].method",
    "scenario_unknown_sector": "sector",
    "scenario_valid_for_ever": "valid_for",
    "scenario_version_not_three_numbers": "version",
    "scenario_word_twice": "contract.columns[2].vocabulary[1]",
    "scenario_wrong_type": "contract.batch_rows",
}
LINELESS = {"candidate_missing_field", "candidate_missing_table", "scenario_missing_field", "scenario_stages_none"}
"""What is missing at the top has no line."""
NEAR = {"scenario_unknown_field": "group", "candidate_unknown_field": "adapter"}


def read(name: str, data: bytes) -> Noun:
    return read_sound(data, Scenario if name.startswith(("scenario", "undecidable")) else Candidate, name)


def test_the_files_are_those_that_the_script_makes() -> None:
    assert {path.name: path.read_bytes() for path in BAD.iterdir()} == make_bad.documents()
    assert {path.stem for path in BAD.iterdir() if not path.name.startswith("undecidable")} == set(FIELDS)


def test_without_their_faults_they_are_sound() -> None:
    read_sound(make_bad.SCENARIO.encode(), Scenario, "scenario.toml")
    read_sound(make_bad.CANDIDATE.encode(), Candidate, "candidate.toml")
    read_sound(PACK.read_bytes(), Scenario, "scenario.toml")


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_fault_is_told_with_its_place_and_its_remedy(name: str) -> None:
    data = (BAD / f"{name}.toml").read_bytes()
    with pytest.raises(InputError) as caught:
        read(f"{name}.toml", data)
    error = caught.value
    assert error.code == 65
    assert (error.place.file, error.place.field) == (f"{name}.toml", FIELDS[name])
    assert (error.place.line == 0) == (name in LINELESS)
    assert error.found or "missing" in name or error.expected or error.remedy
    assert error.remedy is not None
    for language in LANGUAGES:
        said = "\n".join(error.lines(language))
        assert len(error.lines(language)) >= 3
        assert all(sign.isprintable() or sign == "\n" for sign in said)
    assert re.search("[\u4e00-\u9fff]", "".join(error.lines("zh")))
    assert not re.search("[\u4e00-\u9fff]", "".join(error.lines("en")))
    if name in NEAR:
        assert NEAR[name] in error.remedy.en


@pytest.mark.parametrize("name", sorted(set(FIELDS) - LINELESS))
def test_the_line_is_that_of_the_field_or_of_the_table_around_it(name: str) -> None:
    data = (BAD / f"{name}.toml").read_bytes()
    with pytest.raises(InputError) as caught:
        read(f"{name}.toml", data)
    line = data.decode("utf-8", "replace").splitlines()[caught.value.place.line - 1]
    parts = [part for part in re.split(r"[.\[\]]+", FIELDS[name]) if part and not part.isdigit()]
    inner = [part for part in parts if part not in LANGUAGES and part != "fr"]
    assert not inner or any(part in line for part in inner), line


@pytest.mark.parametrize("name", sorted(path.stem for path in BAD.glob("undecidable_*.toml")))
def test_a_bar_that_the_data_cannot_decide_is_told_with_its_line(name: str) -> None:
    """Such a document is sound; only with the data at hand can it be known."""
    data = (BAD / f"{name}.toml").read_bytes()
    scenario = read_toml(data, Scenario, name)
    read(f"{name}.toml", data)
    plan = make_plan(548)
    stages = plan_stages(scenario, {"sample": 671, "hidden": 548})
    counts = Counts(rows=548, positives=220, groups={"shift": (110, 110)})
    with pytest.raises(InputError) as caught:
        feasibility.check(msgspec.structs.replace(plan, stages=stages), counts, data)
    error = caught.value
    assert error.place.field.endswith(".threshold")
    assert error.found.isdigit()
    assert error.expected is not None
    assert error.remedy is not None
    assert "threshold" in data.decode().splitlines()[error.place.line - 1]


def test_what_an_older_release_signed_can_still_be_read() -> None:
    """A dossier's scenario is read by its types alone: a check that is new must not shut it out."""
    read_toml((BAD / "scenario_shares_past_one.toml").read_bytes(), Scenario, "scenario.toml")


def taken(text: str) -> Scenario | InputError:
    try:
        return read_sound(text.encode(), Scenario, "scenario.toml")
    except InputError as error:
        return error


LEAVES = re.findall(r"(?m)^[\w-]+ = .*$", make_bad.SCENARIO)
VALUES = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=8).map(lambda value: f"{value:f}"),
    st.sampled_from(
        ["nan", "inf", "-inf", "true", "[]", "[[]]", "{}", '""', '"1 s"', '"\\u0000"', "2026-01-01", "[1, 2]"]
    ),
    st.text(max_size=30).map(lambda text: '"' + "".join(f"\\U{ord(sign):08x}" for sign in text) + '"'),
)


@settings(max_examples=400)
@given(number=st.integers(0, len(LEAVES) - 1), value=VALUES)
def test_any_value_anywhere_is_taken_or_told(number: int, value: str) -> None:
    """Whatever stands in a field, the answer is a scenario or an InputError; nothing else ever leaves."""
    name = LEAVES[number].partition(" = ")[0]
    text = make_bad.SCENARIO.replace(LEAVES[number], f"{name} = {value}", 1)
    read = taken(text)
    if isinstance(read, InputError):
        assert read.place.file == "scenario.toml"
        for language in LANGUAGES:
            assert all(sign.isprintable() or sign == "\n" for sign in "\n".join(read.lines(language)))
        return
    stages = plan_stages(read, {"sample": 671, "hidden": 548})
    counts = Counts(rows=548, positives=220, groups={"shift": (110, 110)})
    assert feasibility.forecast(stages, counts, Decimal(1))  # what is sound can be reckoned with


@settings(max_examples=200)
@given(data=st.binary(max_size=300))
def test_any_bytes_are_told(data: bytes) -> None:
    for kind in (Scenario, Candidate):
        with pytest.raises(InputError):
            read_sound(data, kind, "file.toml")
