"""What verification costs: ``python bench/verify.py DOSSIER KEYS``.

Wall time of the twelve steps, of either verifier, inside one process; beside it reading and hashing the same
bytes once, in turn, in one run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pilotbase.evidence.keyfiles import load_ring
from pilotbase.pilot.dossier import read_copy
from pilotbase.pilot.verify import verify

ROUNDS = 5


def _second() -> Callable[[Path, Path], object]:
    path = Path(__file__).parents[1] / "docs" / "spec" / "verifier.py"
    spec = importlib.util.spec_from_file_location("second_verifier", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules["second_verifier"] = module
    spec.loader.exec_module(module)
    return module.verify


def main() -> None:
    """Print medians and ratios."""
    dossier, trust = Path(sys.argv[1]), Path(sys.argv[2])
    ring, second = load_ring(trust), _second()
    cases: dict[str, Callable[[], object]] = {
        "read and hash": lambda: [
            hashlib.sha256(path.read_bytes()).digest() for path in dossier.rglob("*") if path.is_file()
        ],
        "verify": lambda: verify(read_copy(dossier), ring, datetime.now(UTC)),
        "second verifier": lambda: second(dossier, trust),
    }
    took: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(ROUNDS + 1):
        for name, case in cases.items():
            began = time.perf_counter()
            case()
            took[name].append(time.perf_counter() - began)
    raw = statistics.median(took["read and hash"][1:])
    for name, times in took.items():
        median = statistics.median(times[1:])
        print(f"{name:16s} {1000 * median:8.1f} ms   {median / raw:8.1f} x reading and hashing")


if __name__ == "__main__":
    main()
