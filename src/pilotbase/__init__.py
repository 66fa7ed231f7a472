"""pilotbase: takes an AI application through a staged, isolated pilot on real data to a signed verdict.

>>> import pilotbase
>>> verdict = pilotbase.run("healthcare/covid-test-triage", "my-candidate")  # doctest: +SKIP
>>> verdict.outcome  # doctest: +SKIP
'accepted'

Names are loaded when they are first used, so that ``import pilotbase`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from pilotbase.foundation.version import VERSION as __version__  # noqa: N811 - the name that Python packages bear

if TYPE_CHECKING:
    from pilotbase.base.python import load_candidate, load_scenario, load_verdict, rehearse, run, verify

__all__ = ["__version__", "load_candidate", "load_scenario", "load_verdict", "rehearse", "run", "verify"]


def __getattr__(name: str) -> object:
    """Load a public name on first use."""
    if name in __all__:
        return getattr(import_module("pilotbase.base.python"), name)
    raise AttributeError(f"module 'pilotbase' has no attribute {name!r}")
