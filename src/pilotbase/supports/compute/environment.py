"""A candidate's environment: hash-locked wheels, fetched outside any cell, installed inside one without network.

Fetching runs no package code (wheels only, by hash); installing is done by pip in a cell that holds no data. What was
built is kept below ``state/envs`` under a key of lock, interpreter, platform and the way of building. FORMATS 11.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import FaultError, InputError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.supports.compute import lock as locks
from pilotbase.supports.compute.cell import CellLimits, CellSpec, Mount, Worked
from pilotbase.supports.compute.isolated import work
from pilotbase.supports.compute.plain import plain_work
from pilotbase.supports.compute.troubles import trouble

_LIMITS = CellLimits(memory=2 << 30, scratch=256 << 20, processes=32, start=900.0, run=900.0)
_FETCH = 3600.0  # seconds
_CAPACITY = 8 << 30  # bytes of an environment
_FILES = 200_000
_FETCH_OPTIONS = ("--disable-pip-version-check", "--no-input", "--no-color", "--progress-bar=off")

Install = Callable[[CellSpec, Path], Worked]


def build(lock: Path, state: Path, wheels: Path | None = None) -> Path:
    """Return the folder of an environment, built in a cell if it was not built before.

    ``wheels`` is a folder to install from; without it they are fetched. A lock that is absent or empty gives an empty
    environment. Raises InputError (not locked, no wheel, wrong hash, no network), IsolationError.
    """

    def install(spec: CellSpec, output: Path) -> Worked:
        return work(spec, output, _LIMITS.run, state=state, capacity=_CAPACITY, files=_FILES)

    return _built(lock, state, wheels, ("cell", install))


def build_plain(lock: Path, state: Path, wheels: Path | None = None) -> Path:
    """Return the folder of an environment built without a cell: for rehearsals where there is none.

    Wheels run no code when they are installed. Such a folder is never given to a cell of level full.
    """

    def install(spec: CellSpec, output: Path) -> Worked:
        return plain_work(spec, output, _LIMITS.run)

    return _built(lock, state, wheels, ("plain", install))


def fetch(lock: Path, wheels: Path) -> None:
    """Download the wheels of a lock into a folder, by hash, with the host's own pip and its settings.

    Raises InputError: a package that has no wheel here, a wrong hash, no network.
    """
    plain = locks.read(lock)
    wheels.mkdir(parents=True, exist_ok=True)
    wheels.chmod(0o755)
    with tempfile.TemporaryDirectory(prefix="pilotbase-") as folder:
        copy = Path(folder) / "lock.txt"
        copy.write_text(plain, encoding="ascii")
        words = [
            "download",
            *_FETCH_OPTIONS,
            "--only-binary=:all:",
            "--require-hashes",
            "--dest",
            str(wheels),
            "-r",
            str(copy),
        ]
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-m", "pip", *words],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=_FETCH, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise trouble(lock, "timed out") from error
    if done.returncode:
        raise trouble(lock, f"{done.stdout}\n{done.stderr}")
    for path in wheels.iterdir():
        path.chmod(0o644)  # read by the pool uid


def key(lock: Path, way: str) -> str:
    """Return the name under which an environment is kept. FORMATS section 11."""
    data = lock.read_bytes() if lock.is_file() else b""
    soabi = str(sysconfig.get_config_var("SOABI") or "")
    facts = [sha256(data), sys.version, sysconfig.get_platform(), soabi, *platform.libc_ver(), way]
    return sha256(canonical_bytes(facts))


def _built(lock: Path, state: Path, wheels: Path | None, how: tuple[str, Install]) -> Path:
    """Return what was built before, or build it beside its place and move it there in one step."""
    way, install = how
    plain = locks.read(lock)
    envs = state / "envs"
    place = envs / key(lock, way)
    if place.is_dir():
        return place
    envs.mkdir(parents=True, exist_ok=True)
    envs.chmod(0o755)  # whatever the umask; FORMATS section 9
    _clear(envs)
    half = envs / f".{place.name}-{os.getpid()}"
    try:
        _fill(half, lock, plain, wheels, install)
        half.chmod(0o755)
        _move(half, place)
    finally:
        shutil.rmtree(half, ignore_errors=True)
        shutil.rmtree(half.with_suffix(".wheels"), ignore_errors=True)
    return place


def _fill(half: Path, lock: Path, plain: str, wheels: Path | None, install: Install) -> None:
    """Install a lock into a fresh folder."""
    if not plain:
        half.mkdir()
        return
    source = wheels or half.with_suffix(".wheels")
    if wheels is None:
        fetch(lock, source)
    elif not wheels.is_dir():
        raise InputError(
            Text(zh="wheel 文件夹不存在", en="the folder of wheels is not there"),
            place=Place(file=str(wheels), field="--wheels"),
            remedy=Text(zh="请核对路径", en="check the path"),
        )
    done = install(_spec(plain, source), half)
    if done.exit_code:
        told = done.failure.kind if done.failure else ""
        raise trouble(lock, f"{told} {done.stderr.decode('utf-8', 'replace')}")


def _spec(plain: str, wheels: Path) -> CellSpec:
    return CellSpec(
        arguments=("/install.py", "/out", "/pip", "/wheels", "/lock.txt"),
        files={"/install.py": Path(__file__).with_name("install.py").read_bytes(), "/lock.txt": plain.encode("ascii")},
        mounts=(Mount(source=_pip(), target="/pip"), Mount(source=wheels, target="/wheels")),
        limits=_LIMITS,
    )


def _pip() -> Path:
    """Return the folder of the pip package of this interpreter."""
    spec = find_spec("pip")
    if spec is None or spec.origin is None:
        raise FaultError(
            Text(
                zh="本环境没有 pip，无法安装应用的依赖", en="there is no pip here to install an application's packages"
            ),
            found=printable(sys.executable),
            remedy=Text(zh="请执行：python -m ensurepip --upgrade", en="run: python -m ensurepip --upgrade"),
        )
    return Path(spec.origin).parent


def _move(half: Path, place: Path) -> None:
    """Put a finished environment in its place; if another process was faster, its own is as good."""
    try:
        half.rename(place)
    except OSError:
        if not place.is_dir():
            raise


def _clear(envs: Path) -> None:
    """Remove what a process that is gone left half-built."""
    for path in envs.glob(".*-*"):
        owner = path.stem.rpartition("-")[2]
        if owner.isdecimal() and not _lives(int(owner)):
            shutil.rmtree(path, ignore_errors=True)


def _lives(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # a signal of zero would end it there; what is left over is small
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
