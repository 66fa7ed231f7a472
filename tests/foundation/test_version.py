"""The release is written in one place, and what is installed says the same."""

from __future__ import annotations

import re
from importlib.metadata import version

from pilotbase.foundation.version import VERSION


def test_the_version_is_a_semantic_one():
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)


def test_what_is_installed_has_this_version():
    assert version("pilotbase") == VERSION
