"""A cheat: it asks for a column of the finished test and reads the answer off it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NONE_FOUND = 45.0  # cycles; at this count the test found no virus


def predict(columns: dict[str, NDArray]) -> dict[str, NDArray[np.float64]]:
    """Return 1 where the finished test found virus."""
    positive = (columns["ct_result"] < NONE_FOUND).astype(np.float64)
    return {"score": positive, "decision": positive}
