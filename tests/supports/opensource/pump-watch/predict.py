"""Hotter and older pumps fail more often."""

from __future__ import annotations

import numpy as np


def predict(columns):
    """Return score and decision."""
    score = np.clip(np.nan_to_num(columns["temperature"]) / 200 + columns["hours"] / 20000, 0, 1)
    return {"score": score, "decision": score >= 0.5}
