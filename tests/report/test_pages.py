from __future__ import annotations

import base64
import functools
import hashlib
import re
from dataclasses import replace

import msgspec
import pytest
from page_reading import Page, read_page
from report_samples import CANDIDATE, ENVIRONMENT, PILOT, SCENARIO, STORIES, make_contents, make_rehearsal

from pilotbase.foundation.text import LANGUAGES, Language, Text
from pilotbase.pilot.candidate import Card
from pilotbase.pilot.trace import Layer
from pilotbase.report.pages import COMMANDS, render, render_rehearsal
from pilotbase.report.words import OUTCOME_LINES, OUTCOMES, WORDS

contents_of = functools.cache(make_contents)


@functools.cache
def page_of(story: str, language: Language) -> tuple[str, Page]:
    html = render_rehearsal(make_rehearsal("rejected"), language) if story == "rehearsal" else render(
        contents_of(story), language
    )  # fmt: skip
    return html, read_page(html)


EVERY = [(story, language) for story in (*STORIES, "rehearsal") for language in LANGUAGES]


@pytest.mark.parametrize(("story", "language"), EVERY)
def test_every_page_is_well_formed_and_asks_nothing_of_anyone(story, language):
    html, page = page_of(story, language)
    assert not set(page.tags) & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
        "a",
        "foreignobject",
    }
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name in {"src", "href", "style"}]
    assert not re.search(r"(?i)https?:|//[a-z]|url\(|@import|javascript:|data:[a-z]", html)
    assert "{" not in page.text, "a placeholder was left open"


@pytest.mark.parametrize(("story", "language"), EVERY)
def test_the_policy_allows_this_style_sheet_and_nothing_else(story, language):
    _, page = page_of(story, language)
    (policy,) = [value for _, name, value in page.attributes if name == "content" and value.startswith("default-src")]
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@pytest.mark.parametrize("story", [*STORIES, "rehearsal"])
def test_both_languages_have_the_same_build(story):
    zh, en = (page_of(story, language)[1] for language in ("zh", "en"))
    assert zh.tags == en.tags
    assert [tag for tag, _ in zh.headings] == [tag for tag, _ in en.headings]
    assert all(words for _, words in zh.headings + en.headings)
    assert [one for one in zh.attributes if one[1] not in {"lang", "data-label", "aria-label", "x", "class"}] == [
        one for one in en.attributes if one[1] not in {"lang", "data-label", "aria-label", "x", "class"}
    ]


NAMES = {"ROC", "CPU", "UTC", "SHA", "DIR", "keys", "json", "pilotbase", "pickle", "MiB", "GiB", "ms", "Python"}
"""Field terms, units and our own name."""


@pytest.mark.parametrize("story", [*STORIES, "rehearsal"])
def test_no_english_is_left_in_the_chinese_page(story):
    _, page = page_of(story, "zh")
    named = [SCENARIO.name, CANDIDATE.name, CANDIDATE.licence, CANDIDATE.run.adapter, CANDIDATE.run.entry]
    named += [*CANDIDATE.asks.inputs, CANDIDATE.card.contact, SCENARIO.data.package, SCENARIO.data.package_licence]
    named += [SCENARIO.data.data_licence, ENVIRONMENT.system, ENVIRONMENT.machine, ENVIRONMENT.processor]
    named += [column.name for column in SCENARIO.contract.columns]
    named += [word for column in SCENARIO.contract.columns for word in column.vocabulary]
    named += [criterion.method for stage in SCENARIO.stages for criterion in stage.criteria]
    named += ["pilotbase@0.1.0", "requirements.lock", "adapter/python", "invalid_items"]
    known = NAMES | set(re.findall(r"[A-Za-z]+", " ".join(named)))
    words = set(re.findall(r"[A-Za-z]{2,}", re.sub(rf"[0-9a-f]{{64}}|{PILOT}", "", page.text)))
    assert words - known == set()


@pytest.mark.parametrize("story", [*STORIES, "rehearsal"])
def test_no_chinese_is_left_in_the_english_page(story):
    _, page = page_of(story, "en")
    assert re.findall("[\u4e00-\u9fff，。：；、（）]+", page.text.replace("示范医疗中试基地", "")) == []


