"""Archives from strangers: plain files under plain names come out, within bounds, or nothing is accepted.

Every name is checked before a byte of it is written; sizes are counted while they unfold, not as they are declared.
"""

from __future__ import annotations

import gzip
import re
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.supports.opensource.streams import BROKEN, Bounded, blocks

MAX_FILES = 10_000
MAX_BYTES = 4 << 30  # bytes unfolded
_MAX_PART = 255  # bytes of one name; what common file systems take
_MAX_PATH = 1024  # bytes of a path
_HEADERS = 1 << 20  # bytes that the headers before one tar member may take, long names included
_ZIP, _TAR = (".zip",), (".tar.gz", ".tgz")
_DRIVE = re.compile(r"[A-Za-z]:")
_ENCRYPTED = 0x1  # bit of a zip member's flags


def is_archive(path: Path) -> bool:
    """Say whether a path ends like an archive that can be read."""
    return path.name.lower().endswith(_ZIP + _TAR)


def unpack(path: Path, folder: Path) -> Path:
    """Unpack an archive into a new folder and return it.

    Raises InputError naming the member that is refused, and why; OSError if the folder cannot be written.
    """
    folder.mkdir()
    names = _Names(path)
    left = MAX_BYTES
    for member in _readable(path, _zip(path) if path.name.lower().endswith(_ZIP) else _tar(path)):
        target = folder / names.take(member.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as stream:
            for block in _readable(path, member.content):
                left -= len(block)
                if left < 0:
                    raise _refused(path, member.name, _TOO_LARGE)
                stream.write(block)
        target.chmod(0o755 if member.executable else 0o644)
    return folder


@dataclass(frozen=True, slots=True)
class _Member:
    """One plain file of an archive."""

    name: str
    executable: bool
    content: Iterator[bytes]


@dataclass(slots=True)
class _Names:
    """The names taken so far, files and folders, by their form without case."""

    archive: Path
    files: set[str] = field(default_factory=set)
    folders: dict[str, str] = field(default_factory=dict)

    def take(self, name: str) -> str:
        """Return the name, unless it could leave the folder, hide, or meet another one."""
        parts = name.split("/")
        if (
            not name.isprintable()
            or "\\" in name
            or _DRIVE.match(name)
            or len(name.encode()) > _MAX_PATH
            or any(part in {"", ".", ".."} or len(part.encode()) > _MAX_PART for part in parts)
        ):
            raise _refused(self.archive, name, _ODD_NAME)
        parents = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
        met = name.casefold() in self.files or name.casefold() in self.folders
        met = met or any(parent.casefold() in self.files for parent in parents)
        if met or any(self.folders.setdefault(parent.casefold(), parent) != parent for parent in parents):
            raise _refused(self.archive, name, _TWINS)
        self.files.add(name.casefold())
        if len(self.files) > MAX_FILES:
            raise _refused(self.archive, f"> {MAX_FILES}", _TOO_LARGE)
        return name


def _refused(path: Path, found: str, what: Text) -> InputError:
    return InputError(
        what,
        place=Place(file=str(path)),
        found=printable(found),
        remedy=Text(zh="请只打包普通文件后重新提交", en="pack plain files only, and hand it in again"),
    )


def _readable(path: Path, source: Iterator[Any]) -> Iterator[Any]:
    """Turn what a damaged archive raises into an InputError; faults of writing do not pass through here."""
    try:
        yield from source
    except BROKEN as error:
        raise _refused(path, str(error) or type(error).__name__, _UNREADABLE) from error


def _zip(path: Path) -> Iterator[_Member]:
    with path.open("rb") as packed, zipfile.ZipFile(Bounded(packed)) as archive:  # type: ignore[call-overload]
        for info in archive.infolist():
            if info.is_dir():
                continue
            mode = info.external_attr >> 16
            if stat.S_IFMT(mode) not in {0, stat.S_IFREG} or info.flag_bits & _ENCRYPTED:
                raise _refused(path, info.filename, _NOT_PLAIN)
            with archive.open(info) as stream:
                yield _Member(info.filename, bool(mode & 0o100), blocks(stream))


class _Guarded:
    """A tar stream that gives only so many bytes until it is allowed more: headers cannot fill the memory."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self.left = _HEADERS

    def read(self, size: int, /) -> bytes:
        self.left -= size
        if size < 0 or self.left < 0:
            raise ValueError("headers too large")
        return self._stream.read(size)

    def seek(self, place: int) -> int:
        return self._stream.seek(place)

    def tell(self) -> int:
        return self._stream.tell()


def _tar(path: Path) -> Iterator[_Member]:
    with path.open("rb") as packed, gzip.GzipFile(fileobj=packed) as unfolded:
        guard = _Guarded(unfolded)
        total = 0
        with tarfile.open(fileobj=guard, mode="r:") as archive:  # type: ignore[call-overload]
            for info in archive:
                total += info.size  # the reader unfolds what it skips, so what is declared is bounded too
                if total > MAX_BYTES:
                    raise _refused(path, info.name, _TOO_LARGE)
                guard.left = _HEADERS
                if info.isdir():
                    continue
                stream = archive.extractfile(info) if info.isreg() and not info.issparse() else None
                if stream is None:
                    raise _refused(path, info.name, _NOT_PLAIN)
                guard.left = info.size
                yield _Member(info.name.removeprefix("./"), bool(info.mode & 0o100), blocks(stream))
                guard.left = _HEADERS


_UNREADABLE = Text(zh="压缩包已损坏或无法读取", en="the archive is damaged or cannot be read")
_TOO_LARGE = Text(zh="压缩包展开后过大", en="the archive unfolds to more than is accepted")
_ODD_NAME = Text(zh="压缩包内有不可接受的路径", en="the archive holds a path that is not accepted")
_NOT_PLAIN = Text(zh="压缩包内有链接、设备或加密文件", en="the archive holds a link, a device or an encrypted file")
_TWINS = Text(
    zh="压缩包内有重名或仅大小写不同的路径", en="the archive holds a path twice, or two that differ only by case"
)
