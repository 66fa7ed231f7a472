"""Cells for a candidate: built once, with exactly the candidate, its environment and its configuration inside."""

from __future__ import annotations

import json
from pathlib import Path

from fake_base import SCENARIO, FakeCells, make_work

from pilotbase.foundation.text import Text
from pilotbase.line.cells import cell_limits
from pilotbase.line.gates import walk
from pilotbase.line.means import Means, Unwatched
from pilotbase.line.seal import open_pack


class Noting(Unwatched):
    def __init__(self) -> None:
        self.notes: list[Text] = []

    def note(self, text: Text) -> None:
        self.notes.append(text)


def test_the_environment_is_built_once_and_only_when_a_cell_opens(means: Means, tmp_path: Path) -> None:
    cells, watch = FakeCells(), Noting()
    work = make_work(means, tmp_path / "room")
    open_cell = cells.cells.opener(work.pack.scenario, work.submission, watch)
    assert cells.built == []
    for _ in range(3):
        with open_cell() as cell:
            cell.close()
    assert len(cells.built) == 1
    assert cells.built[0] == work.submission.folder / "requirements.lock"
    assert len(watch.notes) == 1


def test_a_cell_holds_the_candidate_its_environment_and_no_data(means: Means, tmp_path: Path) -> None:
    cells = FakeCells()
    work = make_work(means, tmp_path / "room", cells)
    walk(work)
    spec = cells.opened[0].spec
    assert {mount.source for mount in spec.mounts} == {work.submission.folder, tmp_path / "room" / "candidate"}
    assert all(not mount.source.is_relative_to(means.home.root) for mount in spec.mounts)
    config = json.loads(spec.files["/config.json"])
    assert (config["numbers"], config["categories"]) == (["torque"], ["lot"])
    assert config["vocabulary"] == {"lot": ["a", "b", "c"]}
    assert "loose" not in json.dumps(config)


def test_limits_are_read_in_bytes_and_seconds(means: Means) -> None:
    limits = cell_limits(open_pack(means.home.custody, SCENARIO).scenario.limits)
    assert (limits.memory, limits.scratch, limits.processes) == (1 << 30, 64 << 20, 16)
    assert (limits.start, limits.run) == (30.0, 300.0)


def test_facts_name_packages_only_if_the_candidate_was_started(means: Means, tmp_path: Path) -> None:
    cells = FakeCells()
    work = make_work(means, tmp_path / "room", cells)
    assert cells.cells.facts(work.submission, []).packages == {}
    assert cells.built == []
    cells.cells.facts(work.submission, walk(work))
    assert cells.built
