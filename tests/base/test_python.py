"""The Python door: the package's root offers the verbs with plain arguments, and costs nothing until they are used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fake_base import CANDIDATE, PACK, SCENARIO, Place

import pilotbase
from pilotbase.foundation.errors import InputError, IsolationError


@pytest.fixture
def here(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("PILOTBASE_HOME", place.variables["PILOTBASE_HOME"])
    return place


def test_the_verbs_stand_at_the_root() -> None:
    assert set(pilotbase.__all__) == {
        "__version__", "load_candidate", "load_scenario", "load_verdict", "rehearse", "run", "verify",
    }  # fmt: skip
    for name in pilotbase.__all__:
        assert getattr(pilotbase, name)
    with pytest.raises(AttributeError):
        _ = pilotbase.nothing  # type: ignore[attr-defined]


def test_importing_costs_next_to_nothing() -> None:
    code = "import sys; import pilotbase; print(len([name for name in sys.modules if name.startswith('pilotbase')]))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert int(done.stdout) <= 3


def test_loaders_read_what_people_wrote(tmp_path: Path) -> None:
    assert pilotbase.load_scenario(PACK / "scenario.toml").id == SCENARIO
    assert pilotbase.load_candidate(str(CANDIDATE / "candidate.toml")).id == "torque-watch"
    (tmp_path / "s.toml").write_bytes((PACK / "scenario.toml").read_bytes().replace(b"margin = 0.05", b"margin = -1"))
    with pytest.raises(InputError) as caught:
        pilotbase.load_scenario(tmp_path / "s.toml")
    assert caught.value.place.line > 0
    for load in (pilotbase.load_scenario, pilotbase.load_candidate):
        with pytest.raises(InputError) as caught:
            load(tmp_path / "missing.toml")
        assert caught.value.place.file.endswith("missing.toml")


def test_a_verdict_and_its_verification(here: Place) -> None:
    assert pilotbase.load_verdict(here.dossier).outcome == "accepted"
    assert pilotbase.verify(str(here.dossier)).verified
    assert pilotbase.verify(here.dossier, trust=here.home / "keys" / "keys.json").outcome == "accepted"


def test_a_rehearsal(here: Place) -> None:
    assert here.home.is_dir()
    assert pilotbase.rehearse(SCENARIO, CANDIDATE).planned == 13


def test_a_run_of_what_cannot_be_read_is_told(here: Place, tmp_path: Path) -> None:
    with pytest.raises((InputError, IsolationError)):  # the latter where this machine cannot isolate
        pilotbase.run(SCENARIO, tmp_path / "nothing", out=tmp_path / "d")
    assert here.dossier.is_dir()
