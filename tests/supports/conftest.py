"""A small scenario for the supports: pumps that fail, two lines, three sites, several inspections of one pump."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from pilotbase.foundation.text import Text
from pilotbase.pilot.candidate import Asks, Candidate, Card, Run
from pilotbase.pilot.document import read_toml
from pilotbase.pilot.scenario import Scenario

PUMP = Path(__file__).parent / "pump.toml"


@pytest.fixture
def scenario() -> Scenario:
    return read_toml(PUMP.read_bytes(), Scenario, str(PUMP))


@pytest.fixture
def make_candidate() -> Callable[..., Candidate]:
    """Make a candidate; keywords change the parts of ``run`` and ``asks``."""

    def make(**changes: object) -> Candidate:
        threshold = changes.pop("threshold", None)
        run = Run(
            adapter=changes.pop("adapter", "python"),
            entry=changes.pop("entry", "predict:predict"),
            threshold=None if threshold is None else Decimal(str(threshold)),
        )
        asks = Asks(
            inputs=tuple(changes.pop("inputs", ("temperature", "site", "hours"))),
            output=("score", "decision"),
        )
        text = Text(zh="测试", en="test")
        candidate = Candidate(
            schema=Candidate.SCHEMA, id="pump-watch", version="1.0.0", kind="predict", licence="Apache-2.0",
            run=run, asks=asks, card=Card(summary=text, trained_on=text),
        )  # fmt: skip
        return msgspec.structs.replace(candidate, **changes)

    return make
