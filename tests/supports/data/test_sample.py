from __future__ import annotations

import csv

import numpy as np
import pytest
from pump_samples import category, number, pumps

from pilotbase.foundation.digests import keyed
from pilotbase.foundation.errors import InputError
from pilotbase.supports.data.columns import coded
from pilotbase.supports.data.sample import UNLISTED, counts, export
from pilotbase.supports.data.splits import deal


@pytest.fixture
def sample(scenario):
    return deal(scenario, pumps()).tables["sample"]


@pytest.fixture
def rows(scenario, sample, tmp_path):
    export(scenario, sample, tmp_path / "out/sample.csv")
    with (tmp_path / "out/sample.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_only_what_may_be_seen_is_exported(rows):
    assert list(rows[0]) == ["pump_id", "temperature", "site", "hours", "line", "failed"]


def test_inputs_are_those_that_a_candidate_sees(scenario, sample, rows):
    """Reading the export back gives the very codes and numbers that custody serves."""
    for column in scenario.columns("input"):
        found = sample.columns[column.name]
        if column.known_at == "later":
            continue
        texts = [row[column.name] for row in rows]
        if column.type == "number":
            np.testing.assert_array_equal([float(text) if text else np.nan for text in texts], found.values)
        else:
            code = {word: number for number, word in enumerate(column.vocabulary)} | {"": -1, UNLISTED: -2}
            assert [code[text] for text in texts] == coded(column, found).tolist()


def test_foreign_words_never_leave(rows):
    assert {row["site"] for row in rows} == {"", "north", "south", "west", UNLISTED}


def test_units_are_rekeyed_and_stay_together(sample, rows):
    units = sample.columns["pump_id"].values
    names = [row["pump_id"] for row in rows]
    assert len(set(names)) == len(set(zip(names, units.tolist(), strict=True))) == len(np.unique(units))
    assert not set(names) & {str(int(unit)) for unit in units}
    assert names[0] == keyed(b"pump-failure/1", b"unit", str(int(units[0])).encode()).hex()[:16]


def test_counts(scenario, sample, rows):
    found = counts(scenario, sample)
    assert found.rows == len(rows)
    assert found.units == len({row["pump_id"] for row in rows})
    assert found.positives == sum(row["failed"] == "yes" for row in rows) > 0
    assert found.groups == {"line": {word: sum(row["line"] == word for row in rows) for word in ("old", "new")}}


def test_an_export_is_replaced_whole(scenario, sample, tmp_path):
    (tmp_path / "sample.csv").write_text("old")
    export(scenario, sample, tmp_path / "sample.csv")
    assert (tmp_path / "sample.csv").read_text(encoding="utf-8").startswith("pump_id,")
    assert [path.name for path in tmp_path.iterdir()] == ["sample.csv"]


def test_words_with_commas_quotes_and_lines_come_back(scenario, tmp_path):
    words = ('a,"b"', "c\nd", "=1+1")
    column = scenario.contract.columns[2]
    odd = type(column)(**{name: getattr(column, name) for name in column.__struct_fields__} | {"vocabulary": words})
    columns = (*scenario.contract.columns[:2], odd, *scenario.contract.columns[3:])
    contract = type(scenario.contract)(columns=columns, output=scenario.contract.output, batch_rows=8)
    changed = type(scenario)(
        **{name: getattr(scenario, name) for name in scenario.__struct_fields__} | {"contract": contract}
    )
    table = pumps(60, site=category(words, np.arange(60) % 3), failed=category(("no", "yes"), np.arange(60) % 2))
    export(changed, table, tmp_path / "sample.csv")
    with (tmp_path / "sample.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["site"] for row in csv.DictReader(stream)][:3] == list(words)


def test_a_table_that_does_not_fit_is_refused(scenario, tmp_path):
    with pytest.raises(InputError, match="does not have this column"):
        export(scenario, pumps(20, hours=category((), [-1] * 20)), tmp_path / "sample.csv")
    with pytest.raises(InputError, match="neither of the two"):
        counts(scenario, pumps(20, failed=category(("no",), [-1] * 20)))
    assert not list(tmp_path.iterdir())
    assert number([1.5]).values.dtype == np.float64
