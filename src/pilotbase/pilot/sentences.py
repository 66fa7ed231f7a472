"""One sentence per finding, in words that a head nurse or a shift leader understands."""

from __future__ import annotations

import math
from decimal import Decimal

from pilotbase.foundation.text import Text
from pilotbase.pilot.criteria import Answer, Reading
from pilotbase.pilot.plan import Words
from pilotbase.pilot.scenario import Criterion


def confidence(alpha: float | Decimal) -> str:
    """Return ``95%`` for an alpha of 0.05."""
    return f"{100 * (1 - float(alpha)):.4g}%"


def number(value: float | Decimal | None) -> str:
    """Write a number for people: four significant digits, no exponent where avoidable."""
    if value is None or not math.isfinite(value):
        return "–"
    amount = float(value)
    return f"{amount:,.0f}" if abs(amount) >= 1000 else f"{amount:.4g}"  # noqa: PLR2004 - thousands


def quantity(value: float | Decimal | None, unit: str) -> str:
    """Write a number with its unit in the size that people use: 12 ms, 310 MiB, 97 %."""
    if value is None or not math.isfinite(value):
        return "–"
    amount = float(value)
    if unit == "s" and amount < 1:
        return f"{amount * 1000:.3g} ms"
    if unit == "byte":
        return f"{amount / 2**20:,.0f} MiB"
    return number(amount) if unit == "1" else f"{number(amount)} {unit}"


def _points(value: float | Decimal | None) -> str:
    return "–" if value is None else f"{100 * float(value):.3g}"


def _least(value: float | None) -> str:
    """Write a lower bound in points, to one decimal, never above what is shown."""
    return "–" if value is None else f"{math.floor(1000 * value) / 10:g}"


def _most(value: float | None) -> str:
    """Write an upper bound in points, to one decimal, never below what is shown."""
    return "–" if value is None else f"{math.ceil(1000 * value) / 10:g}"


def _ceiling(value: float | None) -> str:
    """Write an upper bound to four decimals, never below what is shown."""
    return "–" if value is None else f"{math.ceil(10000 * value) / 10000:g}"


def _auroc(criterion: Criterion, reading: Reading, words: Words) -> Text:
    return Text(
        zh="任取一个{positive}和一个不是的，应用把前者排在前面的机会约为 {estimate}%；有 {sure} 的把握不低于 {lower}%。"
        "要求：不低于 {threshold}%。",
        en="Take one {positive} and one that is not: the application ranks the first ahead in about {estimate} of 100 "
        "such pairs, with {sure} confidence in at least {lower}. Required: at least {threshold}.",
    ).fill(
        positive=words.positive,
        estimate=_points(reading.estimate),
        lower=_least(reading.lower),
        threshold=_points(criterion.threshold),
        sure=confidence(criterion.alpha or 0),
    )


def _mean(criterion: Criterion, reading: Reading, words: Words) -> Text:
    return Text(
        zh="预报的概率与实际结果之差的平方，对每个{unit}平均为 {estimate}；"
        "有 {sure} 的把握不超过 {upper}。要求：不超过 {threshold}。",
        en="The squared difference between the stated probability and what happened is {estimate} on average "
        "per {unit}, with {sure} confidence at most {upper}. Allowed: at most {threshold}.",
    ).fill(
        unit=words.unit,
        estimate=number(reading.estimate),
        upper=_ceiling(reading.upper),
        threshold=number(criterion.threshold),
        sure=confidence(criterion.alpha or 0),
    )


def _gap(criterion: Criterion, reading: Reading, words: Words) -> Text:
    shares_zh = "，".join(f"{word}：{total} 例中检出 {hits} 例" for word, hits, total in reading.parts)
    shares_en = ", ".join(f"{word}: {hits} of {total}" for word, hits, total in reading.parts)
    return Text(
        zh="在{positive}中，{shares}。各组检出率最多相差 {estimate} 个百分点；"
        "有 {sure} 的把握不超过 {upper} 个。要求：不超过 {threshold} 个。",
        en="Found by the application among each {positive} – {shares}. The groups differ by {estimate} points; "
        "with {sure} confidence by at most {upper}. Allowed: at most {threshold}.",
    ).fill(
        positive=words.positive,
        shares=Text(zh=shares_zh, en=shares_en),
        estimate=_points(reading.estimate),
        upper=_most(reading.upper),
        threshold=_points(criterion.threshold),
        sure=confidence(criterion.alpha or 0),
    )


