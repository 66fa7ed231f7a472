"""Train as the twin does and write ``model.onnx``: ``python build.py SAMPLE.csv``."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, helper

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import boosting  # noqa: E402 - beside this folder
import sample  # noqa: E402

TOLERANCE = 0.002  # processors differ in the last bits, and a tree may then split elsewhere


def main(csv: str) -> None:
    """Train, and write the trees as one ONNX operator; check that the card states the threshold found in training."""
    inputs = sample.inputs_of(HERE)
    data = sample.read(Path(csv))
    trained = boosting.train(sample.matrix(data.columns, inputs), data.positive, data.subject)
    stated = tomllib.loads((HERE / "candidate.toml").read_text(encoding="utf-8"))["run"]["threshold"]
    if abs(stated - trained.threshold) > TOLERANCE:
        sys.exit(f"candidate.toml: run.threshold is {stated}, training found {trained.threshold}: state that one")
    network = _network(trained.trees, len(inputs))
    (HERE / "model.onnx").write_bytes(network.SerializeToString(deterministic=True))


def _network(trees: boosting.Trees, inputs: int) -> ModelProto:
    """Return the network: float32 (n, inputs) in; label (n,) and the probabilities of 0 and 1 (n, 2) out."""
    leaf = trees.leaf
    ensemble = helper.make_node(
        "TreeEnsembleClassifier",
        ["input"],
        ["label", "probabilities"],
        domain="ai.onnx.ml",
        nodes_treeids=trees.tree.tolist(),
        nodes_nodeids=trees.node.tolist(),
        nodes_featureids=trees.feature.tolist(),
        nodes_values=trees.bar.astype(np.float32).tolist(),
        nodes_modes=["LEAF" if end else "BRANCH_LEQ" for end in leaf],
        nodes_truenodeids=np.where(leaf, 0, trees.left).tolist(),
        nodes_falsenodeids=np.where(leaf, 0, trees.right).tolist(),
        nodes_missing_value_tracks_true=trees.missing_left.astype(int).tolist(),
        class_treeids=trees.tree[leaf].tolist(),
        class_nodeids=trees.node[leaf].tolist(),
        class_ids=[0] * int(leaf.sum()),
        class_weights=trees.value[leaf].astype(np.float32).tolist(),
        classlabels_int64s=[0, 1],
        base_values=[trees.baseline],
        post_transform="LOGISTIC",
    )
    graph = helper.make_graph(
        [ensemble],
        "triage",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", inputs])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, ["n"]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 2]),
        ],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


if __name__ == "__main__":
    main(sys.argv[1])
