"""Slips: what can be wrong with a noun whose every field has the right type.

Names once, shares that add up, bars that mean something, measures that their stage takes and their method can judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

from pilotbase.foundation.errors import NOWHERE, InputError
from pilotbase.foundation.text import Text, printable
from pilotbase.foundation.units import seconds, size
from pilotbase.pilot.candidate import Asks, Candidate, Run
from pilotbase.pilot.document import Noun
from pilotbase.pilot.scenario import Column, Contract, Criterion, Limits, Output, Scenario, Splits, Stage
from pilotbase.pilot.terms import HOUSE, OBSERVED, STAGE_ORDER, TERMS, Term

_CLASSES = 2  # words of a target: the negative one, then the positive one
_FINEST = Decimal("0.000001")  # bounds are told to six decimals: finer bars and rates mean nothing
_LARGEST_QUANTILE = "0.9999"  # thirty thousand requests would be needed to show it
_LONGEST = 100 * 366 * 86400.0  # seconds for which a verdict may hold
_LEAVE_OUT = Text(zh="请删除该字段", en="remove the field")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A value that has its type and yet cannot be meant."""

    field: str
    """Path inside the noun."""
    what: Text
    found: str = ""
    expected: Text | None = None
    remedy: Text | None = None


def _twice(names: list[str], path: str, what: Text) -> Iterator[Slip]:
    """Point at a name that comes a second time; ``path`` has a place for its index."""
    for index, name in enumerate(names):
        if name in names[:index]:
            remedy = Text(zh="请改名，或删除其一", en="rename one, or take it out")
            yield Slip(field=path.format(index), what=what, found=printable(name), remedy=remedy)


def _outside(field: str, value: Decimal, low: str, high: str) -> Iterator[Slip]:
    """Point at a number that does not lie strictly between two."""
    if not (value.is_finite() and Decimal(low) < value < Decimal(high)):
        expected = Text(zh="大于 {low}，小于 {high}", en="above {low} and below {high}").fill(low=low, high=high)
        yield Slip(field=field, what=_OUT_OF_RANGE, found=str(value), expected=expected)


_OUT_OF_RANGE = Text(zh="数值超出范围", en="a number is out of range")


def _other(field: str, what: Text, found: str, known: tuple[str, ...]) -> Slip:
    """Point at a name that is none of those that fit."""
    names = ", ".join(known) or "–"
    return Slip(field=field, what=what, found=printable(found), expected=Text(zh=names, en=names))


def _column(column: Column) -> Iterator[Slip]:
    yield from _twice(list(column.vocabulary), "vocabulary[{}]", Text(zh="词表中有重复的词", en="a word comes twice"))
    served = column.role in {"group", "target"} or (column.role == "input" and column.known_at == "decision")
    if column.type == "number" and column.vocabulary:
        yield Slip(
            field="vocabulary", what=Text(zh="数值列没有词表", en="a number has no vocabulary"), remedy=_LEAVE_OUT
        )
    if column.role == "group" and column.type != "category":
        yield _other(
            "type", Text(zh="分组列必须是类别列", en="a group column must be a category"), column.type, ("category",)
        )
    if column.role == "target" and column.type == "category" and len(column.vocabulary) != _CLASSES:
        yield Slip(
            field="vocabulary",
            what=Text(zh="答案列的词表须恰有两个词", en="the vocabulary of the target needs exactly two words"),
            found=printable(", ".join(column.vocabulary)),
            expected=Text(zh="先写阴性的词，再写阳性的词", en="the negative word, then the positive word"),
        )
    elif column.type == "category" and served and not column.vocabulary:
        yield Slip(field="vocabulary", what=Text(zh="这个类别列须有词表", en="this category needs its vocabulary"))


def _output(output: Output) -> Iterator[Slip]:
    """Point at a range past 0 to 1: a failed item is given 0 or 1, which must be the worst answers there are."""
    finite = output.low.is_finite() and output.high.is_finite()
    decides = output.name == "decision" and (output.low, output.high) != (0, 1)
    if not finite or not 0 <= output.low < output.high <= 1 or decides:
        yield Slip(
            field="low",
            what=Text(zh="输出的范围不对", en="the range of an output is not right"),
            found=f"{output.low} … {output.high}",
            expected=Text(zh="0 与 1 之间；decision 恰为 0 至 1", en="between 0 and 1; for decision exactly 0 to 1"),
        )


