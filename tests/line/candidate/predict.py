"""The honest chance of being loose, given the torque: loose bolts lie in 14 to 24 N.m, others in 20 to 30."""

from __future__ import annotations

import numpy as np


def predict(columns):
    """Return score and decision."""
    torque = columns["torque"]
    score = np.where(torque < 20, 0.99, np.where(torque < 24, 0.4, 0.01))
    return {"score": score, "decision": (score >= 0.4).astype(float)}
