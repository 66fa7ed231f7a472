"""Where the targets of a spec lie on a machine without a cell, and how its interpreter is started there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from pilotbase.supports.compute import interpreter, machine
from pilotbase.supports.compute.cell import CellSpec
from pilotbase.supports.compute.child import Child

_SCRATCH = "/tmp"  # noqa: S108 - a target, not a place of this machine
_KEPT = ("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "DYLD_LIBRARY_PATH")  # without them no program starts on some systems


class Room:
    """Real places for the targets of one spec."""

    def __init__(self, spec: CellSpec, folder: Path) -> None:
        """Lay out files and folders below a fresh folder."""
        self._spec = spec
        self._folder = folder
        self._real = {mount.target: str(mount.source.resolve()) for mount in spec.mounts}
        self.add(_SCRATCH)
        for target, content in spec.files.items():
            path = folder / "files" / target[1:]
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            self._real[target] = str(path)

    def add(self, target: str) -> Path:
        """Add a fresh writable folder."""
        path = self._folder / "writable" / target[1:]
        path.mkdir(parents=True)
        self._real[target] = str(path)
        return path

    def start(self, stdin: int, stdout: IO[bytes] | int, stderr: IO[bytes] | int) -> Child:
        """Start the interpreter with the arguments of the spec."""
        command = [str(interpreter.base()), *interpreter.FLAGS, *map(self.real, self._spec.arguments)]
        return Child(command, self._real[_SCRATCH], self._variables(), (stdin, stdout, stderr))

    def real(self, word: str) -> str:
        """Return a word with the target at its beginning replaced by the real path."""
        for target, path in self._real.items():
            if word == target or word.startswith(f"{target}/"):
                return path + word[len(target) :].replace("/", os.sep)
        return word

    def _variables(self) -> dict[str, str]:
        own = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP"), self._real[_SCRATCH])
        own |= {name: os.environ[name] for name in _KEPT if name in os.environ}
        own["PATH"] = os.environ.get("PATH", os.defpath)
        if self._spec.path:
            own["PYTHONPATH"] = os.pathsep.join(self._real[target] for target in self._spec.path.split(":"))
        return machine.variables(own | {name: self.real(value) for name, value in self._spec.variables.items()})
