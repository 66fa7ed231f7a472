"""Train on the exported sample and write ``model.json``: ``python build.py SAMPLE.csv``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import boosting  # noqa: E402 - beside this folder
import sample  # noqa: E402


def main(csv: str) -> None:
    """Train, and write the trees as lists of numbers, the children counted over all nodes."""
    inputs = sample.inputs_of(HERE)
    data = sample.read(Path(csv))
    trained = boosting.train(sample.matrix(data.columns, inputs), data.positive, data.subject)
    trees = trained.trees
    roots = np.flatnonzero(trees.node == 0)
    model = {
        "inputs": inputs,
        "threshold": trained.threshold,
        "baseline": trees.baseline,
        "depth": trees.depth,
        "roots": roots.tolist(),
        "feature": trees.feature.tolist(),
        "bar": trees.bar.tolist(),
        "missing_left": trees.missing_left.astype(int).tolist(),
        "left": (roots[trees.tree] + trees.left).tolist(),
        "right": (roots[trees.tree] + trees.right).tolist(),
        "value": trees.value.tolist(),
    }
    (HERE / "model.json").write_text(json.dumps(model, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
