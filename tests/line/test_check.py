"""Checking a pack: what its author must know, before anything is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_base import HIDDEN, PACK, loading, make_pack

from pilotbase.foundation.errors import InputError
from pilotbase.line.check import check, count_table
from pilotbase.line.install import load_pack, read_pack
from pilotbase.line.means import Unwatched


def test_a_sound_pack_can_decide_what_it_asks() -> None:
    checked = check(read_pack(PACK), loading, Unwatched())
    assert checked.dealt.whole == checked.scenario.data.table
    assert checked.hidden == checked.scenario.data.hidden
    assert len(checked.forecasts) == 13
    assert all(one.decidable for one in checked.forecasts)
    by_name = {one.criterion.id: one for one in checked.forecasts}
    assert by_name["latency_p99"].has == 500
    assert by_name["latency_p99"].needs == 299
    assert by_name["brier"].has == HIDDEN


def test_a_bar_that_the_data_cannot_decide_is_told_and_changes_nothing(tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack", ("threshold = 0.3\n", "threshold = 0.001\n"))
    checked = check(read_pack(pack), loading, Unwatched())
    assert [one.criterion.id for one in checked.forecasts if not one.decidable] == ["shifts_alike"]


def test_a_digest_that_is_not_known_yet_is_computed(tmp_path: Path) -> None:
    """An author writes zeros first, and copies what check prints."""
    scenario = read_pack(PACK).scenario
    pack = make_pack(tmp_path / "pack", (scenario.data.table, "0" * 64), (scenario.data.hidden, "0" * 64))
    checked = check(read_pack(pack), loading, Unwatched())
    assert (checked.dealt.whole, checked.hidden) == (scenario.data.table, scenario.data.hidden)


def test_counts_by_class_and_group_are_those_of_the_table() -> None:
    pack = read_pack(PACK)
    table = load_pack(pack, loading).tables["hidden"]
    counted = count_table(pack.scenario, table)
    words = table.columns["loose"].words
    positive = table.columns["loose"].values == words.index("yes")
    assert counted.rows == table.rows == HIDDEN
    assert counted.positives == int(positive.sum())
    assert sum(counted.groups["shift"]) == int(positive.sum())
    night = table.columns["shift"].values == table.columns["shift"].words.index("night")
    assert counted.groups["shift"][1] == int(np.count_nonzero(positive & night))  # the contract's order of words


def test_a_table_that_does_not_fit_is_bad_input(tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack", ('name = "torque"\nrole', 'name = "torques"\nrole'))
    with pytest.raises(InputError) as caught:
        check(read_pack(pack), loading, Unwatched())
    assert caught.value.place.field == "contract.columns[1]"
