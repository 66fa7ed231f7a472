"""How often each example candidate is accepted, over many ways of dealing the subjects of the first pack.

    covid_triage_splits.py [--splits 200] [--names triage-boosting,...]

A scenario whose good candidate passes by luck of the split teaches nothing. Here the subjects are dealt again and again
with other salts; each time the candidates are built anew from that sample, by their own ``build.py``, and judged on
that hidden split by the platform's own criteria, as in a pilot (alpha 0.05; beta divided by the four rated criteria).
Latency is left out: it does not depend on the split. So is the ONNX twin: it is the same model. Split number 0 has the
scenario's own salt.

Environment, made once: what pilotbase needs, what builds the candidates, the pack's data package, pilotbase itself.

    python -m venv .venv-bench
    .venv-bench/bin/pip install -r constraints.txt
    .venv-bench/bin/pip install -r examples/candidates/requirements.txt
    .venv-bench/bin/pip install -r src/pilotbase/sectors/healthcare/covid_test_triage/requirements.lock
    PYTHONPATH=src .venv-bench/bin/python bench/covid_triage_splits.py

Prints one table; about ten minutes for 200 splits on one core.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotbase.pilot import criteria
from pilotbase.pilot.document import read_toml
from pilotbase.pilot.measurement import OK
from pilotbase.pilot.measures import Items, measure_items
from pilotbase.pilot.scenario import Criterion, Scenario
from pilotbase.supports.data.columns import coded, truth
from pilotbase.supports.data.sample import export
from pilotbase.supports.data.splits import deal
from pilotbase.supports.data.table import Table, read_table, select

ROOT = Path(__file__).resolve().parents[1]
PACK = ROOT / "src/pilotbase/sectors/healthcare/covid_test_triage"
CANDIDATES = ROOT / "examples/candidates"
NAMES = ("triage-boosting", "triage-logistic", "triage-age-only", "cheat-memoriser")
RATED = 4  # criteria of the scenario that carry an error rate
LAST_DAY = 60  # of the split by day

Predict = Callable[[dict[str, NDArray]], dict[str, NDArray]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One candidate on one split."""

    answers: dict[str, criteria.Answer]
    readings: dict[str, criteria.Reading]
    flagged: float  # share of hidden subjects with decision 1
    found: float  # share of hidden positives with decision 1

    @property
    def verdict(self) -> str:
        """Return what the split's criteria say."""
        given = set(self.answers.values())
        return "rejected" if "refused" in given else "undecided" if "not_shown" in given else "accepted"


