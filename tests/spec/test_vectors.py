"""Both verifiers against the published vectors: honest dossiers hold, each broken one fails at its step."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from second_verifier import V

from pilotbase.evidence.keyfiles import load_ring
from pilotbase.pilot.dossier import read_copy
from pilotbase.pilot.verify import verify

VECTORS = Path(__file__).parents[2] / "docs" / "spec" / "vectors"
KEYS = VECTORS / "keys.json"
EXPECTED = json.loads((VECTORS / "expected.json").read_text(encoding="utf-8"))
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def test_every_vector_is_expected_and_every_expected_one_is_there() -> None:
    there = {f"{path.parent.name}/{path.name}" for kind in ("honest", "broken") for path in (VECTORS / kind).iterdir()}
    assert there == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_first_verifier(name: str) -> None:
    report = verify(read_copy(VECTORS / name), load_ring(KEYS), NOW)
    step, outcome = EXPECTED[name]["fails_at"], EXPECTED[name]["outcome"]
    assert report.failed[:1] == (() if step is None else (step,)), report.steps
    assert report.outcome == outcome


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_second_verifier(name: str) -> None:
    result = V.verify(VECTORS / name, KEYS)
    step, outcome = EXPECTED[name]["fails_at"], EXPECTED[name]["outcome"]
    failed = [one.number for one in result.steps if one.status == V.FAILED]
    assert failed[:1] == ([] if step is None else [step]), result.steps
    assert not outcome or result.outcome == outcome
