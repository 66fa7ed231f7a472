"""Blobs: files named by the SHA-256 of their content, so that they can be written twice and never changed.

A step puts its outputs here before its event enters the ledger. A file appears whole or not at all: it is written
under another name in the same folder, flushed, renamed, and the folder is flushed too.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pilotbase.foundation.digests import file_digest, sha256
from pilotbase.foundation.errors import FaultError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.store.disk import disk_work, sync_folder

_BLOCK = 1 << 20  # bytes read at once
_PART = ".part-"  # prefix of files that are not finished
_DIGEST = re.compile(r"[0-9a-f]{64}")
_KEPT = Text(
    zh="此文件未留下任何残片，已存的文件都完好",
    en="nothing of this file was left behind, and all earlier ones are whole",
)
_UNTOUCHED = Text(zh="没有改动任何文件", en="no file was changed")


class Blobs:
    """The blobs of one folder, which must exist (``home.prepare``)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Return where a blob lies. Raises FaultError if this is not a digest."""
        if not _DIGEST.fullmatch(digest):
            raise FaultError(Text(zh="这不是摘要", en="this is not a digest"), found=printable(digest))
        return self._folder / digest

    def put(self, content: bytes) -> str:
        """Keep bytes; return their digest. Raises FaultError when the disk is full or fails."""
        digest = sha256(content)
        if not self._is_kept(digest):
            self._write([content])
        return digest

    def put_stream(self, stream: BinaryIO) -> str:
        """Keep what a stream still holds, read in blocks; return its digest. Raises FaultError as ``put``."""
        return self._write(iter(lambda: stream.read(_BLOCK), b""))

    def get(self, digest: str) -> bytes:
        """Return a blob's bytes. Raises FaultError if it is missing or no longer has its digest."""
        path = self.path(digest)
        try:
            with disk_work(path, _UNTOUCHED):
                content = path.read_bytes()
        except FaultError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise FaultError(
                    Text(zh="找不到此文件内容", en="the blob is missing"), place=Place(file=str(path)), remedy=_RESTORE
                ) from error
            raise
        if sha256(content) != digest:
            raise FaultError(
                Text(zh="文件内容已损坏：与其摘要不符", en="the blob is damaged: it no longer has its digest"),
                place=Place(file=str(path)),
                found=sha256(content),
                remedy=_RESTORE,
            )
        return content

    def sweep(self, age: float) -> int:
        """Remove unfinished files that a killed process left more than ``age`` seconds ago; return how many."""
        with disk_work(self._folder, _UNTOUCHED):
            old = [path for path in self._folder.glob(f"{_PART}*") if path.stat().st_mtime < time.time() - age]
            for path in old:
                path.unlink(missing_ok=True)
        return len(old)

    def _is_kept(self, digest: str) -> bool:
        """Whether the blob lies there whole and durably; a damaged one does not count, and is replaced."""
        path = self.path(digest)
        with disk_work(path, _UNTOUCHED):
            if not path.is_file() or file_digest(path) != digest:
                return False
            sync_folder(self._folder)  # whoever wrote it may have died before this
        return True

    def _write(self, blocks: Iterable[bytes]) -> str:
        state = hashlib.sha256()
        with disk_work(self._folder, _KEPT), self._part() as (stream, part):
            for block in blocks:
                state.update(block)
                stream.write(block)
            stream.flush()
            os.fsync(stream.fileno())
            part.replace(self.path(state.hexdigest()))
            sync_folder(self._folder)
        return state.hexdigest()

    @contextmanager
    def _part(self) -> Generator[tuple[BinaryIO, Path]]:
        """Open a file with mode 0600 that is gone afterwards, unless it was renamed."""
        handle, name = tempfile.mkstemp(prefix=_PART, dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as stream:
                yield stream, Path(name)
        finally:
            Path(name).unlink(missing_ok=True)


_RESTORE = Text(
    zh="请从备份恢复；若是中试的产物，重跑该步骤即可",
    en="restore it from a backup; if a pilot made it, run that step again",
)
