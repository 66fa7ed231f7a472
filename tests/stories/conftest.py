"""A base of its own for the stories: keys, the first scenario with its real data, and the example candidates, built.

It lies in ``.pilotbase-tests`` beside the source and is kept: setting it up needs the package index and a minute.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from story_base import CANDIDATES, HOME, ROOT, SCENARIO, Base

from pilotbase.base import verbs


@pytest.fixture(scope="session")
def base() -> Base:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PILOTBASE")}
    variables |= {"PILOTBASE_HOME": str(HOME), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    made = Base(HOME, variables)
    done = made.command("doctor")
    if done.returncode == 69:
        pytest.skip(f"needs isolation of level full: {done.stdout}")
    subprocess.run(
        ["sh", str(ROOT / "tools" / "candidates.sh"), str(Path(sys.executable).parent)],
        cwd=ROOT, env=variables, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return made


@pytest.fixture(scope="session")
def accepted(base: Base, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An honest dossier: the accepted example, piloted once for all stories that only read it."""
    out = tmp_path_factory.mktemp("accepted") / "dossier"
    issued = verbs.run(SCENARIO, CANDIDATES / "triage-boosting", out=out, environment=base.variables)
    assert issued.verdict.outcome == "accepted"
    return out


@pytest.fixture
def candidate() -> Callable[[str], Path]:
    return lambda name: CANDIDATES / name
