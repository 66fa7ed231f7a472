"""Harvest: bring what a job left in its /out to the host, as plain files and nothing else.

The folder is read through a descriptor after the cell is empty, so nothing changes under the reader; names are opened
one by one without following links. Whatever is not a plain file or folder refuses the whole harvest.
"""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass, field
from pathlib import Path

from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text, printable

_DEEPEST = 64  # folders inside folders
_BLOCK = 1 << 20


@dataclass(slots=True, kw_only=True)
class Harvest:
    """How much may still be brought."""

    capacity: int
    """Bytes."""
    files: int
    place: str
    """The job, for messages."""
    brought: int = field(default=0, init=False)
    """Bytes so far."""

    def bring(self, folder: int, output: Path) -> None:
        """Copy an open folder to a new or empty one: 0755 for folders and programs, 0644 for the rest, times kept.

        Raises InputError for a link, a special file, an odd name, or too much of anything; then nothing is left.
        """
        output.mkdir(parents=True, exist_ok=True)
        try:
            self._bring(folder, output, 0)
        except BaseException:
            shutil.rmtree(output, ignore_errors=True)
            raise

    def _bring(self, folder: int, output: Path, depth: int) -> None:
        if depth > _DEEPEST:
            raise self._refusal(Text(zh="文件夹层数过深", en="folders lie too deep"), output.name)
        output.chmod(0o755)
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
        for name in names:
            self._one(folder, name, output, depth)

    def _one(self, folder: int, name: str, output: Path, depth: int) -> None:
        """Bring one entry, judged by what was opened and not by what it was called."""
        if not name.isprintable() or "\\" in name:
            raise self._refusal(Text(zh="文件名含有特殊字符", en="a file has an odd name"), name)
        try:
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError as error:
            raise self._refusal(_NOT_PLAIN, f"{name}: {error.strerror}") from error
        try:
            state = os.fstat(handle)
            if stat.S_ISDIR(state.st_mode):
                (output / name).mkdir()
                self._bring(handle, output / name, depth + 1)
            elif stat.S_ISREG(state.st_mode):
                self._file(handle, state, output / name)
            else:
                raise self._refusal(_NOT_PLAIN, name)
        finally:
            os.close(handle)

    def _file(self, handle: int, state: os.stat_result, target: Path) -> None:
        self.files -= 1
        self.brought += state.st_size
        if self.files < 0 or self.brought > self.capacity:
            raise self._refusal(Text(zh="输出过多", en="too much was put out"), target.name)
        with target.open("xb") as stream:
            while block := os.read(handle, _BLOCK):
                stream.write(block)
        target.chmod(0o755 if state.st_mode & stat.S_IXUSR else 0o644)
        os.utime(target, ns=(state.st_atime_ns, state.st_mtime_ns))  # byte code is checked against its source's time

    def _refusal(self, what: Text, found: str) -> InputError:
        return InputError(
            what,
            place=Place(file=self.place),
            found=printable(found),
            expected=Text(zh="数量有限的普通文件与文件夹", en="plain files and folders, within bounds"),
            remedy=Text(zh="请修改写出这些文件的程序", en="mend the program that wrote them"),
        )


_NOT_PLAIN = Text(zh="输出中有链接或特殊文件", en="a link or a special file was put out")
