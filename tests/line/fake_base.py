"""A base in a temporary folder with a small scenario installed, and cells that run in this very process.

The cells implement the ``Cell`` protocol of ``supports/compute/cell`` and speak the frames of the protocol; what
they answer is scripted. No network, no bubblewrap, no data but that of ``pack/loader.py``.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from pilotbase.base.keyring import init
from pilotbase.base.opening import open_base
from pilotbase.foundation.errors import FaultError
from pilotbase.foundation.text import Text
from pilotbase.line.cells import Cells
from pilotbase.line.install import install, read_pack
from pilotbase.line.journey import Issued, run
from pilotbase.line.means import Means, Unwatched
from pilotbase.line.run import Forgetful
from pilotbase.line.seal import draft, open_pack, open_submission, order_seed
from pilotbase.line.stages import Work
from pilotbase.pilot.trace import Isolation, Layer, Usage
from pilotbase.supports.compute import environment
from pilotbase.supports.compute.cell import CandidateFailed, CellSpec, Expect, failed

HERE = Path(__file__).parent
PACK = HERE / "pack"
CANDIDATE = HERE / "candidate"
SCENARIO = "manufacturing/loose-bolts"
HIDDEN = 548
BATCHES = 5  # of at most 128 hidden rows

FULL = Isolation(
    level="full",
    layers=(Layer(name="made", present=True, required=True, detail=Text(zh="测试中的沙箱", en="a cell of the tests")),),
    kernel="6.0",
    bubblewrap="0.8 made",
    filter="f" * 64,
)
NONE = Isolation(level="none", layers=(), kernel="", bubblewrap="", filter="")


def load(path: Path) -> ModuleType:
    """Import one file by its path."""
    spec = importlib.util.spec_from_file_location(f"made_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


class Ticking:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 8, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def loading(loader: Path, lock: Path, out: Path) -> None:
    """Run a pack's loader in this process."""
    assert lock.name == "requirements.lock"
    load(loader).main(out)


def variables(home: Path) -> dict[str, str]:
    return {"PILOTBASE_HOME": str(home)}


def make_base(home: Path, pack: Path = PACK) -> Means:
    """Make a base with keys and the scenario of this folder."""
    clock = Ticking()
    init("made base", variables(home), clock)
    means = open_base(variables(home), clock)
    install(read_pack(pack), means.home.custody, loading, Unwatched())
    return means


def closing(means: Means) -> None:
    """Let go of a base's database."""
    for tables in (means.ledger, means.leases, means.leaves):
        tables.close()


@dataclass(frozen=True)
class Ask:
    """One request, as a cell sees it."""

    cell: int
    """Counted from 0."""
    call: int
    """Counted from 0 in its cell; the start is not counted."""
    columns: Mapping[str, NDArray]
    rows: int


Script = Callable[[Ask], "bytes | BaseException"]


def frame(answers: NDArray[np.float64], rows: int | None = None) -> bytes:
    """Return a reply; ``rows`` is the count that it claims."""
    body = np.ascontiguousarray(answers, dtype="<f8").tobytes()
    return (len(answers) if rows is None else rows).to_bytes(8, "little") + body


_PREDICT = load(CANDIDATE / "predict.py").predict


def answers(ask: Ask) -> NDArray[np.float64]:
    said = _PREDICT(ask.columns)
    return np.stack([said["score"], said["decision"]], axis=1)


def honest(ask: Ask) -> bytes:
    """Answer as the candidate of this folder would."""
    return frame(answers(ask))


def at(number: int, other: Script, usual: Script = honest) -> Script:
    """Let one request, counted over all cells and every call of this script, be answered otherwise."""
    count = -1

    def script(ask: Ask) -> bytes | BaseException:
        nonlocal count
        count += 1
        return other(ask) if count == number else usual(ask)

    return script


def fault(_: Ask) -> FaultError:
    """Fail as the platform does."""
    return FaultError(Text(zh="监督进程出错", en="the supervisor failed"))


