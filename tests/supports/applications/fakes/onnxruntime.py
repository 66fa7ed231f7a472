"""A fake of onnxruntime, as far as the shim uses it. A model is JSON: inputs, outputs, and how to compute them.

An input is [name, type, shape]; an output is [name, type, kind]. Kind ``mean``: the mean of all inputs of a row, (n,);
``column``: likewise (n, 1); ``pair``: (n, 2); ``three``: (n, 3); ``flag``: 1 where the mean is above one half;
``length``: the length of all strings of a row, over 10; ``short``: a row too few.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np

DTYPES = {"tensor(float)": "<f4", "tensor(double)": "<f8", "tensor(int64)": "<i8", "tensor(int32)": "<i4"}


class SessionOptions:
    intra_op_num_threads = 0
    inter_op_num_threads = 0


class InferenceSession:
    def __init__(self, path, options, providers) -> None:
        assert options.intra_op_num_threads == options.inter_op_num_threads == 1
        assert providers == ["CPUExecutionProvider"]
        self.model = json.loads(Path(path).read_text(encoding="utf-8"))

    def get_inputs(self):
        return [SimpleNamespace(name=name, type=kind, shape=shape) for name, kind, shape in self.model["inputs"]]

    def get_outputs(self):
        return [SimpleNamespace(name=name, type=kind, shape=None) for name, kind, _ in self.model["outputs"]]

    def run(self, names, feed):
        parts = []
        for name, kind, shape in self.model["inputs"]:
            value = feed[name]
            assert value.ndim == len(shape), (name, value.shape)
            assert value.dtype == (np.dtype(object) if kind == "tensor(string)" else np.dtype(DTYPES[kind])), name
            parts.append(value.reshape(len(value), -1))
        kinds = {name: kind for name, _, kind in self.model["outputs"]}
        return [compute(kinds[name], np.concatenate(parts, axis=1)) for name in names]


def compute(kind, rows):
    if kind == "length":
        return np.array([sum(len(word) for word in row) / 10 for row in rows], dtype="<f4")
    mean = np.nan_to_num(rows.astype("<f8")).mean(axis=1).astype("<f4")
    return {
        "mean": lambda: mean,
        "column": lambda: mean[:, None],
        "pair": lambda: np.stack([1 - mean, mean], axis=1),
        "three": lambda: np.stack([mean] * 3, axis=1),
        "flag": lambda: (mean > 0.5).astype("<i8"),
        "short": lambda: mean[1:],
    }[kind]()