def _contract(contract: Contract) -> Iterator[Slip]:
    names = [column.name for column in contract.columns]
    yield from _twice(names, "columns[{}].name", Text(zh="列名重复", en="a column's name comes twice"))
    outputs: list[str] = [output.name for output in contract.output]
    yield from _twice(outputs, "output[{}].name", Text(zh="输出列重复", en="an output comes twice"))
    for role in ("target", "unit"):
        found = [column.name for column in contract.columns if column.role == role]
        if len(found) != 1:
            what = Text(zh="{role} 列须恰有一列", en="there must be exactly one column of role {role}").fill(role=role)
            yield Slip(field="columns", what=what, found=", ".join(found) or "–")
    if not any(column.role == "input" and column.known_at == "decision" for column in contract.columns):
        yield Slip(
            field="columns",
            what=Text(zh="没有可以提供给应用的列", en="there is no column that an application could be served"),
            expected=Text(
                zh="role 为 input、known_at 为 decision 的列", en="a column of role input, known_at decision"
            ),
        )
    if not outputs:
        what = Text(zh="没有要求任何输出", en="no output is asked for")
        yield Slip(field="output", what=what, expected=Text(zh="score, decision", en="score, decision"))


def _splits(splits: Splits) -> Iterator[Slip]:
    shares = {"sample": splits.sample, "diagnostic": splits.diagnostic, "hidden": splits.hidden}
    for name, share in shares.items():
        yield from _outside(name, share, "0", "1")
    if all(share.is_finite() for share in shares.values()) and sum(shares.values()) != 1:
        yield Slip(
            field="sample",
            what=Text(zh="各部分的比例之和须为 1", en="the shares of the splits must add up to 1"),
            found=" + ".join(str(share) for share in shares.values()),
            expected=Text(zh="sample + diagnostic + hidden = 1", en="sample + diagnostic + hidden = 1"),
        )


def _criterion(criterion: Criterion) -> Iterator[Slip]:
    term = TERMS.get(criterion.measure)
    if term is None:
        what = Text(zh="没有这个指标", en="there is no such measure")
        yield _other("measure", what, criterion.measure, tuple(TERMS))
        return
    fits: tuple[tuple[str, Text, str, tuple[str, ...]], ...] = (
        ("method", _NO_METHOD, criterion.method, term.methods),
        ("op", Text(zh="这个指标的方向相反", en="this measure is bounded from the other side"), criterion.op, term.ops),
        ("unit", Text(zh="单位不对", en="the unit is not right"), criterion.unit, (term.unit,)),
    )
    for field, what, found, known in fits:
        if found not in known:
            yield _other(field, what, found, known)
    yield from _rates(criterion)
    yield from _bar(criterion, term)
    yield from _needs(criterion, term)


_NO_METHOD = Text(zh="没有这样的判定方法，或它不适用于该指标", en="no such method, or it cannot read this measure")


def _rates(criterion: Criterion) -> Iterator[Slip]:
    for name, rate in (("alpha", criterion.alpha), ("beta", criterion.beta)):
        if criterion.method == OBSERVED and rate is not None:
            what = Text(zh="只观察一次的事实没有错误率", en="a fact that is seen once carries no error rate")
            yield Slip(field=name, what=what, found=str(rate), remedy=_LEAVE_OUT)
        elif criterion.method != OBSERVED and rate is None:
            expected = Text(zh="大于 0，小于 0.5", en="above 0 and below 0.5")
            yield Slip(field=name, what=Text(zh="缺少错误率", en="an error rate is missing"), expected=expected)
        elif rate is not None:
            yield from _outside(name, rate, str(_FINEST), "0.5")


def _bar(criterion: Criterion, term: Term) -> Iterator[Slip]:
    most = Decimal("Infinity") if term.most is None else term.most - _FINEST
    if not criterion.threshold.is_finite() or not _FINEST <= criterion.threshold <= most:
        above = Text(zh="不小于 {least}", en="at least {least}").fill(least=_FINEST)
        between = Text(zh="{least} 至 {most}", en="{least} to {most}").fill(least=_FINEST, most=most)
        what = Text(zh="门槛超出该指标的范围", en="the bar lies outside the range of its measure")
        expected = above if term.most is None else between
        yield Slip(field="threshold", what=what, found=str(criterion.threshold), expected=expected)
        return
    margin = criterion.margin
    if not margin.is_finite() or margin < 0 or (margin and criterion.method == OBSERVED):
        what = Text(zh="余量不可为负；只观察一次的事实没有余量", en="a margin is never negative, and a fact has none")
        yield Slip(field="margin", what=what, found=str(margin), expected=Text(zh="0 或以上", en="0 or above"))
        return
    better = criterion.threshold + (margin if criterion.op == ">=" else -margin)
    if not _FINEST <= better <= most:
        what = Text(
            zh="门槛加上余量超出该指标的范围：没有应用能免于被判为不达标",
            en="bar and margin together leave the range of the measure: no application would be safe from refusal",
        )
        yield Slip(field="margin", what=what, found=f"{criterion.op} {better}", remedy=_SMALLER)


