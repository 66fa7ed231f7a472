"""Pages: one self-contained HTML file per language. No script, no request, nothing that a candidate wrote can act.

Every value that enters a template is escaped and made printable; only this room's own drawings pass as they are.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pilotbase.foundation.text import Language, Text, printable
from pilotbase.pilot.candidate import Candidate
from pilotbase.pilot.plan import Plan
from pilotbase.pilot.scenario import Scenario
from pilotbase.report import numbers, sections
from pilotbase.report.conclusion import conclusion, promise, rehearsal_line, tally, why, why_not
from pilotbase.report.contents import Contents, Rehearsal
from pilotbase.report.sections import Pairs
from pilotbase.report.signs import sign
from pilotbase.report.words import (
    ACTION_AREAS,
    COLON,
    GRADE_LINES,
    GRADES,
    LISTED,
    OUTCOME_LINES,
    OUTCOME_SIGNS,
    OUTCOMES,
    PROVES,
    PROVES_NOT,
    SECTORS,
    WORDS,
)

__all__ = ["Contents", "Rehearsal", "conclusion", "render", "render_rehearsal"]

LONGEST = 4000  # characters of any one value on a page
COMMANDS = (
    "pilotbase verify DIR --trust keys.json",
    "python docs/spec/verifier.py DIR --trust keys.json",
)
ORDER = (
    "criteria", "pictures", "candidate_title", "data_title", "isolation", "resources", "environment",
    "verification", "digests",
)  # fmt: skip
"""The sections behind page one; their place here is their number."""


def render(contents: Contents, language: Language) -> str:
    """Return the report of a pilot as one HTML file."""
    verdict = contents.verdict
    scenario = contents.scenario
    told = (scenario.question, *why(verdict.judgement), promise(verdict), scenario.population, *scenario.not_said)
    view = _shared(contents, contents.plan.stages, verdict.judgement.stages, language) | {
        "sheet_length": _length(told, language),
        "outcome": OUTCOMES[verdict.outcome].say(language),
        "outcome_line": OUTCOME_LINES[verdict.outcome].say(language),
        "outcome_look": OUTCOME_SIGNS[verdict.outcome],
        "outcome_sign": sign(OUTCOME_SIGNS[verdict.outcome]),
        "pilot": verdict.pilot,
        "why": _say(why(verdict.judgement), language),
        "promise": promise(verdict).say(language),
        "validity": WORDS["from_to"]
        .fill(begin=numbers.date(verdict.issued_at, language), end=numbers.date(verdict.valid_until, language))
        .say(language),
        "data_public": verdict.data_public,
        "sheet_note": WORDS["sheet_note"].fill(section=ORDER.index("verification") + 1).say(language),
        "signer": contents.signer.owner or WORDS["owner_unknown"].say(language),
        "keyid": contents.signer.keyid,
        "commands": COMMANDS,
        "proves": _say(PROVES, language),
        "proves_not": _say(PROVES_NOT, language),
        "digests": _digests(contents, language),
        "hidden_rows": f"{contents.plan.order.rows:,}",
    }
    return _page("verdict.html", view | _run(contents, language), ORDER, language)


def render_rehearsal(rehearsal: Rehearsal, language: Language) -> str:
    """Return the record of a rehearsal as one HTML file, which says on every sheet that it is no verdict."""
    view = _shared(rehearsal, rehearsal.planned, rehearsal.stages, language) | {
        "sheet_length": _length((rehearsal.scenario.question, *why_not(rehearsal.stages)), language),
        "line": rehearsal_line(tally(rehearsal.planned, rehearsal.stages)).say(language),
        "why_not": _say(why_not(rehearsal.stages), language),
        "made_at": numbers.moment(rehearsal.made_at),
    }
    return _page("rehearsal.html", view, ORDER[:4], language)


_LONG, _LONGEST = 1150, 2000  # widths of a Latin letter that page one holds at its first and its second size


def _length(texts: tuple[Text, ...], language: Language) -> str:
    """Say how much page one has to hold: printed, it must stay on one sheet, so that it can be signed."""
    width = sum(len(text.say(language)) for text in texts) * (2 if language == "zh" else 1)
    return "longest" if width > _LONGEST else "long" if width > _LONG else "short"


def _say(texts: tuple[Text, ...], language: Language) -> list[str]:
    return [text.say(language) for text in texts]


def _shared(
    source: Contents | Rehearsal, planned: sections.Planned, found: sections.Found, language: Language
) -> dict[str, object]:
    """Return what reports and records of rehearsals have in common."""
    scenario, candidate = source.scenario, source.candidate
    return {
        "title": scenario.title.say(language),
        "question": scenario.question.say(language),
        "population": scenario.population.say(language),
        "not_said": _say(scenario.not_said, language),
        "scenario": scenario.name,
        "candidate": candidate.name,
        "stages": sections.stage_parts(planned, found, language),
        "grades": [(GRADES[grade].say(language), line.say(language)) for grade, line in GRADE_LINES.items()],
        "pictures": sections.pictures(source.aggregates, planned, language),
        "claims": _claims(candidate, language),
        "asks": _asks(candidate, language),
        "data": _data(scenario, language),
    }


def _run(source: Contents, language: Language) -> dict[str, object]:
    """Return what is said of the run: isolation, resources, environment."""
    return {
        "isolation_level": source.isolation.level,
        "layers": sections.layers(source.isolation, language),
        "isolation": _isolation(source, language),
        "usages": sections.usage_rows(source.usages, language),
        "limits": sections.limit_rows(source.plan.limits, language),
        "environment": sections.environment_rows(source.environment, language),
        "packages": sorted(source.environment.packages.items()),
        "variables": sorted(source.environment.variables.items()),
    }


def _claims(candidate: Candidate, language: Language) -> Pairs:
    card = candidate.card
    claims = [
        (WORDS["summary"].say(language), card.summary.say(language)),
        (WORDS["trained_on"].say(language), card.trained_on.say(language)),
    ]
    return [*claims, (WORDS["contact"].say(language), card.contact)] if card.contact else claims


def _asks(candidate: Candidate, language: Language) -> Pairs:
    return [
        (WORDS["licence"].say(language), candidate.licence),
        (WORDS["adapter"].say(language), f"{candidate.run.adapter}, {candidate.run.entry}"),
        (WORDS["inputs"].say(language), ", ".join(candidate.asks.inputs)),
    ]


def _data(scenario: Scenario, language: Language) -> Pairs:
    card = scenario.data
    area = (SECTORS[scenario.sector], ACTION_AREAS[scenario.action_area])
    return [
        (WORDS["sector"].say(language), LISTED[language].join(_say(area, language))),
        (WORDS["source"].say(language), card.source.say(language)),
        (WORDS["package"].say(language), card.package),
        (WORDS["package_licence"].say(language), card.package_licence),
        (WORDS["data_licence"].say(language), card.data_licence),
        (WORDS["redistribution"].say(language), card.redistribution.say(language)),
        (WORDS["rows"].say(language), f"{card.rows:,}"),
        (WORDS["one_row"].say(language), scenario.unit.say(language)),
    ]


def _isolation(source: Contents, language: Language) -> Pairs:
    told = {name: getattr(source.isolation, name) for name in ("kernel", "bubblewrap", "filter")}
    return [(WORDS[name].say(language), value) for name, value in told.items() if value]


def _digests(contents: Contents, language: Language) -> list[tuple[str, str, str]]:
    """Return label, name and digest of everything that the plan pins, and the times of sealing and issue."""
    plan: Plan = contents.plan
    rows = [
        ("plan", plan.pilot, contents.plan_digest),
        ("scenario", plan.scenario.name, plan.scenario.digest),
        ("candidate", plan.candidate.name, plan.candidate.digest),
        ("outcome_digest", "", contents.verdict.outcome_digest),
        ("order", "", plan.order.commitment),
        ("software", plan.software.name, plan.software.digest),
        ("environment_lock", plan.environment.name, plan.environment.digest),
        *(("plugins", plugin.name, plugin.digest) for plugin in plan.plugins),
        ("sealed_at", numbers.moment(plan.sealed_at), ""),
        ("issued_at", numbers.moment(contents.verdict.issued_at), ""),
    ]
    return [(WORDS[word].say(language), name, digest) for word, name, digest in rows]


def _page(template: str, view: Mapping[str, object], order: tuple[str, ...], language: Language) -> str:
    style = _TEMPLATES.get_template("page.css").render()
    return _TEMPLATES.get_template(template).render(
        view,
        language=language,
        colon=COLON[language],
        w={name: text.say(language) for name, text in WORDS.items()},
        section={name: index + 1 for index, name in enumerate(order)},
        style=Markup(style),  # noqa: S704 - our own style sheet
        policy=_policy(style),
    )


def _policy(style: str) -> str:
    """Return the content security policy (CSP level 3): nothing is loaded, no script runs, only this style applies."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _finish(value: object) -> object:
    """Make a value safe to print; escaping follows. Only our own drawings are ``Markup``."""
    return value if isinstance(value, Markup) else printable(str(value), LONGEST)


_TEMPLATES = Environment(
    loader=PackageLoader("pilotbase.report"),
    autoescape=True,
    finalize=_finish,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
