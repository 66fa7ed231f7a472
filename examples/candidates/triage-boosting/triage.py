"""Gradient-boosted trees, walked with numpy alone: no pickle, no compiled model format, nothing else to install."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_MODEL = json.loads((Path(__file__).parent / "model.json").read_text(encoding="utf-8"))
_FEATURE, _LEFT, _RIGHT = (np.array(_MODEL[name], dtype=np.intp) for name in ("feature", "left", "right"))
_BAR, _VALUE = (np.array(_MODEL[name], dtype=np.float64) for name in ("bar", "value"))
_MISSING_LEFT = np.array(_MODEL["missing_left"], dtype=bool)
_ROOTS = np.array(_MODEL["roots"], dtype=np.intp)


def predict(columns: dict[str, NDArray]) -> dict[str, NDArray[np.float64]]:
    """Return the probability of a positive, and whether it reaches the threshold found in training."""
    rows = np.column_stack([columns[name].astype(np.float64) for name in _MODEL["inputs"]])
    at = np.broadcast_to(_ROOTS, (len(rows), len(_ROOTS)))
    line = np.arange(len(rows))[:, None]
    for _ in range(_MODEL["depth"]):  # all trees go down one step at a time; a leaf's children are itself
        seen = rows[line, _FEATURE[at]]
        left = (seen <= _BAR[at]) | (np.isnan(seen) & _MISSING_LEFT[at])
        at = np.where(left, _LEFT[at], _RIGHT[at])
    log_odds = _MODEL["baseline"] + _VALUE[at].sum(axis=1)
    score = 1.0 / (1.0 + np.exp(-log_odds))
    return {"score": score, "decision": (score >= _MODEL["threshold"]).astype(np.float64)}
