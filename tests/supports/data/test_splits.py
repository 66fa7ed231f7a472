from __future__ import annotations

import hashlib
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pump_samples import category, number, pumps

from pilotbase.foundation.errors import InputError
from pilotbase.pilot.document import read_toml
from pilotbase.pilot.scenario import Scenario
from pilotbase.supports.data.splits import SPLITS, _places, deal
from pilotbase.supports.data.table import select, table_digest


def place_by_hand(salt: str, unit: str, shares: tuple[str, ...]) -> int:
    """The rule of the specification, written a second time: a fraction of 2^64 against cumulative shares."""
    drawn = int.from_bytes(hashlib.sha256(f"{salt}\n{unit}".encode()).digest()[:8], "little")
    total = Decimal(0)
    for place, share in enumerate(shares):
        total += Decimal(share)
        if Decimal(drawn) < total * 2**64:
            return place
    raise AssertionError


def test_units_go_where_the_rule_says(scenario):
    table = pumps()
    dealt = deal(scenario, table)
    for place, name in enumerate(SPLITS):
        units = np.unique(dealt.tables[name].columns["pump_id"].values)
        assert len(units) == dealt.units[name] > 0
        for unit in units:
            assert place_by_hand("pump-failure/1", str(int(unit)), ("0.5", "0.1", "0.4")) == place


def test_known_places(scenario):
    """Pinned: a published split can be dealt again for ever."""
    places = _places(scenario, ["0", "1", "2", "3", "4", "5", "17", "2.5", "旧"])
    assert "".join(str(place) for place in places) == "202200022"


def test_excluded_rows_are_counted_once_and_the_rest_adds_up(scenario):
    table = pumps()
    unknown = table.columns["failed"].values == 2
    idle = table.columns["hours"].values == 0
    dealt = deal(scenario, table)
    assert [count for _, count in dealt.excluded] == [int(unknown.sum()), int((idle & ~unknown).sum())]
    assert [text.en for text, _ in dealt.excluded] == ["nobody knows", "never ran"]
    left = table.rows - int((unknown | idle).sum())
    assert sum(dealt.rows.values()) + sum(dealt.repeats.values()) == left


def test_first_row_of_each_unit_outside_the_sample(scenario):
    table = pumps()
    dealt = deal(scenario, table)
    assert dealt.repeats["sample"] == 0
    assert dealt.repeats["hidden"] > 0
    for name in ("diagnostic", "hidden"):
        units = dealt.tables[name].columns["pump_id"].values
        assert len(np.unique(units)) == len(units)
    kept = (table.columns["failed"].values != 2) & (table.columns["hours"].values != 0)
    unit = dealt.tables["hidden"].columns["pump_id"].values[0]
    first = np.flatnonzero(kept & (table.columns["pump_id"].values == unit))[0]
    assert dealt.tables["hidden"].columns["repair_cost"].values[0] == table.columns["repair_cost"].values[first]
    several = msgspec.structs.replace(scenario, splits=msgspec.structs.replace(scenario.splits, one_row_per_unit=False))
    assert sum(deal(several, table).repeats.values()) == 0


def test_digest_of_the_whole_is_that_of_the_table(scenario):
    assert deal(scenario, pumps()).whole == table_digest(pumps())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_order_of_rows_does_not_move_units(seed):
    file = Path(__file__).parents[1] / "pump.toml"
    scenario = read_toml(file.read_bytes(), Scenario, str(file))
    table = pumps()
    order = np.random.default_rng(seed).permutation(table.rows)
    shuffled = select(table, order)
    for name in SPLITS:
        before, after = (deal(scenario, one).tables[name].columns["pump_id"].values for one in (table, shuffled))
        assert set(before.tolist()) == set(after.tolist())


def splits(scenario, **changes):
    return msgspec.structs.replace(scenario, splits=msgspec.structs.replace(scenario.splits, **changes))


@pytest.mark.parametrize("share", ["0.5000000000000000000000000000000000001", "NaN", "Infinity", "-0.4"])
def test_shares_must_add_up_exactly(scenario, share):
    with pytest.raises(InputError, match="add up to 1"):
        deal(splits(scenario, sample=Decimal(share)), pumps())


def test_an_empty_split_is_refused(scenario):
    with pytest.raises(InputError, match="split diagnostic is empty") as caught:
        deal(splits(scenario, sample=Decimal("0.6"), diagnostic=Decimal(0)), pumps())
    assert caught.value.place.field == "splits.diagnostic"


def test_a_split_of_one_class_is_refused(scenario):
    table = pumps(failed=category(("no", "yes"), np.zeros(400)))
    with pytest.raises(InputError, match="one class only"):
        deal(scenario, table)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("pump_id", number([np.nan] * 400), "does not say to which unit"),
        ("failed", category(("no", "maybe"), [0, 1] * 200), "neither of the two classes"),
        ("failed", category(("no", "yes"), [-1, 1] * 200), "neither of the two classes"),
        ("hours", category(("x",), [0] * 400), "does not have this column"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(scenario, column, values, message):
    with pytest.raises(InputError, match=message):
        deal(scenario, pumps(**{column: values}))


def test_a_missing_column_is_named(scenario):
    table = pumps()
    columns = {name: one for name, one in table.columns.items() if name != "site"}
    with pytest.raises(InputError, match="site, of type category") as caught:
        deal(scenario, replace(table, columns=columns))
    assert caught.value.place.field == "contract.columns[2]"


def test_an_exclusion_by_an_unknown_column_is_refused(scenario):
    exclude = (msgspec.structs.replace(scenario.exclude[0], column="result"),)
    with pytest.raises(InputError, match="column of an exclusion"):
        deal(msgspec.structs.replace(scenario, exclude=exclude), pumps())


def test_another_unit_than_the_contract_says_is_refused(scenario):
    with pytest.raises(InputError, match="role unit"):
        deal(splits(scenario, unit="site"), pumps())
