"""A base of its own for every test of this room, and one whose dossier many tests only read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_base import CANDIDATE, SCENARIO, FakeCells, closing, make_base

from pilotbase.line.journey import Issued, run
from pilotbase.line.means import Means, Unwatched


@pytest.fixture
def means(tmp_path: Path) -> Iterator[Means]:
    made = make_base(tmp_path / "home")
    yield made
    closing(made)


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Means, Issued]]:
    """A base with one accepted dossier: for tests that change neither."""
    folder = tmp_path_factory.mktemp("kept")
    made = make_base(folder / "home")
    cells = FakeCells().cells
    yield made, run(made, SCENARIO, CANDIDATE, cells=cells, watch=Unwatched(), out=folder / "dossier")
    closing(made)
