"""Plug-in names: one name, one plug-in; unknown groups refused; nothing is loaded."""

from __future__ import annotations

import sys

import pytest

from pilotbase.foundation.errors import InputError
from pilotbase.foundation.plug import GROUPS, installed


def install(folder, package: str, lines: str) -> None:
    """Lay down what an installed package leaves behind: its metadata."""
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[pilotbase.sectors]\n{lines}\n", encoding="utf-8")


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    return tmp_path


def test_an_unknown_group_is_refused():
    assert GROUPS
    with pytest.raises(InputError) as caught:
        installed("pilotbase.surprises")
    assert caught.value.found == "pilotbase.surprises"


@pytest.mark.usefixtures("site")
def test_nothing_installed_is_an_empty_answer():
    assert installed("pilotbase.sectors") == {}


def test_plug_ins_are_found_by_name_and_not_loaded(site):
    install(site, "one", "energy = no_such_module")
    install(site, "two", "finance = another_missing")
    found = installed("pilotbase.sectors")
    assert {name: point.value for name, point in found.items()} == {
        "energy": "no_such_module",
        "finance": "another_missing",
    }
    assert not {"no_such_module", "another_missing"} & set(sys.modules)


def test_two_packages_that_offer_one_name_are_refused(site):
    install(site, "one", "energy = a")
    install(site, "two", "energy = b")
    with pytest.raises(InputError) as caught:
        installed("pilotbase.sectors")
    assert "energy" in caught.value.found
    assert caught.value.remedy is not None
