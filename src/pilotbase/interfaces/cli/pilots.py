"""``run``, ``rehearse``, ``plan``."""

from __future__ import annotations

import re

from pilotbase.base import verbs
from pilotbase.foundation.errors import UsageError
from pilotbase.foundation.text import Text, printable
from pilotbase.interfaces.cli.language import chosen
from pilotbase.interfaces.cli.say import answer_json, say
from pilotbase.interfaces.cli.screen import table, watching
from pilotbase.interfaces.cli.words import (
    CandidatePath,
    Json,
    Lang,
    Out,
    Page,
    Resume,
    ScenarioName,
    Seed,
    TrustCode,
    Wheels,
)
from pilotbase.line.journey import Issued
from pilotbase.line.rehearse import Rehearsed
from pilotbase.pilot.document import to_tree
from pilotbase.pilot.dossier import CONFORMANCE_LOG
from pilotbase.pilot.plan import OBSERVED
from pilotbase.pilot.sentences import number, quantity
from pilotbase.pilot.verdict import Finding, StageFindings, stage_name
from pilotbase.report.conclusion import conclusion

EXIT = {"accepted": 0, "rejected": 10, "undecided": 20}

OUTCOMES = {
    "accepted": Text(zh="通过", en="ACCEPTED"),
    "rejected": Text(zh="不通过", en="REJECTED"),
    "undecided": Text(zh="证据不足", en="UNDECIDED"),
}
ANSWERS = {
    "held": Text(zh="达标", en="held"),
    "refused": Text(zh="不达标", en="refused"),
    "not_shown": Text(zh="证据不足", en="not shown"),
}


def run(
    scenario: ScenarioName,
    candidate: CandidatePath,
    /,
    *,
    out: Out = None,
    lang: Lang = None,
    json: Json = False,
    wheels: Wheels = None,
    resume: Resume = False,
    i_trust_this_code: TrustCode = False,
) -> int:
    """Pilot CANDIDATE in SCENARIO to a signed verdict. Exit: 0 accepted, 10 rejected, 20 undecided."""
    del lang  # read before the command was found, see ``language``
    with watching() as watch:
        issued = verbs.run(
            scenario, candidate, out=out, wheels=wheels, trust_code=i_trust_this_code, resume=resume, watch=watch
        )
    if json:
        answer_json({"dossier": str(issued.dossier), "verdict": to_tree(issued.verdict)})
    else:
        show_verdict(issued)
    return EXIT[issued.verdict.outcome]


def show_verdict(issued: Issued) -> None:
    """Print the verdict table, the conclusion, and where everything lies."""
    verdict = issued.verdict
    show_stages(verdict.judgement.stages)
    print()
    print(f"{OUTCOMES[verdict.outcome].say(chosen())}  {verdict.candidate}  →  {verdict.scenario}")
    say(conclusion(verdict))
    told = issued.dossier / "candidate" / CONFORMANCE_LOG
    if told.is_file() and verdict.outcome != "accepted":
        say(_TOLD.fill(path=told))
    report = issued.dossier / "public" / f"report.{chosen()}.html"
    say(_WHERE.fill(dossier=issued.dossier, report=report, until=verdict.valid_until[:10]))


_TOLD = Text(
    zh="应用在合规性阶段写到标准错误的内容：{path}",
    en="what the application wrote to standard error at conformance: {path}",
)
_WHERE = Text(
    zh="档案：{dossier}\n报告：{report}\n有效期至 {until}。核验：pilotbase verify {dossier}",
    en="dossier: {dossier}\nreport:  {report}\nvalid until {until}. To verify: pilotbase verify {dossier}",
)


def show_stages(stages: tuple[StageFindings, ...]) -> None:
    """Print one line per finding; below, why a stage was not run."""
    rows = [
        (
            stage_name(stage.stage).say(chosen()),
            one.criterion,
            ANSWERS[one.answer].say(chosen()),
            quantity(_number(one.estimate), one.unit),
            f"{one.op} {quantity(float(one.threshold), one.unit)}",
            _bound(one),
        )
        for stage in stages
        for one in stage.findings
    ]
    table(_FINDINGS, rows)
    for stage in stages:
        if stage.why is not None:
            say(_NOT_RUN.fill(stage=stage_name(stage.stage), why=stage.why))


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _bound(finding: Finding) -> str:
    """Return the bound on which the answer rests, with its direction: a refusal rests on the other one."""
    low = (finding.op == ">=") is (finding.answer != "refused")
    bound = finding.lower if low else finding.upper
    return "" if bound is None else f"{'≥' if low else '≤'} {quantity(float(bound), finding.unit)}"


_NOT_RUN = Text(zh="{stage}：未进行，{why}", en="{stage}: not run, {why}")

_FINDINGS = (
    Text(zh="阶段", en="stage"),
    Text(zh="判据", en="criterion"),
    Text(zh="判定", en="finding"),
    Text(zh="估计值", en="estimate"),
    Text(zh="要求", en="required"),
    Text(zh="置信界", en="confident"),
)


