"""Build the example candidates: ``python examples/candidates/build.py SAMPLE.csv [--only NAME]``.

SAMPLE.csv is what ``pilotbase scenarios sample healthcare/covid-test-triage SAMPLE.csv`` writes. Each candidate that
learns has a ``build.py`` of its own; here they are run one after the other, each in its own process. What they need
to be built is in ``requirements.txt``; what they need to run is in each one's ``requirements.lock``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Build all candidates, or the one that is named; return the exit code of the first that fails."""
    names = sorted(card.parent.name for card in HERE.glob("*/candidate.toml"))
    parser = argparse.ArgumentParser(description="Build the example candidates.")
    parser.add_argument("sample", type=Path, metavar="SAMPLE.csv")
    parser.add_argument("--only", choices=names, metavar="NAME", help=", ".join(names))
    given = parser.parse_args()
    if not given.sample.is_file():
        parser.error(f"no such file: {given.sample}")
    for name in [given.only] if given.only else names:
        code = _build(name, given.sample.resolve())
        if code:
            print(f"{name}: failed / 失败", file=sys.stderr)
            return code
    return 0


def _build(name: str, csv: Path) -> int:
    script = HERE / name / "build.py"
    if not script.is_file():
        print(f"{name}: nothing to build / 无需构建")
        return 0
    began = time.perf_counter()
    code = subprocess.run([sys.executable, "-B", str(script), str(csv)], check=False).returncode
    print(f"{name}: {time.perf_counter() - began:.1f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
