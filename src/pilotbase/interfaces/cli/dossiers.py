"""``verify``, ``replay``, ``report``."""

from __future__ import annotations

from pathlib import Path

from pilotbase.base import verbs
from pilotbase.foundation.text import Text
from pilotbase.interfaces.cli.language import chosen
from pilotbase.interfaces.cli.pilots import OUTCOMES
from pilotbase.interfaces.cli.say import answer_json, say
from pilotbase.interfaces.cli.screen import watching
from pilotbase.interfaces.cli.words import CandidatePath, DossierPath, Json, Lang, Trust, Wheels
from pilotbase.pilot.verify import Report

NOT_VERIFIED = 4  # exit code, FORMATS section 8


_STATES = {
    "ok": Text(zh="通过", en="ok"),
    "failed": Text(zh="失败", en="FAILED"),
    "withheld": Text(zh="未随附", en="withheld"),
    "absent": Text(zh="没有", en="absent"),
    "unexamined": Text(zh="未查", en="unexamined"),
}


def verify(dossier: DossierPath, /, *, trust: Trust = None, lang: Lang = None, json: Json = False) -> int:
    """Verify DOSSIER in numbered steps and judge it again. 0 verified, 4 not verified."""
    del lang
    report = verbs.verify(dossier, trust=trust)
    if json:
        answer_json(_tree(report))
    else:
        _show(report)
    return 0 if report.verified else NOT_VERIFIED


def _tree(report: Report) -> dict[str, object]:
    steps = [
        {
            "number": step.number,
            "name": step.name.en,
            "state": step.state,
            "detail": None if step.detail is None else step.detail.say(chosen()),
        }
        for step in report.steps
    ]
    return {
        "verified": report.verified,
        "outcome": report.outcome,
        "unknown_signer": report.unknown_signer,
        "steps": steps,
        "proves": [text.say(chosen()) for text in report.proves],
    }


def _show(report: Report) -> None:
    for step in report.steps:
        detail = f"  {step.detail.say(chosen())}" if step.detail else ""
        print(f"{step.number:2d}  {_STATES[step.state].say(chosen())}  {step.name.say(chosen())}{detail}")
    print()
    if report.unknown_signer:
        print(f"UNKNOWN SIGNER {report.unknown_signer}")
        say(_ASK)
    if not report.verified:
        say(_NOT.fill(steps=", ".join(str(number) for number in report.failed)))
        return
    outcome = OUTCOMES[report.outcome].say(chosen()) if report.outcome else _WITHHELD.say(chosen())
    say(_HOLDS.fill(outcome=outcome))
    for text in report.proves:
        print(f"- {text.say(chosen())}")


_ASK = Text(
    zh="请通过可信渠道向签发基地索取 keys.json，再用 --trust keys.json 核验",
    en="get the issuing base's keys.json by a way that you trust, then verify with --trust keys.json",
)
_NOT = Text(zh="核验未通过：第 {steps} 步", en="not verified: step {steps}")
_HOLDS = Text(zh="核验通过。结论：{outcome}", en="verified. Outcome: {outcome}")
_WITHHELD = Text(zh="未随附", en="withheld")


def replay(
    dossier: DossierPath,
    candidate: CandidatePath,
    /,
    *,
    trust: Trust = None,
    wheels: Wheels = None,
    lang: Lang = None,
    json: Json = False,
) -> int:
    """Run the stages of DOSSIER again with CANDIDATE and compare. 0 the same outcome digest, 4 not."""
    del lang
    with watching() as watch:
        replayed = verbs.replay(dossier, candidate, wheels=wheels, trust=trust, watch=watch)
    if json:
        tree = {"same": replayed.same, "stored": replayed.stored, "again": replayed.again}
        answer_json(tree | {"differs": [text.say(chosen()) for text in replayed.differs]})
    else:
        print(f"outcome_digest  {replayed.stored}\n                {replayed.again}")
        say(_SAME if replayed.same else _OTHER)
        for text in replayed.differs:
            print(f"- {text.say(chosen())}")
        say(_TIMES)
    return 0 if replayed.same else NOT_VERIFIED


_SAME = Text(
    zh="重放一致：预测和确定性测量逐位相同", en="replayed: predictions and deterministic measurements are the same"
)
_OTHER = Text(zh="重放不一致", en="the replay differs")
_TIMES = Text(zh="时间类判据取决于机器，不参与比对。", en="Timing criteria depend on the machine and are not compared.")


def report(dossier: DossierPath, out: Path, /, *, lang: Lang = None) -> int:
    """Write the report of DOSSIER as one HTML file."""
    del lang
    verbs.write_report(dossier, out, chosen())
    say(_WRITTEN.fill(path=out))
    return 0


_WRITTEN = Text(zh="报告：{path}", en="report: {path}")
