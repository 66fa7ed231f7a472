"""Gates: the next stage opens only behind one that passed, unless the scenario says to go on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
from fake_base import FakeCells, at, fault, frame, make_candidate, make_work

from pilotbase.line.gates import gate, walk
from pilotbase.line.means import Means
from pilotbase.supports.compute.cell import failed


def ran(done: list) -> list[bool]:
    return [one.evidence.skipped is None for one in done]


def test_a_good_candidate_opens_every_gate(means: Means, tmp_path: Path) -> None:
    work = make_work(means, tmp_path / "room")
    assert gate(work.plan, []) is None
    assert ran(walk(work)) == [True] * 5


def test_whoever_fails_at_intake_is_shown_nothing(means: Means, tmp_path: Path) -> None:
    candidate = make_candidate(tmp_path / "c", ("Apache-2.0", "Mine-1.0"))
    cells = FakeCells()
    done = walk(make_work(means, tmp_path / "room", cells, candidate))
    assert ran(done) == [True, False, False, False, False]
    assert cells.opened == []
    assert all("Intake" in one.evidence.skipped.en for one in done[1:] if one.evidence.skipped)


def test_whoever_fails_at_conformance_is_shown_no_hidden_row(means: Means, tmp_path: Path) -> None:
    cells = FakeCells(at(2, lambda _: failed("exited", "exit code 1")))
    done = walk(make_work(means, tmp_path / "room", cells))
    assert ran(done) == [True, True, False, False, False]
    assert all("Conformance" in one.evidence.skipped.en for one in done[2:] if one.evidence.skipped)


def bad_scores() -> FakeCells:
    return FakeCells(lambda ask: frame([[0.5, 0.0]] * ask.rows))


def test_a_stage_that_says_continue_lets_the_next_one_open(means: Means, tmp_path: Path) -> None:
    done = walk(make_work(means, tmp_path / "room", bad_scores()))
    assert ran(done) == [True, True, True, True, True]  # effectiveness and fairness say continue


def test_a_stage_that_does_not_closes_all_behind_it_and_is_named(means: Means, tmp_path: Path) -> None:
    work = make_work(means, tmp_path / "room", bad_scores())
    stages = tuple(msgspec.structs.replace(stage, proceed=stage.name == "fairness") for stage in work.plan.stages)
    done = walk(replace(work, plan=msgspec.structs.replace(work.plan, stages=stages)))
    assert ran(done) == [True, True, True, False, False]
    assert all("Effectiveness" in one.evidence.skipped.en for one in done[3:] if one.evidence.skipped)
    assert all("有效性" in one.evidence.skipped.zh for one in done[3:] if one.evidence.skipped)


def test_invalid_items_do_not_close_a_gate_that_says_continue(means: Means, tmp_path: Path) -> None:
    cells = FakeCells(at(4, fault, at(4, fault)))
    assert ran(walk(make_work(means, tmp_path / "room", cells))) == [True] * 5
