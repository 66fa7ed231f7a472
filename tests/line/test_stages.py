"""The stages: what each shows, what it leaves, what it says of a candidate in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from fake_base import (
    HIDDEN,
    Ask,
    FakeCells,
    answers,
    at,
    closing,
    fault,
    frame,
    honest,
    make_base,
    make_candidate,
    make_work,
)

from pilotbase.foundation.errors import FaultError
from pilotbase.foundation.text import LANGUAGES, Text
from pilotbase.line.means import Means
from pilotbase.line.stages import STAGES, Done, Work, skipped
from pilotbase.pilot.measurement import CANDIDATE as FAILED
from pilotbase.pilot.measurement import OK, Fact
from pilotbase.pilot.plan import PlannedStage
from pilotbase.pilot.scenario import StageName
from pilotbase.supports.compute.cell import failed


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Means]:
    made = make_base(tmp_path_factory.mktemp("stages") / "home")
    yield made
    closing(made)


def planned(work: Work, name: StageName) -> PlannedStage:
    return next(stage for stage in work.plan.stages if stage.name == name)


def run(work: Work, name: StageName) -> Done:
    return STAGES[name](work, planned(work, name))


def fact(done: Done, measure: str) -> Fact:
    return next(one for one in done.evidence.facts if one.measure == measure)


def test_an_honest_candidate_passes_intake(base: Means, tmp_path: Path) -> None:
    facts = {one.measure: one.value for one in run(make_work(base, tmp_path), "intake").evidence.facts}
    assert facts == {
        "inputs_served": "0", "licence_known": "1", "requirements_locked": "0", "answers_not_brought": "0",
        "pickles_unsuspicious": "0",
    }  # fmt: skip


INTAKE: dict[str, tuple[tuple[str, str], str, str, tuple[str, str]]] = {
    "a column that is known later": (
        ('"torque", "lot"', '"torque", "repair_cost"'), "inputs_served", "1",
        ("only after the decision", "判断时刻之后"),
    ),
    "the truth": (
        ('"torque", "lot"', '"torque", "loose"'), "inputs_served", "1", ("only after the decision", "判断时刻之后"),
    ),
    "a group": (('"torque", "lot"', '"shift"'), "inputs_served", "1", ("kept for judging", "只用于评判")),
    "a column that is not there": (
        ('"torque", "lot"', '"torque", "colour"'), "inputs_served", "1", ("does not have", "没有这一列"),
    ),
    "an answer that is not given": (
        ('"score", "decision"', '"score"'), "inputs_served", "1", ("contract asks for", "合同要求"),
    ),
    "a licence nobody knows": (("Apache-2.0", "Mine-1.0"), "licence_known", "0", ("Mine-1.0", "Mine-1.0")),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(INTAKE))
def test_intake_says_in_words_what_is_wrong(base: Means, tmp_path: Path, name: str) -> None:
    change, measure, value, words = INTAKE[name]
    candidate = make_candidate(tmp_path / "c", change)
    found = fact(run(make_work(base, tmp_path / "room", candidate=candidate), "intake"), measure)
    assert found.value == value
    for language, word in zip(LANGUAGES, words[::-1], strict=True):
        assert any(word in detail.say(language) for detail in found.details)


@pytest.mark.parametrize(
    ("lock", "measure"),
    [
        (b"numpy>=2\n", "requirements_locked"),
        (b"", "requirements_locked"),
        (None, "requirements_locked"),
        (b"none==1.0 --hash=sha256:" + b"0" * 64 + b"\n", "answers_not_brought"),
    ],
)
def test_intake_looks_at_the_requirements(base: Means, tmp_path: Path, lock: bytes | None, measure: str) -> None:
    """``none`` is the package from which this scenario's data comes."""
    candidate = make_candidate(tmp_path / "c")
    path = candidate / "requirements.lock"
    path.unlink() if lock is None else path.write_bytes(lock)
    found = fact(run(make_work(base, tmp_path / "room", candidate=candidate), "intake"), measure)
    assert found.value == "1"
    assert found.details


def test_intake_names_a_suspicious_pickle(base: Means, tmp_path: Path) -> None:
    candidate = make_candidate(tmp_path / "c")
    (candidate / "model.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    found = fact(run(make_work(base, tmp_path / "room", candidate=candidate), "intake"), "pickles_unsuspicious")
    assert found.value != "0"


def test_hostile_names_are_printable_in_a_finding(base: Means, tmp_path: Path) -> None:
    work = make_work(base, tmp_path)
    asks = replace_asks(work, ("torque", "\x1b[2J\u202e"))
    told = fact(run(asks, "intake"), "inputs_served").details[0]
    assert all(told.say(language).isprintable() for language in LANGUAGES)


def replace_asks(work: Work, inputs: tuple[str, ...]) -> Work:
    replaced = msgspec.structs.replace
    candidate = work.submission.candidate
    asks = replaced(candidate.asks, inputs=inputs)
    return replace(work, submission=replace(work.submission, candidate=replaced(candidate, asks=asks)))


def test_conformance_shows_one_row_alone_then_batches_of_the_sample(base: Means, tmp_path: Path) -> None:
    cells = FakeCells()
    work = make_work(base, tmp_path, cells)
    done = run(work, "conformance")
    assert cells.opened[0].calls == 3
    assert planned(work, "conformance").rows == 256
    assert fact(done, "replies_conform").value == "0"
    assert done.evidence.records is None
    assert len(done.usages) == 1
    assert done.stderr == b"cell 0\n"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda ask: frame(answers(ask)[:-1]), ("wrong number of rows", "行数不对")),
        (lambda ask: frame(np.full((ask.rows, 2), np.nan)), ("NaN", "NaN")),
        (lambda _: failed("exited", "exit code 3"), ("exit code 3", "自行退出")),
        (lambda _: failed("killed_scratch", "64 MiB"), ("scratch space", "临时空间")),
        (lambda _: failed("slow_call", "no reply within 10 s"), ("did not answer in time", "按时应答")),
    ],
)
def test_conformance_says_how_an_answer_broke_the_contract(
    base: Means, tmp_path: Path, wrong: object, words: tuple[str, str]
) -> None:
    found = fact(run(make_work(base, tmp_path, FakeCells(at(1, wrong))), "conformance"), "replies_conform")
    assert found.value == "1"
    assert words[0] in found.details[0].en
    assert words[1] in found.details[0].zh


