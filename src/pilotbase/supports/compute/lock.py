"""The lock as the installer is given it: names, versions, hashes, and no word that pip would take as an order.

A lock is a candidate's own file, and pip reads requirement files on the host when it fetches: an option in one
(``--no-binary``) would run package code outside every cell. So nothing of the file reaches pip but what was read here.
"""

from __future__ import annotations

import re
from pathlib import Path

from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text, printable

_LARGEST = 4 << 20  # bytes
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_HEAD = re.compile(
    rf"{_NAME}(?:\[{_NAME}(?:,{_NAME})*\])?==[A-Za-z0-9.!+_]+(?: ?; ?[A-Za-z0-9_. '\"<>=!~(),+-]+)?",
)
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def read(lock: Path) -> str:
    """Return a lock in plain form, one requirement a line; empty when the file is absent or locks nothing.

    Raises InputError with the line for anything that is not ``name==version --hash=sha256:...``.
    """
    data = lock.read_bytes() if lock.is_file() else b""
    if len(data) > _LARGEST:
        raise _refusal(lock, 0, f"{len(data)} bytes")
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise _refusal(lock, data[: error.start].count(b"\n") + 1, repr(data[error.start : error.end])) from error
    return "".join(f"{_requirement(lock, number, line)}\n" for number, line in _logical(text))


def _logical(text: str) -> list[tuple[int, str]]:
    """Join continued lines and leave out comments; number = the first physical line."""
    found: list[tuple[int, str]] = []
    parts: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        bare = re.sub(r"(^|\s)#.*", "", line).strip()
        continued = bare.endswith("\\")
        parts.append(bare.removesuffix("\\"))
        if not continued:
            joined = " ".join(" ".join(parts).split())
            found += [(number - len(parts) + 1, joined)] if joined else []
            parts = []
    if joined := " ".join(" ".join(parts).split()):
        found.append((text.count("\n") + 1, joined))
    return found


def _requirement(lock: Path, number: int, line: str) -> str:
    head, *hashes = re.split(r" (?=--)", line)
    if not _HEAD.fullmatch(head) or not hashes or not all(_HASH.fullmatch(word) for word in hashes):
        raise _refusal(lock, number, line)
    return line


def _refusal(lock: Path, number: int, found: str) -> InputError:
    return InputError(
        Text(zh="依赖文件未逐项锁定", en="a requirement is not locked"),
        place=Place(file=str(lock), line=number),
        found=printable(found, 120),
        expected=Text(
            zh="名称==版本 --hash=sha256:…，不含任何选项", en="name==version --hash=sha256:..., and no option"
        ),
        remedy=Text(
            zh="请用 pip-compile --generate-hashes 或 uv pip compile --generate-hashes 生成",
            en="make it with pip-compile --generate-hashes or uv pip compile --generate-hashes",
        ),
    )
