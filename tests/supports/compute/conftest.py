"""Parts of the system that tests here need; a test that needs a missing one is skipped by its name."""

from __future__ import annotations

import atexit
import os
import platform
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest
from cell_samples import HEADER

from pilotbase.supports.compute import linux
from pilotbase.supports.compute.selftest import self_test


@pytest.fixture(scope="session")
def state() -> Path:
    """Return a state folder of the whole session: the self-test runs once."""
    return _state()


@cache
def _state() -> Path:
    folder = tempfile.mkdtemp(prefix="pilotbase-state-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@cache
def missing(name: str) -> str:
    """Return why a part is missing, or nothing."""
    if name == "cell":
        found = self_test(_state())
        faults = [f"{layer.name}: {layer.detail.en}" for layer in found.layers if layer.required and not layer.present]
        # A cell that starts and has a hole must fail its tests, not skip them.
        return "; ".join(faults) if found.bubblewrap == "" else ""
    if name == "root":
        return "" if platform.system() == "Linux" and os.geteuid() == 0 and linux.may_mount() else "not root"
    if name == "header":
        return "" if HEADER.is_file() else f"{HEADER} is not there"
    raise AssertionError(f"unknown part {name}")


@pytest.fixture(autouse=True)
def _needs(request: pytest.FixtureRequest) -> None:
    for mark in request.node.iter_markers("needs"):
        if reason := missing(mark.args[0]):
            pytest.skip(f"needs {mark.args[0]}: {reason}")
