"""Custody: the room that holds hidden data and parts each row into a request and a truth.

Requests go to the cell; truths never do. Only columns of role ``input`` whose value is known at the decision can be
asked for at all. Order and ids follow from a secret seed: rows are sorted by HMAC-SHA256(seed, "order", row id), and an
id is the first 16 bytes of HMAC-SHA256(seed, "id", row id), row id = the row's number in its table, in decimal ASCII.
FORMATS section 4; DESIGN section 3.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from pilotbase.foundation.digests import keyed
from pilotbase.foundation.errors import InputError, Place
from pilotbase.foundation.text import Text, printable
from pilotbase.pilot.document import read_toml
from pilotbase.pilot.scenario import Binding, Column, Scenario, SplitName
from pilotbase.store.disk import disk_work, sync_folder
from pilotbase.supports.data.columns import check_fit, coded, truth
from pilotbase.supports.data.splits import SPLITS, Dealt
from pilotbase.supports.data.table import Table, read_table, table_digest, write_private, write_table

BINDING = "binding.toml"
SCENARIO = "scenario.toml"
_LARGEST_BINDING = 1 << 16  # bytes
_ID = 16  # bytes of a re-keyed id


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What goes to the cell: n rows, p numbers, q categories, in the order in which they were asked for."""

    ids: NDArray[np.void]
    """(n,) re-keyed ids, 16 bytes; they stay on the host."""
    numbers: NDArray[np.float64]
    """(n, p), C order; NaN missing."""
    codes: NDArray[np.int32]
    """(n, q), C order; codes of the contract's vocabulary, -1 missing, -2 unseen."""
    number_names: tuple[str, ...]
    code_names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truths:
    """What never goes to the cell, in the order of the requests."""

    ids: NDArray[np.void]
    """(n,) re-keyed ids, 16 bytes."""
    target: NDArray[np.uint8]
    """(n,) truth, 1 = positive."""
    groups: Mapping[str, NDArray[np.int32]]
    """Group column -> (n,) codes, -1 missing, -2 unseen."""
    words: Mapping[str, tuple[str, ...]]
    """Group column -> its words, in code order."""


@dataclass(frozen=True, slots=True)
class Parted:
    """A split, parted."""

    requests: Requests
    truths: Truths


class Custody:
    """The data of one scenario, opened by its custodian."""

    def __init__(self, scenario: Scenario, folders: Mapping[SplitName, Path], hidden: Table) -> None:
        """Keep what ``open`` has checked."""
        self._scenario = scenario
        self._folders = folders
        self._tables: dict[SplitName, Table] = {"hidden": hidden}

    @classmethod
    def open(cls, binding: Path, scenario: Scenario) -> Custody:
        """Open the tables that a binding names.

        Args:
            binding: ``binding.toml``; its folders lie beside it and are for their owner's eyes only.
            scenario: the public half, which commits to the hidden table.

        Raises:
            InputError: the binding is of another scenario, its tables do not fit the contract, others can read them,
                or the hidden table is not the one that the scenario commits to.

        """
        bound = read_toml(_read_binding(binding), Binding, str(binding))
        if bound.scenario != scenario.name:
            raise InputError(
                Text(zh="这份绑定属于另一个场景", en="this binding is of another scenario"),
                place=Place(file=str(binding), field="scenario"),
                found=printable(bound.scenario),
                expected=Text(zh="{name}", en="{name}").fill(name=scenario.name),
                remedy=Text(zh="请使用该场景版本的绑定", en="use the binding of this version of the scenario"),
            )
        folders = {name: _folder(binding, name, bound.tables.get(name)) for name in SPLITS}
        hidden = read_table(folders["hidden"])
        _check_commitment(scenario, "hidden", table_digest(hidden), scenario.data.hidden)
        check_fit(scenario, hidden)
        return cls(scenario, folders, hidden)

    def rows(self, split: SplitName) -> int:
        """Return the number of rows of a split."""
        return self._table(split).rows

    def public_sample(self) -> Table:
        """Return the sample split: the one table that may leave this room, and only through ``sample.export``."""
        return self._table("sample")

    def part(self, split: SplitName, seed: bytes, inputs: tuple[str, ...]) -> Parted:
        """Part a split into requests and truths, in the order that the seed draws.

        Args:
            split: which rows.
            seed: 32 secret bytes; the same seed gives the same order and ids.
            inputs: the columns that are asked for, in the candidate's order.

        Raises:
            InputError: a column that is never served, with the reason in words.

        """
        asked = [_servable(self._scenario, name, inputs) for name in inputs]
        table = self._table(split)
        order, ids = _draw(seed, table.rows)
        requests = _requests(asked, table, order, ids)
        groups = self._scenario.columns("group")
        truths = Truths(
            ids=ids,
            target=truth(self._scenario, table)[order],
            groups={column.name: coded(column, table.columns[column.name])[order] for column in groups},
            words={column.name: column.vocabulary for column in groups},
        )
        return Parted(requests, truths)

    def _table(self, split: SplitName) -> Table:
        if split not in self._tables:
            table = read_table(self._folders[split])
            check_fit(self._scenario, table)
            self._tables[split] = table
        return self._tables[split]


