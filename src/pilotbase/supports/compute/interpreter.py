"""The interpreter of a cell: this process's own base interpreter, without anything that is installed beside it.

Bound are its ``bin`` and ``lib`` folders at their own path; folders of installed packages are covered by an empty one,
so that a candidate sees the standard library, its own environment and nothing else.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from pilotbase.foundation.errors import IsolationError
from pilotbase.foundation.text import Text, printable

FLAGS = ("-S", "-P", "-B")  # no site packages, no script folder on the path, no byte code written
SYSTEM = Path("/usr")

_INSTALLED = ("site-packages", "dist-packages")
_IDLE = ("test", "config-*")  # nobody runs these, and they are most of what a copy would take


@dataclass(frozen=True, slots=True)
class Interpreter:
    """Where Python lies, and what a cell must bind to run it."""

    program: Path
    folders: tuple[Path, ...]
    """To bind at their own path; empty when all lies below /usr, which every cell has."""
    hidden: tuple[Path, ...]
    """Folders of installed packages, and idle ones, to be covered."""


def base() -> Path:
    """Return the base interpreter of this process, as it names it itself."""
    return Path(getattr(sys, "_base_executable", "") or sys.executable)


def find() -> Interpreter:
    """Return the base interpreter of this process. Raises IsolationError where it cannot be found."""
    prefix = Path(sys.base_prefix).resolve()
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    named = (base(), Path(sys.executable), prefix / "bin" / version)
    programs = [path for name in named if (path := name.resolve()).is_relative_to(prefix)]
    found = next((path for path in programs if path.is_file()), None)
    if found is None or prefix == Path(prefix.anchor):
        raise IsolationError(
            Text(zh="找不到可放入沙箱的 Python 解释器", en="no Python interpreter that a cell could use"),
            found=printable(f"{sys.executable}, {prefix}"),
            expected=Text(zh="位于自身安装目录内的解释器", en="an interpreter inside its own installation folder"),
            remedy=Text(
                zh="请用常规安装的 Python 3.11+ 重建虚拟环境", en="make the venv anew from a regular Python 3.11+"
            ),
        )
    own = () if prefix.is_relative_to(SYSTEM) else _parts(prefix)
    roots = (*own, *_parts(SYSTEM), *_parts(SYSTEM / "local"))
    hidden = [folder for root in roots for folder in _matching(root, _INSTALLED)]
    hidden += [folder for root in own for folder in _matching(root, _IDLE)]
    return Interpreter(program=found, folders=own, hidden=tuple(dict.fromkeys(hidden)))


def _parts(prefix: Path) -> tuple[Path, ...]:
    """Return the folders of an installation that hold programs and libraries; a link to one of them is not a second."""
    return tuple(path for name in ("bin", "lib", "lib64") if (path := prefix / name).is_dir() and not path.is_symlink())


def _matching(root: Path, patterns: tuple[str, ...]) -> list[Path]:
    return [path for pattern in patterns for path in sorted(root.glob(f"python3*/{pattern}")) if path.is_dir()]
