"""A base with the small scenario, on which ordinary processes can run the candidate; and one with a dossier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_base import Place, a_fresh_place, a_place


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One that no test changes."""
    with a_place(tmp_path_factory.mktemp("place")) as made:
        yield made


@pytest.fixture
def fresh(tmp_path: Path) -> Place:
    return a_fresh_place(tmp_path)
