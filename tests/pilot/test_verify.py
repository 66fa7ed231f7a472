"""Verification: a dossier that is whole says so; one that was touched fails a step, and never the program.

The dossier is a whole one, from seal to issue, with cells that run in this process (tests/line/fake_base.py).
"""

from __future__ import annotations

import base64
import json
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fake_base import SCENARIO, FakeCells, a_dossier, frame, load, make_candidate
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotbase.evidence import envelope, keys
from pilotbase.evidence.keys import KeyRing, SigningKey, new_signing_key, read_ring
from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.digests import sha256
from pilotbase.foundation.text import LANGUAGES
from pilotbase.line.journey import run
from pilotbase.line.means import Unwatched
from pilotbase.pilot.dossier import PARTS, Copy, make_manifest, read_copy
from pilotbase.pilot.verify import Report, verify

NOW = datetime(2026, 3, 2, tzinfo=UTC)
SECOND = load(Path(__file__).parents[2] / "docs" / "spec" / "verifier.py")
SPEC_TESTS = Path(__file__).parents[1] / "spec"
Files = dict[str, bytes]


@dataclass(frozen=True)
class Whole:
    """An honest dossier, another one of the same base, and what is needed to judge or forge them."""

    folder: Path
    files: Files
    other: Files
    ring: KeyRing
    key: SigningKey
    keys_file: Path


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    folder = tmp_path_factory.mktemp("whole")
    with a_dossier(folder) as (means, issued):
        candidate = make_candidate(folder / "c", ("1.0.0", "1.0.1"))
        cells = FakeCells(lambda ask: frame([[0.5, 0.0]] * ask.rows)).cells
        other = run(means, SCENARIO, candidate, cells=cells, watch=Unwatched(), out=folder / "other")
        yield Whole(
            folder=issued.dossier,
            files=dict(read_copy(issued.dossier).files),
            other=dict(read_copy(other.dossier).files),
            ring=means.ring,
            key=means.key,
            keys_file=means.home.ring,
        )


def report(whole: Whole, files: Files, ring: KeyRing | None = None, now: datetime = NOW) -> Report:
    return verify(Copy(files=files, strays=()), ring or whole.ring, now)


def states(found: Report) -> list[str]:
    return [step.state for step in found.steps]


def refused(whole: Whole, files: Files) -> Report:
    """A changed dossier has a failed step, no outcome, and words for it."""
    found = report(whole, files)
    assert found.failed
    assert not found.verified
    assert found.outcome is None
    assert len(found.steps) == 12
    for step in found.steps:
        if step.state == "failed":
            assert step.detail is not None
            assert all(step.detail.say(language).isprintable() for language in LANGUAGES)
    return found


# ---- Whole copies


def test_an_honest_dossier_passes_every_step_of_both_verifiers(whole: Whole) -> None:
    found = report(whole, whole.files)
    assert set(states(found)) == {"ok"}
    assert found.outcome == "accepted"
    assert report(whole, whole.other).outcome == "rejected"
    result = SECOND.verify(whole.folder, whole.keys_file)
    assert result.verified
    assert result.outcome == "accepted"


@pytest.mark.parametrize(
    ("parts", "outcome"),
    [
        (("public", "restricted"), "accepted"),
        (("candidate", "public"), "accepted"),
        (("public",), "accepted"),
        (("candidate", "restricted"), None),
        (("candidate",), None),
        (("restricted",), None),
    ],
)
def test_a_copy_carries_the_parts_that_its_reader_may_have(
    whole: Whole, tmp_path: Path, parts: tuple[str, ...], outcome: str | None
) -> None:
    there = {path: data for path, data in whole.files.items() if path.partition("/")[0] in {*parts} or "/" not in path}
    found = report(whole, there)
    assert found.verified, found.steps
    assert found.outcome == outcome
    withheld = [part for part in PARTS if part not in parts]
    assert all(any(f"withheld: {part}" in text.en for text in found.proves) for part in withheld)
    shutil.copytree(whole.folder, tmp_path / "d")
    for part in withheld:
        shutil.rmtree(tmp_path / "d" / part)
    assert SECOND.verify(tmp_path / "d", whole.keys_file).verified


