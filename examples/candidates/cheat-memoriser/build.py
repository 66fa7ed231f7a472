"""Learn the exported sample by heart and write ``model.json``: ``python build.py SAMPLE.csv``."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import sample  # noqa: E402 - beside this folder
import triage  # noqa: E402


def main(csv: str) -> None:
    """Write down what happened to each specimen."""
    data = sample.read(Path(csv))
    seen: dict[str, list[float]] = defaultdict(list)
    asked = {name: data.columns[name] for name in sample.inputs_of(HERE)}
    for likeness, positive in zip(triage.likenesses(asked), data.positive.tolist(), strict=True):
        seen[likeness].append(positive)
    known = {likeness: round(sum(truths) / len(truths), 4) for likeness, truths in seen.items()}
    model = {"stranger": round(float(data.positive.mean()), 4), "known": known}
    (HERE / "model.json").write_text(json.dumps(model, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
