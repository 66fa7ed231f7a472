"""The base of the stories, and the real command line on it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".pilotbase-tests"
SCENARIO = "healthcare/covid-test-triage"
CANDIDATES = ROOT / "examples" / "candidates"


@dataclass(frozen=True)
class Base:
    """The base of the stories, and the command line on it."""

    home: Path
    variables: dict[str, str]

    @property
    def ring(self) -> Path:
        return self.home / "keys" / "keys.json"

    def command(self, *words: object, **more: str) -> subprocess.CompletedProcess[str]:
        """Run one command of the real program; its language is English unless asked otherwise."""
        return subprocess.run(
            [sys.executable, "-m", "pilotbase", *map(str, words)],
            env=self.variables | more, capture_output=True, text=True, check=False, timeout=280,
        )  # fmt: skip