def test_a_log_proof_may_be_absent(whole: Whole) -> None:
    found = report(whole, {path: data for path, data in whole.files.items() if path != "log-proof.json"})
    assert found.verified
    assert found.steps[11].state == "absent"


def test_it_says_what_it_proves_and_what_not(whole: Whole) -> None:
    told = [text.en for text in report(whole, whole.files).proves]
    assert any("self-asserted" in one for one in told)
    assert any("not proved" in one for one in told)
    assert any("public data" in one for one in told)
    assert any("made base" in one for one in told)
    assert not any("expired" in one for one in told)
    late = report(whole, whole.files, now=NOW + timedelta(days=91))
    assert late.verified
    assert any("expired" in text.en for text in late.proves)


# ---- Touched copies


@settings(max_examples=150)
@given(data=st.data())
def test_any_changed_byte_fails_a_step(whole: Whole, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(whole.files)))
    place = data.draw(st.integers(0, len(whole.files[name]) - 1))
    changed = bytearray(whole.files[name])
    changed[place] ^= data.draw(st.integers(1, 255))
    refused(whole, whole.files | {name: bytes(changed)})


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_many_changed_bytes_fail_a_step_of_both_verifiers(whole: Whole, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - which byte to change
    folder = tmp_path / "d"
    shutil.copytree(whole.folder, folder)
    for _ in range(40):
        name = draw.choice(sorted(whole.files))
        changed = bytearray(whole.files[name])
        changed[draw.randrange(len(changed))] ^= draw.randrange(1, 256)
        (folder / name).write_bytes(bytes(changed))
        refused(whole, dict(read_copy(folder).files))
        assert not SECOND.verify(folder, whole.keys_file).verified
        (folder / name).write_bytes(whole.files[name])


@settings(max_examples=60)
@given(data=st.data())
def test_any_shortened_or_lengthened_file_fails_a_step(whole: Whole, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(whole.files)))
    content = whole.files[name]
    other = data.draw(
        st.one_of(
            st.integers(0, len(content) - 1).map(lambda end: content[:end]),
            st.binary(min_size=1, max_size=9).map(lambda more: content + more),
            st.binary(max_size=40).filter(lambda new: new != content),
        )
    )
    refused(whole, whole.files | {name: other})


def test_any_missing_file_fails_a_step(whole: Whole) -> None:
    for name in sorted(set(whole.files) - {"log-proof.json"}):
        refused(whole, {path: data for path, data in whole.files.items() if path != name})


NAMES = st.one_of(
    st.sampled_from([f"{part}/surplus" for part in PARTS]),
    st.sampled_from(["surplus", "public/../x", "restricted/records/x/y.bin", "restricted/records/effectiveness/z.bin"]),
    st.text(min_size=1, max_size=12),
    st.text(min_size=1, max_size=12).map(lambda name: f"public/{name}"),
)


@settings(max_examples=60)
@given(name=NAMES, content=st.binary(max_size=20))
def test_any_file_more_fails_a_step_and_its_name_is_printed_harmless(whole: Whole, name: str, content: bytes) -> None:
    if name not in whole.files:
        refused(whole, whole.files | {name: content})


@settings(max_examples=60)
@given(data=st.data())
def test_any_two_files_exchanged_fail_a_step(whole: Whole, data: st.DataObject) -> None:
    one, two = data.draw(st.lists(st.sampled_from(sorted(whole.files)), min_size=2, max_size=2, unique=True))
    if whole.files[one] != whole.files[two]:
        refused(whole, whole.files | {one: whole.files[two], two: whole.files[one]})


