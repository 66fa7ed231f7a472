"""Keeping: whatever a step left is read back as it was; what was kept before can be kept again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_base import FakeCells, at, make_work

from pilotbase.foundation.errors import FaultError, UsageError
from pilotbase.foundation.text import Text
from pilotbase.line.gates import walk
from pilotbase.line.keeping import Spool, keep_plan, keep_stage, read_plan, read_stage, stage_record
from pilotbase.line.means import Means, Pen
from pilotbase.line.run import Batch
from pilotbase.line.seal import draft, sign_plan
from pilotbase.line.stages import skipped
from pilotbase.pilot.measurement import outcome_digest, pack
from pilotbase.store.leases import this_owner
from pilotbase.store.ledger import LostRaceError
from pilotbase.supports.compute.cell import failed

PILOT = "019ab1c2-7d3e-7f00-8a11-2b3c4d5e6f70"
SALT = bytes(range(32))


def test_a_plan_comes_back_as_it_was_sealed(means: Means, tmp_path: Path) -> None:
    work = make_work(means, tmp_path / "room")
    plan, order = draft(PILOT, work.pack, work.submission, seed=work.seed, moment=means.clock())
    sealed = sign_plan(means, plan, order)
    digest = keep_plan(means, sealed, "full")
    assert keep_plan(means, sealed, "full") == digest
    assert read_plan(means, digest, "full") == sealed
    with pytest.raises(UsageError):
        read_plan(means, digest, "none")


def test_stages_come_back_with_records_failures_and_logs(means: Means, tmp_path: Path) -> None:
    cells = FakeCells(at(4, lambda _: failed("exited", "exit code 1")))
    work = make_work(means, tmp_path / "room", cells)
    done = walk(work)
    bodies = [keep_stage(means, one, SALT) for one in done]
    again = [read_stage(means, str(body["kept"])) for body in bodies]
    assert outcome_digest(tuple(one.evidence for one in again)) == outcome_digest(tuple(one.evidence for one in done))
    for old, new, body in zip(done, again, bodies, strict=True):
        assert (new.usages, new.failures, new.stderr) == (old.usages, old.failures, old.stderr)
        assert stage_record(new, SALT) == stage_record(old, SALT)
        assert body["root"] == stage_record(old, SALT).root
        if old.evidence.records and new.evidence.records:
            assert pack(new.evidence.records) == pack(old.evidence.records)


def test_a_stage_left_out_is_kept_with_its_reason(means: Means, tmp_path: Path) -> None:
    work = make_work(means, tmp_path / "room")
    done = skipped(work.plan.stages[4], Text(zh="停电", en="the power failed"))
    body = keep_stage(means, done, SALT)
    assert (body["ran"], body["root"]) == (False, None)
    assert read_stage(means, str(body["kept"])) == done


def test_the_root_needs_the_salt(means: Means, tmp_path: Path) -> None:
    done = walk(make_work(means, tmp_path / "room"))[2]
    assert stage_record(done, SALT).root != stage_record(done, bytes(32)).root


def batch(rows: int, value: float) -> Batch:
    return Batch(status=np.zeros(rows, dtype=np.uint8), answers=np.full((rows, 2), value), seconds=0.125)


def test_a_spool_remembers_what_the_ledger_knows(means: Means) -> None:
    means.leases.claim(PILOT, this_owner(), 100)
    pen = Pen(means, PILOT, this_owner())
    spool = Spool.open(means.blobs, pen, "effectiveness")
    assert spool.load(0) is None
    for number in (0, 1):
        spool.keep(number, batch(3, number / 2))
    pen.enter("batch.answered", {"stage": "efficiency", "batch": 2, "rows": 1, "digest": "0" * 64})
    again = Spool.open(means.blobs, Pen(means, PILOT, this_owner()), "effectiveness")
    for number in (0, 1):
        found = again.load(number)
        assert found is not None
        np.testing.assert_array_equal(found.answers, np.full((3, 2), number / 2))
        assert found.seconds == 0.125
    assert again.load(2) is None  # of another stage
    assert [body["rows"] for body in pen.bodies("batch.answered")] == [3, 3, 1]


def test_a_batch_whose_blob_is_damaged_is_a_fault_and_never_a_guess(means: Means) -> None:
    means.leases.claim(PILOT, this_owner(), 100)
    pen = Pen(means, PILOT, this_owner())
    Spool.open(means.blobs, pen, "effectiveness").keep(0, batch(3, 0.5))
    digest = str(pen.bodies("batch.answered")[0]["digest"])
    means.blobs.path(digest).write_bytes(b"damaged")
    with pytest.raises(FaultError):
        Spool.open(means.blobs, pen, "effectiveness").load(0)


def test_a_pen_that_was_overtaken_writes_nothing(means: Means) -> None:
    first, second = Pen(means, PILOT, "first"), Pen(means, PILOT, "second")
    second.enter("pilot.opened", {"salt": "0" * 64})
    with pytest.raises(LostRaceError):
        first.enter("pilot.opened", {"salt": "1" * 64})
    assert [event.body["salt"] for event in means.ledger.events(PILOT)] == ["0" * 64]