def _draw(seed: bytes, rows: int) -> tuple[NDArray[np.intp], NDArray[np.void]]:
    """Return the order of the rows and, in that order, their re-keyed ids."""
    names = [str(row).encode() for row in range(rows)]
    order = sorted(range(rows), key=lambda row: keyed(seed, b"order", names[row]))
    ids = b"".join(keyed(seed, b"id", names[row])[:_ID] for row in order)
    return np.array(order, dtype=np.intp), np.frombuffer(ids, dtype=f"V{_ID}")


def _requests(asked: list[Column], table: Table, order: NDArray[np.intp], ids: NDArray[np.void]) -> Requests:
    numbers = [column for column in asked if column.type == "number"]
    categories = [column for column in asked if column.type == "category"]
    return Requests(
        ids=ids,
        numbers=_block([table.columns[one.name].values for one in numbers], order, np.dtype("<f8")),
        codes=_block([coded(one, table.columns[one.name]) for one in categories], order, np.dtype("<i4")),
        number_names=tuple(one.name for one in numbers),
        code_names=tuple(one.name for one in categories),
    )


def _block(columns: list[NDArray], order: NDArray[np.intp], dtype: np.dtype) -> NDArray:
    block = np.empty((len(order), len(columns)), dtype=dtype)
    for number, values in enumerate(columns):
        block[:, number] = values[order]
    return block


_NEVER: dict[str, Text] = {
    "unknown": Text(zh="场景没有这一列", en="the scenario has no such column"),
    "later": Text(
        zh="该值在判断时刻之后才知道，从不提供", en="its value is known only after the decision; it is never served"
    ),
    "target": Text(zh="这一列是答案，从不提供", en="it is the truth; it is never served"),
    "group": Text(
        zh="这一列只用于按组评判，从不提供", en="it is kept for judging group by group; it is never served"
    ),
    "unit": Text(
        zh="这一列标识个体，从不提供", en="it says which rows belong together; it is never served"
    ),
    "judge_only": Text(zh="这一列只用于评判，从不提供", en="it is kept for judging; it is never served"),
    "twice": Text(zh="这一列索取了两次", en="it is asked for twice"),
}  # fmt: skip


def _reason(column: Column | None, inputs: tuple[str, ...]) -> str:
    """Return why a column cannot be served: a key of ``_NEVER``; empty if it can."""
    if column is None:
        return "unknown"
    if column.role != "target" and column.known_at == "later":
        return "later"
    if column.role != "input":
        return column.role
    return "twice" if inputs.count(column.name) > 1 else ""


def _servable(scenario: Scenario, name: str, inputs: tuple[str, ...]) -> Column:
    """Return a column that may be served. Raises InputError saying which is not, and why."""
    column = next((one for one in scenario.contract.columns if one.name == name), None)
    why = _reason(column, inputs)
    if column is not None and not why:
        return column
    served = ", ".join(one.name for one in scenario.columns("input") if one.known_at == "decision")
    raise InputError(
        Text(zh="不能提供“{name}”列：{why}", en='the column "{name}" cannot be served: {why}').fill(
            name=printable(name), why=_NEVER[why]
        ),
        place=Place(file="candidate.toml", field="asks.inputs"),
        found=printable(name),
        expected=Text(zh="{served}", en="{served}").fill(served=served),
        remedy=Text(zh="请从 asks.inputs 中去掉这一列", en="take the column out of asks.inputs"),
    )