def _quantile(criterion: Criterion, reading: Reading, _: Words) -> Text:
    return Text(
        zh="每 100 次单条请求中有 {share} 次在 {estimate} 内应答；"
        "有 {sure} 的把握这一时间不超过 {upper}。要求：不超过 {threshold}。",
        en="{share} of 100 single requests are answered within {estimate}; with {sure} confidence that time is at most "
        "{upper}. Allowed: at most {threshold}.",
    ).fill(
        share=_points(criterion.quantile),
        estimate=quantity(reading.estimate, criterion.unit),
        upper=quantity(reading.upper, criterion.unit),
        threshold=quantity(criterion.threshold, criterion.unit),
        sure=confidence(criterion.alpha or 0),
    )


def _rate(criterion: Criterion, reading: Reading, _: Words) -> Text:
    least = criterion.op == ">="
    return Text(
        zh="{text}：{total} 例中有 {hits} 例；有 {sure} 的把握{rule} {bound}%。要求：{rule} {threshold}%。",
        en="{text}: {hits} of {total}; with {sure} confidence {rule} {bound} of 100. Required: {rule} {threshold}.",
    ).fill(
        text=criterion.text,
        hits=reading.counts["hits"],
        total=reading.counts["counted"],
        rule=_AT_LEAST if least else _AT_MOST,
        bound=_least(reading.lower) if least else _most(reading.upper),
        threshold=_points(criterion.threshold),
        sure=confidence(criterion.alpha or 0),
    )


_AT_LEAST = Text(zh="不低于", en="at least")
_AT_MOST = Text(zh="不超过", en="at most")

_SAID = {
    "logit-delong/1": _auroc,
    "betting-iid/1": _mean,
    "farrington-manning-gap/1": _gap,
    "order-statistic/1": _quantile,
    "clopper-pearson/1": _rate,
}

_ANSWERS: dict[Answer, Text] = {
    "held": Text(zh="达标。", en="Held."),
    "not_shown": Text(zh="证据不足以判定达标或不达标。", en="Not shown either way."),
    "refused": Text(zh="不达标。", en="Refused."),
}
_NOT_BETTER = Text(
    zh="不达标：证据否定了“{bar} 或更好”。", en='Refused: the evidence rules out "{bar} or better".'
)  # STATISTICS section 11: a margin design refuses "threshold plus margin", which is not "below the threshold"


def finding_sentence(criterion: Criterion, reading: Reading, given: Answer, words: Words) -> Text:
    """Say what a rated criterion found."""
    said = reading.closed or _SAID[criterion.method](criterion, reading, words)
    return join(said, _closing(criterion, given))


def _closing(criterion: Criterion, given: Answer) -> Text:
    if given != "refused" or not criterion.margin:
        return _ANSWERS[given]
    better = criterion.margin if criterion.op == ">=" else -criterion.margin
    return _NOT_BETTER.fill(bar=number(criterion.threshold + better))


def fact_sentence(criterion: Criterion, value: Decimal, details: tuple[Text, ...], given: Answer) -> Text:
    """Say what was observed once."""
    if criterion.unit == "1":  # a count or a yes: the requirement's own words say it best
        said = Text(zh="要求：{text}。", en="Required: {text}.").fill(text=criterion.text)
        for detail in details:
            said = join(said, detail)
        return join(said, _ANSWERS[given])
    least = criterion.op == ">="
    said = Text(
        zh="{text}：观察到 {value}（要求{rule} {threshold}）。只观察一次，没有错误率。",
        en="{text}: {value} seen ({rule} {threshold} required). Observed once, no error rate.",
    ).fill(
        text=criterion.text,
        value=quantity(value, criterion.unit),
        rule=_AT_LEAST if least else _AT_MOST,
        threshold=quantity(criterion.threshold, criterion.unit),
    )
    return join(said, _ANSWERS[given])


def join(first: Text, second: Text) -> Text:
    """Put two sentences one after the other, each language by its own custom."""
    return Text(zh=f"{first.zh}{second.zh}", en=f"{first.en} {second.en}")