_SMALLER = Text(zh="请减小余量", en="make the margin smaller")


def _needs(criterion: Criterion, term: Term) -> Iterator[Slip]:
    surplus = Text(zh="该指标用不到这个字段", en="this measure has no use for the field")
    if term.grouped and criterion.group is None:
        what = Text(zh="组间差距须写明分组列", en="a gap needs the column of its groups")
        yield Slip(field="group", what=what, expected=Text(zh="role 为 group 的列", en="a column of role group"))
    elif criterion.group is not None and not term.grouped:
        yield Slip(field="group", what=surplus, found=criterion.group, remedy=_LEAVE_OUT)
    if term.ranked and criterion.quantile is None:
        what = Text(zh="缺少分位数", en="the quantile is missing")
        yield Slip(field="quantile", what=what, expected=Text(zh="例如 0.99", en="for example 0.99"))
    elif criterion.quantile is not None and not term.ranked:
        yield Slip(field="quantile", what=surplus, found=str(criterion.quantile), remedy=_LEAVE_OUT)
    elif criterion.quantile is not None:
        yield from _outside("quantile", criterion.quantile, "0", _LARGEST_QUANTILE)


def _stage(stage: Stage) -> Iterator[Slip]:
    known = tuple(name for name, term in TERMS.items() if stage.name in term.stages)
    for index, criterion in enumerate(stage.criteria):
        if criterion.measure not in known:
            what = Text(zh="这个阶段不测量该指标", en="this stage does not measure that")
            yield _other(f"criteria[{index}].measure", what, criterion.measure, known)
    if stage.proceed and stage.name in {"intake", "conformance"}:
        what = Text(
            zh="受理与合规性未通过就不能继续：隐藏样本只给守合同的应用",
            en="nobody goes on who fails here: hidden rows are shown only to those who keep the contract",
        )
        yield Slip(field="continue", what=what, found="true", remedy=_LEAVE_OUT)


def _limits(limits: Limits) -> Iterator[Slip]:
    for name in ("memory", "scratch"):
        yield from _quantity(name, getattr(limits, name), lambda text: float(size(text, NOWHERE)))
    for name in ("call", "start", "run"):
        yield from _quantity(name, getattr(limits, name), lambda text: seconds(text, NOWHERE))


def _quantity(field: str, text: str, read: Callable[[str], float], most: float = float("inf")) -> Iterator[Slip]:
    """Point at a quantity of the wrong unit, of nothing, or past all use."""
    try:
        amount = read(text)
    except InputError as error:
        yield Slip(field=field, what=error.what, found=error.found, expected=error.expected, remedy=error.remedy)
        return
    if not 0 < amount <= most:
        expected = Text(zh="大于 0，且在用得到的范围内", en="above 0, and of some use")
        yield Slip(field=field, what=_OUT_OF_RANGE, found=text, expected=expected)


def _scenario(scenario: Scenario) -> Iterator[Slip]:
    yield from _quantity("valid_for", scenario.valid_for, lambda text: seconds(text, NOWHERE), _LONGEST)
    if not (scenario.max_invalid.is_finite() and 0 <= scenario.max_invalid < 1):
        expected = Text(zh="不小于 0，小于 1", en="at least 0 and below 1")
        yield Slip(field="max_invalid", what=_OUT_OF_RANGE, found=str(scenario.max_invalid), expected=expected)
    if scenario.disclosure == "full" and not scenario.data_public:
        what = Text(
            zh="数据不公开时不能全部告知：细致的反馈会泄露隐藏样本",
            en="full disclosure needs public data: fine feedback would give the hidden rows away",
        )
        yield _other("disclosure", what, scenario.disclosure, ("coarse",))
    for name, example in (("isolation", "full"), ("licences", "Apache-2.0")):
        if not getattr(scenario, name):
            expected = Text(zh="例如 {example}", en="for example {example}").fill(example=example)
            yield Slip(field=name, what=Text(zh="至少写一项", en="name at least one"), found="[]", expected=expected)
    unit = tuple(column.name for column in scenario.columns("unit"))
    if unit != (scenario.splits.unit,):
        what = Text(zh="划分单位须是合同中的 unit 列", en="units are dealt by the contract's column of role unit")
        yield _other("splits.unit", what, scenario.splits.unit, unit)
    yield from _stage_order(scenario)
    for number, stage in enumerate(scenario.stages):
        for index, criterion in enumerate(stage.criteria):
            for slip in _fits(scenario, criterion):
                yield replace(slip, field=f"stages[{number}].criteria[{index}].{slip.field}")
    yield from _criterion_names(scenario)


