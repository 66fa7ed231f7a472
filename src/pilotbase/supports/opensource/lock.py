"""Hash-locked requirements: every one pinned to a version and to the SHA-256 of its files, and nothing else.

The format is pip's requirements file with continuation lines. What pip would take from elsewhere (options, addresses,
variables, other files) is a fault here, never an instruction. The environment is installed from ``render``, that is
from what was read, so that no second reader can understand the file otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pilotbase.foundation.digests import file_digest
from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text, printable

_LARGEST = 4 << 20  # bytes
_MOST = 2000  # requirements
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"  # PyPA names and extras
_PINNED = re.compile(
    rf"(?P<name>{_NAME})\s*(?:\[(?P<extras>\s*{_NAME}\s*(?:,\s*{_NAME}\s*)*)\])?\s*==\s*(?P<version>[A-Za-z0-9.!+_-]+)"
    r"\s*(?:;\s*(?P<marker>[A-Za-z0-9_.\s'\"<>=!~(),+-]+))?"
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_CODING = re.compile(r"#.*?coding[:=]\s*([-\w.]+)")  # PEP 263; pip heeds it in the first two lines
_WHEEL = re.compile(  # PyPA binary distribution format: name-version(-build)?-python-abi-platform.whl
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._]*)-(?P<version>[A-Za-z0-9.!+_]+)(?:-\d[^-]*)?-[^-]+-[^-]+-[^-]+\.whl"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One locked requirement."""

    name: str
    """Normalised: lower case, single hyphens."""
    extras: str
    version: str
    marker: str
    """Environment marker, or empty."""
    hashes: tuple[str, ...]
    """SHA-256 of each file that may be installed, sorted."""
    line: int

    def __str__(self) -> str:
        """Return the requirement as one line of a lock."""
        extras = f"[{self.extras}]" if self.extras else ""
        marker = f" ; {self.marker}" if self.marker else ""
        hashes = "".join(f" --hash=sha256:{digest}" for digest in self.hashes)
        return f"{self.name}{extras}=={self.version}{marker}{hashes}"


@dataclass(frozen=True, slots=True)
class Lock:
    """What a requirements file locks, and what is wrong with it."""

    requirements: tuple[Requirement, ...]
    faults: tuple[Text, ...]
    """Each names its line; none = everything is locked."""


def read_lock(data: bytes) -> Lock:
    """Read a requirements file. Nothing in it can make this fail: what is not locked is a fault, with its line."""
    if len(data) > _LARGEST:
        return Lock((), (_TOO_LARGE.fill(size=len(data)),))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return Lock((), (_NOT_UTF8.fill(line=data[: error.start].count(b"\n") + 1),))
    requirements: list[Requirement] = []
    faults = list(_coding(text))
    for line, content in _lines(text):
        found = _requirement(line, content)
        if isinstance(found, Text):
            faults.append(found)
        else:
            requirements.append(found)
    faults += _twice(requirements)
    if not requirements and not faults:
        faults.append(_EMPTY)
    if len(requirements) > _MOST:
        faults.append(_TOO_MANY.fill(count=len(requirements)))
    return Lock(tuple(requirements), tuple(faults))


def check_lock(data: bytes) -> tuple[Text, ...]:
    """Return what is not locked in a requirements file, line by line; empty = everything is."""
    return read_lock(data).faults


def render(requirements: Sequence[Requirement]) -> str:
    """Return a lock in its one plain form: sorted, one line each, no comment. Reading it gives the same back."""
    return "".join(f"{line}\n" for line in sorted(str(one) for one in requirements))


