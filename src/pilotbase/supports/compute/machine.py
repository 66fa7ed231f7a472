"""The machine: facts that numbers may depend on, and the variables that every cell is given.

BLAS settings change results in the last bits (kernel choice, cache size, thread count): they are passed or pinned, and
always recorded, so that a replay can be compared.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from pilotbase.pilot.trace import Environment

PINNED = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/tmp",  # noqa: S108 - the cell's own
    "LANG": "C.UTF-8",
    "USER": "cell",
    "PYTHONHASHSEED": "0",  # the order of sets, the same in every run
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}

_PASSED = re.compile(r"(OPENBLAS|MKL)_[A-Z0-9_]{1,40}")
_VALUE = re.compile(r"[A-Za-z0-9_.,:+-]{1,64}")
_DISTRIBUTION = re.compile(r"([A-Za-z0-9._]{1,80})-([A-Za-z0-9._+!]{1,40})\.dist-info")


def variables(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables of a cell: the host's BLAS settings, then the pinned ones, then those of one cell."""
    passed = {name: value for name, value in os.environ.items() if _PASSED.fullmatch(name) and _VALUE.fullmatch(value)}
    return dict(sorted((passed | PINNED | dict(extra or {})).items()))


def environment(folder: Path | None = None) -> Environment:
    """Return the facts of this machine, with the packages of one environment (``environment.build``)."""
    return Environment(
        system=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        processor=_processor(),
        cores=_cores(),
        python=platform.python_version(),
        packages=packages(folder) if folder else {},
        variables=variables(),
    )


def packages(folder: Path) -> dict[str, str]:
    """Return name and version of every package in an environment, read from folder names: no foreign file is opened."""
    found = [_DISTRIBUTION.fullmatch(path.name) for path in sorted(folder.iterdir())]
    return {match[1].lower().replace("_", "-"): match[2] for match in found if match}


def _cores() -> int:
    """Return the cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    source = Path("/proc/cpuinfo")
    if source.is_file():
        for line in source.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
