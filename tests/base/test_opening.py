"""Opening a base, and the ways in which code of others runs here; those that need no isolation, with real processes."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_base import HIDDEN, PACK, Place, Ticking, closing, make_pack, variables

from pilotbase.base.keyring import init
from pilotbase.base.opening import NO_ISOLATION, open_base, plain_cells, plain_loading
from pilotbase.foundation.errors import InputError
from pilotbase.line.install import load_pack, read_pack
from pilotbase.store.home import home


def test_a_base_without_keys_is_told_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_base(variables(tmp_path / "home"))
    assert caught.value.remedy is not None
    assert "keys init" in caught.value.remedy.zh


def test_a_base_opens_with_its_own_key_on_its_ring(tmp_path: Path) -> None:
    made = init("base", variables(tmp_path / "home"), Ticking())
    means = open_base(variables(tmp_path / "home"), Ticking())
    assert means.key.keyid == made.keyid
    assert means.ring.find(made.keyid) is not None
    assert len(means.secret) == 32
    assert means.ledger.pilots() == []
    closing(means)


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    init("base", variables(tmp_path / "home"), Ticking())
    home(variables(tmp_path / "home")).signing_key.chmod(0o644)
    with pytest.raises(InputError):
        open_base(variables(tmp_path / "home"))


def test_ordinary_processes_are_never_called_isolated(fresh: Place) -> None:
    cells = plain_cells(home(fresh.variables), None)
    assert cells.isolation is NO_ISOLATION
    assert cells.isolation.level == "none"
    assert cells.isolation.layers == ()


def test_a_loader_runs_as_a_process_of_its_own(fresh: Place) -> None:
    dealt = load_pack(read_pack(PACK), plain_loading(home(fresh.variables), None))
    assert dealt.whole == read_pack(PACK).scenario.data.table
    assert dealt.rows["hidden"] == HIDDEN


def test_a_loader_that_fails_is_told_with_its_last_words_made_harmless(fresh: Place, tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack")
    (pack / "loader.py").write_text("import sys\nsys.stderr.write('\\x1b[2Jboom')\nsys.exit(3)\n")
    with pytest.raises(InputError) as caught:
        load_pack(read_pack(pack), plain_loading(home(fresh.variables), None))
    assert "boom" in caught.value.found
    assert caught.value.found.isprintable()
    assert caught.value.place.file.endswith("loader.py")


def test_a_loader_that_leaves_nothing_is_bad_input(fresh: Place, tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack")
    (pack / "loader.py").write_text("pass\n")
    with pytest.raises(InputError):
        load_pack(read_pack(pack), plain_loading(home(fresh.variables), None))
