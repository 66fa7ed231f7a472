"""The gradient boosting behind ``triage-boosting`` and its ONNX twin: trained once the same way for both.

A specimen's day, age and place say together what none says alone, so trees are deep (63 leaves) and the categories'
codes go in as plain numbers. The threshold is set on scores from models that have not seen the subject: scores on
what a model was trained on are too sure of themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

FLAGGED = 0.35  # share of held-out specimens at or above the threshold
FOLDS = 3
SEED = 0


@dataclass(frozen=True, slots=True)
class Trees:
    """All trees of a model as one list of n nodes; every array (n,)."""

    baseline: float  # log-odds before the first tree
    depth: int  # steps from a root to the deepest leaf
    tree: NDArray[np.int64]
    node: NDArray[np.int64]
    """Number of the node within its tree; 0 is the root."""
    feature: NDArray[np.int64]
    bar: NDArray[np.float64]
    """A row goes left if its feature is at most this."""
    missing_left: NDArray[np.bool_]
    left: NDArray[np.int64]
    """Number within the tree; a leaf's children are itself."""
    right: NDArray[np.int64]
    leaf: NDArray[np.bool_]
    value: NDArray[np.float64]
    """Log-odds that a leaf adds; 0 elsewhere."""


@dataclass(frozen=True, slots=True)
class Boosting:
    """A trained model with the threshold of its decision."""

    trees: Trees
    threshold: float  # on the score; at or above it a specimen goes first


def train(rows: NDArray[np.float64], positive: NDArray[np.float64], subject: NDArray[np.int64]) -> Boosting:
    """Train on rows (n, p). The same rows give the same model: fixed seed, one thread."""
    with threadpool_limits(1):
        held_out = np.empty(len(rows))
        for fold in range(FOLDS):
            out = subject % FOLDS == fold
            held_out[out] = _fit(rows[~out], positive[~out]).predict_proba(rows[out])[:, 1]
        threshold = round(float(np.quantile(held_out, 1 - FLAGGED)), 4)
        return Boosting(_take_apart(_fit(rows, positive)), threshold)


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


def _take_apart(model: HistGradientBoostingClassifier) -> Trees:
    """Read the trees off a model; scikit-learn, pinned in requirements.txt, has no public way to them.

    Rounded, so that the last bits of a sum, which differ between processors, do not change the file that is written.
    """
    trees = [stage[0].nodes for stage in model._predictors]  # noqa: SLF001
    all_nodes = np.concatenate(trees)
    node = np.concatenate([np.arange(len(tree)) for tree in trees])
    leaf = all_nodes["is_leaf"] == 1
    return Trees(
        baseline=round(float(model._baseline_prediction.item()), 9),  # noqa: SLF001
        depth=int(all_nodes["depth"].max()),
        tree=np.repeat(np.arange(len(trees)), [len(tree) for tree in trees]),
        node=node,
        feature=np.where(leaf, 0, all_nodes["feature_idx"]),
        bar=np.where(leaf, 0, all_nodes["num_threshold"]).round(6),
        missing_left=~leaf & (all_nodes["missing_go_to_left"] == 1),
        left=np.where(leaf, node, all_nodes["left"]),
        right=np.where(leaf, node, all_nodes["right"]),
        leaf=leaf,
        value=np.where(leaf, all_nodes["value"], 0).round(9),
    )