def rehearse(
    scenario: ScenarioName,
    candidate: CandidatePath,
    /,
    *,
    lang: Lang = None,
    json: Json = False,
    wheels: Wheels = None,
    seed: Seed = None,
    report: Page = None,
) -> int:
    """Walk the same line on the public sample, without isolation. Not a verdict."""
    del lang
    with watching() as watch:
        rehearsed = verbs.rehearse(scenario, candidate, wheels=wheels, seed=_seed(seed), watch=watch)
    if report is not None:
        verbs.write_rehearsal(rehearsed, report, chosen())
    if json:
        answer_json(_rehearsal_tree(rehearsed))
    else:
        _show_rehearsal(rehearsed)
    return 0


def _seed(text: str | None) -> bytes | None:
    if text is None:
        return None
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise UsageError(
            Text(zh="--seed 须为 64 个十六进制数字", en="--seed takes 64 hexadecimal digits"), found=printable(text)
        )
    return bytes.fromhex(text)


def _rehearsal_tree(rehearsed: Rehearsed) -> dict[str, object]:
    return {
        "rehearsal": True,
        "not_a_verdict": True,
        "would_pass": rehearsed.passed,
        "criteria": rehearsed.planned,
        "stages": [to_tree(stage) for stage in rehearsed.stages],
    }


def _show_rehearsal(rehearsed: Rehearsed) -> None:
    say(_REHEARSAL)
    show_stages(rehearsed.stages)
    print()
    say(_WOULD.fill(passed=rehearsed.passed, planned=rehearsed.planned))
    for one in rehearsed.findings:
        if one.answer != "held":
            print(f"- {one.criterion}: {one.sentence.say(chosen())}")
    for stage in rehearsed.stages:
        if not stage.ran and stage.why is not None:
            print(f"- {stage_name(stage.stage).say(chosen())}: {stage.why.say(chosen())}")
    told = rehearsed.stderr.decode("utf-8", "replace").splitlines()
    if told and rehearsed.passed < rehearsed.planned:
        say(_STDERR)
        for line in told[-_SHOWN:]:
            print(f"  | {printable(line)}")
    say(_OPTIMISTIC)


_SHOWN = 12  # lines
_STDERR = Text(zh="应用写到标准错误的最后几行：", en="The last lines that the application wrote to standard error:")
_REHEARSAL = Text(zh="预演，不是结论", en="rehearsal, not a verdict")
_WOULD = Text(zh="{planned} 项判据中会达标 {passed} 项。", en="It would pass {passed} of {planned} criteria.")
_OPTIMISTIC = Text(
    zh="公开样本往往也是训练数据：隐藏样本上的结果通常更差。",
    en="The sample is often what a candidate was trained on: expect worse on the hidden rows.",
)


def plan(scenario: ScenarioName, candidate: CandidatePath, /, *, lang: Lang = None, json: Json = False) -> int:
    """Draft the plan without signing it, with the sample sizes of fixed-n tests. Nothing is run or recorded."""
    del lang
    drafted = verbs.plan(scenario, candidate)
    if json:
        answer_json({"plan": to_tree(drafted.plan), "forecasts": [_forecast(one) for one in drafted.forecasts]})
        return 0
    show_forecasts(drafted.forecasts)
    say(_UNSIGNED.fill(rows=drafted.plan.order.rows))
    return 0


def _forecast(one: verbs.Forecast) -> dict[str, object]:
    return {
        "stage": one.stage,
        "criterion": one.criterion.id,
        "has": one.has,
        "needs": one.needs,
        "counted": one.counted.say(chosen()),
        "decidable": one.decidable,
    }


def show_forecasts(forecasts: tuple[verbs.Forecast, ...]) -> None:
    """Print what the data can decide, one line per criterion."""
    rows = [
        (
            one.criterion.id,
            f"{one.criterion.op} {quantity(one.criterion.threshold, one.criterion.unit)}",
            number(one.criterion.margin) if one.criterion.margin else "–",
            one.criterion.method,
            str(one.has),
            "–" if one.needs is None else str(one.needs),
            one.counted.say(chosen()),
            "✓" if one.decidable else "✗",
        )
        for one in forecasts
        if one.criterion.method != OBSERVED
    ]
    table(_FORECASTS, rows)


_FORECASTS = (
    Text(zh="判据", en="criterion"),
    Text(zh="要求", en="required"),
    Text(zh="余量", en="margin"),
    Text(zh="方法", en="method"),
    Text(zh="现有", en="has"),
    Text(zh="需要", en="needs"),
    Text(zh="所计", en="counted"),
    Text(zh="完美者可达标", en="a perfect one passes"),
)
_UNSIGNED = Text(
    zh="“需要”：用固定样本量的检验，判定一个比门槛好出一个余量的应用所需的数量（近似）。\n"
    "这是草案：没有签署，没有记入台账；隐藏样本 {rows} 行，一行未示。",
    en='"needs": how many a fixed-n test needs to show a candidate one margin beyond the bar (approximate).\n'
    "A draft: not signed, not in the ledger; of {rows} hidden rows none was shown.",
)
