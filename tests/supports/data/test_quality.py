from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pump_samples import category, number, pumps

from pilotbase.supports.data.quality import check
from pilotbase.supports.data.splits import SPLITS, deal
from pilotbase.supports.data.table import select


def remarks(scenario, **changes):
    return check(scenario, deal(scenario, pumps(800, **changes)))


def said(found, severity):
    return [remark.text.en for remark in found if remark.severity == severity]


def test_sound_data_has_no_errors_and_states_its_classes(scenario):
    found = remarks(scenario)
    assert not said(found, "error")
    notes = said(found, "note")
    for name in SPLITS:
        assert any(note.startswith(f"{name}: ") and "rows are positive" in note for note in notes)
    assert all(remark.text.zh != remark.text.en for remark in found)


def test_a_unit_in_two_splits_is_an_error(scenario):
    dealt = deal(scenario, pumps(800))
    leaky = replace(dealt, tables={**dealt.tables, "hidden": select(dealt.tables["sample"], np.arange(30))})
    found = check(scenario, leaky)
    assert said(found, "error")[0].endswith("units lie both in sample and in hidden")
    assert found[0].column == "pump_id"
    # and rows that were copied are seen as twins
    assert any(text.startswith("30 rows of hidden (100.0 %)") for text in said(found, "warning"))


def test_a_split_of_one_class_is_an_error(scenario):
    dealt = deal(scenario, pumps(800))
    hidden = dealt.tables["hidden"]
    one_class = select(hidden, hidden.columns["failed"].values == 1)
    found = check(scenario, replace(dealt, tables={**dealt.tables, "hidden": one_class}))
    assert any("hidden holds one class only" in text for text in said(found, "error"))


@pytest.mark.parametrize(("share", "severity"), [(0.6, "warning"), (0.2, "note")])
def test_missing_values_are_told_by_their_share(scenario, share, severity):
    lost = np.random.default_rng(1).random(800) < share
    found = remarks(scenario, hours=number(np.where(lost, np.nan, np.arange(1, 801))))
    assert sum("hours is missing" in text for text in said(found, severity)) == 3


def test_a_constant_column_is_warned_about(scenario):
    found = remarks(scenario, temperature=number([20.0] * 800))
    assert "temperature has one value only in sample" in said(found, "warning")


def test_words_outside_and_words_never_met(scenario):
    found = remarks(scenario, site=category(("north", "east"), np.arange(800) % 2))
    assert any("have a word in site that the vocabulary does not list" in text for text in said(found, "warning"))
    assert any("do not occur in sample: south, west" in text for text in said(found, "note"))


def test_a_group_with_few_positives_is_warned_about(scenario):
    rare = np.zeros(800, dtype=int)
    rare[::40] = 1
    found = remarks(scenario, line=category(("new", "old"), rare))
    assert any('rows with line "old" are positive' in text for text in said(found, "warning"))
    assert any('rows with line "new" are positive' in text for text in said(found, "note"))


def test_errors_come_first(scenario):
    dealt = deal(scenario, pumps(800))
    leaky = replace(dealt, tables=dict.fromkeys(SPLITS, dealt.tables["sample"]))
    order = [remark.severity for remark in check(scenario, leaky)]
    assert order == sorted(order, key=("error", "warning", "note").index)
    assert order[0] == "error"
