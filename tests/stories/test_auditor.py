"""An auditor: two verifiers that know nothing of each other, a dossier that was touched, a replay."""

from __future__ import annotations

import importlib.util
import random
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
from story_base import CANDIDATES, ROOT, SCENARIO, Base

from pilotbase.base import verbs
from pilotbase.evidence import keys
from pilotbase.evidence.keyfiles import load_ring, save_ring


def second_verifier() -> ModuleType:
    spec = importlib.util.spec_from_file_location("second_verifier", ROOT / "docs" / "spec" / "verifier.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["second_verifier"] = module
    spec.loader.exec_module(module)
    return module


SECOND = second_verifier()


def first_failed(dossier: Path, trust: Path) -> tuple[int, ...]:
    return verbs.verify(dossier, trust=trust).failed


def second_failed(dossier: Path, trust: Path) -> tuple[int, ...]:
    return tuple(step.number for step in SECOND.verify(dossier, trust).steps if step.status == SECOND.FAILED)


def test_both_accept_the_honest_dossier(base: Base, accepted: Path) -> None:
    assert first_failed(accepted, base.ring) == ()
    assert second_failed(accepted, base.ring) == ()
    assert SECOND.verify(accepted, base.ring).outcome == "accepted"


@pytest.mark.parametrize("changes", [20, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_both_name_a_failed_step_for_every_changed_byte(
    base: Base, accepted: Path, tmp_path: Path, changes: int
) -> None:
    """Random single-byte changes anywhere in the dossier; every one is seen by both."""
    draw = random.Random(changes)  # noqa: S311 - which byte to change, not a secret
    files = sorted(path for path in accepted.rglob("*") if path.is_file())
    weights = [path.stat().st_size for path in files]
    copy = tmp_path / "copy"
    shutil.copytree(accepted, copy)
    for _ in range(changes):
        # half of the changes fall on a file at random, else large arrays would take them all
        path = draw.choice(files) if draw.random() < 0.5 else draw.choices(files, weights)[0]
        target = copy / path.relative_to(accepted)
        whole = path.read_bytes()
        place = draw.randrange(len(whole))
        changed = bytearray(whole)
        changed[place] ^= draw.randrange(1, 256)
        target.write_bytes(changed)
        where = f"{path.relative_to(accepted)} byte {place}"
        assert first_failed(copy, base.ring), where
        assert second_failed(copy, base.ring), where
        target.write_bytes(whole)
    assert first_failed(copy, base.ring) == ()


def missing_file(copy: Path) -> None:
    (copy / "public" / "metering.json").unlink()


def extra_file(copy: Path) -> None:
    (copy / "public" / "more.txt").write_text("more")


def extra_root_file(copy: Path) -> None:
    (copy / "more.txt").write_text("more")


def linked_file(copy: Path) -> None:
    target = copy / "public" / "metering.json"
    outside = copy.parent / "metering.json"
    shutil.move(target, outside)
    target.symlink_to(outside)


def case_twin(copy: Path) -> None:
    shutil.copy(copy / "public" / "verdict.json", copy / "public" / "VERDICT.json")


def padding_bit(copy: Path) -> None:
    """Another base64 text that decodes to the same bytes."""
    path = copy / "statement.dsse.json"
    text = path.read_text()
    end = text.index('=="')
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    changed = letters[letters.index(text[end - 1]) ^ 1]
    path.write_text(text[: end - 1] + changed + text[end:])


@pytest.mark.parametrize(
    ("touch", "step"),
    [(missing_file, 5), (extra_file, 5), (extra_root_file, 1), (linked_file, 1), (case_twin, 1), (padding_bit, 2)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_touched_dossier_fails_at_the_step_that_looks_there(
    base: Base, accepted: Path, tmp_path: Path, touch: object, step: int
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(accepted, copy)
    touch(copy)  # type: ignore[operator]
    assert first_failed(copy, base.ring)[0] == step
    assert second_failed(copy, base.ring)[0] == step


def test_withheld_parts_are_said_and_hold(base: Base, accepted: Path, tmp_path: Path) -> None:
    for keep in ({"candidate"}, {"candidate", "public"}):
        copy = tmp_path / "-".join(sorted(keep))
        shutil.copytree(accepted, copy)
        for part in {"candidate", "public", "restricted"} - keep:
            shutil.rmtree(copy / part)
        report = verbs.verify(copy, trust=base.ring)
        assert report.verified
        assert "withheld" in {step.state for step in report.steps}
        assert second_failed(copy, base.ring) == ()


def test_an_unknown_signer_is_said_and_never_verified(base: Base, accepted: Path, tmp_path: Path) -> None:
    stranger, _ = keys.init(keys.KeyRing(), "stranger", datetime.now(UTC))
    trust = tmp_path / "keys.json"
    save_ring(trust, stranger)
    done = base.command("verify", accepted, "--trust", trust)
    keyid = load_ring(base.ring).keys[0].keyid
    assert done.returncode == 4
    assert f"UNKNOWN SIGNER {keyid}" in done.stdout
    assert SECOND.verify(accepted, trust).unknown_signer == keyid


def test_a_revoked_key_verifies_nothing_and_a_retired_one_what_it_signed_before(
    base: Base, accepted: Path, tmp_path: Path
) -> None:
    ring = load_ring(base.ring)
    keyid = ring.keys[0].keyid
    later = datetime.now(UTC) + timedelta(days=1)
    for changed, expected in ((keys.retire(ring, keyid, later), ()), (keys.revoke(ring, keyid, later), (2,))):
        trust = tmp_path / f"{len(expected)}.json"
        save_ring(trust, changed)
        assert first_failed(accepted, trust)[:1] == expected
        assert second_failed(accepted, trust)[:1] == expected


def test_replay_reproduces_the_outcome_digest(base: Base, accepted: Path) -> None:
    replayed = verbs.replay(accepted, CANDIDATES / "triage-boosting", environment=base.variables)
    assert replayed.same
    assert replayed.judgement.outcome == "accepted"


def test_replay_with_another_candidate_is_refused(base: Base, accepted: Path) -> None:
    done = base.command("replay", accepted, CANDIDATES / "triage-logistic")
    assert done.returncode == 65
    assert "not the candidate of the plan" in done.stderr


def test_the_command_says_the_steps_in_both_languages(base: Base, accepted: Path) -> None:
    for language, word in (("en", "judged again"), ("zh", "重新判定")):
        done = base.command("verify", accepted, "--lang", language)
        assert done.returncode == 0
        assert word in done.stdout
        assert "self-asserted" in done.stdout


def test_the_scenario_is_marked_as_public_data(accepted: Path, base: Base) -> None:
    report = verbs.verify(accepted, trust=base.ring)
    assert any("public data" in text.en for text in report.proves)
    assert SCENARIO == "healthcare/covid-test-triage"