def main() -> None:
    """Deal, build, judge, print."""
    parser = argparse.ArgumentParser(description="Acceptance of the example candidates over many splits.")
    parser.add_argument("--splits", type=int, default=200)
    parser.add_argument("--names", default=",".join(NAMES), help="python candidates, with commas between")
    given = parser.parse_args()
    names = given.names.split(",")
    scenario = read_toml((PACK / "scenario.toml").read_bytes(), Scenario, "scenario.toml")
    outcomes: dict[str, list[Outcome]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        space = Path(folder)
        subprocess.run([sys.executable, "-B", str(PACK / "loader.py"), str(space / "table")], check=True)
        table = read_table(space / "table")
        shutil.copytree(CANDIDATES, space / "examples/candidates", ignore=shutil.ignore_patterns("model.*"))
        shutil.copytree(PACK, space / PACK.relative_to(ROOT))
        began = time.perf_counter()
        for number in range(given.splits):
            _one_split(_salted(scenario, number), table, space, outcomes)
            _progress(number + 1, given.splits, time.perf_counter() - began)
        _print(scenario, outcomes)
        _print_by_day(scenario, table, space, names)


def _progress(done: int, total: int, took: float) -> None:
    end = "\n" if done == total else ""
    sys.stderr.write(f"\r{done}/{total} splits, {took:.0f} s{end}")


def _salted(scenario: Scenario, number: int) -> Scenario:
    """Return the scenario with another salt; number 0 keeps its own."""
    salt = scenario.splits.salt if number == 0 else f"{scenario.splits.salt} split {number}"
    return msgspec.structs.replace(scenario, splits=msgspec.structs.replace(scenario.splits, salt=salt))


def _one_split(scenario: Scenario, table: Table, space: Path, outcomes: dict[str, list[Outcome]]) -> None:
    dealt = deal(scenario, table)
    export(scenario, dealt.tables["sample"], space / "sample.csv")
    for name, sofar in outcomes.items():
        predict, inputs = _built(space, name)
        sofar.append(_judge(scenario, dealt.tables["hidden"], predict, inputs))


def _built(space: Path, name: str) -> tuple[Predict, list[str]]:
    """Build a candidate from the sample; return its function and the columns that it asks for."""
    folder = space / "examples/candidates" / name
    with _path(folder):
        _module(folder / "build.py").main(str(space / "sample.csv"))
        card = tomllib.loads((folder / "candidate.toml").read_text(encoding="utf-8"))
        module, _, function = card["run"]["entry"].partition(":")
        return getattr(_module(folder / f"{module}.py"), function), card["asks"]["inputs"]


@contextlib.contextmanager
def _path(folder: Path) -> Iterator[None]:
    """Make a candidate's folder importable for a while, and forget what was imported from it."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(folder)):
                del sys.modules[name]


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _judge(scenario: Scenario, table: Table, predict: Predict, inputs: list[str]) -> Outcome:
    asked = [column for column in scenario.contract.columns if column.name in inputs]
    replies = predict(
        {
            column.name: np.array(found.values) if column.type == "number" else coded(column, found)
            for column in asked
            for found in [table.columns[column.name]]
        }
    )
    items = Items(
        ids=np.zeros(table.rows, dtype="V16"),
        status=np.full(table.rows, OK, dtype=np.uint8),
        positive=truth(scenario, table),
        answers=replies,
        groups={column.name: coded(column, table.columns[column.name]) for column in scenario.columns("group")},
    )
    wanted = [one for stage in scenario.stages for one in stage.criteria if stage.name in {"effectiveness", "fairness"}]
    records = measure_items("effectiveness", tuple(wanted), items)
    words = {column.name: column.vocabulary for column in scenario.columns("group")}
    readings = {one.id: criteria.read(one, records, _rates(one), words) for one in wanted}
    answers = {one.id: criteria.answer(one, readings[one.id]) for one in wanted}
    decided = replies["decision"] == 1
    return Outcome(answers, readings, float(decided.mean()), float(decided[items.positive == 1].mean()))


def _rates(criterion: Criterion) -> criteria.Rates:
    return criteria.Rates(alpha=float(criterion.alpha or 0), beta=float(criterion.beta or 0) / RATED)


def _print(scenario: Scenario, outcomes: dict[str, list[Outcome]]) -> None:
    for name, many in outcomes.items():
        verdicts = [one.verdict for one in many]
        tally = ", ".join(f"{verdicts.count(word)} {word}" for word in ("accepted", "rejected", "undecided"))
        print(f"\n{name}: {tally} of {len(many)} splits; the scenario's own salt: {many[0].verdict}")
        for criterion in [one for stage in scenario.stages for one in stage.criteria if one.id in many[0].answers]:
            print(f"  {_line(criterion, many)}")
        for label, values in (("flagged", [one.flagged for one in many]), ("found", [one.found for one in many])):
            print(f"  {label}: {_spread(values)}")


def _line(criterion: Criterion, many: list[Outcome]) -> str:
    side = "lower" if criterion.op == ">=" else "upper"
    readings = [one.readings[criterion.id] for one in many]
    answers = [one.answers[criterion.id] for one in many]
    estimates = [float(one.estimate) for one in readings if one.estimate is not None]
    bounds = [float(bound) for one in readings if (bound := getattr(one, side)) is not None]
    tally = ", ".join(f"{word} {answers.count(word)}" for word in ("held", "refused", "not_shown"))
    head = f"{criterion.id} {criterion.op} {criterion.threshold}"
    return f"{head}: {_spread(estimates)}; {side} bound {_spread(bounds)}; {tally}"


def _spread(values: list[float]) -> str:
    return f"{values[0]:.4f} own, mean {np.mean(values):.4f}, {min(values):.4f} to {max(values):.4f}"


def _print_by_day(scenario: Scenario, table: Table, space: Path, names: list[str]) -> None:
    """Split by day instead: learn from the days up to LAST_DAY, be judged on subjects first seen after it."""
    valid = ~np.isnan(table.columns["positive"].values)
    day, unit = table.columns["pan_day"].values, table.columns[scenario.splits.unit].values
    early = valid & (day <= LAST_DAY)
    late = np.flatnonzero(valid & ~np.isin(unit, unit[early]))
    late = late[np.sort(np.unique(unit[late], return_index=True)[1])]
    export(scenario, select(table, early), space / "sample.csv")
    print(f"\nSplit by day: learnt from days up to {LAST_DAY}, judged on {len(late)} subjects first seen later")
    for name in names:
        predict, inputs = _built(space, name)
        outcome = _judge(scenario, select(table, late), predict, inputs)
        area = outcome.readings["auroc"]
        print(f"  {name}: AUROC {area.estimate:.4f}, bounds {area.lower:.4f} to {area.upper:.4f}, {outcome.verdict}")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