@pytest.mark.parametrize(("story", "language"), [(story, language) for story in STORIES for language in LANGUAGES])
def test_page_one_says_what_a_director_signs(story, language):
    html, _ = page_of(story, language)
    verdict = contents_of(story).verdict
    sheet = read_page("<!DOCTYPE html>\n" + html[html.index('<article class="sheet') : html.index("</article>") + 10])
    for text in (
        OUTCOMES[verdict.outcome], OUTCOME_LINES[verdict.outcome], SCENARIO.question, SCENARIO.population,
        *SCENARIO.not_said, WORDS["public_title"], WORDS["public_line"], WORDS["name"], WORDS["seal"],
    ):  # fmt: skip
        assert text.say(language) in sheet.text
    assert verdict.pilot in sheet.codes
    assert contents_of(story).signer.keyid in sheet.codes
    assert ("2027年11月23日" if language == "zh" else "23 November 2027") in sheet.text
    look = {"accepted": "outcome yes", "rejected": "outcome no", "undecided": "outcome open"}[verdict.outcome]
    assert look in sheet.values("class")
    assert f"sign {look.removeprefix('outcome ')}" in sheet.values("class")  # a shape beside the colour and the word


def test_the_stories_end_as_they_are_named():
    ends = {story: contents_of(story).verdict.outcome for story in STORIES}
    assert ends == {
        "accepted": "accepted",
        "rejected": "rejected",
        "undecided": "undecided",
        "intake": "rejected",
        "not isolated": "undecided",
        "spoilt": "undecided",
    }


def test_private_data_carries_no_public_notice():
    contents = contents_of("accepted")
    private = replace(contents, verdict=msgspec.structs.replace(contents.verdict, data_public=False))
    page = read_page(render(private, "en"))
    assert WORDS["public_title"].en not in page.text
    assert "had not seen the hidden rows" not in page.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_stands_on_the_page_with_its_sentence_and_numbers(language):
    _, page = page_of("accepted", language)
    stages = contents_of("accepted").plan.stages
    for finding in contents_of("accepted").verdict.judgement.findings:
        (criterion,) = [one for stage in stages for one in stage.criteria if one.id == finding.criterion]
        assert criterion.text.say(language) in page.text
        if finding.alpha is not None:
            assert finding.sentence.say(language) in page.text
            assert finding.method in page.text
            assert f"{finding.counts['n']:,}" in page.text
            assert finding.estimate in page.values("data-value")
            assert finding.lower in page.values("data-lower")
            assert finding.upper in page.values("data-upper")


@pytest.mark.parametrize("language", LANGUAGES)
def test_stages_that_were_not_run_say_why_and_what_is_left(language):
    _, page = page_of("intake", language)
    verdict, plan = contents_of("intake").verdict, contents_of("intake").plan
    idle = [stage for stage in verdict.judgement.stages if not stage.ran]
    assert len(idle) == 4
    for stage in idle:
        assert stage.why.say(language) in page.text
        (planned,) = [one for one in plan.stages if one.name == stage.stage]
        assert all(criterion.text.say(language) in page.text for criterion in planned.criteria)


@pytest.mark.parametrize("language", LANGUAGES)
def test_how_to_verify_isolation_limits_metering_and_digests_are_there(language):
    _, page = page_of("accepted", language)
    contents = contents_of("accepted")
    for command in COMMANDS:
        assert command in page.codes
    for digest in (contents.plan_digest, contents.plan.scenario.digest, contents.plan.candidate.digest,
                   contents.verdict.outcome_digest, contents.plan.order.commitment):  # fmt: skip
        assert digest in page.codes
    for layer in contents.isolation.layers:
        assert layer.name in page.codes
        assert layer.detail.say(language) in page.text
    for text in ("metering_note", "claims_note", "pictures_note", "proves", "proves_not"):
        assert WORDS[text].say(language) in page.text
    assert "2 GiB" in page.text
    assert "≥ 2.02" in page.text  # CPU time: a lower bound
    assert "numpy 2.2.1" in page.codes


def test_missing_isolation_is_told_on_page_one_and_in_its_section():
    _, page = page_of("not isolated", "en")
    assert "did not run in the isolation that the scenario asks for" in page.text
    assert WORDS["isolation_none"].en in page.text
    assert WORDS["isolation_full"].en not in page.text


HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)></style>{{ 7*7 }}{% raw %}\u202e\u2066\x00\x1b[31m'"


def test_hostile_words_stay_inert():
    contents = contents_of("not isolated")
    text = Text(zh=f"坏{HOSTILE}", en=f"bad{HOSTILE}")
    card = Card(summary=text, trained_on=text, contact=HOSTILE)
    stages = list(contents.verdict.judgement.stages)
    first = stages[0]
    finding = msgspec.structs.replace(first.findings[0], sentence=text, answer="refused")
    stages[0] = msgspec.structs.replace(first, findings=(finding, *first.findings[1:]))
    judgement = msgspec.structs.replace(
        contents.verdict.judgement, outcome="rejected", reasons=(text,), stages=tuple(stages)
    )
    bad_bar = msgspec.structs.replace(contents.aggregates.groups[0].bars[0], words=(HOSTILE,))
    bad_group = msgspec.structs.replace(
        contents.aggregates.groups[0], bars=(bad_bar, *contents.aggregates.groups[0].bars[1:])
    )
    hostile = replace(
        contents,
        candidate=msgspec.structs.replace(
            contents.candidate,
            licence=HOSTILE,
            card=card,
            run=msgspec.structs.replace(contents.candidate.run, entry=HOSTILE),
            asks=msgspec.structs.replace(contents.candidate.asks, inputs=(HOSTILE,)),
        ),
        scenario=msgspec.structs.replace(contents.scenario, title=text, not_said=(text,)),
        verdict=msgspec.structs.replace(contents.verdict, judgement=judgement, pilot=HOSTILE),
        isolation=msgspec.structs.replace(
            contents.isolation, layers=(Layer(name=HOSTILE, present=True, required=True, detail=text),), kernel=HOSTILE
        ),
        environment=msgspec.structs.replace(
            contents.environment, processor=HOSTILE, packages={HOSTILE: HOSTILE}, variables={HOSTILE: HOSTILE}
        ),
        aggregates=msgspec.structs.replace(contents.aggregates, groups=(bad_group,)),
        signer=replace(contents.signer, owner=HOSTILE, keyid=HOSTILE),
    )
    tame = page_of("not isolated", "en")[1]
    html = render(hostile, "en")
    page = read_page(html)
    assert set(page.tags) <= set(tame.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert html.count("<style") == html.count("</style") == 1
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x1b]", html)
    assert "{{ 7*7 }}" in page.text
    assert page.text.count("<script>alert(1)</script>") >= 8  # still there to be read, as text


def test_a_page_of_hostile_length_is_cut():
    contents = contents_of("accepted")
    long = Text(zh="长" * 100_000, en="x" * 100_000)
    card = msgspec.structs.replace(contents.candidate.card, summary=long)
    html = render(replace(contents, candidate=msgspec.structs.replace(contents.candidate, card=card)), "zh")
    assert len(html) < 2 * len(page_of("accepted", "zh")[0])


def test_rendering_is_a_function_of_the_documents():
    assert render(contents_of("accepted"), "zh") == page_of("accepted", "zh")[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rehearsal_is_no_verdict(language):
    html, page = page_of("rehearsal", language)
    mark = Text(zh="预演，不是结论", en="Rehearsal, not a verdict").say(language)
    assert page.text.count(mark) >= 3  # in the band, in the note, and as the mark on every printed sheet
    assert Text(zh="12 项要求中预计有 6 项达标", en="would pass 6 of 12").say(language) in page.text
    assert all(finding.sentence.say(language) in page.text for stage in make_rehearsal("rejected").stages
               for finding in stage.findings if finding.answer != "held" and finding.alpha)  # fmt: skip
    for absent in ("name", "seal", "validity", "signed_by", "verification", "digests"):
        assert f">{WORDS[absent].say(language)}<" not in html
    assert not [value for value in page.values("class") if value in {"outcome yes", "outcome no", "outcome open"}]


def test_a_rehearsal_that_would_pass_says_so():
    page = read_page(render_rehearsal(make_rehearsal("accepted", rows=4612), "en"))
    assert "would pass 12 of 12" in page.text
    assert WORDS["all_would_pass"].en in page.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_one_is_set_smaller_when_it_has_more_to_hold(language):
    contents = contents_of("rejected")
    much = replace(contents, scenario=msgspec.structs.replace(SCENARIO, not_said=SCENARIO.not_said * 5))
    assert "sheet short" in read_page(render(contents, language)).values("class")
    assert {"sheet long", "sheet longest"} & set(read_page(render(much, language)).values("class"))
