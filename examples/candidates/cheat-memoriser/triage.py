"""A cheat: it has learnt the sample by heart and knows nothing else."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def predict(columns: dict[str, NDArray]) -> dict[str, NDArray[np.float64]]:
    """Return what happened to the specimen in the sample with the very same details; to strangers, the average."""
    model = _model()
    score = np.array([model["known"].get(one, model["stranger"]) for one in likenesses(columns)])
    return {"score": score, "decision": (score > model["stranger"]).astype(np.float64)}


@functools.cache
def _model() -> dict[str, Any]:
    """Read what build.py wrote; not on import, since build.py imports this file first."""
    return json.loads((Path(__file__).parent / "model.json").read_text(encoding="utf-8"))


def likenesses(columns: dict[str, NDArray]) -> list[str]:
    """Return one text per specimen: all its details in a row, by which it is known again."""
    names = sorted(columns)
    return ["|".join(map(str, row)) for row in zip(*(columns[name].tolist() for name in names), strict=True)]
