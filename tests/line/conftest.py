"""A base of its own for every test of this room, and one whose dossier many tests only read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_base import a_dossier, closing, make_base

from pilotbase.line.journey import Issued
from pilotbase.line.means import Means


@pytest.fixture
def means(tmp_path: Path) -> Iterator[Means]:
    made = make_base(tmp_path / "home")
    yield made
    closing(made)


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Means, Issued]]:
    """A base with one accepted dossier: for tests that change neither."""
    with a_dossier(tmp_path_factory.mktemp("kept")) as made:
        yield made
