"""Logistic regression with numpy: one weight per number and per word of a category."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NUMBERS = ("pan_day", "age", "drive_thru_ind", "orderset", "col_rec_tat")
WORDS = {"clinic_name": 88, "demo_group": 5, "payor_group": 7, "patient_class": 9}  # columns, words in the contract


def predict(columns: dict[str, NDArray]) -> dict[str, NDArray[np.float64]]:
    """Return the probability of a positive, and whether it reaches the threshold found in training."""
    model = _model()
    log_odds = features(columns) @ np.array(model["weights"])
    score = 1.0 / (1.0 + np.exp(-log_odds))
    return {"score": score, "decision": (score >= model["threshold"]).astype(np.float64)}


@functools.cache
def _model() -> dict[str, Any]:
    """Read what build.py wrote; not on import, since build.py imports this file first."""
    return json.loads((Path(__file__).parent / "model.json").read_text(encoding="utf-8"))


def features(columns: dict[str, NDArray]) -> NDArray[np.float64]:
    """Return (n, p): a one, the numbers in comparable sizes, and a 0/1 column per word; a missing word has none."""
    scaled = {name: np.nan_to_num(columns[name]) for name in NUMBERS}
    scaled["pan_day"] = scaled["pan_day"] / 50 - 1
    scaled["age"] = np.log1p(scaled["age"]) - 2
    scaled["col_rec_tat"] = np.log1p(scaled["col_rec_tat"])
    words = [columns[name][:, None] == np.arange(count) for name, count in WORDS.items()]
    one = np.ones((len(columns["age"]), 1))
    return np.hstack([one, np.column_stack(list(scaled.values())), *words]).astype(np.float64)
