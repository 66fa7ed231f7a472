"""How long a person waits before anything happens: ``python bench/start.py``.

Each figure is the median of five processes, beside a bare ``python -c pass`` measured in the same run, in turn.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 5
CASES = {
    "python -c pass": ["-c", "pass"],
    "import pilotbase": ["-c", "import pilotbase"],
    "pilotbase --help": ["-m", "pilotbase", "--help"],
    "import pilotbase.pilot.verify": ["-c", "import pilotbase.pilot.verify"],
    "import numpy": ["-c", "import numpy"],
}


def measure() -> dict[str, float]:
    """Return the median wall time of each case, in seconds."""
    took: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(ROUNDS + 1):  # the first round warms the caches and is left out
        for name, words in CASES.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
            took[name].append(time.perf_counter() - began)
    return {name: statistics.median(times[1:]) for name, times in took.items()}


def main() -> None:
    """Print each case, what it costs beyond bare Python, and the ratio to it."""
    medians = measure()
    bare = medians["python -c pass"]
    for name, took in medians.items():
        print(f"{name:32s} {1000 * took:7.0f} ms   +{1000 * (took - bare):6.0f} ms   {took / bare:5.1f} x bare")


if __name__ == "__main__":
    main()
