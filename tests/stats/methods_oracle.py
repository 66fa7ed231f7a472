"""docs/spec/methods.md transcribed with the standard library alone: slow, plain, and written apart from the modules."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from statistics import NormalDist

GRID = 10**9
BETS = [0.01 * 95 ** (j / 11) for j in range(12)]
EXACT = {"clopper-pearson/1", "betting-wor/1", "order-statistic/1"}


def z(alpha: float) -> float:
    return -NormalDist().inv_cdf(alpha)


def tail(k: int, n: int, p: float) -> float:
    """P(Binomial(n, p) >= k)."""
    if k <= 0:
        return 1.0
    if p in (0, 1):
        return float(p == 1 and k <= n)
    lp, lq = math.log(p), math.log1p(-p)
    whole = math.lgamma(n + 1)
    return math.fsum(
        math.exp(whole - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * lp + (n - i) * lq) for i in range(k, n + 1)
    )


def rate_lower(successes: int, total: int, alpha: float) -> float:
    if successes == 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(successes, total, middle) < alpha else (low, middle)
    return low


def rate_upper(successes: int, total: int, alpha: float) -> float:
    return 1 - rate_lower(total - successes, total, alpha)


def largest(holds) -> int:
    low, high = 0, GRID + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def log_stake(payoffs: list[float]) -> float:
    logs = [math.fsum(math.log(1 - f + f * payoff) for payoff in payoffs) for f in BETS]
    top = max(logs)
    return top + math.log(math.fsum(math.exp(one - top) for one in logs) / 12)


def iid_lower(values: list[float], alpha: float) -> float:
    def refuted(k: int) -> bool:
        return log_stake([x / (k / GRID) for x in values]) >= math.log(1 / alpha)

    return largest(refuted) / GRID


def wor_units(whole: list[int], alpha: float, size: int) -> int:
    def refuted(k: int) -> bool:
        if sum(whole) >= size * k:
            return True
        if sum(whole) + (size - len(whole)) * GRID < size * k:
            return False
        drawn, payoffs = 0, []
        for t, x in enumerate(whole):
            payoffs.append(x * (size - t) / (size * k - drawn))
            drawn += x
        return log_stake(payoffs) >= math.log(1 / alpha)

    return largest(refuted)


def mean_bounds(values: list[float], lower: float, upper: float, size: int | None) -> tuple[float, float]:
    if size is None:
        mirrored = round(iid_lower([1 - x for x in values], upper) * GRID)
        return iid_lower(values, lower), (GRID - mirrored) / GRID
    whole = [round(x * GRID) for x in values]
    mirrored = wor_units([GRID - x for x in whole], upper, size)
    return wor_units(whole, lower, size) / GRID, (GRID - mirrored) / GRID


def auroc(scores: list[float], positive: list[int]) -> tuple[float, float, int]:
    """Area, standard error and the size of the rarer class, by the double loop."""
    pos = [s for s, mark in zip(scores, positive, strict=True) if mark]
    neg = [s for s, mark in zip(scores, positive, strict=True) if not mark]

    def won(p: float, n: float) -> Fraction:
        return Fraction(1) if p > n else Fraction(1, 2) if p == n else Fraction(0)

    v10 = [sum((won(p, n) for n in neg), Fraction(0)) / len(neg) for p in pos]
    v01 = [sum((won(p, n) for p in pos), Fraction(0)) / len(pos) for n in neg]
    area = sum(v10, Fraction(0)) / len(v10)
    squares = [sum(((v - area) ** 2 for v in part), Fraction(0)) for part in (v10, v01)]
    rarer = min(len(pos), len(neg))
    if not any(squares):
        return float(area), 0.0, rarer
    if rarer == 1:
        return float(area), math.inf, rarer
    variance = sum(s / (len(part) * (len(part) - 1)) for s, part in zip(squares, (v10, v01), strict=True))
    return float(area), math.sqrt(variance), rarer


def auroc_lower(area: float, se: float, rarer: int, alpha: float) -> float:
    if se == 0:
        return area * alpha ** (1 / rarer)
    if se == math.inf:
        return 0.0
    return 1 / (1 + math.exp(-(math.log(area / (1 - area)) - z(alpha) * se / (area * (1 - area)))))


def score_z(first: tuple[int, int], second: tuple[int, int], d: float) -> float:
    (x1, n1), (x2, n2) = first, second
    low, high = max(0.0, d), min(1.0, 1.0 + d)
    for _ in range(60):
        q = (low + high) / 2
        slope = (x1 - n1 * q) * (q - d) * (1 - q + d) + (x2 - n2 * (q - d)) * q * (1 - q)
        low, high = (q, high) if slope > 0 else (low, q)
    q = (low + high) / 2
    variance = q * (1 - q) / n1 + (q - d) * (1 - q + d) / n2
    excess = x1 / n1 - x2 / n2 - d
    if variance <= 0:
        return 0.0 if excess == 0 else math.copysign(math.inf, excess)
    return excess / math.sqrt(variance)


def gap_bounds(counts: list[tuple[int, int]], lower: float, upper: float) -> tuple[float, float]:
    pairs = [(a, b) for i, a in enumerate(counts) for j, b in enumerate(counts) if i != j]
    shown = z(lower / len(pairs))
    low = largest(lambda k: k == 0 or (k < GRID and any(score_z(a, b, k / GRID) >= shown for a, b in pairs)))
    short = largest(lambda k: k == 0 or (k < GRID and any(score_z(a, b, k / GRID) > -z(upper) for a, b in pairs)))
    return low / GRID, (short + 1) / GRID


def upper_index(n: int, p: float, alpha: float) -> int:
    return next(k for k in range(1, n + 2) if 1 - tail(k, n, p) >= 1 - alpha - 1e-12)


def lower_index(n: int, p: float, alpha: float) -> int:
    return max(k for k in range(n + 1) if k == 0 or tail(k, n, p) >= 1 - alpha - 1e-12)


def decide(case: dict) -> str:
    """The rule of section 2: one answer from two bounds."""
    if case["closed"]:
        return "not_shown"
    lower, upper = (None if case[side] is None else float(case[side]) for side in ("lower", "upper"))
    threshold, margin = Decimal(case["threshold"]), Decimal(case["margin"])
    guard = 0.0 if case["method"] in EXACT else 1e-9
    if case["op"] == ">=":
        if lower is not None and lower >= float(threshold) + guard:
            return "held"
        return "refused" if upper is not None and upper < float(threshold + margin) else "not_shown"
    if upper is not None and upper <= float(threshold) - guard:
        return "held"
    return "refused" if lower is not None and lower > float(threshold - margin) else "not_shown"
