"""The command line of bubblewrap for one cell.

Source  reference for the order of options: bwrap(1); ``--size`` and ``--perms`` apply to the next option only,
``--remount-ro`` is not recursive, ``--dev`` mounts a tmpfs without a size, which is why it is remounted read-only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pilotbase.supports.compute.interpreter import SYSTEM

SHARED = 64 << 20  # bytes of /dev/shm
_LIBRARIES = ("lib", "lib32", "lib64", "libx32", "bin", "sbin")  # links into /usr, or folders of their own
_OPTIONAL = ("/etc/ld.so.cache", "/etc/alternatives", "/sys/devices/system/cpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What the cell holds; every source is a path that the launcher can reach after its drop."""

    binds: tuple[tuple[str, str], ...]
    """(source, target), read-only."""
    data: Mapping[str, int]
    """Target of each file that is given as a descriptor."""
    variables: Mapping[str, str]
    hidden: tuple[Path, ...]
    scratch: int
    out: int
    """Bytes of a writable /out; 0 = there is none."""
    seccomp: int
    """Descriptor of the filter."""


def arguments(inside: Inside, command: list[str]) -> list[str]:
    """Return the arguments of bwrap; ``command`` runs inside."""
    words = [
        *("--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"),
        *("--clearenv", "--cap-drop", "ALL", "--hostname", "cell"),
    ]
    for name, value in inside.variables.items():
        words += ["--setenv", name, value]
    words += _system()
    for source, target in inside.binds:
        words += ["--ro-bind", source, target]
    for path in inside.hidden:
        words += ["--size", "4096", "--tmpfs", str(path), "--remount-ro", str(path)]
    words += ["--proc", "/proc", "--dev", "/dev"]
    words += ["--size", str(min(SHARED, inside.scratch)), "--tmpfs", "/dev/shm"]  # noqa: S108 - inside the cell
    words += ["--size", str(inside.scratch), "--tmpfs", "/tmp"]  # noqa: S108
    if inside.out:
        words += ["--size", str(inside.out), "--tmpfs", "/out"]
    for target, handle in inside.data.items():
        words += ["--perms", "0444", "--ro-bind-data", str(handle), target]
    words += ["--chdir", "/tmp", "--remount-ro", "/dev", "--remount-ro", "/"]  # noqa: S108
    return [*words, "--seccomp", str(inside.seccomp), "--", *command]


def _system() -> list[str]:
    """Bind the system's programs and libraries as this distribution lays them out."""
    words = ["--ro-bind", str(SYSTEM), str(SYSTEM)]
    for name in _LIBRARIES:
        path = Path("/") / name
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            words += ["--ro-bind", str(path), str(path)]
    for name in _OPTIONAL:
        words += ["--ro-bind-try", name, name]
    return words
