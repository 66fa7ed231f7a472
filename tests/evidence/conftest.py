"""Keys and a ring for the tests of this room."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pilotbase.evidence.keys import KeyRing, SigningKey, enlist, new_signing_key

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def key() -> SigningKey:
    return new_signing_key()


@pytest.fixture
def ring(key) -> KeyRing:
    return enlist(KeyRing(), key, "中试基地 Pilot Base", START)
