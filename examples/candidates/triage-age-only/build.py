"""Count positives by age band in the exported sample and write ``model.json``: ``python build.py SAMPLE.csv``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import sample  # noqa: E402 - beside this folder
import triage  # noqa: E402


def main(csv: str) -> None:
    """Count and write."""
    data = sample.read(Path(csv))
    band = np.digitize(data.columns["age"], triage.BANDS)
    share = [round(float(data.positive[band == number].mean()), 4) for number in range(len(triage.BANDS) + 1)]
    model = {"threshold": round(float(data.positive.mean()), 4), "share": share}
    (HERE / "model.json").write_text(json.dumps(model), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
