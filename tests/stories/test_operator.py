"""The operator of a base: the power fails, someone presses Ctrl-C, the disk fills, isolation is missing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from story_base import CANDIDATES, SCENARIO, Base

from pilotbase.base import verbs
from pilotbase.store.database import embedded
from pilotbase.store.home import home
from pilotbase.store.ledger import Ledger

GOOD = CANDIDATES / "triage-boosting"


def events(base: Base, pilot: str) -> list[str]:
    with Ledger(embedded(home(base.variables).ledger)) as ledger:
        return [event.kind for event in ledger.events(pilot)]


def pilots(base: Base) -> set[str]:
    with Ledger(embedded(home(base.variables).ledger)) as ledger:
        return set(ledger.pilots())


def begin(base: Base, out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pilotbase", "run", SCENARIO, str(GOOD), "--out", str(out)],
        env=base.variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def wait_for(base: Base, before: set[str], kind: str, count: int) -> str:
    """Wait until a new pilot has so many events of a kind; return its id."""
    for _ in range(6000):
        for pilot in pilots(base) - before:
            if events(base, pilot).count(kind) >= count:
                return pilot
        time.sleep(0.005)
    raise AssertionError(f"never saw {count} x {kind}")


@pytest.mark.parametrize(("kind", "count"), [("plan.sealed", 1), ("batch.answered", 3), ("stage.done", 3)])
def test_a_killed_run_goes_on_from_the_ledger(
    base: Base, accepted: Path, tmp_path: Path, kind: str, count: int
) -> None:
    before = pilots(base)
    running = begin(base, tmp_path / "first")
    pilot = wait_for(base, before, kind, count)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert not (tmp_path / "first").exists()
    again = verbs.run(SCENARIO, GOOD, out=tmp_path / "second", resume=True, environment=base.variables)
    whole = json.loads((accepted / "public" / "verdict.json").read_bytes())
    assert again.verdict.pilot == pilot
    assert again.verdict.outcome_digest == whole["outcome_digest"]
    told = events(base, pilot)
    assert told.count("run.resumed") == 1
    assert told.count("batch.answered") == 20  # 4,923 rows in batches of 256: each asked for once
    assert told.count("dossier.signed") == 1
    assert verbs.verify(again.dossier, environment=base.variables).verified


def test_ctrl_c_is_said_in_words_and_loses_nothing(base: Base, tmp_path: Path) -> None:
    before = pilots(base)
    running = begin(base, tmp_path / "first")
    wait_for(base, before, "batch.answered", 2)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "--resume" in told
    assert "Traceback" not in told
    done = base.command("run", SCENARIO, GOOD, "--resume", "--out", tmp_path / "second")
    assert done.returncode == 0, done.stderr


def test_nothing_is_left_to_resume_after_a_whole_run(base: Base, accepted: Path, tmp_path: Path) -> None:
    assert accepted.is_dir()
    done = base.command("run", SCENARIO, CANDIDATES / "cheat-memoriser", "--resume", "--out", tmp_path / "none")
    assert done.returncode in {10, 64}  # another story may have left one behind; else there is none


def test_code_that_someone_vouches_for_ends_undecided(base: Base, tmp_path: Path) -> None:
    done = base.command("run", SCENARIO, GOOD, "--i-trust-this-code", "--out", tmp_path / "d", "--json")
    assert done.returncode == 20, done.stderr
    verdict = json.loads(done.stdout)["verdict"]
    assert verdict["isolation"] == "none"
    assert verdict["judgement"]["outcome"] == "undecided"
    assert "isolation" in verdict["judgement"]["reasons"][0]["en"]


def test_without_bubblewrap_a_run_is_refused_with_the_remedy(base: Base, tmp_path: Path) -> None:
    """A machine whose bubblewrap does not work: here, because user namespaces are used up."""
    if os.geteuid() != 0:
        pytest.skip("needs root: only root can take the namespaces of a child away")
    script = (
        "echo 0 > /proc/sys/user/max_user_namespaces && "
        f'exec "{sys.executable}" -m pilotbase run {SCENARIO} "{GOOD}" --out "{tmp_path / "d"}"'
    )
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script],
        env=base.variables, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 69
    assert "remedy" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "d").exists()


def test_a_full_disk_is_said_and_the_pilot_is_kept(base: Base, tmp_path: Path) -> None:
    """The dossier goes to a disk of 64 kB, in a mount namespace of its own."""
    if os.geteuid() != 0:
        pytest.skip("needs root: a small disk is mounted")
    disk = tmp_path / "disk"
    disk.mkdir()
    script = (
        f'mount -t tmpfs -o size=64k none "{disk}" && '
        f'"{sys.executable}" -m pilotbase run {SCENARIO} "{GOOD}" --out "{disk}/d"; code=$?; ls -A "{disk}"; exit $code'
    )
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
        env=base.variables, capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert done.returncode == 70
    assert "the disk is full" in done.stderr
    assert "--resume" in done.stderr
    assert done.stdout.strip().splitlines()[-1:] != ["d"]
    again = base.command("run", SCENARIO, GOOD, "--resume", "--out", tmp_path / "again")
    assert again.returncode == 0, again.stderr


def test_the_place_for_the_dossier_is_never_overwritten(base: Base, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("mine")
    done = base.command("run", SCENARIO, GOOD, "--out", tmp_path / "taken")
    assert done.returncode == 64
    assert (tmp_path / "taken" / "file").read_text() == "mine"