def _stage_order(scenario: Scenario) -> Iterator[Slip]:
    names = [stage.name for stage in scenario.stages]
    yield from _twice([*names], "stages[{}].name", Text(zh="阶段重复", en="a stage comes twice"))
    for index, (first, second) in enumerate(pairwise(names), start=1):
        if STAGE_ORDER.index(first) > STAGE_ORDER.index(second):
            what = Text(zh="阶段的次序不对", en="the stages are out of order")
            yield _other(f"stages[{index}].name", what, second, STAGE_ORDER)
    shown = {"effectiveness", "fairness", "efficiency"} & set(names)
    missing = [
        name
        for name, wanted in (("intake", True), ("conformance", bool(shown)), ("effectiveness", "fairness" in names))
        if wanted and name not in names
    ]
    for name in missing:
        what = Text(zh="缺少阶段 {name}", en="the stage {name} is missing").fill(name=name)
        yield _other("stages", what, ", ".join(names) or "–", STAGE_ORDER)


def _fits(scenario: Scenario, criterion: Criterion) -> Iterator[Slip]:
    """Point at a group or an answer that the scenario does not have."""
    groups = {column.name: column for column in scenario.columns("group")}
    column = groups.get(criterion.group or "")
    if criterion.group is not None and (column is None or len(column.vocabulary) < 2):  # noqa: PLR2004 - a gap has two
        what = Text(zh="没有这个分组列，或它不足两组", en="no such group column, or it has fewer than two groups")
        yield _other("group", what, criterion.group, tuple(groups))
    outputs = tuple(output.name for output in scenario.contract.output)
    term = TERMS.get(criterion.measure)
    if term is not None and term.output is not None and term.output not in outputs:
        what = Text(zh="合同没有要求该指标所用的输出", en="the contract does not ask for what this measure reads")
        remedy = Text(zh="请在 [[contract.output]] 中加上 {name}", en="add {name} to [[contract.output]]")
        yield replace(_other("measure", what, criterion.measure, outputs), remedy=remedy.fill(name=term.output))


def _criterion_names(scenario: Scenario) -> Iterator[Slip]:
    taken = set(HOUSE)
    for number, stage in enumerate(scenario.stages):
        for index, criterion in enumerate(stage.criteria):
            if criterion.id in taken:
                what = Text(zh="判据的名称已被占用", en="the name of a criterion is taken")
                remedy = Text(zh="请另取名称", en="give it another name")
                yield Slip(field=f"stages[{number}].criteria[{index}].id", what=what, found=criterion.id, remedy=remedy)
            taken.add(criterion.id)


def _asks(asks: Asks) -> Iterator[Slip]:
    if not asks.inputs:
        yield Slip(
            field="inputs", what=Text(zh="应用没有索取任何输入列", en="the candidate asks for no input"), found="[]"
        )
    yield from _twice(list(asks.inputs), "inputs[{}]", Text(zh="同一列索取了两次", en="a column is asked for twice"))
    yield from _twice(list(asks.output), "output[{}]", Text(zh="同一输出写了两次", en="an output is named twice"))


def _run(run: Run) -> Iterator[Slip]:
    if run.threshold is None:
        return
    if run.adapter == "python":
        what = Text(
            zh="Python 应用自己作出判断，用不到阈值", en="a python candidate decides itself: no threshold is used"
        )
        yield Slip(field="threshold", what=what, found=str(run.threshold), remedy=_LEAVE_OUT)
    elif not run.threshold.is_finite():
        yield Slip(field="threshold", what=_OUT_OF_RANGE, found=str(run.threshold))


def _candidate(candidate: Candidate) -> Iterator[Slip]:
    if not candidate.licence.strip():
        expected = Text(zh="SPDX 许可证表达式，或 unknown", en="an SPDX expression, or unknown")
        yield Slip(
            field="licence", what=Text(zh="许可证为空", en="the licence is empty"), found='""', expected=expected
        )


CHECKS: dict[type[Noun], Callable[[Any], Iterator[Slip]]] = {
    Column: _column,
    Output: _output,
    Contract: _contract,
    Splits: _splits,
    Criterion: _criterion,
    Stage: _stage,
    Limits: _limits,
    Scenario: _scenario,
    Asks: _asks,
    Run: _run,
    Candidate: _candidate,
}
"""What to look at in each noun; a noun that is not listed has nothing beyond its types."""
