"""One question only: how old? The share of positives among the sample's subjects of that age band."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BANDS = (1.0, 3.0, 6.0, 10.0, 14.0, 18.0, 25.0, 40.0, 60.0)  # years; a band begins at each


def predict(columns: dict[str, NDArray]) -> dict[str, NDArray[np.float64]]:
    """Return the share of positives in the age band, and whether it is above the share overall."""
    model = _model()
    score = np.array(model["share"])[np.digitize(columns["age"], BANDS)]
    return {"score": score, "decision": (score >= model["threshold"]).astype(np.float64)}


@functools.cache
def _model() -> dict[str, Any]:
    """Read what build.py wrote; not on import, since build.py imports this file first."""
    return json.loads((Path(__file__).parent / "model.json").read_text(encoding="utf-8"))
