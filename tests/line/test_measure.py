"""Replies and truths come together, in the order of the requests."""

from __future__ import annotations

import numpy as np
from fake_base import PACK

from pilotbase.line.install import read_pack
from pilotbase.line.measure import measure, time_requests
from pilotbase.line.run import Batch
from pilotbase.pilot.measurement import CANDIDATE, OK, PLATFORM
from pilotbase.supports.data.custody import Truths

SCENARIO = read_pack(PACK).scenario
CRITERIA = tuple(one for stage in SCENARIO.stages[2:4] for one in stage.criteria)


def batch(status: int, answers: list[list[float]], seconds: float = 0.5) -> Batch:
    array = np.array(answers, dtype=np.float64)
    return Batch(status=np.full(len(array), status, dtype=np.uint8), answers=array, seconds=seconds)


def test_records_hold_each_column_once_and_no_label_beside_the_class() -> None:
    ids = np.frombuffer(b"".join(bytes([number]) * 16 for number in range(5)), dtype="V16")
    truths = Truths(
        ids=ids,
        target=np.array([1, 0, 1, 1, 0], dtype=np.uint8),
        groups={"shift": np.array([0, 1, -1, 1, 0], dtype=np.int32)},
        words={"shift": ("day", "night")},
    )
    nothing = [[np.nan, np.nan]] * 2
    batches = [batch(OK, [[0.9, 1.0], [0.2, 0.0]]), batch(CANDIDATE, nothing), batch(OK, [[0.7, 1.0]])]
    records = measure("effectiveness", CRITERIA, truths, batches, SCENARIO.contract.output)
    names = [column.name for column in records.header.columns]
    assert names == [
        "unit", "status", "positive", "score", "squared_error", "right", "decision", "detected", "group_shift",
    ]  # fmt: skip
    assert records["unit"].tolist() == ids.tolist()
    assert records["status"].tolist() == [OK, OK, CANDIDATE, CANDIDATE, OK]
    assert records["score"].tolist() == [0.9, 0.2, 0.0, 0.0, 0.7]
    np.testing.assert_allclose(records["squared_error"], [0.01, 0.04, 1, 1, 0.49])
    assert records["right"].tolist() == [1, 1, 0, 0, 0]
    assert records["detected"].tolist() == [1, 0, 0, 0, 0]
    assert records["group_shift"].tolist() == [0, 1, -1, 1, 0]


def test_a_request_that_failed_took_for_ever() -> None:
    records = time_requests(
        "efficiency", [batch(OK, [[0.5, 1.0]], 0.25), batch(CANDIDATE, [[0, 0]], 0.1), batch(PLATFORM, [[0, 0]], 0.0)]
    )
    assert records["seconds"].tolist() == [0.25, np.inf, 0.0]
    assert records["status"].tolist() == [OK, CANDIDATE, PLATFORM]
    assert [column.name for column in records.header.columns if column.timed] == ["seconds"]
