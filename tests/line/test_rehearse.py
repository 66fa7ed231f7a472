"""Rehearsal: the same line on the sample; no verdict, no ledger, no hidden row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_base import CANDIDATE, NONE, SCENARIO, Ask, FakeCells, at, honest, make_candidate

from pilotbase.foundation.errors import InputError
from pilotbase.line.means import Means, Unwatched
from pilotbase.line.rehearse import Rehearsed, rehearse
from pilotbase.line.seal import open_pack
from pilotbase.supports.compute.cell import failed


def go(means: Means, cells: FakeCells, candidate: Path = CANDIDATE, seed: bytes | None = None) -> Rehearsed:
    pack = open_pack(means.home.custody, SCENARIO)
    return rehearse(pack, candidate, cells=cells.cells, watch=Unwatched(), moment=means.clock(), seed=seed)


def test_it_shows_the_sample_and_leaves_nothing(means: Means) -> None:
    shown: list[float] = []

    def script(ask: Ask) -> bytes:
        shown.extend(ask.columns["torque"].tolist())
        return honest(ask)

    said = go(means, FakeCells(script, isolation=NONE))
    sample = open_pack(means.home.custody, SCENARIO).custody.part("sample", bytes(32), ("torque",)).requests.numbers
    assert set(shown) <= set(sample[:, 0].tolist())
    assert (said.passed, said.planned) == (13, 13)
    assert not hasattr(said, "outcome")
    assert means.ledger.pilots() == []
    assert means.leaves.leaves() == []
    assert list(means.home.blobs.iterdir()) == []


def test_a_seed_gives_the_same_order(means: Means) -> None:
    orders = []
    for seed in (bytes(32), bytes(32), b"\1" * 32, None):
        shown: list[float] = []

        def script(ask: Ask, shown: list[float] = shown) -> bytes:
            shown.extend(ask.columns["torque"].tolist())
            return honest(ask)

        go(means, FakeCells(script, isolation=NONE), seed=seed)
        orders.append(np.array(shown))
    np.testing.assert_array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2])
    assert not np.array_equal(orders[2], orders[3])


def test_it_says_why_not(means: Means, tmp_path: Path) -> None:
    cells = FakeCells(at(1, lambda _: failed("exited", "exit code 1")), isolation=NONE)
    said = go(means, cells)
    assert said.passed < said.planned
    assert [stage.ran for stage in said.stages] == [True, True, False, False, False]
    assert "exit code 1" in next(one for one in said.findings if one.answer == "refused").sentence.en
    assert said.stderr.startswith(b"cell 0")
    locked = make_candidate(tmp_path / "c", ("Apache-2.0", "Mine-1.0"))
    assert [stage.ran for stage in go(means, FakeCells(isolation=NONE), locked).stages] == [True] + [False] * 4


def test_what_cannot_be_read_is_bad_input(means: Means, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        go(means, FakeCells(), tmp_path / "nothing")