@pytest.mark.parametrize("part", [*PARTS, "statement.dsse.json", "log-proof.json"])
def test_a_part_of_another_dossier_fails_a_step(whole: Whole, part: str) -> None:
    """Another one of the same base, signed by the same key."""

    def belongs(path: str) -> bool:
        return path == part or path.startswith(f"{part}/")

    mine = {path: data for path, data in whole.files.items() if not belongs(path)}
    refused(whole, mine | {path: data for path, data in whole.other.items() if belongs(path)})


@settings(max_examples=40)
@given(data=st.data())
def test_any_file_of_another_dossier_fails_a_step(whole: Whole, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(set(whole.files) & set(whole.other))))
    if whole.files[name] != whole.other[name]:
        refused(whole, whole.files | {name: whole.other[name]})


def test_nothing_at_all_is_no_dossier(whole: Whole) -> None:
    refused(whole, {})
    refused(whole, {"statement.dsse.json": whole.files["statement.dsse.json"]})


def test_strays_fail_the_first_step(whole: Whole) -> None:
    found = verify(Copy(files=whole.files, strays=("link",)), whole.ring, NOW)
    assert found.failed[:1] == (1,)


# ---- Keys


def test_without_the_signer_among_the_trusted_the_answer_is_unknown_signer(whole: Whole) -> None:
    found = report(whole, whole.files, keys.enlist(KeyRing(), new_signing_key(), "someone", NOW))
    assert found.unknown_signer == whole.key.keyid
    assert found.failed[:1] == (2,)
    assert "UNKNOWN SIGNER" in str(found.steps[1].detail)
    assert verify(Copy(files=whole.files, strays=()), KeyRing(), NOW).unknown_signer == whole.key.keyid


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        (lambda ring, key: keys.retire(ring, key, NOW), ()),
        (lambda ring, key: keys.retire(ring, key, datetime(2026, 3, 1, 8, 0, 2, tzinfo=UTC)), (2,)),
        (lambda ring, key: keys.revoke(ring, key, NOW), (2,)),
    ],
)
def test_a_retired_key_verifies_what_it_signed_before_and_a_revoked_one_nothing(
    whole: Whole, change: Callable[[KeyRing, str], KeyRing], failed: tuple[int, ...]
) -> None:
    assert report(whole, whole.files, change(whole.ring, whole.key.keyid)).failed[:1] == failed


def test_a_key_that_was_not_yet_valid_verifies_nothing(whole: Whole) -> None:
    listed = whole.ring.find(whole.key.keyid)
    assert listed is not None
    late = keys.enlist(KeyRing(), whole.key, listed.owner, NOW)
    assert report(whole, whole.files, late).failed[:1] == (2,)


# ---- Faults that their writer signed


def signed_anew(whole: Whole, files: Files) -> Files:
    """Write manifests and statement over the files as they are: a base that lies, or a bug of ours."""
    made = {path: data for path, data in files.items() if not path.endswith("/manifest.json")}
    parts = {}
    for part in PARTS:
        inside = {path.removeprefix(f"{part}/"): data for path, data in made.items() if path.startswith(f"{part}/")}
        made[f"{part}/manifest.json"] = make_manifest(part, inside, bytes(32))
        parts[part] = sha256(made[f"{part}/manifest.json"])
    opened = envelope.open_envelope(whole.files["statement.dsse.json"])
    tree = json.loads(opened.body)
    tree["predicate"]["parts"] = parts
    signed = envelope.sign(opened.payload_type, canonical_bytes(tree), [whole.key])
    return made | {"statement.dsse.json": signed}


def without_proof(files: Files) -> Files:
    return {path: data for path, data in files.items() if path != "log-proof.json"}


def test_the_forger_of_these_tests_can_sign_an_honest_dossier(whole: Whole) -> None:
    assert report(whole, without_proof(signed_anew(whole, whole.files))).verified


def edit(files: Files, name: str, change: Callable[[Any], object]) -> Files:
    tree = json.loads(files[name])
    change(tree)
    return files | {name: canonical_bytes(tree)}


def first_finding(tree: Any) -> Any:
    return tree["judgement"]["stages"][2]["findings"][0]


