"""Train on the exported sample and write ``model.json``: ``python build.py SAMPLE.csv``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import sample  # noqa: E402 - beside this folder
import triage  # noqa: E402

RIDGE = 1.0  # pull on every weight, so that rare words stay near nothing
STEPS = 12  # Newton's method; the weights stand still after about eight
FLAGGED = 0.35  # share of specimens at or above the threshold


def main(csv: str) -> None:
    """Train by Newton's method and write the weights."""
    data = sample.read(Path(csv))
    rows = triage.features(data.columns)
    weights = _train(rows, data.positive)
    score = 1.0 / (1.0 + np.exp(-rows @ weights))
    threshold = round(float(np.quantile(score, 1 - FLAGGED)), 4)
    model = {"threshold": threshold, "weights": weights.round(9).tolist()}
    (HERE / "model.json").write_text(json.dumps(model, separators=(",", ":")), encoding="utf-8")


def _train(rows: NDArray[np.float64], positive: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (p,) weights of the ridge-penalised likelihood's maximum."""
    weights = np.zeros(rows.shape[1])
    pull = RIDGE * np.eye(rows.shape[1])
    for _ in range(STEPS):
        score = 1.0 / (1.0 + np.exp(-rows @ weights))
        slope = rows.T @ (positive - score) - pull @ weights
        curve = (rows * (score * (1 - score))[:, None]).T @ rows + pull
        weights = weights + np.linalg.solve(curve, slope)
    return weights


if __name__ == "__main__":
    main(sys.argv[1])
