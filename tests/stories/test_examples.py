"""Every example candidate ends as its README says, on the real data, in real cells."""

from __future__ import annotations

from pathlib import Path

import pytest
from story_base import CANDIDATES, SCENARIO, Base

from pilotbase.base import verbs
from pilotbase.pilot.verdict import Verdict

ENDS = {
    "triage-boosting": ("accepted", ""),
    "triage-boosting-onnx": ("accepted", ""),
    "triage-logistic": ("rejected", "auroc"),
    "triage-age-only": ("rejected", "auroc"),
    "cheat-asks-result": ("rejected", "inputs_served"),
    "cheat-memoriser": ("rejected", "auroc"),
    "cheat-reads-data": ("rejected", "replies_conform"),
}


def refused(verdict: Verdict) -> set[str]:
    return {finding.criterion for finding in verdict.judgement.findings if finding.answer == "refused"}


def test_every_example_has_its_story() -> None:
    assert {path.parent.name for path in CANDIDATES.glob("*/candidate.toml")} == set(ENDS)


@pytest.mark.parametrize("name", sorted(ENDS))
def test_an_example_ends_as_its_readme_says(base: Base, name: str, tmp_path: Path) -> None:
    outcome, why = ENDS[name]
    issued = verbs.run(SCENARIO, CANDIDATES / name, out=tmp_path / "dossier", environment=base.variables)
    assert issued.verdict.outcome == outcome
    assert (why in refused(issued.verdict)) is bool(why)
    report = verbs.verify(issued.dossier, environment=base.variables)
    assert report.verified
    assert report.outcome == outcome
    readme = (CANDIDATES / name / "README.md").read_text(encoding="utf-8")
    assert outcome in readme


def test_the_one_that_asks_for_the_result_is_told_so_in_words_and_shown_nothing(base: Base, tmp_path: Path) -> None:
    issued = verbs.run(SCENARIO, CANDIDATES / "cheat-asks-result", out=tmp_path / "dossier", environment=base.variables)
    told = next(one for one in issued.verdict.judgement.findings if one.criterion == "inputs_served").sentence
    assert "ct_result" in told.en
    assert "ct_result" in told.zh
    assert not (issued.dossier / "restricted" / "records").exists()
    assert [stage.ran for stage in issued.verdict.judgement.stages] == [True, False, False, False, False]


def test_the_one_that_reads_data_and_network_finds_neither(base: Base, tmp_path: Path) -> None:
    issued = verbs.run(SCENARIO, CANDIDATES / "cheat-reads-data", out=tmp_path / "dossier", environment=base.variables)
    log = (issued.dossier / "candidate" / "conformance.stderr").read_text(encoding="utf-8")
    assert "OPEN" not in log
    last = log.splitlines()[-1]
    assert [way for way in ("from_package", "from_folders", "over_network") if f"{way}: closed" in last] == [
        "from_package",
        "from_folders",
        "over_network",
    ]