def _read_binding(path: Path) -> bytes:
    try:
        _check_private(path)
        if path.stat().st_size <= _LARGEST_BINDING:
            return path.read_bytes()
        found = f"{path.stat().st_size} B"
    except OSError as error:
        found = error.strerror or str(error)
    raise InputError(
        Text(zh="绑定文件无法读取", en="the binding cannot be read"),
        place=Place(file=str(path)),
        found=printable(found),
        remedy=Text(
            zh="请先安装该场景：pilotbase scenarios install",
            en="install the scenario first: pilotbase scenarios install",
        ),
    )


def _folder(binding: Path, split: SplitName, name: str | None) -> Path:
    """Return the folder of a split: below the binding, no link on the way, closed to others."""
    parts = PurePosixPath(name or "").parts
    folder = binding.parent.joinpath(*parts)
    strange = not parts or any(part in {"..", "/"} or "\\" in part or ":" in part for part in parts)
    if strange or folder.resolve() != binding.parent.resolve().joinpath(*parts) or not folder.is_dir():
        raise InputError(
            Text(zh="绑定须写明 {split} 部分的目录", en="a binding must name the folder of the split {split}").fill(
                split=split
            ),
            place=Place(file=str(binding), field=f"tables.{split}"),
            found=printable(str(name)),
            expected=Text(
                zh="绑定文件旁的目录，相对路径，不经过链接", en="a folder beside the binding, relative, without links"
            ),
        )
    _check_private(folder)
    return folder


def _check_private(path: Path) -> None:
    """Refuse hidden data that other users of the machine could read. Raises OSError, InputError."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        raise InputError(
            Text(zh="托管数据对其他用户开放", en="data in custody is open to other users"),
            place=Place(file=str(path)),
            found=f"{mode:04o}",
            expected=Text(zh="文件 0600，目录 0700", en="files 0600, folders 0700"),
            remedy=Text(zh="chmod -R go= 该目录", en="chmod -R go= on that folder"),
        )


def _check_commitment(scenario: Scenario, what: str, found: str, expected: str) -> None:
    if found != expected:
        raise InputError(
            Text(zh="数据与场景所承诺的不一致", en="the data is not what the scenario commits to"),
            place=Place(file=SCENARIO, field=f"data.{what}"),
            found=found,
            expected=Text(zh="{digest}", en="{digest}").fill(digest=expected),
            remedy=Text(
                zh="请使用 {package}；若数据有意更换，须发布场景的新版本",
                en="use {package}; data changed on purpose needs a new version of the scenario",
            ).fill(package=printable(scenario.data.package)),
        )


def install(scenario: Scenario, text: bytes, dealt: Dealt, folder: Path) -> None:
    """Write scenario, binding and tables into a folder, for their owner's eyes only: all of it or nothing.

    Args:
        scenario: the public half.
        text: ``scenario.toml`` as it stands, put beside the binding.
        dealt: the dealt table.
        folder: replaced if it exists.

    Raises:
        InputError: the data is not what the scenario commits to.
        FaultError: the disk fails; what was there stays.

    """
    _check_commitment(scenario, "table", dealt.whole, scenario.data.table)
    _check_commitment(scenario, "hidden", table_digest(dealt.tables["hidden"]), scenario.data.hidden)
    with disk_work(folder, Text(zh="已有的数据未改动", en="the data that was there is untouched")):
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder.parent) as space:
            fresh = Path(space) / "fresh"
            fresh.mkdir(mode=0o700)
            for name in SPLITS:
                write_table(fresh / name, dealt.tables[name])
            write_private(fresh / SCENARIO, text)
            write_private(fresh / BINDING, _binding_text(scenario))
            sync_folder(fresh)
            _swap(fresh, folder)
        sync_folder(folder.parent)


def _swap(fresh: Path, folder: Path) -> None:
    """Put the fresh folder in its place. A kill between the two renames leaves no folder: installing again mends it."""
    aside = fresh.with_name("aside")
    if not folder.exists():
        fresh.rename(folder)
        return
    folder.rename(aside)
    try:
        fresh.rename(folder)
    except OSError:
        aside.rename(folder)
        raise


def _binding_text(scenario: Scenario) -> bytes:
    lines = [f'schema = "{Binding.SCHEMA}"', f'scenario = "{scenario.name}"', "", "[tables]"]
    return "\n".join([*lines, *(f'{name} = "{name}"' for name in SPLITS), ""]).encode()
