"""Replay: an auditor gets the same digest, or learns that candidate, scenario or answers are others."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from fake_base import CANDIDATE, SCENARIO, Ask, FakeCells, answers, fault, frame, honest, make_candidate

from pilotbase.base.verbs import read_public
from pilotbase.foundation.errors import FaultError, InputError
from pilotbase.line.journey import Issued
from pilotbase.line.means import Means, Unwatched
from pilotbase.line.replay import Replayed, replay
from pilotbase.line.seal import Pack, open_pack
from pilotbase.pilot.dossier import Copy, read_copy
from pilotbase.supports.compute import machine


def go(means: Means, copy: Copy, cells: FakeCells, candidate: Path = CANDIDATE, pack: Pack | None = None) -> Replayed:
    plan, verdict = read_public(copy)
    return replay(
        copy,
        plan,
        verdict,
        pack=pack or open_pack(means.home.custody, SCENARIO),
        candidate=candidate,
        cells=cells.cells,
        here=machine.environment(),
        watch=Unwatched(),
    )


def test_the_same_answers_give_the_same_digest(kept: tuple[Means, Issued]) -> None:
    means, issued = kept
    leaves, pilots = means.leaves.leaves(), means.ledger.pilots()
    replayed = go(means, read_copy(issued.dossier), FakeCells())
    assert replayed.same
    assert replayed.judgement.outcome == "accepted"
    assert replayed.differs == ()
    assert (means.leaves.leaves(), means.ledger.pilots()) == (leaves, pilots)


def test_one_answer_in_one_bit_gives_another(kept: tuple[Means, Issued]) -> None:
    means, issued = kept

    def script(ask: Ask) -> bytes:
        changed = answers(ask).copy()
        if ask.rows > 1:
            changed[0, 0] = np.nextafter(changed[0, 0], 2)
        return frame(changed)

    assert not go(means, read_copy(issued.dossier), FakeCells(script)).same


def test_times_are_not_compared(kept: tuple[Means, Issued]) -> None:
    """Another machine takes more memory and other times: the digest is the same."""
    means, issued = kept
    assert go(means, read_copy(issued.dossier), FakeCells(memory=200_000_000)).same


def test_another_candidate_is_refused_in_both_languages(kept: tuple[Means, Issued], tmp_path: Path) -> None:
    means, issued = kept
    other = make_candidate(tmp_path / "c", ("1.0.0", "1.0.1"))
    with pytest.raises(InputError) as caught:
        go(means, read_copy(issued.dossier), FakeCells(), other)
    assert "candidate" in caught.value.what.en
    assert "应用" in caught.value.what.zh


def test_another_scenario_is_refused(kept: tuple[Means, Issued]) -> None:
    means, issued = kept
    pack = open_pack(means.home.custody, SCENARIO)
    with pytest.raises(InputError) as caught:
        go(means, read_copy(issued.dossier), FakeCells(), pack=replace(pack, text=pack.text + b"#"))
    assert "场景" in caught.value.what.zh


def test_a_copy_without_the_restricted_part_cannot_be_replayed(kept: tuple[Means, Issued], tmp_path: Path) -> None:
    means, issued = kept
    shutil.copytree(issued.dossier, tmp_path / "d")
    shutil.rmtree(tmp_path / "d" / "restricted")
    with pytest.raises(InputError) as caught:
        go(means, read_copy(tmp_path / "d"), FakeCells())
    assert caught.value.remedy is not None


def test_another_machine_is_named(kept: tuple[Means, Issued]) -> None:
    means, issued = kept
    copy = read_copy(issued.dossier)
    plan, verdict = read_public(copy)
    here = msgspec.structs.replace(machine.environment(), python="3.99.0", variables={})
    pack = open_pack(means.home.custody, SCENARIO)
    replayed = replay(
        copy, plan, verdict, pack=pack, candidate=CANDIDATE, cells=FakeCells().cells, here=here, watch=Unwatched()
    )
    assert any("3.99.0" in text.en and "3.99.0" in text.zh for text in replayed.differs)
    assert any("OMP_NUM_THREADS" in text.en for text in replayed.differs)


def test_a_platform_fault_ends_a_replay_without_an_answer(kept: tuple[Means, Issued]) -> None:
    means, issued = kept
    count = -1

    def script(ask: Ask) -> bytes | BaseException:
        nonlocal count
        count += 1
        return fault(ask) if count < 2 else honest(ask)

    with pytest.raises(FaultError):
        go(means, read_copy(issued.dossier), FakeCells(script))