LIES: dict[str, tuple[str, Callable[[Any], object], int]] = {
    "an answer": ("public/verdict.json", lambda tree: first_finding(tree).update(answer="refused"), 10),
    "an outcome": ("public/verdict.json", lambda tree: tree["judgement"].update(outcome="rejected"), 10),
    "a bound": ("public/verdict.json", lambda tree: first_finding(tree).update(lower="0.999000"), 10),
    "a count": ("public/verdict.json", lambda tree: first_finding(tree)["counts"].update(positives=1), 10),
    "a grade": ("public/verdict.json", lambda tree: tree["judgement"].update(grade="exact"), 10),
    "a threshold": ("public/verdict.json", lambda tree: first_finding(tree).update(threshold="0.5"), 10),
    "another pilot": ("public/verdict.json", lambda tree: tree.update(pilot="x"), 11),
    "a longer life": ("public/verdict.json", lambda tree: tree.update(valid_until="2036-03-01T08:00:00.000000Z"), 11),
    "an isolation": ("public/isolation.json", lambda tree: tree["isolation"].update(level="none"), 10),
    "a seed": ("restricted/order.json", lambda tree: tree.update(seed="0" * 64), 8),
    "a record salt": ("restricted/order.json", lambda tree: tree.update(record_salt="0" * 64), 9),
    "a fact": ("restricted/evidence.json", lambda tree: tree["stages"][0]["facts"][1].update(value="0"), 10),
    "a root": ("restricted/evidence.json", lambda tree: tree["stages"][2].update(root="0" * 64), 9),
    "a stage said to be left out": (
        "restricted/evidence.json",
        lambda tree: tree["stages"][3].update(skipped={"zh": "无", "en": "none"}),
        9,
    ),
    "an acceptance": ("candidate/notice.json", lambda tree: tree.update(accepted=False), 11),
    "a notice of another": ("candidate/notice.json", lambda tree: tree.update(candidate="x@1.0.0"), 11),
    "findings of a notice": ("candidate/notice.json", lambda tree: tree["before_hidden"].clear(), 11),
}


@pytest.mark.parametrize("lie", sorted(LIES))
def test_a_lie_that_was_signed_is_found_by_judging_again(whole: Whole, tmp_path: Path, lie: str) -> None:
    name, change, step = LIES[lie]
    files = without_proof(signed_anew(whole, edit(whole.files, name, change)))
    assert report(whole, files).failed[:1] == (step,)
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    failed = [one.number for one in SECOND.verify(tmp_path, whole.keys_file).steps if one.status == SECOND.FAILED]
    assert failed[:1] == [step]


def test_words_that_a_later_release_puts_better_still_verify(whole: Whole) -> None:
    """The ledger names the digest of the verdict, so the last event is written anew, too."""

    def better(tree: Any) -> None:
        first_finding(tree)["sentence"] = {"zh": "更好的话。", "en": "Better words."}

    files = edit(whole.files, "public/verdict.json", better)
    events = files["public/ledger.jsonl"].splitlines()
    last = json.loads(events[-1])
    assert last["kind"] == "verdict.judged"
    last["body"]["verdict"] = sha256(files["public/verdict.json"])
    head = canonical_bytes(last)
    files["public/ledger.jsonl"] = b"\n".join([*events[:-1], head]) + b"\n"
    signed = without_proof(signed_anew(whole, files))
    opened = envelope.open_envelope(signed["statement.dsse.json"])
    tree = json.loads(opened.body)
    tree["predicate"]["ledger_head"] = sha256(head)
    signed["statement.dsse.json"] = envelope.sign(opened.payload_type, canonical_bytes(tree), [whole.key])
    assert report(whole, signed).verified


