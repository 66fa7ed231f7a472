"""Streams from strangers: read piece by piece, never much at once, and what breaks them named in one place."""

from __future__ import annotations

import mmap
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from lzma import LZMAError
from typing import IO, Any, Protocol, TypeVar

BLOCK = 1 << 20  # bytes read at once
_MOST = 16 << 20  # bytes; the directory of a zip file of 10,000 long names stays below it

BROKEN = (
    OSError, EOFError, ValueError, RuntimeError, KeyError, IndexError, OverflowError, MemoryError,
    struct.error, zlib.error, LZMAError, zipfile.BadZipFile, tarfile.TarError,
)  # fmt: skip
"""What the standard library raises for damaged or hostile archives; RuntimeError also says encrypted or too deep."""

T = TypeVar("T")


class Source(Protocol):
    """Something that can be read piece by piece."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes; none at the end."""
        ...


class Bounded:
    """A file, or a mapped file, that refuses to give much at once: what a header declares fills no memory."""

    def __init__(self, source: IO[bytes] | mmap.mmap) -> None:
        """Wrap a source; its position is used and moved."""
        self._source: Any = source
        self._size = self.seek(0, os.SEEK_END)
        self.seek(0)

    def read(self, size: int = -1, /) -> bytes:
        """Return bytes. Raises ValueError for more than 16 MiB at once."""
        wanted = size if size >= 0 else self._size - self.tell()
        if wanted > _MOST:
            raise ValueError("too much at once")
        return self._source.read(wanted)

    def seek(self, place: int, whence: int = os.SEEK_SET, /) -> int:
        """Move; a place outside the file raises ValueError or OSError."""
        self._source.seek(place, whence)
        return self._source.tell()

    def tell(self) -> int:
        """Return the position."""
        return self._source.tell()

    def seekable(self) -> bool:
        """Say that it can be moved."""
        return True


def until_broken(source: Iterator[T]) -> Iterator[T]:
    """Yield what a reader of hostile bytes gives, up to where it breaks. Faults of the caller pass through."""
    try:
        yield from source
    except BROKEN:
        return


def blocks(source: Source) -> Iterator[bytes]:
    """Yield the content of a source, block by block."""
    while block := source.read(BLOCK):
        yield block
