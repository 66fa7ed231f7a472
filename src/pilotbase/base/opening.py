"""Opening a base: its keys, ledger and rooms, and the ways in which code of others may run here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pilotbase.evidence.keyfiles import load_ring, load_secret, load_signing_key
from pilotbase.foundation.clock import Clock, system_clock
from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.line.cells import Cells
from pilotbase.line.install import Loading
from pilotbase.line.means import Means
from pilotbase.pilot.trace import Isolation
from pilotbase.store.blobs import Blobs
from pilotbase.store.database import embedded
from pilotbase.store.home import Home, home
from pilotbase.store.leases import Leases
from pilotbase.store.leaves import Leaves
from pilotbase.store.ledger import Ledger
from pilotbase.supports.compute import environment
from pilotbase.supports.compute.cell import CellLimits, CellSpec, Mount
from pilotbase.supports.compute.isolated import isolated, work
from pilotbase.supports.compute.plain import plain, plain_work
from pilotbase.supports.compute.selftest import require_full

_MEBI = 1 << 20
_LOADER_LIMITS = CellLimits(memory=4096 * _MEBI, scratch=512 * _MEBI, processes=64, start=600.0, run=600.0)


def open_base(variables: Mapping[str, str], clock: Clock = system_clock) -> Means:
    """Open the base that the environment names. Raises InputError with the remedy if it has no keys yet."""
    place = home(variables)
    place.prepare()
    if not place.signing_key.is_file():
        raise InputError(
            Text(zh="这个基地还没有签名密钥", en="this base has no signing key yet"),
            place=Place(file=str(place.signing_key)),
            remedy=Text(zh="pilotbase keys init --owner 基地名称", en="pilotbase keys init --owner NAME-OF-THE-BASE"),
        )
    database = embedded(place.ledger)
    return Means(
        home=place,
        ledger=Ledger(database),
        leases=Leases(database, clock),
        leaves=Leaves(database),
        blobs=Blobs(place.blobs),
        key=load_signing_key(place.signing_key),
        ring=load_ring(place.ring),
        secret=load_secret(place.secret),
        clock=clock,
    )


def isolated_cells(place: Home, wheels: Path | None) -> Cells:
    """Return cells of level full. Raises IsolationError with what is missing here and how to mend it."""
    return Cells(
        isolation=require_full(place.root),
        build=lambda lock: environment.build(lock, place.root, wheels),
        open=lambda spec: isolated(spec, place.root),
    )


def plain_cells(place: Home, wheels: Path | None) -> Cells:
    """Return ordinary processes, level none: for rehearsals, and for code that someone vouches for."""
    return Cells(
        isolation=NO_ISOLATION,
        build=lambda lock: environment.build_plain(lock, place.root, wheels),
        open=plain,
    )


NO_ISOLATION = Isolation(level="none", layers=(), kernel="", bubblewrap="", filter="")


def isolated_loading(place: Home, wheels: Path | None) -> Loading:
    """Return what runs a pack's loader in a cell without network."""

    def load(loader: Path, lock: Path, out: Path) -> None:
        with _kept_private(environment.build(lock, place.root, wheels)) as installed:
            done = work(_loader_spec(loader, installed), out, _LOADER_LIMITS.run, state=place.root)
        if done.exit_code:
            raise _not_loaded(loader, done.stderr)

    return load


def plain_loading(place: Home, wheels: Path | None) -> Loading:
    """Return what runs a pack's loader as an ordinary process, for machines without isolation."""

    def load(loader: Path, lock: Path, out: Path) -> None:
        with _kept_private(environment.build_plain(lock, place.root, wheels)) as installed:
            done = plain_work(_loader_spec(loader, installed), out, _LOADER_LIMITS.run)
        if done.exit_code:
            raise _not_loaded(loader, done.stderr)

    return load


@contextmanager
def _kept_private(installed: Path) -> Iterator[Path]:
    """Shut a pack's environment to other users and remove it after use: its packages may carry the answers."""
    installed.chmod(0o700)
    try:
        yield installed
    finally:
        shutil.rmtree(installed)


def _loader_spec(loader: Path, installed: Path) -> CellSpec:
    return CellSpec(
        arguments=("/loader.py", "/out"),
        files={"/loader.py": loader.read_bytes()},
        mounts=(Mount(source=installed, target="/env"),),
        limits=_LOADER_LIMITS,
    )


def _not_loaded(loader: Path, stderr: bytes) -> InputError:
    return InputError(
        Text(zh="场景的数据载入脚本失败", en="the scenario's loader failed"),
        place=Place(file=str(loader)),
        found=printable(stderr.decode("utf-8", "replace")[-300:], 300),
        remedy=Text(zh="请联系场景包的作者", en="ask the author of the scenario pack"),
    )
