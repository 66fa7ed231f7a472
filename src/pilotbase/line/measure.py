"""Measuring: replies and truths come together here, in the trusted process, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pilotbase.line.run import Batch
from pilotbase.pilot.measurement import Records
from pilotbase.pilot.measures import Items, measure_items, measure_latency
from pilotbase.pilot.scenario import Criterion, Output, StageName
from pilotbase.supports.data.custody import Truths


def measure(
    stage: StageName,
    criteria: tuple[Criterion, ...],
    truths: Truths,
    batches: Sequence[Batch],
    outputs: tuple[Output, ...],
) -> Records:
    """Return the records of a stage that showed rows with known truth."""
    answers = np.concatenate([batch.answers for batch in batches])
    items = Items(
        ids=truths.ids,
        status=np.concatenate([batch.status for batch in batches]),
        positive=truths.target,
        answers={output.name: answers[:, number] for number, output in enumerate(outputs)},
        groups=truths.groups,
    )
    return measure_items(stage, criteria, items)


def time_requests(stage: StageName, batches: Sequence[Batch]) -> Records:
    """Return the records of single requests that were timed."""
    took = np.array([batch.seconds for batch in batches], dtype=np.float64)
    status = np.array([batch.status.max() for batch in batches], dtype=np.uint8)
    return measure_latency(stage, took, status)
