"""Documents: bytes become nouns or an error that names the place; nouns become canonical bytes again."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import PACK, SCENARIO, make_plan

from pilotbase.foundation.errors import InputError
from pilotbase.foundation.text import Text
from pilotbase.pilot.candidate import Candidate
from pilotbase.pilot.document import Noun, read_json, read_toml, to_bytes, to_tree
from pilotbase.pilot.dossier import LogProof
from pilotbase.pilot.measurement import Fact, Facts
from pilotbase.pilot.plan import Plan
from pilotbase.pilot.scenario import Scenario

PLAN = to_bytes(make_plan())


def test_a_plan_is_read_back_as_it_was_written() -> None:
    assert read_json(PLAN, Plan, "plan") == make_plan()
    assert to_bytes(read_json(PLAN, Plan, "plan")) == PLAN


def test_decimals_keep_their_text() -> None:
    tree = to_tree(make_plan())
    criterion = tree["stages"][2]["criteria"][0]  # type: ignore[index]
    assert criterion["threshold"] == "0.73"
    assert "0.20" in PLAN.decode()  # as a person wrote it, not 0.2


def test_every_noun_is_frozen_and_refuses_unknown_fields() -> None:
    fact = Fact(measure="a", value="1", unit="1")
    with pytest.raises(AttributeError):
        fact.value = "2"  # type: ignore[misc]
    facts = Facts(schema=Facts.SCHEMA, stage="intake", facts=(fact,))
    tree = to_tree(facts) | {"note": "x"}
    with pytest.raises(InputError):
        read_json(json.dumps(tree, sort_keys=True, separators=(",", ":")).encode(), Facts, "facts")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"1",
        b'"plan"',
        b"\xff",
        b"[" * 100_000,
        b'{"schema":"pilotbase/log-proof/1"}',
        b'{"a":1.5}',
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
        b'{"a":1,"a":2}',
        PLAN + b"\n",
        PLAN.replace(b'":', b'": ', 1),
    ],
)
def test_whatever_is_not_one_canonical_noun_is_bad_input(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read_json(data, Plan, "plan.json")
    assert caught.value.place.file == "plan.json"
    assert caught.value.found.isprintable()


@given(st.binary(max_size=200))
def test_any_bytes_are_bad_input(data: bytes) -> None:
    for read in (read_json, read_toml):
        with pytest.raises(InputError):
            read(data, LogProof, "x")


@given(st.integers(0, len(PLAN) - 1), st.integers(1, 255))
def test_any_changed_byte_is_told_or_gives_another_plan(place: int, change: int) -> None:
    changed = bytearray(PLAN)
    changed[place] ^= change
    try:
        again = read_json(bytes(changed), Plan, "plan")
    except InputError:
        return
    assert to_bytes(again) == bytes(changed)


def test_a_later_major_version_is_refused_in_words() -> None:
    with pytest.raises(InputError) as caught:
        read_json(PLAN.replace(b"pilotbase/plan/1", b"pilotbase/plan/2"), Plan, "plan")
    assert caught.value.place.field == "schema"
    assert caught.value.found == "pilotbase/plan/2"
    assert caught.value.expected == Text(zh="pilotbase/plan/1", en="pilotbase/plan/1")


def test_toml_and_json_of_one_scenario_are_one_noun() -> None:
    assert read_json(to_bytes(SCENARIO), Scenario, "scenario") == SCENARIO


def test_a_stage_says_continue_as_people_write_it() -> None:
    assert [stage.proceed for stage in SCENARIO.stages] == [False, False, True, True, False]
    assert b'"continue":true' in to_bytes(SCENARIO)
    assert b"proceed" not in to_bytes(SCENARIO)


@pytest.mark.parametrize(
    ("old", "new", "zh", "en"),
    [
        ("batch_rows = 256", 'batch_rows = "many"', "整数", "a whole number"),
        ("batch_rows = 256", "batch_rows = 0", "整数，>= 1", "a whole number, >= 1"),
        ("data_public = true", "data_public = 1", "true 或 false", "true or false"),
        ('action_area = "welfare"', 'action_area = "war"', "之一", "one of science, industry"),
        ("threshold = 0.73", 'threshold = "x"', "数", "a number"),
        ("licences = [", 'licences = "MIT"\nmore = [', "列表", "a list"),
        ('unit = { zh = "受检者", en = "subject" }', "unit = 3", "表", "a table"),
        ('version = "1.0.0"', 'version = "1"', r"文本，形如 ^\d{1,6}", r"text of the form ^\d{1,6}\.\d"),
        ("alpha = 0.05", "alpha = []", "数", "a number"),
    ],
)
def test_what_is_expected_is_said_in_both_languages(old: str, new: str, zh: str, en: str) -> None:
    text = PACK.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(InputError) as caught:
        read_toml(text.replace(old, new, 1).encode(), Scenario, "scenario.toml")
    assert caught.value.expected is not None
    assert zh in caught.value.expected.zh
    assert en in caught.value.expected.en
    line = text.replace(old, new, 1).splitlines()[caught.value.place.line - 1]
    assert line.startswith(new.splitlines()[0][:12])


def test_a_message_that_the_library_words_otherwise_still_comes_through() -> None:
    class Odd(Noun, frozen=True, kw_only=True):
        pair: tuple[int, int]
        choice: int | str

    with pytest.raises(InputError) as caught:
        read_toml(b"pair = [1]\nchoice = 1\n", Odd, "odd.toml")
    assert caught.value.place.line == 1
    assert caught.value.expected is not None
    assert caught.value.expected.zh


def test_a_candidate_is_no_scenario() -> None:
    with pytest.raises(InputError) as caught:
        read_toml(PACK.read_bytes(), Candidate, "candidate.toml")
    assert caught.value.place.line == 2
