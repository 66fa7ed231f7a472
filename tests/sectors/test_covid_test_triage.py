"""The first pack: its text reads, its loader writes a table that fits, and refuses what it was not written for."""

from __future__ import annotations

import json
from decimal import Decimal
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.pilot.document import read_toml
from pilotbase.pilot.scenario import Scenario
from pilotbase.sectors import healthcare
from pilotbase.sectors.healthcare.covid_test_triage import loader
from pilotbase.supports.data.columns import check_fit, truth
from pilotbase.supports.data.table import read_table
from pilotbase.supports.opensource.lock import check_lock

PACK = Path(str(files("pilotbase.sectors.healthcare.covid_test_triage")))


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    path = PACK / "scenario.toml"
    return read_toml(path.read_bytes(), Scenario, str(path))


def test_the_sector_names_its_packs() -> None:
    for name in healthcare.PACKS:
        assert import_module(f"{healthcare.__name__}.{name}")
        folder = Path(str(files(healthcare))) / name
        wanted = {"scenario.toml", "loader.py", "requirements.lock", "README.md", "README.zh.md"}
        assert wanted <= {path.name for path in folder.iterdir()}


def test_what_is_known_later_or_names_a_person_is_never_served(scenario: Scenario) -> None:
    role = {column.name: column.role for column in scenario.contract.columns}
    assert {name for name, it in role.items() if it == "judge_only"} == {
        "result",
        "ct_result",
        "rec_ver_tat",
        "fake_first_name",
        "fake_last_name",
    }
    assert (role["subject_id"], role["gender"], role["positive"]) == ("unit", "group", "target")
    for column in scenario.contract.columns:
        assert column.role != "input" or column.known_at == "decision"
        assert not column.name.startswith("fake_") or not column.vocabulary


def test_the_bars_are_those_of_the_readme(scenario: Scenario) -> None:
    bars = {one.id: (one.op, one.threshold, one.margin) for stage in scenario.stages for one in stage.criteria}
    assert bars["auroc"] == (">=", Decimal("0.73"), Decimal("0.03"))
    assert bars["brier"] == ("<=", Decimal("0.06"), Decimal(0))
    assert bars["sensitivity_gap"] == ("<=", Decimal("0.20"), Decimal(0))
    splits = scenario.splits
    assert (splits.sample, splits.diagnostic, splits.hidden) == (Decimal("0.5"), Decimal("0.1"), Decimal("0.4"))
    for name in ("README.md", "README.zh.md"):
        text = (PACK / name).read_text(encoding="utf-8")
        assert all(f"{threshold:f}" in text for _, threshold, _ in list(bars.values())[:3])
        assert scenario.splits.salt in text


def test_the_lock_holds_hashes_and_no_address() -> None:
    lock = (PACK / "requirements.lock").read_bytes()
    assert not check_lock(lock)
    assert b"://" not in lock


def source(**changed: list[object]) -> dict[str, np.ndarray]:
    """Four specimens of three subjects, not in order of day; as the package gives them: objects, NaN = missing."""
    nan = float("nan")
    columns: dict[str, list[object]] = {
        "subject_id": [7, 9, 7, 8],
        "pan_day": [30, 10, 10, 20],
        "age": [1.5, 0.0, 1.4, nan],
        "clinic_name": ["picu", "nicu", "picu", "emergency dept"],
        "test_id": ["covid"] * 4,
        "demo_group": ["patient"] * 4,
        "drive_thru_ind": [0, 1, 0, 1],
        "orderset": [1, 1, 0, 0],
        "payor_group": ["commercial", nan, nan, "other"],
        "patient_class": [nan, "inpatient", nan, nan],
        "col_rec_tat": [1.0, 2.0, 3.0, -0.0],
        "gender": ["male", "female", "male", "female"],
        "result": ["positive", "negative", "invalid", "negative"],
        "ct_result": [20.0, 45.0, nan, 45.0],
        "rec_ver_tat": [5.0, 4.0, 3.0, -2.0],
        "fake_first_name": ["shae", "osha", "shae", nan],
        "fake_last_name": ["snow", "sand", "snow", "tully"],
        "rownames": [1, 2, 3, 4],
    }
    return {name: np.array(values, dtype=object) for name, values in (columns | changed).items()}


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "ROWS", 4)


@pytest.mark.usefixtures("four")
def test_rows_are_ordered_by_day_then_as_in_the_source() -> None:
    columns = loader.table(source())
    assert columns["pan_day"].array.tolist() == [10, 10, 20, 30]
    assert columns["subject_id"].array.tolist() == [9, 7, 8, 7]
    np.testing.assert_array_equal(columns["positive"].array, [0.0, np.nan, 0.0, 1.0])


@pytest.mark.usefixtures("four")
def test_words_become_codes_and_what_is_missing_stays_missing() -> None:
    columns = loader.table(source())
    assert columns["payor_group"].words == ["commercial", "other"]
    assert columns["payor_group"].array.tolist() == [-1, -1, 1, 0]
    age = columns["age"].array
    assert age.dtype == np.dtype("<f8")
    assert age[np.isnan(age)].tobytes() == np.array([np.nan]).tobytes()
    assert not np.signbit(columns["col_rec_tat"].array).any()


@pytest.mark.usefixtures("four")
def test_what_is_written_is_a_table_that_fits_the_contract(scenario: Scenario, tmp_path: Path) -> None:
    loader.write(loader.table(source()), tmp_path / "table")
    header = (tmp_path / "table/header.json").read_bytes()
    assert canonical_bytes(json.loads(header)) == header
    table = read_table(tmp_path / "table")
    check_fit(scenario, table)
    assert list(table.columns) == [column.name for column in scenario.contract.columns]
    with pytest.raises(Exception, match="missing"):
        truth(scenario, table)  # the invalid test must be excluded first


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("changed", "said"),
    [({"result": ["positive", "maybe", "negative", "negative"]}, "maybe"), ({"result": ["positive"] * 3}, "3 / 4")],
)
def test_other_data_is_refused(changed: dict[str, list[object]], said: str) -> None:
    with pytest.raises(loader.DataError, match=said):
        loader.table(source(**changed))


def test_a_missing_column_is_named() -> None:
    columns = source()
    del columns["pan_day"]
    with pytest.raises(loader.DataError, match="pan_day"):
        loader.table(columns)


class Package:
    """A package whose data file is another one."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def locate_file(self, name: str) -> Path:
        return self.root / name


def test_a_file_with_another_digest_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / loader.SOURCE
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not that file")
    monkeypatch.setattr(loader, "distribution", lambda _: Package(tmp_path))
    assert loader.main([str(tmp_path / "out")]) == 65
    assert loader.SOURCE_SHA256 in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_wrong_call_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert loader.main([]) == 64
    assert "loader.py OUT" in capsys.readouterr().err
