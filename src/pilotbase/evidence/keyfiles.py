"""Key files on disk: private ones that only their owner may read, and the public ring.

A private file is made once, with O_EXCL and mode 0600, and never written over. One that others may read is refused:
the key in it must be taken for known.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pilotbase.evidence.keys import KeyRing, SigningKey, read_ring, read_signing_key
from pilotbase.foundation.errors import FaultError, InputError, Place
from pilotbase.foundation.text import Text, printable

SECRET_SIZE = 32  # bytes of a base's secret, FORMATS section 4
_LIMIT = 64 << 10  # bytes; a private key takes 119


def write_private(path: Path, content: bytes) -> None:
    """Make a private file. Raises InputError if it is there already, FaultError if the disk fails; leaves no half."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise InputError(
            Text(
                zh="文件已存在，私有文件从不覆盖", en="the file is there already; a private file is never overwritten"
            ),
            place=Place(file=str(path)),
            remedy=Text(zh="若确要更换，请先移走它", en="to replace it, move it away first"),
        ) from error
    except OSError as error:
        raise _disk_fault(path, error) from error
    try:
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(stream.fileno(), 0o600)  # whatever the umask
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        _sync_folder(path.parent)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _disk_fault(path, error) from error


def read_private(path: Path) -> bytes:
    """Read a private file. Raises InputError if it is missing, not a plain file, or readable by anyone else."""
    try:
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            _refuse_open_file(path, status)
            return stream.read(_LIMIT)
    except FileNotFoundError as error:
        raise InputError(
            Text(zh="找不到私有文件", en="the private file is missing"),
            place=Place(file=str(path)),
            remedy=Text(
                zh="请运行 pilotbase keys init，或从备份恢复", en="run pilotbase keys init, or restore it from a backup"
            ),
        ) from error
    except OSError as error:
        raise _disk_fault(path, error) from error


def _refuse_open_file(path: Path, status: os.stat_result) -> None:
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode) or mode & 0o077 or status.st_uid != os.geteuid():
        raise InputError(
            Text(zh="私有文件可能被他人读取，不再使用", en="others may read this private file, so it is not used"),
            place=Place(file=str(path)),
            found=f"mode {mode:04o}, uid {status.st_uid}",
            expected=Text(zh="mode 0600, uid {uid}", en="mode 0600, uid {uid}").fill(uid=os.geteuid()),
            remedy=Text(
                zh="若无人读过：chmod 600 该文件，并归还属主；否则请吊销此密钥，另建新的",
                en="if nobody has read it: chmod 600 the file and give it back to its owner; otherwise revoke the key "
                "and make a new one",
            ),
        )


def load_signing_key(path: Path) -> SigningKey:
    """Read the base's private key. Raises InputError."""
    return read_signing_key(read_private(path), str(path))


def load_secret(path: Path) -> bytes:
    """Read the base's secret, from which orders of samples are drawn. Raises InputError unless it has 32 bytes."""
    secret = read_private(path)
    if len(secret) != SECRET_SIZE:
        raise InputError(
            Text(zh="中试基地的秘密值须为 32 字节", en="the base's secret must have 32 bytes"),
            place=Place(file=str(path)),
            found=f"{len(secret)} B",
            remedy=Text(zh="请从备份恢复", en="restore it from a backup"),
        )
    return secret


def load_ring(path: Path) -> KeyRing:
    """Read ``keys.json`` or a ``--trust`` file. Raises InputError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(
            Text(zh="找不到密钥清单", en="the ring of keys is missing"),
            place=Place(file=str(path)),
            remedy=Text(
                zh="请运行 pilotbase keys init，或用 --trust 指定清单",
                en="run pilotbase keys init, or name a ring with --trust",
            ),
        ) from error
    except OSError as error:
        raise _disk_fault(path, error) from error
    return read_ring(data, str(path))


def save_ring(path: Path, ring: KeyRing) -> None:
    """Write ``keys.json`` in one step: a reader sees the old ring or the new one. Raises FaultError."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            stream.write(ring.to_bytes())
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise _disk_fault(path, error) from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk_fault(path: Path, error: OSError) -> FaultError:
    return FaultError(
        Text(zh="密钥文件读写失败", en="a key file could not be read or written"),
        place=Place(file=str(path)),
        found=printable(str(error.strerror or error)),
        remedy=Text(
            zh="请检查文件夹是否存在、权限与剩余空间，然后重试；已有文件未改动",
            en="check that the folder exists, its rights and free space, then try again; existing files are untouched",
        ),
    )
