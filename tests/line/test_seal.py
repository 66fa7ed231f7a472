"""Sealing: everything is decided once; the order follows from the base's secret, and the plan commits to it."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import pytest
from fake_base import CANDIDATE, HIDDEN, SCENARIO, closing, loading, make_base, make_candidate, make_pack

from pilotbase.evidence import envelope
from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import InputError
from pilotbase.line.install import install, read_pack
from pilotbase.line.means import Means, Unwatched
from pilotbase.line.seal import (
    Pack,
    Submission,
    count,
    draft,
    lock_digest,
    open_pack,
    open_submission,
    order_seed,
    sign_plan,
    software,
)
from pilotbase.pilot.document import read_json, to_bytes
from pilotbase.pilot.plan import PAYLOAD_TYPE, Plan, plan_stages
from pilotbase.supports.data.custody import Truths

PILOT = "019ab1c2-7d3e-7f00-8a11-2b3c4d5e6f70"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Means]:
    made = make_base(tmp_path_factory.mktemp("seal") / "home")
    yield made
    closing(made)


@pytest.fixture
def pack(base: Means) -> Pack:
    return open_pack(base.home.custody, SCENARIO)


@pytest.fixture
def submission(tmp_path: Path) -> Submission:
    (tmp_path / "room").mkdir()
    return open_submission(CANDIDATE, tmp_path / "room")


def test_the_plan_names_everything_by_digest(base: Means, pack: Pack, submission: Submission) -> None:
    seed = order_seed(base.secret, pack, submission)
    plan, order = draft(PILOT, pack, submission, seed=seed, moment=base.clock())
    assert plan.scenario.digest == sha256(pack.text)
    assert plan.candidate.digest == submission.digest
    assert plan.candidate_text == sha256((CANDIDATE / "candidate.toml").read_bytes())
    assert plan.environment.digest == lock_digest(submission) == sha256((CANDIDATE / "requirements.lock").read_bytes())
    assert plan.software == software()
    assert plan.order.rows == HIDDEN
    assert plan.order.commitment == sha256(bytes.fromhex(order.salt) + bytes.fromhex(order.seed))
    assert plan.stages == plan_stages(pack.scenario, {"sample": pack.custody.rows("sample"), "hidden": HIDDEN})
    assert (plan.attempt, plan.looks, str(plan.alpha_spent)) == (1, 1, "1")
    assert read_json(to_bytes(plan), Plan, "plan") == plan


def test_the_plan_tells_nothing_of_the_order(base: Means, pack: Pack, submission: Submission) -> None:
    seed = order_seed(base.secret, pack, submission)
    one, first = draft(PILOT, pack, submission, seed=seed, moment=base.clock())
    two, second = draft(PILOT, pack, submission, seed=seed, moment=base.clock())
    assert first.salt != second.salt
    assert one.order.commitment != two.order.commitment  # the salt is fresh: a guess of the seed cannot be checked
    assert seed.hex().encode() not in to_bytes(one)


def test_one_attempt_keeps_its_order_and_any_change_draws_a_new_one(
    base: Means, pack: Pack, submission: Submission, tmp_path: Path
) -> None:
    seed = order_seed(base.secret, pack, submission)
    assert order_seed(base.secret, pack, submission) == seed
    (tmp_path / "other").mkdir()
    other = open_submission(make_candidate(tmp_path / "c", ("1.0.0", "1.0.1")), tmp_path / "other")
    changed = replace(pack, text=pack.text + b"\n")
    seeds = {
        seed,
        order_seed(secrets.token_bytes(32), pack, submission),
        order_seed(base.secret, pack, other),
        order_seed(base.secret, changed, submission),
    }
    assert len(seeds) == 4


def test_the_signature_covers_the_plan(base: Means, pack: Pack, submission: Submission) -> None:
    plan, order = draft(PILOT, pack, submission, seed=bytes(32), moment=base.clock())
    sealed = sign_plan(base, plan, order)
    opened = envelope.open_envelope(sealed.envelope)
    assert opened.payload_type == PAYLOAD_TYPE
    assert read_json(opened.body, Plan, "plan") == plan
    assert sealed.digest == sha256(opened.body)
    assert [one.counts for one in envelope.check(opened, base.ring, base.clock())] == [True]


def test_a_candidate_without_a_lock_has_the_digest_of_nothing(tmp_path: Path) -> None:
    candidate = make_candidate(tmp_path / "c")
    (candidate / "requirements.lock").unlink()
    (tmp_path / "room").mkdir()
    assert lock_digest(open_submission(candidate, tmp_path / "room")) == sha256(b"")


def test_the_newest_installed_version_is_meant_by_the_bare_name(tmp_path: Path) -> None:
    made = make_base(tmp_path / "home")
    try:
        for version in ("1.0.2", "1.0.10", "0.9.0"):
            folder = make_pack(tmp_path / version, ('version = "1.0.0"', f'version = "{version}"'))
            install(read_pack(folder), made.home.custody, loading, Unwatched())
        assert open_pack(made.home.custody, SCENARIO).scenario.version == "1.0.10"
        assert open_pack(made.home.custody, f"{SCENARIO}@1.0.2").scenario.version == "1.0.2"
        with pytest.raises(InputError) as caught:
            open_pack(made.home.custody, f"{SCENARIO}@3.0.0")
        assert caught.value.remedy is not None
    finally:
        closing(made)


@pytest.mark.parametrize(
    "reference",
    ["", "/", "a", "manufacturing", "manufacturing/", "../../etc/passwd", "manufacturing/*", "\x1b[2J/x", "*/*"],
)
def test_whatever_is_not_a_name_is_bad_input(base: Means, reference: str) -> None:
    with pytest.raises(InputError) as caught:
        open_pack(base.home.custody, reference)
    assert caught.value.found.isprintable()


def test_installed_data_that_was_changed_is_refused(tmp_path: Path) -> None:
    made = make_base(tmp_path / "home")
    try:
        folder = made.home.custody / "manufacturing" / "loose-bolts@1.0.0" / "hidden"
        path = folder / "torque.bin"
        data = bytearray(path.read_bytes())
        data[9] ^= 1
        path.write_bytes(bytes(data))
        with pytest.raises(InputError):
            open_pack(made.home.custody, SCENARIO)
    finally:
        closing(made)
        shutil.rmtree(tmp_path / "home")


def test_counting_by_class_and_group() -> None:
    truths = Truths(
        ids=np.zeros(6, dtype="V16"),
        target=np.array([1, 1, 0, 1, 0, 1], dtype=np.uint8),
        groups={"shift": np.array([0, 1, 1, 1, -1, -2], dtype=np.int32)},
        words={"shift": ("day", "night", "noon")},
    )
    counted = count(truths)
    assert (counted.rows, counted.positives, counted.negatives) == (6, 4, 2)
    assert counted.groups == {"shift": (1, 2, 0)}


def test_a_bar_too_tight_for_the_data_is_told_when_the_plan_is_drafted(
    base: Means, pack: Pack, submission: Submission
) -> None:
    """The rows of a rehearsal are those of the sample: what they cannot decide is told as well."""
    tight = msgspec.structs.replace(pack.scenario.stages[2].criteria[1], threshold=Decimal("0.001"))
    stage = msgspec.structs.replace(pack.scenario.stages[2], criteria=(pack.scenario.stages[2].criteria[0], tight))
    stages = (*pack.scenario.stages[:2], stage, *pack.scenario.stages[3:])
    narrow = replace(pack, scenario=msgspec.structs.replace(pack.scenario, stages=stages))
    for shown in ("hidden", "sample"):
        with pytest.raises(InputError) as caught:
            draft(PILOT, narrow, submission, seed=bytes(32), moment=base.clock(), shown=shown)
        assert "brier" in caught.value.what.en
        assert caught.value.place.field == "stages[2].criteria[1].threshold"
