"""Installing a scenario pack: its own environment, its loader in a cell without network, its splits into custody.

The loader runs code of the pack's data packages (unpickling included), so it runs isolated; what it leaves is read as
hostile bytes, and must have the digest that the scenario names. DESIGN section 9.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Protocol

from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.plug import installed
from pilotbase.foundation.text import Text, printable
from pilotbase.line.means import Watch
from pilotbase.pilot.scenario import Scenario
from pilotbase.pilot.soundness import read_sound
from pilotbase.supports.data.custody import install as put_in_custody
from pilotbase.supports.data.quality import Remark, check
from pilotbase.supports.data.splits import Dealt, deal
from pilotbase.supports.data.table import read_table

GROUP = "pilotbase.sectors"


class Loading(Protocol):
    """How a pack's loader is run: builds its environment, runs it, returns the folder of the canonical table."""

    def __call__(self, loader: Path, lock: Path, out: Path) -> None:
        """Run ``loader`` with the packages of ``lock``; it writes the table to ``out``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A pack that can be installed."""

    folder: Path
    scenario: Scenario


def offered() -> list[Offered]:
    """Return the packs that installed packages offer, sorted by name."""
    packs = []
    for point in installed(GROUP).values():
        module = point.load()
        root = Path(str(files(module)))
        packs.extend(read_pack(root / name) for name in module.PACKS)
    return sorted(packs, key=lambda pack: pack.scenario.name)


def read_pack(folder: Path) -> Offered:
    """Read the public half of a pack from its folder. Raises InputError."""
    path = folder / "scenario.toml"
    if not path.is_file():
        raise InputError(
            Text(zh="这不是场景包：缺少 scenario.toml", en="this is no scenario pack: scenario.toml is missing"),
            place=Place(file=str(folder)),
            remedy=Text(
                zh="pilotbase scenarios list 列出可用的场景", en="pilotbase scenarios list shows those there are"
            ),
        )
    return Offered(folder=folder, scenario=read_sound(path.read_bytes(), Scenario, str(path)))


def find_pack(reference: str) -> Offered:
    """Find an offered pack by ``sector/name``. Raises InputError naming those there are."""
    name = reference.partition("@")[0]
    packs = offered()
    for pack in packs:
        if pack.scenario.id == name:
            return pack
    known = ", ".join(pack.scenario.id for pack in packs)
    raise InputError(
        Text(zh="没有这个场景", en="there is no such scenario"),
        found=printable(reference),
        expected=Text(zh=known, en=known),
        remedy=Text(zh="也可以给出场景包文件夹的路径", en="a path to a pack's folder will do as well"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What installing left."""

    scenario: Scenario
    dealt: Dealt
    remarks: tuple[Remark, ...]


def load_pack(pack: Offered, loading: Loading) -> Dealt:
    """Run a pack's loader and deal its table into splits; nothing is put into custody."""
    loader = pack.folder / "loader.py"
    if not loader.is_file():
        raise InputError(
            Text(zh="场景包缺少数据载入脚本", en="the pack has no loader"),
            place=Place(file=str(loader)),
            remedy=Text(zh="请联系场景包的作者", en="ask the author of the scenario pack"),
        )
    with tempfile.TemporaryDirectory(prefix="pilotbase-load-") as space:
        out = Path(space) / "table"
        out.mkdir()
        loading(loader, pack.folder / "requirements.lock", out)
        return deal(pack.scenario, read_table(out))


def install(pack: Offered, custody: Path, loading: Loading, watch: Watch) -> Installed:
    """Install a pack: load its table, deal it, put it into custody.

    Raises InputError if the table is not the one that the scenario commits to, or cannot be loaded.
    """
    watch.note(
        Text(zh="正在准备场景的数据环境并载入数据", en="preparing the scenario's data environment, loading the data")
    )
    dealt = load_pack(pack, loading)
    sector, _, name = pack.scenario.id.partition("/")
    text = (pack.folder / "scenario.toml").read_bytes()
    put_in_custody(pack.scenario, text, dealt, custody / sector / f"{name}@{pack.scenario.version}")
    return Installed(scenario=pack.scenario, dealt=dealt, remarks=check(pack.scenario, dealt))
