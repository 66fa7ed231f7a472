"""Asking: whatever a cell does is an answer, a failure of the candidate, or a fault of the platform; never a guess."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import numpy as np
import pytest
from fake_base import PACK, Ask, FakeCell, FakeCells, Script, answers, at, fault, frame, honest
from numpy.typing import NDArray

from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.errors import FaultError, InputError
from pilotbase.foundation.text import Text
from pilotbase.line.install import read_pack
from pilotbase.line.means import Unwatched
from pilotbase.line.run import PATIENCE, Batch, Forgetful, Session, ask_all, batches, first
from pilotbase.pilot.measurement import CANDIDATE, OK, PLATFORM
from pilotbase.supports.compute.cell import Cell, CellLimits, CellSpec, failed
from pilotbase.supports.data.custody import Requests

SCENARIO = read_pack(PACK).scenario
CONFIG = canonical_bytes({"numbers": ["torque"], "categories": ["lot"]})
SPEC = CellSpec(
    arguments=(),
    files={"/config.json": CONFIG},
    limits=CellLimits(memory=1, scratch=1, processes=1, start=1.0, run=1.0),
)  # fmt: skip


def session(cells: FakeCells) -> Session:
    return Session(open_cell=lambda: cells.open(SPEC), outputs=SCENARIO.contract.output, limits=SCENARIO.limits)


def rows(count: int, seed: int = 1) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    rng = np.random.default_rng(seed)
    return rng.uniform(14, 30, (count, 1)), rng.integers(-2, 3, (count, 1)).astype(np.int32)


def requests(count: int) -> Requests:
    numbers, codes = rows(count)
    ids = np.zeros(count, dtype="V16")
    return Requests(ids=ids, numbers=numbers, codes=codes, number_names=("torque",), code_names=("lot",))


def test_an_honest_answer_is_taken_as_it_is() -> None:
    cells = FakeCells()
    one = session(cells)
    numbers, codes = rows(5)
    batch = one.ask(numbers, codes)
    one.close()
    assert (batch.status == OK).all()
    expected = answers(Ask(cell=0, call=0, columns={"torque": numbers[:, 0], "lot": codes[:, 0]}, rows=5))
    np.testing.assert_array_equal(batch.answers, expected)
    assert batch.seconds > 0
    assert one.failures == []
    assert [usage.processes for usage in one.usages] == [3]
    assert one.stderr == [b"cell 0\n"]


def spoilt(change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Script:
    return lambda ask: frame(change(answers(ask).copy()))


def put(value: float, column: int) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    def change(array: NDArray[np.float64]) -> NDArray[np.float64]:
        array[0, column] = value
        return array

    return change


MISBEHAVIOUR: dict[str, tuple[Script, str]] = {
    "one row too few": (spoilt(lambda array: array[:-1]), "wrong_count"),
    "one row too many": (spoilt(lambda array: np.vstack([array, array[:1]])), "wrong_count"),
    "no rows": (lambda _: frame(np.empty((0, 2))), "wrong_count"),
    "a count that would fill memory": (lambda ask: frame(answers(ask), 2**62), "wrong_count"),
    "a column too few": (spoilt(lambda array: array[:, :1]), "exited"),
    "half a number": (lambda ask: honest(ask)[:-3], "exited"),
    "NaN": (spoilt(put(np.nan, 0)), "not_finite"),
    "infinity": (spoilt(put(np.inf, 1)), "not_finite"),
    "a score above 1": (spoilt(put(1.0000001, 0)), "out_of_range"),
    "a score below 0": (spoilt(put(-0.5, 0)), "out_of_range"),
    "half a decision": (spoilt(put(0.5, 1)), "out_of_range"),
    "a crash": (lambda _: failed("exited", "signal 11"), "exited"),
    "no answer in time": (lambda _: failed("slow_call", "no reply within 10 s"), "slow_call"),
    "too much memory": (lambda _: failed("killed_memory", "2 GiB"), "killed_memory"),
}


@pytest.mark.parametrize("name", sorted(MISBEHAVIOUR))
def test_misbehaviour_is_the_candidates_failure_for_every_row_of_the_batch(name: str) -> None:
    script, kind = MISBEHAVIOUR[name]
    cells = FakeCells(at(0, script))
    one = session(cells)
    batch, after = one.ask(*rows(4)), one.ask(*rows(4))
    one.close()
    assert (batch.status == CANDIDATE).all()
    assert np.isnan(batch.answers).all()
    assert [failure.kind for failure in one.failures] == [kind]
    assert (after.status == OK).all()  # the next batch meets a new cell
    assert len(cells.opened) == len(one.usages) == 2
    assert all(cell.closed for cell in cells.opened)


def test_bytes_beyond_a_reply_are_a_failure_and_hide_no_usage() -> None:
    """Else a candidate could leave its peak of memory out of the count by a stray byte at the end."""
    cells = FakeCells(lambda ask: honest(ask) + b"!")
    one = session(cells)
    one.ask(*rows(4))
    one.close()
    assert [failure.kind for failure in one.failures] == ["protocol"]
    assert [usage.memory for usage in one.usages] == [50_000_000]


def test_patience_ends_after_three_failing_cells_in_a_row() -> None:
    cells = FakeCells(lambda _: failed("exited", "exit code 1"))
    one = session(cells)
    told = [one.ask(*rows(3)) for _ in range(PATIENCE + 4)]
    one.close()
    assert len(cells.opened) == PATIENCE
    assert all((batch.status == CANDIDATE).all() for batch in told)
    assert len(one.failures) == PATIENCE


def test_patience_begins_anew_after_a_good_answer() -> None:
    bad = {0, 1, 3, 4, 6, 7}
    count = -1

    def script(ask: Ask) -> bytes | BaseException:
        nonlocal count
        count += 1
        return failed("exited", "exit code 1") if count in bad else honest(ask)

    one = session(FakeCells(script))
    told = [bool((one.ask(*rows(3)).status == OK).all()) for _ in range(9)]
    one.close()
    assert told == [number not in bad for number in range(9)]


@pytest.mark.parametrize("ready", [b"\1" + bytes(7), failed("slow_start", "no reply within 30 s")])
def test_a_cell_that_is_never_ready_is_the_candidates_failure(ready: bytes | BaseException) -> None:
    cells = FakeCells(ready=ready)
    one = session(cells)
    told = [one.ask(*rows(2)) for _ in range(5)]
    assert all((batch.status == CANDIDATE).all() for batch in told)
    assert len(cells.opened) == PATIENCE
    assert {failure.kind for failure in one.failures} <= {"protocol", "slow_start"}


def test_a_platform_fault_shows_the_batch_once_more_to_a_new_cell() -> None:
    cells = FakeCells(at(1, fault))
    one = session(cells)
    told = [one.ask(*rows(3, seed)) for seed in range(3)]
    one.close()
    assert all((batch.status == OK).all() for batch in told)
    assert len(cells.opened) == 2
    assert (len(one.faults), one.shown_again, one.failures) == (1, 1, [])


def test_a_second_fault_makes_the_rows_invalid_and_blames_nobody() -> None:
    one = session(FakeCells(at(1, fault, at(1, fault))))
    told = [one.ask(*rows(3, seed)) for seed in range(3)]
    one.close()
    assert [int(batch.status.max()) for batch in told] == [OK, PLATFORM, OK]
    assert np.isnan(told[1].answers).all()
    assert one.failures == []


@dataclass
class Unopenable:
    """A platform that cannot open cells: ``error`` at the first ``times`` tries."""

    error: BaseException
    times: int
    cells: FakeCells = field(default_factory=FakeCells)

    def open(self) -> AbstractContextManager[Cell]:
        self.times -= 1
        if self.times >= 0:
            raise self.error
        return self.cells.open(SPEC)


@pytest.mark.parametrize(("times", "status"), [(1, OK), (2, PLATFORM)])
def test_a_cell_that_cannot_be_opened_is_the_platforms_fault(times: int, status: int) -> None:
    platform = Unopenable(FaultError(Text(zh="内存不足", en="out of memory")), times)
    one = Session(open_cell=platform.open, outputs=SCENARIO.contract.output, limits=SCENARIO.limits)
    assert int(one.ask(*rows(2)).status.max()) == status
    one.close()


@pytest.mark.parametrize("error", [InputError(Text(zh="没有网络", en="no network")), KeyboardInterrupt()])
def test_what_is_neither_passes_through(error: BaseException) -> None:
    one = Session(open_cell=Unopenable(error, 1).open, outputs=SCENARIO.contract.output, limits=SCENARIO.limits)
    with pytest.raises(type(error)):
        one.ask(*rows(2))
    one.close()


def test_closing_twice_counts_once() -> None:
    one = session(FakeCells())
    one.ask(*rows(2))
    one.close()
    one.close()
    assert len(one.usages) == 1


def test_a_session_that_asked_nothing_opens_nothing() -> None:
    cells = FakeCells()
    session(cells).close()
    assert cells.opened == []


@pytest.mark.parametrize(("count", "size", "expected"), [(0, 4, []), (4, 4, [4]), (9, 4, [4, 4, 1])])
def test_batches_keep_the_order(count: int, size: int, expected: list[int]) -> None:
    whole = requests(count)
    cut = list(batches(whole, size))
    assert [len(numbers) for numbers, _ in cut] == expected
    if cut:
        np.testing.assert_array_equal(np.concatenate([numbers for numbers, _ in cut]), whole.numbers)
        np.testing.assert_array_equal(np.concatenate([codes for _, codes in cut]), whole.codes)


def test_first_takes_the_first() -> None:
    whole = requests(9)
    np.testing.assert_array_equal(first(whole, 4).numbers, whole.numbers[:4])
    assert len(first(whole, 99).ids) == 9


@dataclass
class Remembering:
    """A recall that knows some batches."""

    known: dict[int, Batch]
    kept: list[int] = field(default_factory=list)

    def load(self, number: int) -> Batch | None:
        return self.known.get(number)

    def keep(self, number: int, batch: Batch) -> None:
        assert len(batch.status)
        self.kept.append(number)


class Counting(Unwatched):
    def __init__(self) -> None:
        self.done: list[int] = []

    def advance(self, rows: int) -> None:
        self.done.append(rows)


def test_what_is_remembered_is_not_asked_again() -> None:
    whole, cells = requests(10), FakeCells()
    one = session(cells)
    before = ask_all(one, whole, 4, Unwatched(), Forgetful())
    recall, watch = Remembering({0: before[0], 2: before[2]}), Counting()
    again = ask_all(one, whole, 4, watch, recall)
    one.close()
    assert cells.opened[0].calls == 4
    assert recall.kept == [1]
    assert watch.done == [4, 8, 10]
    for old, new in zip(before, again, strict=True):
        np.testing.assert_array_equal(old.answers, new.answers)


def test_the_fake_keeps_the_rules_of_a_cell() -> None:
    cell = FakeCell(0, SPEC, honest)
    assert cell.exchange(b"", lambda _: 8, 1.0) == bytes(8)
    usage = cell.close()
    assert cell.close() == usage
