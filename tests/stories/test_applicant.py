"""An applicant: writes a candidate, rehearses it anywhere, sees what a pilot would need, hands it in as an archive."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
import zipfile
from pathlib import Path

import pytest
from story_base import CANDIDATES, SCENARIO, Base

from pilotbase.store.database import embedded
from pilotbase.store.home import home
from pilotbase.store.ledger import Ledger


def pilots(base: Base) -> list[str]:
    with Ledger(embedded(home(base.variables).ledger)) as ledger:
        return ledger.pilots()


def test_a_rehearsal_says_what_would_pass_and_what_not_and_is_no_verdict(base: Base, tmp_path: Path) -> None:
    before = pilots(base)
    page = tmp_path / "page.html"
    done = base.command("rehearse", SCENARIO, CANDIDATES / "triage-logistic", "--report", page)
    assert done.returncode == 0, done.stderr
    assert "rehearsal, not a verdict" in done.stdout
    assert "It would pass 11 of 12 criteria." in done.stdout
    assert "- auroc: " in done.stdout
    assert "Rehearsal, not a verdict" in page.read_text(encoding="utf-8")
    assert pilots(base) == before


def test_the_same_seed_rehearses_the_same(base: Base) -> None:
    words = ("rehearse", SCENARIO, CANDIDATES / "triage-age-only", "--json", "--seed", "ab" * 32)
    first, second = (json.loads(base.command(*words).stdout) for _ in range(2))
    assert first["not_a_verdict"] is True
    assert first["stages"][2] == second["stages"][2]
    assert base.command(*words[:-1], "xyz").returncode == 64


def test_a_plan_is_drafted_and_leaves_no_trace(base: Base) -> None:
    before = pilots(base)
    done = base.command("plan", SCENARIO, CANDIDATES / "triage-boosting", "--json")
    assert done.returncode == 0, done.stderr
    forecasts = {one["criterion"]: one for one in json.loads(done.stdout)["forecasts"]}
    assert all(one["decidable"] for one in forecasts.values())
    assert forecasts["latency_p99"]["needs"] == 299
    assert pilots(base) == before


def test_an_archive_is_piloted_like_its_folder(base: Base, tmp_path: Path) -> None:
    archive = tmp_path / "candidate.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted((CANDIDATES / "cheat-asks-result").iterdir()):
            packed.write(path, path.name)
    done = base.command("run", SCENARIO, archive, "--out", tmp_path / "dossier", "--json")
    assert done.returncode == 10, done.stderr
    plain = base.command("run", SCENARIO, CANDIDATES / "cheat-asks-result", "--out", tmp_path / "other", "--json")
    digests = [json.loads(one.stdout)["verdict"]["outcome_digest"] for one in (done, plain)]
    assert digests[0] == digests[1]


@pytest.mark.parametrize("source", ["function", "onnx"])
def test_a_new_candidate_can_be_rehearsed_once_it_is_filled_in(base: Base, tmp_path: Path, source: str) -> None:
    folder = tmp_path / "mine"
    model = {
        "function": f"{CANDIDATES / 'triage-age-only' / 'triage.py'}:predict",
        "onnx": str(CANDIDATES / "triage-boosting-onnx" / "model.onnx"),
    }[source]
    done = base.command("new", "candidate", folder, "--scenario", SCENARIO, "--from", model)
    assert done.returncode == 0, done.stderr
    like = CANDIDATES / ("triage-age-only" if source == "function" else "triage-boosting-onnx")
    shutil.copy(like / "requirements.lock", folder / "requirements.lock")
    if source == "function":
        shutil.copy(like / "model.json", folder / "model.json")
    card = folder / "candidate.toml"
    text = card.read_text(encoding="utf-8").replace('licence = "unknown"', 'licence = "MIT"')
    wanted = tomllib.loads((like / "candidate.toml").read_text(encoding="utf-8"))["asks"]["inputs"]
    text = re.sub(r"inputs = \[[^\]]*\]", f"inputs = {json.dumps(wanted)}", text)
    card.write_text(text, encoding="utf-8")
    done = base.command("rehearse", SCENARIO, folder, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    findings = {one["criterion"]: one["answer"] for stage in told["stages"] for one in stage["findings"]}
    assert findings["licence_known"] == "held"
    assert findings["replies_conform"] == "held", told
