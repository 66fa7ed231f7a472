"""Candidates that misbehave, in real cells: each is recorded as the candidate's own failure, and nothing is left.

Not seen by anyone: a candidate that answers the right rows in another order. Rows are re-keyed and shuffled, so it only
gives wrong answers to itself.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from story_base import CANDIDATES, ROOT, Base

from pilotbase.base import verbs
from pilotbase.pilot.verdict import Verdict

PACK = ROOT / "src" / "pilotbase" / "sectors" / "healthcare" / "covid_test_triage"
SCENARIO = "healthcare/quick-triage"
LIMITS = {"call": "2 s", "start": "15 s", "run": "40 s", "memory": "300 MiB"}
ANSWER = 'n = len(columns["age"])\n    return {"score": np.full(n, SCORE), "decision": np.ones(n)}'

BEHAVIOURS = {
    "returns-too-many": (
        "n = len(columns['age']) + 1\n    return {'score': np.ones(n), 'decision': np.ones(n)}",
        "number",
    ),
    "returns-words": ("return {'score': ['high'], 'decision': ['yes']}", "exited"),
    "returns-nan": (ANSWER.replace("SCORE", "np.nan"), "NaN"),
    "returns-infinity": (ANSWER.replace("SCORE", "np.inf"), "infinity"),
    "out-of-range": (ANSWER.replace("SCORE", "1.5"), "outside the range"),
    "hangs": ("time.sleep(1000)", "did not answer in time"),
    "exits": ("os._exit(3)", "exit code 3"),
    "is-killed": ("os.kill(os.getpid(), 9)", "signal 9"),
    "forks": ("[os.fork() or time.sleep(60) for _ in range(40)]\n    time.sleep(60)", ""),
    "fills-its-disk": ("open('/tmp/x', 'wb').write(bytes(200 << 20))\n    time.sleep(5)", ""),
    "eats-memory": ("hoard = [bytearray(b'1') * (1 << 20) for _ in range(900)]\n    time.sleep(5)", "too much memory"),
}


@pytest.fixture(scope="session")
def quick(base: Base, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The first scenario with tight limits, installed from a folder as an own scenario would be."""
    pack = tmp_path_factory.mktemp("pack") / "pack"
    shutil.copytree(PACK, pack)
    text = (pack / "scenario.toml").read_text(encoding="utf-8")
    text = re.sub(r'^id = ".*"', f'id = "{SCENARIO}"', text, count=1, flags=re.MULTILINE)
    for name, value in LIMITS.items():
        text = re.sub(rf'^{name} = ".*"', f'{name} = "{value}"', text, count=1, flags=re.MULTILINE)
    text = re.sub(r"^processes = .*", "processes = 24", text, count=1, flags=re.MULTILINE)
    (pack / "scenario.toml").write_text(text, encoding="utf-8")
    verbs.install_scenario(str(pack), environment=base.variables)
    return SCENARIO


def write(folder: Path, body: str) -> Path:
    """Write a candidate whose function has this body."""
    folder.mkdir()
    shutil.copy(CANDIDATES / "triage-age-only" / "requirements.lock", folder)
    card = (CANDIDATES / "triage-age-only" / "candidate.toml").read_text(encoding="utf-8")
    card = re.sub(r'^entry = ".*"', 'entry = "bad:predict"', card, flags=re.MULTILINE)
    (folder / "candidate.toml").write_text(card, encoding="utf-8")
    head = "import os\nimport time\n\nimport numpy as np\n\nprint('loaded', flush=True)\n\n\n"
    (folder / "bad.py").write_text(
        f"{head}def predict(columns):\n    print('asked', flush=True)\n    {body}\n", encoding="utf-8"
    )
    return folder


def conformance(verdict: Verdict) -> str:
    found = next(one for one in verdict.judgement.findings if one.criterion == "replies_conform")
    assert found.answer == "refused"
    return found.sentence.en


def left_over() -> list[str]:
    """Return the command lines of candidates that still run."""
    lines = (path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())
    return [line.decode("utf-8", "replace") for line in lines if b"/shim.py" in line]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BEHAVIOURS))
def test_a_candidate_that_misbehaves_is_rejected_at_conformance(
    base: Base, quick: str, tmp_path: Path, name: str
) -> None:
    body, told = BEHAVIOURS[name]
    issued = verbs.run(quick, write(tmp_path / "bad", body), out=tmp_path / "dossier", environment=base.variables)
    assert issued.verdict.outcome == "rejected"
    assert told in conformance(issued.verdict)
    assert verbs.verify(issued.dossier, environment=base.variables).verified
    assert not left_over()


@pytest.mark.slow
def test_what_a_candidate_prints_disturbs_nothing(base: Base, quick: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "prints", ANSWER.replace("SCORE", "0.05"))
    issued = verbs.run(quick, folder, out=tmp_path / "dossier", environment=base.variables)
    answers = {one.criterion: one.answer for one in issued.verdict.judgement.findings}
    assert answers["replies_conform"] == "held"
    assert issued.verdict.outcome == "rejected"  # for a constant ranks nothing
    told = (issued.dossier / "candidate" / "conformance.stderr").read_text(encoding="utf-8")
    assert "loaded" in told
    assert json.loads((issued.dossier / "candidate" / "notice.json").read_bytes())["accepted"] is False
