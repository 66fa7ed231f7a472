"""Staging: where bind sources lie once the launcher has dropped root. FORMATS section 10.

A folder below a 0700 home cannot be reached by a pool uid, whatever its own permissions. So root shows every source on
a 0755 tmpfs in the launcher's own mount namespace; without the right to mount, what cannot be reached is copied. An
ordinary user keeps its uid and needs none of this.
"""

from __future__ import annotations

import os
import stat
import tempfile
from functools import cache
from pathlib import Path

from pilotbase.supports.compute import linux
from pilotbase.supports.compute.interpreter import SYSTEM
from pilotbase.supports.compute.order import StagedItem, Staging

_MOUNTED = "/tmp"  # noqa: S108 - covered by a tmpfs in the launcher's own mount namespace only
_COPIES = "/var/tmp"  # noqa: S108 - others can enter it; the folder made there is fresh and root's own
_READ, _ENTER = 0o004, 0o001


class Stage:
    """The places that bwrap is given for sources of the host."""

    def place(self, source: Path, hidden: tuple[Path, ...] = ()) -> str:
        """Return the path of a folder of the interpreter, as the launcher sees it after its drop.

        ``hidden`` are folders of it whose content a cell never sees.
        """
        del hidden
        return str(source)

    def place_tree(self, source: Path) -> str:
        """Return the path of a folder in which anything may shut others out."""
        return str(source)

    def place_as(self, source: Path, name: str) -> str:
        """Place a source under a name that matters, such as a program that finds its library beside it."""
        del name
        return str(source)

    def order(self) -> Staging | None:
        """Return what the launcher must stage."""
        return None

    def discard(self) -> None:
        """Take back what was made here, when no supervisor was started that would."""


class _Staged(Stage):
    """What both ways of staging share."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.items: list[StagedItem] = []

    def place(self, source: Path, hidden: tuple[Path, ...] = ()) -> str:
        if source.is_relative_to(SYSTEM):
            return str(source)
        mine = [str(path.relative_to(source)) for path in hidden if path.is_relative_to(source)]
        return self._stage(source, "", is_open=_is_open(source.stat().st_mode), hidden=mine)

    def place_tree(self, source: Path) -> str:
        return self._stage(source, "", is_open=open_to_others(source), hidden=[])

    def place_as(self, source: Path, name: str) -> str:
        return self._stage(source, name, is_open=_is_open(source.stat().st_mode), hidden=[])

    def _stage(self, source: Path, name: str, *, is_open: bool, hidden: list[str]) -> str:
        raise NotImplementedError

    def _add(self, source: Path, name: str, *, copied: bool, hidden: list[str]) -> str:
        place = name or str(len(self.items))
        self.items.append({"source": str(source), "name": place, "copied": copied, "hidden": hidden})
        return f"{self.root}/{place}"


class MountedStage(_Staged):
    """Sources bound on a tmpfs; those that shut others out are copied onto it."""

    def __init__(self) -> None:
        """Stage below a folder that every system has."""
        super().__init__(_MOUNTED)

    def _stage(self, source: Path, name: str, *, is_open: bool, hidden: list[str]) -> str:
        return self._add(source, name, copied=not is_open, hidden=hidden)

    def order(self) -> Staging:
        """Return what to mount."""
        return {"by": "mount", "root": self.root, "items": self.items}


class CopiedStage(_Staged):
    """Sources copied to a fresh folder, save those that others can reach and read where they are."""

    def __init__(self) -> None:
        """Make the folder; the supervisor removes it when the cell is empty."""
        super().__init__(tempfile.mkdtemp(prefix="pilotbase-", dir=_COPIES))
        Path(self.root).chmod(0o711)

    def _stage(self, source: Path, name: str, *, is_open: bool, hidden: list[str]) -> str:
        if is_open and _reachable(source):
            return str(source)
        return self._add(source, name, copied=True, hidden=hidden)

    def order(self) -> Staging:
        """Return what to copy."""
        return {"by": "copy", "root": self.root, "items": self.items}

    def discard(self) -> None:
        """Remove the folder, which is empty as yet."""
        Path(self.root).rmdir()


def choose(*, drops: bool) -> Stage:
    """Return the way of staging that this process can do."""
    if not drops:
        return Stage()
    return MountedStage() if linux.may_mount() else CopiedStage()


def open_to_others(source: Path) -> bool:
    """Say whether any uid could read a source, its own permissions alone considered."""
    state = source.stat()
    return _open_to_others(str(source), state.st_dev, state.st_ino, state.st_ctime_ns)


@cache
def _open_to_others(source: str, device: int, inode: int, changed: int) -> bool:
    """Walk a tree once; asked again for the same folder, unchanged, the answer stands."""
    del device, inode, changed
    if not _is_open(Path(source).stat().st_mode):
        return False
    for folder, folders, names in os.walk(source):
        states = [os.lstat(f"{folder}/{name}") for name in (*folders, *names)]
        if not all(_is_open(entry.st_mode) for entry in states):
            return False
    return True


def _is_open(mode: int) -> bool:
    """Say whether the permissions of one entry let any uid read it; a link has none of its own."""
    if stat.S_ISLNK(mode):
        return True
    wanted = _READ | _ENTER if stat.S_ISDIR(mode) else _READ
    return mode & wanted == wanted


def _reachable(source: Path) -> bool:
    """Say whether any uid could reach a source by its path."""
    return all(parent.stat().st_mode & _ENTER for parent in source.parents)
