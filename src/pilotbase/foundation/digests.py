"""Digests: SHA-256 of bytes, files and folders, and the Merkle tree of salted leaves.

Source  FIPS 180-4 (SHA-256); RFC 6962 section 2.1 (leaf and node prefixes of the tree).
Format  a digest is 64 lower-case hexadecimal digits.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text, printable

_BLOCK = 1 << 20  # bytes read at once


def sha256(data: bytes) -> str:
    """Return the digest of bytes."""
    return hashlib.sha256(data).hexdigest()


def keyed(key: bytes, *parts: bytes) -> bytes:
    """Return HMAC-SHA256 over the parts, each preceded by its length (8 bytes, little-endian)."""
    return hmac.new(key, b"".join(len(part).to_bytes(8, "little") + part for part in parts), hashlib.sha256).digest()


def file_digest(path: Path) -> str:
    """Return the digest of a file's content, read in blocks."""
    state = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            state.update(block)
    return state.hexdigest()


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a folder, as its digest sees it."""

    path: str  # relative, with forward slashes
    executable: bool
    size: int  # bytes
    sha256: str


def folder_entries(root: Path) -> list[FileEntry]:
    """List every file below a folder, sorted by path; FORMATS section 2.

    Raises InputError for a link, a special file, a name that is not UTF-8 or two names that differ only by case.
    """
    entries = [_entry(root, path) for path in sorted(root.rglob("*")) if not _is_plain_folder(path)]
    entries.sort(key=lambda entry: entry.path)
    seen: dict[str, str] = {}
    for entry in entries:
        twin = seen.setdefault(entry.path.casefold(), entry.path)
        if twin != entry.path:
            raise InputError(
                Text(zh="两个文件名仅大小写不同", en="two file names differ only by case"),
                place=Place(file=str(root)),
                found=printable(f"{twin}, {entry.path}"),
                remedy=Text(zh="请改名其中一个", en="rename one of them"),
            )
    return entries


def _is_plain_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _entry(root: Path, path: Path) -> FileEntry:
    name = path.relative_to(root).as_posix()
    if path.is_symlink() or not path.is_file() or not name.isprintable() or "\\" in name:
        raise InputError(
            Text(zh="文件夹内只能有普通文件", en="a folder may hold plain files only"),
            place=Place(file=str(root)),
            found=printable(name),
            expected=Text(zh="不是链接、设备或特殊文件名", en="no link, no device, no odd name"),
            remedy=Text(zh="请删除该文件，或用普通文件替换", en="remove it, or put a plain file in its place"),
        )
    status = path.stat()
    return FileEntry(path=name, executable=bool(status.st_mode & 0o100), size=status.st_size, sha256=file_digest(path))


def folder_digest(entries: Iterable[FileEntry]) -> str:
    """Return the digest of a candidate: SHA-256 over its sorted list of files. FORMATS section 2."""
    rows = [[entry.path, entry.executable, entry.size, entry.sha256] for entry in entries]
    return sha256(canonical_bytes(rows))


def merkle_leaf(data: bytes) -> bytes:
    """Return the hash of a leaf, RFC 6962 section 2.1."""
    return hashlib.sha256(b"\0" + data).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes, RFC 6962 section 2.1."""
    if len(leaves) < 2:  # noqa: PLR2004 - a tree of one leaf is that leaf
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + merkle_root(leaves[:split]) + merkle_root(leaves[split:])).digest()
