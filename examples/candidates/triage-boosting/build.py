"""Train on the exported sample and write ``model.json``: ``python build.py SAMPLE.csv``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import boosting  # noqa: E402 - beside this folder
import sample  # noqa: E402


def main(csv: str) -> None:
    """Train, take the trees apart, write them as lists of numbers."""
    inputs = sample.inputs_of(HERE)
    data = sample.read(Path(csv))
    trained = boosting.train(sample.matrix(data.columns, inputs), data.positive, data.subject)
    model = {"inputs": inputs, "threshold": trained.threshold} | _trees(trained.model)
    (HERE / "model.json").write_text(json.dumps(model, separators=(",", ":")), encoding="utf-8")


def _trees(model: Any) -> dict[str, Any]:
    """Return all trees as one list of nodes. scikit-learn (pinned in requirements.txt) has no public way to them."""
    trees = [stage[0].nodes for stage in model._predictors]  # noqa: SLF001
    sizes = np.array([len(tree) for tree in trees])
    roots = np.cumsum(sizes) - sizes
    start = np.repeat(roots, sizes)
    node = np.concatenate(trees)
    leaf = node["is_leaf"] == 1
    itself = np.arange(len(node))
    return {
        "baseline": round(float(model._baseline_prediction.item()), 9),  # noqa: SLF001
        "depth": int(node["depth"].max()),
        "roots": roots.tolist(),
        "feature": np.where(leaf, 0, node["feature_idx"]).tolist(),
        "bar": np.where(leaf, 0, node["num_threshold"]).round(6).tolist(),
        "missing_left": np.where(leaf, 0, node["missing_go_to_left"]).tolist(),
        "left": np.where(leaf, itself, start + node["left"]).tolist(),
        "right": np.where(leaf, itself, start + node["right"]).tolist(),
        "value": np.where(leaf, node["value"], 0).round(9).tolist(),  # nine decimals: the last bits differ by machine
    }


if __name__ == "__main__":
    main(sys.argv[1])
