"""What a release signed must verify for ever: one dossier of each release, kept as it was. FORMATS section 3."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pilotbase.evidence.keyfiles import load_ring
from pilotbase.pilot.dossier import read_copy
from pilotbase.pilot.verify import verify

RELEASES = sorted(path for path in Path(__file__).parent.iterdir() if (path / "dossier").is_dir())


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_the_dossier_of_a_release_still_verifies(release: Path) -> None:
    report = verify(read_copy(release / "dossier"), load_ring(release / "keys.json"), datetime.now(UTC))
    assert report.verified, report.steps
    assert report.outcome == "accepted"


def test_there_is_a_release() -> None:
    assert RELEASES