@dataclass
class FakeCell:
    """One cell; see ``cell.Cell``."""

    number: int
    spec: CellSpec
    script: Script
    ready: bytes | BaseException = bytes(8)
    calls: int = -1
    failure: CandidateFailed | None = None
    beyond: bool = False
    closed: bool = False
    memory: int = 50_000_000

    @property
    def stderr(self) -> bytes:
        return f"cell {self.number}\n".encode() if self.closed else b""

    def exchange(self, request: bytes | memoryview, expect: Expect, seconds: float) -> bytes:
        assert seconds > 0
        if self.failure is not None:
            raise self.failure
        assert not self.closed
        reply = self.ready if self.calls < 0 else self.script(self._ask(bytes(request)))
        self.calls += 1
        if isinstance(reply, CandidateFailed):
            self.failure = reply
        if isinstance(reply, BaseException):
            raise reply
        return self._measured(reply, expect)

    def _measured(self, reply: bytes, expect: Expect) -> bytes:
        """Hand on as much as is expected; the rest stays in the pipe."""
        taken = b""
        while (wanted := expect(taken)) > len(taken):
            if len(reply) < wanted:
                self.failure = failed("exited", "exit code 0")
                raise self.failure
            taken = reply[:wanted]
        self.beyond = len(reply) > len(taken)
        return taken

    def close(self) -> Usage:
        beyond, self.beyond, self.closed = self.beyond and not self.closed, False, True
        if beyond:
            raise failed("protocol", "bytes beyond the last reply")
        return Usage(wall="0.500", cpu="0.250", memory=self.memory, processes=3, stderr=len(self.stderr))

    def _ask(self, request: bytes) -> Ask:
        config = json.loads(self.spec.files["/config.json"])
        rows, p, q = int.from_bytes(request[:8], "little"), len(config["numbers"]), len(config["categories"])
        numbers = np.frombuffer(request, dtype="<f8", count=rows * p, offset=8).reshape(rows, p)
        codes = np.frombuffer(request, dtype="<i4", offset=8 + 8 * rows * p).reshape(rows, q)
        columns = {name: numbers[:, index] for index, name in enumerate(config["numbers"])}
        columns |= {name: codes[:, index] for index, name in enumerate(config["categories"])}
        return Ask(cell=self.number, call=self.calls, columns=columns, rows=rows)


@dataclass
class FakeCells:
    """Opens fake cells and remembers them."""

    script: Script = honest
    ready: bytes | BaseException = bytes(8)
    isolation: Isolation = FULL
    memory: int = 50_000_000
    opened: list[FakeCell] = field(default_factory=list)
    built: list[Path] = field(default_factory=list)

    @contextmanager
    def open(self, spec: CellSpec) -> Iterator[FakeCell]:
        cell = FakeCell(len(self.opened), spec, self.script, self.ready, memory=self.memory)
        self.opened.append(cell)
        yield cell
        assert cell.closed, "a cell was left open"

    def build(self, lock: Path) -> Path:
        self.built.append(lock)
        return lock.parent

    @property
    def cells(self) -> Cells:
        return Cells(isolation=self.isolation, build=self.build, open=self.open)


def make_candidate(folder: Path, *changes: tuple[str, str]) -> Path:
    """Copy the candidate of this folder, with pieces of its ``candidate.toml`` replaced."""
    shutil.copytree(CANDIDATE, folder)
    path = folder / "candidate.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    return folder


def make_pack(folder: Path, *changes: tuple[str, str]) -> Path:
    """Copy the pack of this folder, with pieces of its ``scenario.toml`` replaced."""
    shutil.copytree(PACK, folder, ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / "scenario.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    return folder


@contextmanager
def a_dossier(folder: Path) -> Iterator[tuple[Means, Issued]]:
    """Make a base with one accepted dossier, through fakes from seal to issue."""
    made = make_base(folder / "home")
    yield made, run(made, SCENARIO, CANDIDATE, cells=FakeCells().cells, watch=Unwatched(), out=folder / "dossier")
    closing(made)


@dataclass(frozen=True)
class Place:
    """Where a base and its one dossier lie."""

    home: Path
    dossier: Path
    variables: dict[str, str]


@contextmanager
def a_place(folder: Path) -> Iterator[Place]:
    """Make a base with a dossier, on which ordinary processes can run the candidate."""
    with a_dossier(folder) as (means, issued):
        with_numpy(means.home.root, CANDIDATE / "requirements.lock")
        yield Place(means.home.root, issued.dossier, variables(means.home.root))


def a_fresh_place(folder: Path) -> Place:
    """Make a base with keys and the scenario, without a dossier."""
    means = make_base(folder / "home")
    with_numpy(means.home.root, CANDIDATE / "requirements.lock")
    closing(means)
    return Place(means.home.root, folder / "none", variables(means.home.root))


def with_numpy(home: Path, lock: Path, way: str = "plain") -> None:
    """Give a base the built environment of a lock: numpy as these tests have it, without fetching anything."""
    place = home / "envs" / environment.key(lock, way)
    place.mkdir(parents=True)
    for name in ("numpy", "numpy.libs"):
        source = Path(np.__file__).parents[1] / name
        if source.exists():
            (place / name).symlink_to(source)


def make_work(means: Means, room: Path, cells: FakeCells | None = None, candidate: Path = CANDIDATE) -> Work:
    """Return what the stages of a drafted, unsealed plan would work with."""
    pack = open_pack(means.home.custody, SCENARIO)
    room.mkdir(parents=True, exist_ok=True)
    submission = open_submission(candidate, room)
    seed = order_seed(means.secret, pack, submission)
    plan, _ = draft("019ab1c2-7d3e-7f00-8a11-2b3c4d5e6f70", pack, submission, seed=seed, moment=means.clock())
    return Work(
        plan=plan,
        pack=pack,
        submission=submission,
        seed=seed,
        open_cell=(cells or FakeCells()).cells.opener(pack.scenario, submission, Unwatched()),
        hidden="hidden",
        recall=Forgetful(),
        watch=Unwatched(),
    )
