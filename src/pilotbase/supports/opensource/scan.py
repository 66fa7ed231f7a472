"""The scan of a candidate's files for pickles that would call something foreign. Nothing is unpickled or run.

Looks into every file whatever its name, and into zip files (so npz, torch), compressed streams (so joblib) and arrays
of objects (npy). Depth, bytes and opcodes are bounded; what was not read to the end because of that is a finding too.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import mmap
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pilotbase.foundation.text import Text, printable
from pilotbase.supports.opensource.pickles import Budget, Readable, harmless, targets
from pilotbase.supports.opensource.streams import BROKEN, Bounded, Source, blocks, until_broken

_DEPTH = 4  # containers in containers
_UNPACKED = 512 << 20  # bytes that containers may unfold to, over the whole candidate
_MEMBERS = 20_000  # members of containers, over the whole candidate
_OPCODES = 5_000_000  # opcodes over the whole candidate; about 5 s
_MOST = 200  # findings; more say nothing new
_TAIL = 66_000  # bytes at the end of a zip file in which its end mark lies


@dataclass(frozen=True, slots=True, order=True)
class Suspect:
    """One thing that a file would call when unpickled."""

    file: str
    """Path in the candidate; a member of a container stands behind ``!``."""
    what: str
    """``module.name``, as the file has it: foreign text. Empty = there is more in the file than can be scanned."""

    @property
    def text(self) -> Text:
        """Return the finding as a sentence that is safe to print."""
        sentence = _CALLS if self.what else _TOO_MUCH
        return sentence.fill(file=printable(self.file), what=printable(self.what))


_CALLS = Text(zh="文件 {file} 中的 pickle 会调用 {what}。", en="A pickle in the file {file} would call {what}.")
_TOO_MUCH = Text(zh="文件 {file} 过大或嵌套过深，无法查完。", en="The file {file} holds more than can be scanned.")


def scan_folder(folder: Path) -> tuple[Suspect, ...]:
    """Scan every plain file of a candidate; findings sorted by path."""
    scan = _Scan()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size:
            with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                scan.look(path.relative_to(folder).as_posix(), data, 0)
    return scan.suspects()


def scan_bytes(name: str, data: bytes) -> tuple[Suspect, ...]:
    """Scan bytes as if they were a file of that name."""
    scan = _Scan()
    scan.look(name, data, 0)
    return scan.suspects()


@dataclass(slots=True)
class _Scan:
    """One scan with what it may still spend and what it found."""

    budget: Budget = field(default_factory=lambda: Budget(_OPCODES))
    unpacked: int = _UNPACKED
    members: int = _MEMBERS
    found: set[Suspect] = field(default_factory=set)

    def suspects(self) -> tuple[Suspect, ...]:
        return tuple(sorted(self.found)[:_MOST])

    def look(self, name: str, data: Readable, depth: int) -> None:
        """Look at one file or member, and into it if it is a container."""
        for target in targets(data, self.budget):
            if not harmless(target):
                self.found.add(Suspect(name, target.replace(" ", ".", 1)))
        openers = list(_openers(data))
        if self.budget.exhausted or (openers and depth >= _DEPTH):
            self.found.add(Suspect(name, ""))
            return
        for opener in openers:
            for member, source in until_broken(opener(data)):
                content = self._take(source)
                if content is None:
                    self.found.add(Suspect(name, ""))
                    return
                self.look(f"{name}!{member}" if member else name, content, depth + 1)

    def _take(self, source: Source) -> bytes | None:
        """Read a member, as far as it can be read; None = more than may be unpacked."""
        self.members -= 1
        parts: list[bytes] = []
        for part in until_broken(blocks(source)):
            self.unpacked -= len(part)
            if self.unpacked < 0:
                return None
            parts.append(part)
        return b"".join(parts) if self.members >= 0 else None


_Opener = Callable[[Readable], Iterator[tuple[str, Source]]]


def _openers(data: Readable) -> Iterator[_Opener]:
    """Return what could open the data as a container."""
    head = data[:8]
    for magic, opener in _BY_HEAD.items():
        if re.match(magic, head, re.DOTALL):
            yield opener
    # A zip file is known by its end, whatever stands before it.
    if b"PK\x05\x06" in data[max(0, len(data) - _TAIL) :]:
        yield _zip


def _zip(data: Readable) -> Iterator[tuple[str, Source]]:
    with zipfile.ZipFile(_stream(data)) as archive:  # type: ignore[call-overload]
        for member in archive.infolist():
            if member.is_dir():
                continue
            try:
                stream = archive.open(member)
            except BROKEN:
                continue  # encrypted or damaged: this member cannot be loaded, the next one may
            with stream:
                yield member.filename, stream


def _npy(data: Readable) -> Iterator[tuple[str, Source]]:
    """Open an array of objects: its pickle stands behind the header (NumPy's NEP 1)."""
    start, form = (10, "<H") if data[6:7] == b"\x01" else (12, "<I")
    (size,) = struct.unpack(form, data[8:start])
    if b"O" in data[start : start + size].partition(b"descr")[2].partition(b"fortran")[0]:
        yield "", io.BytesIO(data[start + size :])


def _gzip(data: Readable) -> Iterator[tuple[str, Source]]:
    with gzip.GzipFile(fileobj=_stream(data)) as stream:  # type: ignore[call-overload]
        yield "", stream


def _bz2(data: Readable) -> Iterator[tuple[str, Source]]:
    with bz2.BZ2File(_stream(data)) as stream:  # type: ignore[call-overload]
        yield "", stream


def _lzma(data: Readable) -> Iterator[tuple[str, Source]]:
    with lzma.LZMAFile(_stream(data)) as stream:  # type: ignore[call-overload]
        yield "", stream


def _zlib(data: Readable) -> Iterator[tuple[str, Source]]:
    yield "", _Inflated(_stream(data))


class _Inflated:
    """A zlib stream, unfolded piece by piece."""

    def __init__(self, stream: Bounded) -> None:
        self._stream = stream
        self._inflate = zlib.decompressobj()

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes; none at the end."""
        while not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._stream.read(1 << 16)
            part = self._inflate.decompress(packed, size)
            if part or not packed:
                return part
        return b""


def _stream(data: Readable) -> Bounded:
    """Return data as a stream from its beginning; a mapped file is not copied."""
    source: IO[bytes] | mmap.mmap = io.BytesIO(data) if isinstance(data, bytes) else data
    return Bounded(source)


_BY_HEAD: dict[bytes, _Opener] = {
    rb"\x93NUMPY": _npy,
    rb"\x1f\x8b": _gzip,
    rb"BZh[1-9]": _bz2,
    rb"\xfd7zXZ": _lzma,
    rb"\x5d\x00\x00": _lzma,
    rb"\x78[\x01\x5e\x9c\xda]": _zlib,
}
