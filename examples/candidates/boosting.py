"""The gradient boosting behind ``triage-boosting`` and its ONNX twin: trained once the same way for both.

A specimen's day, age and place say together what none says alone, so trees are deep (63 leaves) and the categories'
codes go in as plain numbers. The threshold flags about one specimen in three, judged on scores from models that have
not seen the subject: scores on what a model was trained on are too sure of themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

FLAGGED = 0.35  # share of specimens that the laboratory runs first
FOLDS = 3
SEED = 0


@dataclass(frozen=True, slots=True)
class Boosting:
    """A trained model with the threshold of its decision."""

    model: HistGradientBoostingClassifier
    threshold: float  # on the score; at or above it a specimen goes first


def train(rows: NDArray[np.float64], positive: NDArray[np.float64], subject: NDArray[np.int64]) -> Boosting:
    """Train on rows (n, p). The same rows give the same model: fixed seed, one thread."""
    with threadpool_limits(1):
        held_out = np.empty(len(rows))
        for fold in range(FOLDS):
            out = subject % FOLDS == fold
            held_out[out] = _fit(rows[~out], positive[~out]).predict_proba(rows[out])[:, 1]
        threshold = round(float(np.quantile(held_out, 1 - FLAGGED)), 4)
        return Boosting(_fit(rows, positive), threshold)


def _fit(rows: NDArray[np.float64], positive: NDArray[np.float64]) -> HistGradientBoostingClassifier:
    model = HistGradientBoostingClassifier(
        max_iter=120,
        learning_rate=0.1,
        max_leaf_nodes=63,
        min_samples_leaf=10,
        l2_regularization=5.0,
        max_features=0.7,
        early_stopping=False,
        random_state=SEED,
    )
    return model.fit(rows, positive)
