"""The verbs of a base, with ordinary processes as cells: what needs isolation is told in tests/stories."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from fake_base import CANDIDATE, HIDDEN, PACK, SCENARIO, Place, load, make_candidate, make_pack, variables

from pilotbase.base import verbs
from pilotbase.foundation.errors import FaultError, InputError, UsageError
from pilotbase.line.seal import open_pack
from pilotbase.store.home import home

NAME = f"{SCENARIO}@1.0.0"


def test_code_that_someone_vouches_for_runs_in_a_process_and_ends_undecided(fresh: Place, tmp_path: Path) -> None:
    issued = verbs.run(SCENARIO, CANDIDATE, out=tmp_path / "d", trust_code=True, environment=fresh.variables)
    assert issued.verdict.outcome == "undecided"
    assert {one.answer for one in issued.verdict.judgement.findings if one.stage != "efficiency"} == {"held"}
    report = verbs.verify(tmp_path / "d", environment=fresh.variables)
    assert report.verified
    assert report.outcome == "undecided"


def test_nothing_unfinished_is_nothing_to_resume(fresh: Place, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        verbs.run(SCENARIO, CANDIDATE, out=tmp_path / "d", trust_code=True, resume=True, environment=fresh.variables)
    assert caught.value.remedy is not None


def test_a_rehearsal_leaves_no_trace_in_the_base(fresh: Place) -> None:
    before = sorted(path for path in fresh.home.rglob("*") if path.is_file() and "ledger" not in path.parts)
    rehearsed = verbs.rehearse(NAME, CANDIDATE, seed=bytes(32), environment=fresh.variables)
    assert rehearsed.passed >= rehearsed.planned - 3  # timing may not be shown on a busy machine
    assert [stage.ran for stage in rehearsed.stages] == [True] * 5
    after = sorted(path for path in fresh.home.rglob("*") if path.is_file() and "ledger" not in path.parts)
    assert after == before


def test_a_rehearsal_tells_what_the_candidate_wrote(fresh: Place, tmp_path: Path) -> None:
    candidate = make_candidate(tmp_path / "c")
    (candidate / "predict.py").write_text("raise RuntimeError('not today')\n")
    rehearsed = verbs.rehearse(SCENARIO, candidate, environment=fresh.variables)
    assert rehearsed.passed < rehearsed.planned
    assert b"not today" in rehearsed.stderr


def test_a_rehearsal_can_be_written_as_a_page(fresh: Place, tmp_path: Path) -> None:
    rehearsed = verbs.rehearse(SCENARIO, CANDIDATE, environment=fresh.variables)
    for language in ("zh", "en"):
        verbs.write_rehearsal(rehearsed, tmp_path / "new" / f"{language}.html", language)
        assert "<html" in (tmp_path / "new" / f"{language}.html").read_text(encoding="utf-8")


def test_a_draft_is_neither_signed_nor_entered(fresh: Place) -> None:
    drafted = verbs.plan(SCENARIO, CANDIDATE, environment=fresh.variables)
    assert drafted.plan.order.rows == HIDDEN
    assert all(one.decidable for one in drafted.forecasts)
    again = verbs.plan(SCENARIO, CANDIDATE, environment=fresh.variables)
    assert again.plan.pilot != drafted.plan.pilot
    assert list((fresh.home / "blobs").iterdir()) == []
    assert list((fresh.home / "work").iterdir()) == []


def test_verify_trusts_the_base_or_a_file_or_nobody(place: Place, tmp_path: Path) -> None:
    assert verbs.verify(place.dossier, environment=place.variables).verified
    assert verbs.verify(place.dossier, trust=place.home / "keys" / "keys.json", environment={}).verified
    stranger = verbs.verify(place.dossier, environment=variables(tmp_path / "none"))
    assert stranger.unknown_signer is not None
    with pytest.raises(InputError):
        verbs.verify(place.dossier, trust=tmp_path / "missing.json", environment=place.variables)
    (tmp_path / "garbage.json").write_bytes(b"{")
    with pytest.raises(InputError):
        verbs.verify(place.dossier, trust=tmp_path / "garbage.json", environment=place.variables)


@pytest.mark.parametrize("name", ["nothing", "file"])
def test_what_is_no_folder_is_no_dossier(place: Place, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError) as caught:
        verbs.verify(tmp_path / name, environment=place.variables)
    assert caught.value.remedy is not None


def test_a_dossier_that_does_not_verify_is_not_replayed(place: Place, tmp_path: Path) -> None:
    shutil.copytree(place.dossier, tmp_path / "d")
    (tmp_path / "d" / "public" / "verdict.json").write_bytes(b"{}")
    with pytest.raises(UsageError) as caught:
        verbs.replay(tmp_path / "d", CANDIDATE, environment=place.variables)
    assert caught.value.found


def test_a_copy_without_the_public_part_says_so(place: Place, tmp_path: Path) -> None:
    shutil.copytree(place.dossier, tmp_path / "d")
    shutil.rmtree(tmp_path / "d" / "public")
    for verb in (
        lambda: verbs.replay(tmp_path / "d", CANDIDATE, environment=place.variables),
        lambda: verbs.write_report(tmp_path / "d", tmp_path / "r.html", "zh", environment=place.variables),
    ):
        with pytest.raises(InputError) as caught:
            verb()
        assert caught.value.remedy is not None


def test_a_report_is_written_in_either_language_and_never_over_a_wall(place: Place, tmp_path: Path) -> None:
    for language in ("zh", "en"):
        verbs.write_report(place.dossier, tmp_path / "new" / f"{language}.html", language, environment=place.variables)
    assert (tmp_path / "new" / "zh.html").read_text(encoding="utf-8") == (
        place.dossier / "public" / "report.zh.html"
    ).read_text(encoding="utf-8")
    with pytest.raises(FaultError) as caught:
        verbs.write_report(place.dossier, tmp_path, "en", environment=place.variables)  # a folder stands there
    assert caught.value.place.file == str(tmp_path)


def test_a_dossier_without_a_statement_has_no_report(place: Place, tmp_path: Path) -> None:
    shutil.copytree(place.dossier, tmp_path / "d")
    (tmp_path / "d" / "statement.dsse.json").unlink()
    with pytest.raises(InputError):
        verbs.write_report(tmp_path / "d", tmp_path / "r.html", "en", environment=place.variables)


def test_scenarios_are_found_by_name_or_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert verbs.find_scenario(str(PACK)).scenario.id == SCENARIO
    monkeypatch.chdir(PACK.parent)
    assert verbs.find_scenario("./pack").scenario.id == SCENARIO
    assert verbs.find_scenario("healthcare/covid-test-triage").scenario.sector == "healthcare"
    for nothing in ("manufacturing/loose-bolts", "pack", str(tmp_path), "./nothing"):
        with pytest.raises(InputError):
            verbs.find_scenario(nothing)
    assert [pack.scenario.id for pack in verbs.list_scenarios()] == ["healthcare/covid-test-triage"]


def test_a_pack_from_a_path_is_installed_by_its_own_process(fresh: Place, tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack", ('version = "1.0.0"', 'version = "1.1.0"'))
    done = verbs.install_scenario(str(pack), trust_code=True, environment=fresh.variables)
    assert done.scenario.version == "1.1.0"
    assert verbs.installed_scenarios(environment=fresh.variables) == (NAME, f"{SCENARIO}@1.1.0")
    assert open_pack(home(fresh.variables).custody, SCENARIO).scenario.version == "1.1.0"


def test_checking_a_pack_installs_nothing(fresh: Place, tmp_path: Path) -> None:
    pack = make_pack(tmp_path / "pack", ('version = "1.0.0"', 'version = "2.0.0"'))
    checked = verbs.check_scenario(str(pack), trust_code=True, environment=fresh.variables)
    assert checked.hidden == checked.scenario.data.hidden
    assert verbs.installed_scenarios(environment=fresh.variables) == (NAME,)


def test_no_base_has_nothing_installed(tmp_path: Path) -> None:
    assert verbs.installed_scenarios(environment=variables(tmp_path / "none")) == ()
    with pytest.raises(InputError):
        verbs.export_sample(SCENARIO, tmp_path / "s.csv", environment=variables(tmp_path / "none"))


def test_the_sample_holds_no_column_that_is_never_served(place: Place, tmp_path: Path) -> None:
    verbs.export_sample(SCENARIO, tmp_path / "s.csv", environment=place.variables)
    head = (tmp_path / "s.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert head == ["serial", "torque", "lot", "shift", "loose"]


def test_a_new_candidate_can_be_read_back_once_it_is_filled_in(fresh: Place, tmp_path: Path) -> None:
    source = f"{CANDIDATE / 'predict.py'}:predict"
    written = verbs.new_candidate(source, tmp_path / "made", str(PACK))
    assert {path.name for path in written} >= {"candidate.toml", "predict.py", "requirements.lock"}
    rehearsed = verbs.rehearse(SCENARIO, tmp_path / "made", environment=fresh.variables)
    refused = {one.criterion for one in rehearsed.findings if one.answer == "refused"}
    assert refused == {"licence_known", "requirements_locked"}  # what the template says is to be filled in


def test_locking_needs_wheels(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    with pytest.raises(InputError):
        verbs.lock(tmp_path / "wheels", tmp_path / "requirements.lock")
    assert not (tmp_path / "requirements.lock").exists()


def test_a_verdict_on_disk_is_the_one_that_was_issued(place: Place) -> None:
    plan, verdict = verbs.read_public(verbs.open_copy(place.dossier))
    stored = json.loads((place.dossier / "public" / "verdict.json").read_bytes())
    assert (verdict.outcome, plan.pilot) == (stored["judgement"]["outcome"], stored["pilot"])


def test_the_loader_of_these_tests_is_a_script() -> None:
    assert load(PACK / "loader.py").ROWS == 1400