def test_conformance_counts_bytes_beyond_the_last_reply(base: Means, tmp_path: Path) -> None:
    done = run(make_work(base, tmp_path, FakeCells(at(2, lambda ask: honest(ask) + b"x"))), "conformance")
    assert fact(done, "replies_conform").value == "1"


def test_conformance_sees_nothing_through_a_fault_and_says_so(base: Means, tmp_path: Path) -> None:
    with pytest.raises(FaultError):
        run(make_work(base, tmp_path, FakeCells(fault)), "conformance")


def test_effectiveness_shows_every_hidden_row_in_the_drawn_order(base: Means, tmp_path: Path) -> None:
    shown: list[Ask] = []

    def script(ask: Ask) -> bytes:
        shown.append(ask)
        return honest(ask)

    work = make_work(base, tmp_path, FakeCells(script))
    done = run(work, "effectiveness")
    assert done.evidence.records is not None
    torque = np.concatenate([ask.columns["torque"] for ask in shown])
    parted = work.pack.custody.part("hidden", work.seed, work.submission.candidate.asks.inputs)
    np.testing.assert_array_equal(torque, parted.requests.numbers[:, 0])
    assert len(torque) == HIDDEN
    assert done.evidence.records["unit"].tolist() == parted.truths.ids.tolist()
    other = work.pack.custody.part("hidden", bytes(32), ("torque",)).requests.numbers[:, 0]
    assert sorted(other) == sorted(torque)
    assert list(other) != list(torque)


def test_fairness_shows_nothing(base: Means, tmp_path: Path) -> None:
    cells = FakeCells()
    done = run(make_work(base, tmp_path, cells), "fairness")
    assert cells.opened == []
    assert done == Done(evidence=done.evidence)


def test_efficiency_times_single_requests_and_observes_memory(base: Means, tmp_path: Path) -> None:
    done = run(make_work(base, tmp_path, FakeCells()), "efficiency")
    assert done.evidence.records is not None
    assert done.evidence.records.header.rows == 500
    assert (done.evidence.records["status"] == OK).all()
    assert fact(done, "peak_memory").value == "50000000"
    assert float(fact(done, "rows_per_second").value) > 0
    assert all(one.timed for one in done.evidence.facts)


def test_a_request_that_fails_took_for_ever_and_the_next_meets_a_new_cell(base: Means, tmp_path: Path) -> None:
    done = run(make_work(base, tmp_path, FakeCells(at(7, lambda _: failed("exited", "exit code 1")))), "efficiency")
    assert done.evidence.records is not None
    assert done.evidence.records["status"].tolist().count(FAILED) == 1
    assert np.isinf(done.evidence.records["seconds"]).sum() == 1


def test_rows_that_the_platform_lost_are_no_speed(base: Means, tmp_path: Path) -> None:
    """Two faults at each full batch of the sample: nothing was answered, and nothing is said to have been."""
    count = -1

    def script(ask: Ask) -> bytes | BaseException:
        nonlocal count
        count += 1
        return honest(ask) if ask.rows == 1 else fault(ask)

    assert fact(run(make_work(base, tmp_path, FakeCells(script)), "efficiency"), "rows_per_second").value == "0"


def test_a_silent_candidate_has_no_speed(base: Means, tmp_path: Path) -> None:
    done = run(make_work(base, tmp_path, FakeCells(lambda _: failed("slow_call", "x"))), "efficiency")
    assert fact(done, "rows_per_second").value == "0"
    assert done.evidence.records is not None
    assert (done.evidence.records["status"] == FAILED).all()


def test_a_batch_that_was_shown_again_stands_among_the_facts(base: Means, tmp_path: Path) -> None:
    done = run(make_work(base, tmp_path, FakeCells(at(2, fault))), "effectiveness")
    assert [(one.measure, one.value, one.timed) for one in done.evidence.facts] == [("shown_again", "1", True)]


def test_a_stage_left_out_says_why(base: Means, tmp_path: Path) -> None:
    why = Text(zh="停电", en="the power failed")
    done = skipped(planned(make_work(base, tmp_path), "efficiency"), why)
    assert done.evidence.skipped == why
    assert done.evidence.records is None
