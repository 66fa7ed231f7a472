"""A candidate as it is handed in: a folder or an archive, copied into a room of our own and read from there.

What is judged is the copy. Only plain files under plain names come through: links, devices, absolute or dotted paths,
names that differ only by case, and archives that unfold without end are refused. FORMATS section 2.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from pilotbase.foundation.digests import FileEntry, folder_entries
from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.pilot.candidate import Candidate
from pilotbase.pilot.soundness import read_sound
from pilotbase.store.disk import disk_work
from pilotbase.supports.opensource.archive import MAX_BYTES, MAX_FILES, is_archive, unpack

CANDIDATE = "candidate.toml"
_LARGEST_TOML = 1 << 20  # bytes
_FUNCTION = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


def read_candidate(path: Path, scratch: Path) -> tuple[Candidate, Sequence[FileEntry], Path]:
    """Copy or unpack a candidate and read it.

    Args:
        path: its folder, or a .zip, .tar.gz or .tgz archive of that folder.
        scratch: an existing folder of ours; the copy is made in ``scratch/candidate``, which must not exist.

    Returns:
        The candidate, its files as its digest sees them, and the folder of the copy.

    Raises:
        InputError: it is not there, holds other than plain files, is too large, or ``candidate.toml`` cannot be read.
        FaultError: the disk fails.

    """
    copy = scratch / "candidate"
    with disk_work(scratch, Text(zh="送测应用未改动", en="what was handed in is untouched")):
        if path.is_dir():
            _copy(path, copy)
        elif path.is_file() and is_archive(path):
            copy = _inner(unpack(path, copy))
        else:
            raise InputError(
                Text(zh="找不到送测应用", en="there is no candidate here"),
                place=Place(file=str(path)),
                expected=Text(
                    zh="文件夹，或 .zip、.tar.gz、.tgz 压缩包", en="a folder, or an archive: .zip, .tar.gz, .tgz"
                ),
                remedy=Text(zh="pilotbase new candidate 可新建一个", en="pilotbase new candidate makes a new one"),
            )
        entries = folder_entries(copy)
        return _read(copy, path), entries, copy


def _copy(source: Path, copy: Path) -> None:
    """Copy a folder's plain files, with their executable bit and nothing else of them."""
    entries = folder_entries(source)
    size = sum(entry.size for entry in entries)
    if len(entries) > MAX_FILES or size > MAX_BYTES:
        raise InputError(
            Text(zh="送测应用过大", en="the candidate is too large"),
            place=Place(file=str(source)),
            found=f"{len(entries)}, {size} B",
            expected=Text(zh="至多 {files} 个文件，{size} 字节", en="at most {files} files, {size} bytes").fill(
                files=MAX_FILES, size=MAX_BYTES
            ),
        )
    copy.mkdir()
    for entry in entries:
        target = copy / entry.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / entry.path, target, follow_symlinks=False)
        target.chmod(0o755 if entry.executable else 0o644)


def _inner(folder: Path) -> Path:
    """Return the folder that holds the candidate: an archive may hold it at its root or as its one folder."""
    inside = list(folder.iterdir())
    if len(inside) == 1 and inside[0].is_dir() and (inside[0] / CANDIDATE).is_file():
        return inside[0]
    return folder


def _read(folder: Path, shown: Path) -> Candidate:
    path = folder / CANDIDATE
    file = str(shown / CANDIDATE)
    if not path.is_file() or path.stat().st_size > _LARGEST_TOML:
        raise InputError(
            Text(zh="缺少 candidate.toml，或文件过大", en="candidate.toml is missing or too large"),
            place=Place(file=file),
            remedy=Text(zh="pilotbase new candidate 可新建一个", en="pilotbase new candidate makes a new one"),
        )
    candidate = read_sound(path.read_bytes(), Candidate, file)
    _check_entry(candidate, folder, file)
    return candidate


def _check_entry(candidate: Candidate, folder: Path, file: str) -> None:
    """Refuse an entry that names nothing: a person's slip that is better told before a cell is built."""
    entry = candidate.run.entry
    if candidate.run.adapter == "python":
        good = _FUNCTION.fullmatch(entry) is not None
        expected = Text(zh="模块:函数，例如 predict:predict", en="module:function, for example predict:predict")
    else:
        inside = ".." not in Path(entry).parts and not Path(entry).is_absolute()
        good = inside and (folder / entry).is_file()
        expected = Text(zh="文件夹内的模型文件，例如 model.onnx", en="a model file of the folder, such as model.onnx")
    if not good:
        raise InputError(
            Text(zh="入口不存在或写法不对", en="the entry names nothing"),
            place=Place(file=file, field="run.entry"),
            found=printable(entry),
            expected=expected,
        )
