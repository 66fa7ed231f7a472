"""Healthcare packs."""

from __future__ import annotations

PACKS: tuple[str, ...] = ("covid_test_triage",)
"""Folders of this package, one scenario pack each."""