def lock_wheels(folder: Path) -> str:
    """Return a lock of the wheels in a folder, as ``pip download`` leaves them: name, version, hash of each.

    Raises InputError if there is none, or something other than a wheel (a source distribution would run code).
    """
    found: dict[tuple[str, str], list[str]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        match = _WHEEL.fullmatch(path.name)
        if match is None:
            raise InputError(
                Text(zh="文件夹内只能有 wheel", en="the folder may hold wheels only"),
                place=Place(file=str(path)),
                remedy=Text(zh="下载时使用 --only-binary=:all:", en="download with --only-binary=:all:"),
            )
        found.setdefault((normal_name(match["name"]), match["version"]), []).append(file_digest(path))
    if not found:
        raise InputError(
            Text(zh="文件夹内没有 wheel", en="the folder holds no wheel"),
            place=Place(file=str(folder)),
            remedy=Text(
                zh="先执行 pip download --only-binary=:all: -d 文件夹 -r requirements.in",
                en="run pip download --only-binary=:all: -d FOLDER -r requirements.in first",
            ),
        )
    return render([
        Requirement(name=name, extras="", version=version, marker="", hashes=tuple(sorted(hashes)), line=0)
        for (name, version), hashes in found.items()
    ])  # fmt: skip


def normal_name(name: str) -> str:
    """Normalise a distribution's name: PyPA name normalisation."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _coding(text: str) -> Iterator[Text]:
    """Refuse a file that tells pip to read it in another encoding than we do."""
    for number, line in enumerate(text.splitlines()[:2], start=1):
        match = _CODING.match(line.lstrip("\ufeff"))
        if match and match[1].lower().replace("_", "-") not in {"utf-8", "utf8"}:
            yield _CODED.fill(line=number, found=printable(match[1]))
    if text.startswith("\ufeff"):
        yield _CODED.fill(line=1, found="BOM")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Join continuation lines and leave out comments, as pip does; number = the first physical line."""
    parts: list[str] = []
    first = 0
    for number, line in enumerate(text.splitlines(), start=1):
        first = first or number
        comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not comment:
            parts.append(line[:-1])
            continue
        # A comment line ends a continuation; that is pip's rule.
        if content := _plain([*parts, "" if comment else line]):
            yield first, content
        parts, first = [], 0
    if content := _plain(parts):
        yield first, content


def _plain(parts: list[str]) -> str:
    """Return a logical line without comment, its words apart by one space."""
    return " ".join(_COMMENT.sub("", " ".join(parts)).split())


def _requirement(line: int, content: str) -> Requirement | Text:
    """Read one logical line: a requirement, or what is wrong with it."""
    head, *options = re.split(" (?=-)", content)
    shown = printable(content, 80)
    if content.startswith("-"):
        return _OPTION.fill(line=line, found=shown)
    if "://" in content or re.match(rf"{_NAME}\s*(\[[^\]]*\])?\s*@", head) or re.match(r"[./\\]", head):
        return _ADDRESS.fill(line=line, found=shown)
    if "${" in content:  # pip puts environment variables in
        return _VARIABLE.fill(line=line, found=shown)
    match = _PINNED.fullmatch(head)
    if match is None:
        return _NOT_PINNED.fill(line=line, found=shown)
    hashes = [_HASH.fullmatch(option) for option in options]
    if not hashes or None in hashes:
        return (_OPTION if hashes and not options[0].startswith("--hash") else _NO_HASH).fill(line=line, found=shown)
    return Requirement(
        name=normal_name(match["name"]),
        extras=",".join(
            sorted(normal_name(extra.strip()) for extra in (match["extras"] or "").split(",") if extra.strip())
        ),
        version=match["version"],
        marker=(match["marker"] or "").strip(),
        hashes=tuple(sorted({found[1] for found in hashes if found})),
        line=line,
    )


def _twice(requirements: list[Requirement]) -> Iterator[Text]:
    """Refuse a name that comes twice, save under markers, which pip resolves."""
    seen: dict[str, Requirement] = {}
    for one in requirements:
        other = seen.setdefault(one.name, one)
        if other is not one and not (one.marker and other.marker):
            yield _TWICE.fill(line=one.line, name=one.name, other=other.line)


_TOO_LARGE = Text(zh="文件过大（{size} 字节）。", en="The file is too large ({size} bytes).")
_NOT_UTF8 = Text(zh="第 {line} 行：不是 UTF-8 文本。", en="Line {line}: not UTF-8 text.")
_CODED = Text(
    zh="第 {line} 行：只接受不带 BOM 的 UTF-8，文件却声明 {found}。",
    en="Line {line}: only UTF-8 without a BOM is read, and the file declares {found}.",
)
_OPTION = Text(zh="第 {line} 行：不允许选项：{found}", en="Line {line}: options are not allowed: {found}")
_ADDRESS = Text(
    zh="第 {line} 行：不允许网址或路径：{found}", en="Line {line}: addresses and paths are not allowed: {found}"
)
_VARIABLE = Text(
    zh="第 {line} 行：不允许环境变量：{found}", en="Line {line}: environment variables are not allowed: {found}"
)
_NOT_PINNED = Text(
    zh="第 {line} 行：须用 == 锁定到一个版本：{found}", en="Line {line}: not pinned to one version by ==: {found}"
)
_NO_HASH = Text(
    zh="第 {line} 行：缺少 --hash=sha256:…，或写法不对：{found}",
    en="Line {line}: --hash=sha256:... is missing or not well formed: {found}",
)
_TWICE = Text(
    zh="第 {line} 行：{name} 已在第 {other} 行出现。", en="Line {line}: {name} stands in line {other} already."
)
_EMPTY = Text(zh="文件没有锁定任何依赖。", en="The file locks no requirement.")
_TOO_MANY = Text(zh="依赖过多（{count} 个）。", en="There are too many requirements ({count}).")
