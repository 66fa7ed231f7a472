"""The published test values of docs/spec/methods.md, held against the modules and against the plain transcription."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from pathlib import Path

import methods_oracle as oracle
import pytest

from pilotbase.foundation.canonical import round_down, round_near, round_up
from pilotbase.stats import auroc, betting, gap, intervals, quantile

SPEC = Path(__file__).resolve().parents[2] / "docs" / "spec"
PUBLISHED = json.loads((SPEC / "vectors" / "methods.json").read_text(encoding="utf-8"))
VECTORS = PUBLISHED["vectors"]
METHODS = [
    "clopper-pearson/1",
    "betting-iid/1",
    "betting-wor/1",
    "logit-delong/1",
    "farrington-manning-gap/1",
    "order-statistic/1",
]

Bounds = tuple[float | None, float | None, float]  # lower, upper, estimate


def alphas(given: dict) -> tuple[float, float]:
    return float(given["alpha_lower"]), float(given["alpha_upper"])


def finite(bound: float) -> float | None:
    return None if math.isinf(bound) else bound


def rate(given: dict, low, high) -> Bounds:
    successes, total = given["successes"], given["total"]
    return low(successes, total, alphas(given)[0]), high(successes, total, alphas(given)[1]), successes / total


def mean_by_module(given: dict) -> Bounds:
    values, (low, high), size = [float(v) for v in given["values"]], alphas(given), given.get("population")
    lower, upper = betting.mean_lower(values, low, population=size), betting.mean_upper(values, high, population=size)
    return lower, upper, math.fsum(values) / len(values)


def mean_by_oracle(given: dict) -> Bounds:
    values = [float(v) for v in given["values"]]
    return *oracle.mean_bounds(values, *alphas(given), given.get("population")), math.fsum(values) / len(values)


def auroc_by_module(given: dict) -> Bounds:
    found, (low, high) = auroc.delong([float(s) for s in given["scores"]], given["positive"]), alphas(given)
    if given["threshold"] and not auroc.gate_open(found, float(given["threshold"])):
        return None, None, found.area
    return auroc.logit_lower(found, low), auroc.logit_upper(found, high), found.area


def auroc_by_oracle(given: dict) -> Bounds:
    area, se, rarer = oracle.auroc([float(s) for s in given["scores"]], given["positive"])
    bar = Decimal(given["threshold"] or "0.5")
    if given["threshold"] and rarer * min(bar, 1 - bar) < 20:
        return None, None, area
    low, high = alphas(given)
    return oracle.auroc_lower(area, se, rarer, low), 1 - oracle.auroc_lower(1 - area, se, rarer, high), area


def gap_by_oracle(given: dict) -> Bounds:
    shares = [successes / total for successes, total in given["counts"]]
    return *oracle.gap_bounds(given["counts"], *alphas(given)), max(shares) - min(shares)


def quantile_by_module(given: dict) -> Bounds:
    values, p, (low, high) = latencies(given), float(given["quantile"]), alphas(given)
    lower, upper = quantile.quantile_lower(values, p, low), quantile.quantile_upper(values, p, high)
    return finite(lower), finite(upper), quantile.quantile_estimate(values, p)


def quantile_by_oracle(given: dict) -> Bounds:
    ordered, p, (low, high) = sorted(latencies(given)), float(given["quantile"]), alphas(given)
    padded = [-math.inf, *ordered, math.inf]
    lower = padded[oracle.lower_index(len(ordered), p, low)]
    upper = padded[oracle.upper_index(len(ordered), p, high)]
    return finite(lower), finite(upper), ordered[math.ceil(len(ordered) * Decimal(given["quantile"])) - 1]


def latencies(given: dict) -> list[float]:
    return [math.inf if value is None else float(value) for value in given["values"]]


BY_MODULE = {
    "clopper-pearson/1": lambda given: rate(given, intervals.rate_lower, intervals.rate_upper),
    "betting-iid/1": mean_by_module,
    "betting-wor/1": mean_by_module,
    "logit-delong/1": auroc_by_module,
    "farrington-manning-gap/1": lambda given: (
        gap.gap_lower(given["counts"], alphas(given)[0]),
        gap.gap_upper(given["counts"], alphas(given)[1]),
        gap.gap(given["counts"]),
    ),
    "order-statistic/1": quantile_by_module,
}
BY_ORACLE = {
    "clopper-pearson/1": lambda given: rate(given, oracle.rate_lower, oracle.rate_upper),
    "betting-iid/1": mean_by_oracle,
    "betting-wor/1": mean_by_oracle,
    "logit-delong/1": auroc_by_oracle,
    "farrington-manning-gap/1": gap_by_oracle,
    "order-statistic/1": quantile_by_oracle,
}
TEXTS = {"lower": round_down, "upper": round_up, "estimate": round_near}


def label(vector: dict) -> str:
    return f"{vector['method']}: {vector['name']}"


def test_every_method_has_values():
    assert {vector["method"] for vector in VECTORS} == set(METHODS) == set(BY_MODULE)
    assert len({label(vector) for vector in VECTORS}) == len(VECTORS)


@pytest.mark.parametrize("vector", VECTORS, ids=label)
def test_modules_give_the_published_values(vector):
    found = BY_MODULE[vector["method"]](vector["input"])
    for side, value in zip(("lower", "upper", "estimate"), found, strict=True):
        published = vector["output"][side]
        assert (value is None) == (published is None)
        if value is not None:
            assert value == pytest.approx(float(published), abs=1e-9)
            assert TEXTS[side](value) == vector["rounded"][side]


@pytest.mark.parametrize("vector", VECTORS, ids=label)
def test_the_plain_transcription_gives_the_published_values(vector):
    found = BY_ORACLE[vector["method"]](vector["input"])
    for side, value in zip(("lower", "upper", "estimate"), found, strict=True):
        published = vector["output"][side]
        assert (value is None) == (published is None)
        if value is not None:
            assert value == pytest.approx(float(published), abs=1.000001e-9)
            assert abs(Decimal(TEXTS[side](value)) - Decimal(vector["rounded"][side])) <= Decimal("0.000001")


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["method"] == "logit-delong/1"], ids=label)
def test_published_standard_errors_and_gates(vector):
    given, output = vector["input"], vector["output"]
    found = auroc.delong([float(s) for s in given["scores"]], given["positive"])
    assert found.se == pytest.approx(math.inf if output["se"] is None else float(output["se"]), rel=1e-12)
    if given["threshold"]:
        assert auroc.gate_open(found, float(given["threshold"])) is output["gate_open"]


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["method"] == "order-statistic/1"], ids=label)
def test_published_indices(vector):
    given, output = vector["input"], vector["output"]
    total, p, (low, high) = len(given["values"]), float(given["quantile"]), alphas(given)
    assert quantile.lower_order_index(total, p, low) == output["lower_index"]
    assert quantile.order_index(total, p, high) == output["upper_index"]


@pytest.mark.parametrize("case", PUBLISHED["decisions"], ids=lambda case: case["name"])
def test_published_answers_follow_from_the_rule(case):
    assert oracle.decide(case) == case["answer"]


def test_the_page_names_every_method():
    page = (SPEC / "methods.md").read_text(encoding="utf-8")
    for method in [*METHODS, "observed/1"]:
        assert f"## `{method}`" in page


def test_the_page_prints_the_published_values():
    """A row of a method's table is named like its vector and ends with the rounded bounds."""
    page = (SPEC / "methods.md").read_text(encoding="utf-8")
    for vector in VECTORS:
        section = page.split(f"## `{vector['method']}`")[1].split("\n## ")[0]
        row = next(line for line in section.splitlines() if line.startswith(f"| {vector['name']} |"))
        cells = [cell.strip() for cell in row.strip("|").split("|")][-3:]
        assert cells == [vector["rounded"][side] or "none" for side in ("lower", "upper", "estimate")]