def test_one_better_record_is_found_though_everything_over_it_was_signed(whole: Whole) -> None:
    name = "restricted/records/effectiveness/right.bin"
    files = without_proof(signed_anew(whole, whole.files | {name: b"\1" * len(whole.files[name])}))
    assert report(whole, files).failed[:1] == (9,)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), st.text(max_size=12), st.just([]), st.just({}),
    st.sampled_from(["1e400", "-1", "NaN", "0" * 64, "intake", "9999-12-31T23:59:59.999999Z", "999999999999999 day"]),
)  # fmt: skip


def leaves(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a tree, inner nodes included."""
    if isinstance(tree, dict):
        found = [place for name in tree for place in leaves(tree[name], (*path, name))]
    elif isinstance(tree, list):
        found = [place for index in range(len(tree)) for place in leaves(tree[index], (*path, index))]
    else:
        found = []
    return [path, *found] if path else found


DOCUMENTS = (
    "candidate/notice.json", "public/verdict.json", "public/isolation.json", "public/plan.dsse.json",
    "restricted/order.json", "restricted/evidence.json", "restricted/records/effectiveness/header.json",
    "public/ledger.jsonl", "log-proof.json",
)  # fmt: skip


@settings(max_examples=400)
@given(data=st.data())
def test_whatever_somebody_signed_ends_in_a_report(whole: Whole, data: st.DataObject) -> None:
    """Any value at any place of any document, signed: a step may fail, the program never does."""
    name = data.draw(st.sampled_from(DOCUMENTS))
    content = whole.files[name]
    lines = content.splitlines() if name.endswith(".jsonl") else [content]
    number = data.draw(st.integers(0, len(lines) - 1))
    tree = json.loads(lines[number])
    body = json.loads(base64.b64decode(tree["payload"])) if name.endswith(".dsse.json") else tree
    place = data.draw(st.sampled_from(leaves(body)))
    node = body
    for part in place[:-1]:
        node = node[part]
    if data.draw(st.booleans()):
        node[place[-1]] = data.draw(VALUES)
    else:
        del node[place[-1]]
    try:
        lines[number] = canonical_bytes(body)
    except Exception:  # noqa: BLE001 - a lone surrogate has no bytes at all
        return
    if name.endswith(".dsse.json"):
        lines[number] = envelope.sign(tree["payloadType"], lines[number], [whole.key])
    changed = b"\n".join(lines) + (b"\n" if name.endswith(".jsonl") else b"")
    found = report(whole, signed_anew(whole, whole.files | {name: changed}))
    assert len(found.steps) == 12
    for text in [*found.proves, *(step.detail for step in found.steps if step.detail)]:
        assert all(text.say(language).isprintable() for language in LANGUAGES)


# ---- The same faults for both verifiers

sys.path.append(str(SPEC_TESTS))
MADE = load(SPEC_TESTS / "test_verifier_steps.py")
STATEMENT_FAULTS = {"another major version", "two subjects"}  # told at step 2 or 3: the signer's time stands in it


@pytest.mark.parametrize("fault", sorted(MADE.SIGNED_FAULTS))
def test_the_faults_that_the_second_verifier_finds_are_found_here(tmp_path: Path, fault: str) -> None:
    stage, change, expected = MADE.SIGNED_FAULTS[fault]
    ring = read_ring(MADE.keys_file(tmp_path / "keys.json", MADE.BASE.listed()).read_bytes(), "keys.json")
    copy = read_copy(MADE.make(tmp_path / "d", **{stage: change}))
    failed = verify(copy, ring, NOW).failed
    assert set(failed[:1]) == {*sorted(expected)[:1]} or (fault in STATEMENT_FAULTS and failed[0] in {2, 3})


def test_a_dossier_that_another_program_wrote_verifies(tmp_path: Path) -> None:
    """Its sentences are other words than ours; its numbers are the same."""
    ring = read_ring(MADE.keys_file(tmp_path / "keys.json", MADE.BASE.listed()).read_bytes(), "keys.json")
    found = verify(read_copy(MADE.make(tmp_path / "d")), ring, NOW)
    assert found.verified, found.steps
    assert found.outcome == "accepted"
