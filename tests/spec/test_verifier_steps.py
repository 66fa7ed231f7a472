"""The steps of the second verifier: honest dossiers verify, each planted fault fails the step that names it."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import made_dossier as made
import pytest
from made_dossier import BASE, HIDDEN_ROWS, OTHER, Draft, keys_file, make
from second_verifier import V


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return keys_file(tmp_path / "keys.json", BASE.listed())


def verify(folder: Path, keys: Path) -> Any:
    result = V.verify(folder, keys)
    assert [step.number for step in result.steps] == list(range(1, 13))
    assert not any(step.found.startswith("unforeseen") for step in result.steps), result.steps
    return result


def ended(result: Any, status: str = "failed") -> set[int]:
    return {step.number for step in result.steps if step.status == status}


def found(result: Any, number: int) -> str:
    return str(result.steps[number - 1].found)


# ---- Honest dossiers


def test_an_honest_dossier_verifies(tmp_path: Path, keys: Path) -> None:
    result = verify(make(tmp_path / "d"), keys)
    assert result.verified
    assert result.outcome == "accepted"
    assert ended(result, "ok") == set(range(1, 12))
    assert ended(result, "absent") == {12}
    assert any(line.startswith("order: self-asserted") for line in result.proves)
    assert any(line.startswith("data: public") for line in result.proves)


@pytest.mark.parametrize(
    ("kept", "withheld", "outcome"),
    [
        (("public", "restricted"), set(), "accepted"),
        (("candidate", "public"), {8, 9}, "accepted"),
        (("public",), {8, 9}, "accepted"),
        (("candidate",), {6, 7, 8, 9, 10}, "accepted"),
        (("restricted",), {6, 7, 8, 9, 10, 11}, None),
    ],
)
def test_a_copy_may_withhold_parts(
    tmp_path: Path, keys: Path, kept: tuple[str, ...], withheld: set[int], outcome: str | None
) -> None:
    folder = make(tmp_path / "d")
    for part in {"candidate", "public", "restricted"} - set(kept):
        shutil.rmtree(folder / part)
    result = verify(folder, keys)
    assert result.verified
    assert ended(result, "withheld") == withheld
    assert result.outcome == outcome


def refuse_latency(draft: Draft) -> None:
    draft.plan["stages"][4]["criteria"][0]["threshold"] = "0.02"


def wide_gap(draft: Draft) -> None:
    draft.plan["stages"][3]["criteria"][0]["threshold"] = "0.000001"


def skip_efficiency(draft: Draft) -> None:
    draft.skipped["efficiency"] = "x"


def spoil(draft: Draft) -> None:
    draft.records["effectiveness"]["status"][2][:12] = [2] * 6 + [3] * 6


def spoil_within_the_limit(draft: Draft) -> None:
    draft.records["effectiveness"]["status"][2][:11] = [2] * 6 + [3] * 5


def without_isolation(draft: Draft) -> None:
    draft.isolation = "none"


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (refuse_latency, "rejected"),
        (wide_gap, "undecided"),
        (skip_efficiency, "undecided"),
        (spoil, "undecided"),
        (spoil_within_the_limit, "accepted"),
        (without_isolation, "undecided"),
    ],
)
def test_every_outcome_can_be_verified(tmp_path: Path, keys: Path, change: Any, outcome: str) -> None:
    folder = make(tmp_path / "d", plan=change)
    result = verify(folder, keys)
    assert result.verified, result.steps
    assert result.outcome == outcome
    shutil.rmtree(folder / "restricted")
    assert verify(folder, keys).verified


def test_a_log_proof_is_followed(tmp_path: Path, keys: Path) -> None:
    folder = make(tmp_path / "d")
    leaves = [b"one", hashlib.sha256((folder / "statement.dsse.json").read_bytes()).digest(), b"three"]
    hashes = [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]
    root = hashlib.sha256(b"\1" + hashlib.sha256(b"\1" + hashes[0] + hashes[1]).digest() + hashes[2]).hexdigest()
    proof = {"schema": "pilotbase/log-proof/1", "index": 1, "size": 3, "root": root}
    path = [hashes[0].hex(), hashes[2].hex()]
    (folder / "log-proof.json").write_bytes(made.encode(proof | {"path": path}))
    assert verify(folder, keys).verified
    (folder / "log-proof.json").write_bytes(made.encode(proof | {"path": path[::-1]}))
    assert ended(verify(folder, keys)) == {12}
    (folder / "log-proof.json").write_bytes(made.encode(proof | {"path": path}) + b"\n")
    assert ended(verify(folder, keys)) == {12}


# ---- Keys and signatures


def test_a_signer_not_trusted_is_unknown(tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make(tmp_path / "d", plan=lambda draft: setattr(draft, "signers", (OTHER,)))
    result = verify(folder, keys)
    assert result.unknown_signer == OTHER.keyid
    assert ended(result) == {2}
    assert not result.proves
    assert V.main([str(folder), "--trust", str(keys)]) == 4
    assert f"UNKNOWN SIGNER {OTHER.keyid}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("times", "failed"),
    [
        ({"retired_at": "2026-04-01T00:00:00.000000Z"}, set()),
        ({"retired_at": made.ISSUED}, {2}),
        ({"retired_at": made.SEALED}, {2, 6}),
        ({"revoked_at": "2030-01-01T00:00:00.000000Z"}, {2, 6}),
        ({"valid_from": "2026-03-01T08:00:00.000001Z"}, {6}),
        ({"valid_from": "2026-03-02T00:00:00.000000Z"}, {2, 6}),
    ],
)
def test_a_key_is_good_for_its_times(tmp_path: Path, times: dict[str, str], failed: set[int]) -> None:
    keys = keys_file(tmp_path / "keys.json", BASE.listed(**times))
    assert ended(verify(make(tmp_path / "d"), keys)) == failed


def test_one_bad_signature_beside_a_good_one_fails(tmp_path: Path) -> None:
    def both(draft: Draft) -> None:
        draft.signers = (BASE, OTHER)

    folder = make(tmp_path / "d", plan=both)
    assert verify(folder, keys_file(tmp_path / "one.json", BASE.listed())).verified
    assert verify(folder, keys_file(tmp_path / "two.json", BASE.listed(), OTHER.listed())).verified
    revoked = OTHER.listed(revoked_at=made.SEALED)
    assert ended(verify(folder, keys_file(tmp_path / "three.json", BASE.listed(), revoked))) == {2}


# ---- Faults in the folder


FOLDER_FAULTS: dict[str, tuple[Callable[[Path], object], set[int]]] = {
    "a stray root file": (lambda d: (d / "README").write_text("x"), {1}),
    "an empty folder": (lambda d: (d / "public" / "empty").mkdir(), {1}),
    "a link": (lambda d: (d / "public" / "link").symlink_to("verdict.json"), {1}),
    "a link to a folder": (lambda d: (d / "public" / "link").symlink_to(d), {1}),
    "a pipe": (lambda d: os.mkfifo(d / "public" / "pipe"), {1}),
    "a twin": (lambda d: (d / "public" / "Verdict.json").write_bytes(b"{}"), {1, 5}),
    "an unlisted file": (lambda d: (d / "public" / "more.txt").write_bytes(b""), {5}),
    "an unlisted deep file": (lambda d: (d / "restricted" / "logs" / "more.txt").write_bytes(b""), {5}),
    "a missing file": (lambda d: (d / "public" / "report.en.html").unlink(), {5}),
    "a changed file": (lambda d: (d / "public" / "report.en.html").write_bytes(b"<q>"), {5}),
    "a longer file": (lambda d: (d / "public" / "report.en.html").write_bytes(b"<p>x"), {5}),
    "a strange log": (lambda d: (d / "restricted/logs/effectiveness.txt").write_bytes(b"\0"), {5}),
    "another scenario": (lambda d: (d / "public" / "scenario.toml").write_bytes(b""), {5, 6}),
    "another candidate text": (lambda d: (d / "public" / "candidate.toml").write_bytes(b""), {5, 6}),
    "a column cut short": (lambda d: os.truncate(d / "restricted/records/efficiency/unit.bin", 16), {5, 9}),
    "a column too many": (lambda d: (d / "restricted/records/efficiency/more.bin").write_bytes(b""), {5, 9}),
    "a statement with a newline": (
        lambda d: (d / "statement.dsse.json").write_bytes((d / "statement.dsse.json").read_bytes() + b"\n"),
        {2, 3},
    ),
    "no statement": (lambda d: (d / "statement.dsse.json").unlink(), {1, 2, 3}),
    "a manifest changed": (
        lambda d: (d / "candidate/manifest.json").write_bytes(
            (d / "candidate/manifest.json").read_bytes().replace(b"6666", b"6667", 1)
        ),
        {4},
    ),
    "no notice": (lambda d: (d / "candidate" / "notice.json").unlink(), {5, 11}),
    "a name that is not UTF-8": (lambda d: Path(os.fsdecode(os.fsencode(d) + b"/public/\xff")).write_bytes(b""), {5}),
}


@pytest.mark.parametrize("fault", FOLDER_FAULTS)
def test_a_fault_of_the_folder_fails_its_step(tmp_path: Path, keys: Path, fault: str) -> None:
    plant, failed = FOLDER_FAULTS[fault]
    folder = make(tmp_path / "d")
    plant(folder)
    result = verify(folder, keys)
    assert ended(result) == failed, result.steps
    assert not result.verified


def test_parts_alone_or_the_statement_alone_is_no_dossier(tmp_path: Path, keys: Path) -> None:
    folder = make(tmp_path / "d")
    for part in ("candidate", "public", "restricted"):
        shutil.rmtree(folder / part)
    assert ended(verify(folder, keys)) == {1}
    (folder / "statement.dsse.json").unlink()
    assert 1 in ended(verify(folder, keys))


# ---- Faults that their writer signed


def set_in(*path: str | int, to: Any) -> Callable[[Any], None]:
    def change(value: Any) -> None:
        for key in path[:-1]:
            value = value[key]
        value[path[-1]] = to

    return change


def on(part: str, change: Callable[[Any], None]) -> Callable[[Draft], None]:
    return lambda draft: change(getattr(draft, part))


FINDING = ("judgement", "stages", 2, "findings", 0)


def event(kind: str, number: int, **body: object) -> Callable[[Draft], None]:
    def change(draft: Draft) -> None:
        places = [place for place, (name, _) in enumerate(draft.events) if name == kind]
        draft.events[places[number]][1].update(body)

    return change


def swap_events(one: int, two: int) -> Callable[[Draft], None]:
    def change(draft: Draft) -> None:
        draft.events[one], draft.events[two] = draft.events[two], draft.events[one]

    return change


def replace_in(path: str, old: bytes, new: bytes) -> Callable[[Draft], None]:
    def change(draft: Draft) -> None:
        assert old in draft.files[path]
        draft.files[path] = draft.files[path].replace(old, new, 1)

    return change


def twice_the_same_unit(draft: Draft) -> None:
    units = draft.records["effectiveness"]["unit"][2]
    units[7] = units[8]


def rewrite_manifest(part: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Draft], None]:
    """Change a manifest and sign it."""

    def rewrite(draft: Draft) -> None:
        manifest = json.loads(draft.files[f"{part}/manifest.json"])
        change(manifest)
        draft.files[f"{part}/manifest.json"] = made.encode(manifest)
        draft.statement["predicate"]["parts"][part] = made.sha(made.encode(manifest))

    return rewrite


def rewrite_header(change: Callable[[dict[str, Any]], object]) -> Callable[[Draft], None]:
    def rewrite(draft: Draft) -> None:
        path = "restricted/records/efficiency/header.json"
        header = json.loads(draft.files[path])
        change(header)
        draft.files[path] = made.encode(header)

    return rewrite


def repeat(kind: str) -> Callable[[Draft], None]:
    """Let an event happen a second time, before the verdict."""
    return lambda draft: draft.events.insert(-1, next(event for event in draft.events if event[0] == kind))


def fail_one_well(draft: Draft) -> None:
    draft.records["effectiveness"]["status"][2][7] = 1


def move(draft: Draft, name: str, units: int) -> None:
    finding = draft.verdict["judgement"]["stages"][2]["findings"][0]
    finding[name] = f"{float(finding[name]) + units / 10**6:.6f}"


def other_finding(draft: Draft) -> None:
    draft.notice = json.loads(made.encode(draft.notice))
    draft.notice["before_hidden"][0]["findings"][0]["answer"] = "refused"


SIGNED_FAULTS: dict[str, tuple[str, Callable[[Draft], None], set[int]]] = {
    "another in-toto version": ("statement", on("statement", set_in("_type", to="x")), {2, 3}),
    "another predicate type": ("statement", on("statement", set_in("predicateType", to="x")), {2, 3}),
    "another major version": (
        "statement",
        on("statement", set_in("predicate", "schema", to="pilotbase/statement/2")),
        {2, 3},
    ),
    "two subjects": ("statement", lambda d: d.statement["subject"].append(d.statement["subject"][0]), {3}),
    "another candidate": (
        "statement",
        on("statement", set_in("subject", 0, "digest", "sha256", to="e" * 64)),
        {6},
    ),
    "another pilot": ("statement", on("statement", set_in("predicate", "pilot", to="x")), {6, 7, 11}),
    "another plan": ("statement", on("statement", set_in("predicate", "plan", to="e" * 64)), {6, 7, 11}),
    "another head": ("statement", on("statement", set_in("predicate", "ledger_head", to="e" * 64)), {7}),
    "another manifest": ("statement", on("statement", set_in("predicate", "parts", "public", to="e" * 64)), {4}),
    "a part unnamed": ("statement", lambda d: d.statement["predicate"]["parts"].pop("public"), {4}),
    "a part unknown": ("statement", on("statement", set_in("predicate", "parts", "x", to="e" * 64)), {3}),
    "a plan signed by a stranger": ("plan", lambda d: setattr(d, "plan_signers", (OTHER,)), {6}),
    "a plan signed by nobody": ("plan", lambda d: setattr(d, "plan_signers", ()), {6}),
    "an order that was not committed to": ("plan", on("plan", set_in("order", "commitment", to="e" * 64)), {8}),
    "fewer rows than planned": ("plan", on("plan", set_in("order", "rows", to=1_101)), {9}),
    "a unit twice": ("plan", twice_the_same_unit, {9}),
    "a root that is not of the arrays": ("verdict", on("evidence", set_in("stages", 2, "root", to="e" * 64)), {9}),
    "a root that the ledger does not know": ("events", event("stage.done", 2, root="e" * 64), {9}),
    "a stage that the ledger did not run": ("events", event("stage.done", 0, ran=False), {9}),
    "a stage before the seal": ("events", swap_events(1, 2), {7}),
    "another plan sealed": ("events", event("plan.sealed", 0, plan="e" * 64), {7}),
    "another scenario opened": ("events", event("pilot.opened", 0, scenario="e" * 64), {7}),
    "another verdict judged": ("events", event("verdict.judged", 0, verdict="e" * 64), {11}),
    "an answer turned": ("verdict", on("verdict", set_in(*FINDING, "answer", to="refused")), {10}),
    "an outcome turned": ("verdict", on("verdict", set_in("judgement", "outcome", to="rejected")), {10, 11}),
    "a bound moved by two units": ("verdict", lambda d: move(d, "lower", 2), {10}),
    "a bound moved by one unit": ("verdict", lambda d: move(d, "lower", -1), set()),
    "an estimate moved": ("verdict", lambda d: move(d, "estimate", -2), {10}),
    "a bound left out": ("verdict", on("verdict", set_in(*FINDING, "upper", to=None)), {10}),
    "another threshold": ("verdict", on("verdict", set_in(*FINDING, "threshold", to="0.5")), {10}),
    "another method": ("verdict", on("verdict", set_in(*FINDING, "method", to="betting-iid/1")), {10}),
    "a better grade": ("verdict", on("verdict", set_in(*FINDING, "grade", to="exact")), {10}),
    "a better grade of all": ("verdict", on("verdict", set_in("judgement", "grade", to="exact")), {10}),
    "a finding left out": (
        "verdict",
        lambda d: d.verdict["judgement"]["stages"][2]["findings"].pop(),
        {10},
    ),
    "a count changed": ("verdict", on("verdict", set_in(*FINDING, "counts", "positives", to=1)), {10}),
    "a count left out": ("verdict", on("verdict", set_in(*FINDING, "counts", to={"n": HIDDEN_ROWS})), {10}),
    "a part changed": (
        "verdict",
        on("verdict", set_in("judgement", "stages", 3, "findings", 0, "parts", 0, "hits", to=1)),
        {10},
    ),
    "a stage said not to have run": (
        "verdict",
        on("verdict", set_in("judgement", "stages", 1, "ran", to=False)),
        {10},
    ),
    "a failed item with good numbers": ("plan", fail_one_well, {10}),
    "a fact in another unit": ("verdict", on("evidence", set_in("stages", 0, "facts", 0, "unit", to="GiB")), {10}),
    "another outcome digest": ("verdict", on("verdict", set_in("outcome_digest", to="e" * 64)), {10}),
    "valid for too long": ("verdict", on("verdict", set_in("valid_until", to="2028-03-01T09:00:00.000000Z")), {11}),
    "a verdict on another plan": ("verdict", on("verdict", set_in("plan", to="e" * 64)), {11}),
    "a verdict on another candidate": ("verdict", on("verdict", set_in("candidate", to="x")), {11}),
    "data said to be secret": ("verdict", on("verdict", set_in("data_public", to=False)), {11}),
    "isolation said to be none": ("verdict", on("verdict", set_in("isolation", to="none")), {11}),
    "a notice that says otherwise": ("verdict", on("notice", set_in("accepted", to=False)), {11}),
    "a notice with other findings": ("verdict", other_finding, {11}),
    "an unknown field": ("verdict", on("verdict", set_in("note", to="x")), {10, 11}),
    "signed by nobody": ("plan", lambda d: setattr(d, "signers", ()), {2}),
    "another scenario": ("statement", on("statement", set_in("predicate", "scenario", to="x")), {6, 11}),
    "a manifest of another part": ("statement", rewrite_manifest("candidate", set_in("part", to="public")), {4}),
    "a manifest out of order": ("statement", rewrite_manifest("public", lambda m: m["files"].reverse()), {5}),
    "a manifest with a file twice": (
        "statement",
        rewrite_manifest("public", lambda m: m["files"].insert(0, m["files"][0])),
        {5},
    ),
    "a manifest with another size": ("statement", rewrite_manifest("public", set_in("files", 0, "size", to=1)), {5}),
    "a manifest that lists itself": (
        "statement",
        rewrite_manifest("candidate", lambda m: m["files"].insert(0, m["files"][0] | {"path": "manifest.json"})),
        {5},
    ),
    "a stage planned twice": ("verdict", lambda d: d.plan["stages"].append(d.plan["stages"][0]), {6, 9, 10, 11}),
    "a pilot opened twice": ("events", repeat("pilot.opened"), {7}),
    "a plan sealed twice": ("events", repeat("plan.sealed"), {7}),
    "a stage done twice": ("events", repeat("stage.done"), {9}),
    "another candidate opened": ("events", event("pilot.opened", 0, candidate="e" * 64), {7}),
    "another order sealed": ("events", event("plan.sealed", 0, commitment="e" * 64), {7}),
    "evidence of other stages": ("verdict", lambda d: d.evidence["stages"].pop(1), {9}),
    "records without a root": ("verdict", on("evidence", set_in("stages", 4, "root", to=None)), {9}),
    "records of another stage": ("files", rewrite_header(set_in("stage", to="intake")), {9}),
    "a column twice": ("files", rewrite_header(lambda h: h["columns"].append(h["columns"][0])), {9}),
    "an unknown status": ("plan", lambda d: d.records["efficiency"]["status"][2].__setitem__(0, 4), {9}),
    "a finding under another stage": ("verdict", on("verdict", set_in(*FINDING, "stage", to="intake")), {10}),
    "a verdict on other stages": (
        "verdict",
        on("verdict", set_in("judgement", "stages", 2, "stage", to="efficiency")),
        {10},
    ),
    "a notice of another pilot": ("verdict", on("notice", set_in("pilot", to="x")), {11}),
    "a document not canonical": (
        "files",
        replace_in("public/metering.json", b"{", b"{ "),
        {5},
    ),
    "a float in a document": ("files", lambda d: d.files.update({"public/x.json": b"1.5"}), {5}),
}


@pytest.mark.parametrize("fault", SIGNED_FAULTS)
def test_a_fault_that_was_signed_fails_its_step(tmp_path: Path, keys: Path, fault: str) -> None:
    stage, change, failed = SIGNED_FAULTS[fault]
    result = verify(make(tmp_path / "d", **{stage: change}), keys)
    assert ended(result) == failed, [step for step in result.steps if step.status != "ok"]
    assert result.verified == (not failed)


@pytest.mark.parametrize("outcome", ["accepted", "rejected"])
def test_without_records_the_outcome_must_follow_from_the_findings(tmp_path: Path, keys: Path, outcome: str) -> None:
    change = on("verdict", set_in("judgement", "outcome", to=outcome))
    notice = on("notice", set_in("accepted", to=outcome == "accepted"))

    def both(draft: Draft) -> None:
        change(draft)
        notice(draft)

    folder = make(tmp_path / "d", plan=wide_gap, verdict=both)  # undecided in truth
    shutil.rmtree(folder / "restricted")
    assert ended(verify(folder, keys)) == {10}


def test_what_rests_on_a_failed_step_is_not_examined(tmp_path: Path, keys: Path) -> None:
    folder = make(tmp_path / "d")
    (folder / "public" / "plan.dsse.json").write_bytes(b"{}")
    result = verify(folder, keys)
    assert ended(result) == {5, 6}
    assert ended(result, "unexamined") == {7, 8, 9, 10, 11}
    assert found(result, 9) == "rests on step 6"


# ---- Hostile bytes


NUMBERS = ("NaN", "1e999", "-1", "0." + "9" * 40)
HOSTILE = (None, True, 0, -1, 2**53 - 1, "", "x" * 70_000, *NUMBERS, [], {}, [[]], "\x1b[2J")


def paths_in(value: Any, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for key, item in inside for path in paths_in(item, (*here, key)))]


def mutate(value: Any, dice: random.Random) -> Any:
    path = dice.choice(paths_in(value)[1:])
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    match dice.randrange(4):
        case 0 if isinstance(holder, dict):
            del holder[path[-1]]
        case 1 if isinstance(holder, dict):
            holder["more"] = dice.choice(HOSTILE)
        case 1:
            holder.append(dice.choice(HOSTILE))
        case _:
            holder[path[-1]] = dice.choice(HOSTILE)
    return value


def reseal(folder: Path, dice: random.Random) -> None:
    """Sign over the faults: the digests fit again, so that nothing but the fault itself is left to find."""
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    statement = json.loads(V.read_envelope(files["statement.dsse.json"], V.STATEMENT_TYPE).body)
    parts = made.manifests(files)
    for part, raw in parts.items():
        (folder / part / "manifest.json").write_bytes(raw)
    statement["predicate"]["parts"] = {part: made.sha(raw) for part, raw in parts.items()}
    if dice.random() < 0.1:
        mutate(statement, dice)
    (folder / "statement.dsse.json").write_bytes(made.envelope(V.STATEMENT_TYPE, made.encode(statement), BASE))


def mutate_file(folder: Path, path: str, dice: random.Random) -> None:
    raw = (folder / path).read_bytes()
    if path.endswith("plan.dsse.json"):
        plan = mutate(json.loads(V.read_envelope(raw, V.PLAN_TYPE).body), dice)
        changed = made.envelope(V.PLAN_TYPE, made.encode(plan), BASE)
    elif path.endswith(".jsonl"):
        events = [json.loads(line) for line in raw.splitlines()]
        left = [one for one in mutate(events, dice) if isinstance(one, dict) and {"kind", "body"} <= set(one)]
        changed = made.ledger([(one["kind"], one["body"]) for one in left]) or b"{}\n"
    elif path.endswith(".json"):
        changed = made.encode(mutate(json.loads(raw), dice))
    else:
        place = dice.randrange(max(1, len(raw)))
        changed = raw[:place] + dice.randbytes(dice.randrange(9)) + raw[place + dice.randrange(9) :]
    (folder / path).write_bytes(changed)


MUTABLE = (
    "candidate/notice.json",
    "public/plan.dsse.json",
    "public/verdict.json",
    "public/ledger.jsonl",
    "public/isolation.json",
    "restricted/order.json",
    "restricted/evidence.json",
    "restricted/records/effectiveness/header.json",
    "restricted/records/effectiveness/status.bin",
    "restricted/records/effectiveness/score.bin",
    "restricted/records/effectiveness/squared_error.bin",
    "restricted/records/effectiveness/group_sex.bin",
    "restricted/records/efficiency/seconds.bin",
)


def smaller(draft: Draft) -> None:
    """Twenty-three hidden rows do for the shapes of documents."""
    draft.plan["order"]["rows"] = 23
    for name, (dtype, timed, values) in draft.records["effectiveness"].items():
        draft.records["effectiveness"][name] = (dtype, timed, values[:23])


@pytest.mark.parametrize(("seed", "rounds"), [(0, 120), pytest.param(1, 3_000, marks=pytest.mark.slow)])
def test_hostile_documents_fail_a_step_and_nothing_else(tmp_path: Path, keys: Path, seed: int, rounds: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    honest = make(tmp_path / "honest", plan=smaller)
    assert verify(honest, keys).verified
    for number in range(rounds):
        folder = Path(shutil.copytree(honest, tmp_path / str(number)))
        for path in dice.choices(MUTABLE, k=dice.choice((1, 1, 1, 2, 4))):
            mutate_file(folder, path, dice)
        if dice.random() < 0.8:
            reseal(folder, dice)
        verify(folder, keys)
        shutil.rmtree(folder)


@pytest.mark.parametrize(("seed", "rounds"), [(0, 4), pytest.param(1, 100, marks=pytest.mark.slow)])
def test_no_byte_of_a_dossier_can_be_changed(tmp_path: Path, keys: Path, seed: int, rounds: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    folder = make(tmp_path / "d", plan=smaller)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files * rounds:
        raw = path.read_bytes()
        place, bit = dice.randrange(len(raw)), 1 << dice.randrange(8)
        path.write_bytes(raw[:place] + bytes([raw[place] ^ bit]) + raw[place + 1 :])
        assert not verify(folder, keys).verified, (path, place, bit)
        path.write_bytes(raw)
    assert verify(folder, keys).verified


GARBAGE = (b"", b"\0" * 64, b"[" * 200_000, b'{"a":' * 99_999, b"9" * 99_999, b'"\\ud800"', b"null")


@pytest.mark.parametrize("raw", GARBAGE, ids=range(len(GARBAGE)))
def test_any_file_may_be_garbage(tmp_path: Path, keys: Path, raw: bytes) -> None:
    folder = make(tmp_path / "d", plan=smaller)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        kept = path.read_bytes()
        path.write_bytes(raw)
        assert not verify(folder, keys).verified
        path.write_bytes(kept)


@pytest.mark.parametrize("cap", ["MAX_FILES", "MAX_FILE", "MAX_TOTAL", "MAX_DEPTH"])
def test_caps_hold(tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch, cap: str) -> None:
    folder = make(tmp_path / "d", plan=smaller)
    monkeypatch.setattr(V, cap, 1)
    result = verify(folder, keys)
    assert 1 in ended(result)
    assert found(result, 1).startswith(("more than 1", "a file of more than 1"))


def test_caps_of_documents_hold(tmp_path: Path, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make(tmp_path / "d", plan=smaller)
    monkeypatch.setattr(V, "MAX_DOCUMENT", 1_000)
    assert "too large" in found(verify(folder, keys), 2)
    header = {"schema": "pilotbase/records/1", "stage": "efficiency", "columns": [], "rows": V.MAX_ROWS + 1}
    with pytest.raises(V.FaultError, match="rows"):
        V.HEADER(header, "header")


# ---- The command


def test_exit_codes(tmp_path: Path, keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make(tmp_path / "d")
    assert V.main([str(folder), "--trust", str(keys)]) == 0
    assert "VERIFIED; the outcome is: accepted" in capsys.readouterr().out
    assert V.main([str(folder), "--trust", str(keys), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["verified"] is True
    assert len(answer["steps"]) == 12
    assert V.main([str(tmp_path / "nowhere"), "--trust", str(keys)]) == 65
    assert V.main([str(folder), "--trust", str(folder / "public" / "verdict.json")]) == 65
    assert V.main([str(folder), "--trust", str(tmp_path / "none.json")]) == 65
    for usage in ([], [str(folder)], [str(folder), "--trust", str(keys), "--what"]):
        with pytest.raises(SystemExit) as end:
            V.main(usage)
        assert end.value.code == 64
    (folder / "public" / "verdict.json").write_bytes(b"{}")
    assert V.main([str(folder), "--trust", str(keys)]) == 4
    assert "NOT VERIFIED" in capsys.readouterr().out


def test_it_imports_nothing_but_the_standard_library_and_cryptography() -> None:
    source = Path(V.__file__).read_text(encoding="utf-8")
    names = {line.split()[1].split(".")[0] for line in source.splitlines() if line.startswith(("import ", "from "))}
    assert names <= sys.stdlib_module_names | {"cryptography"}
    assert "cryptography" in names


def test_hostile_text_does_not_reach_the_terminal() -> None:
    assert V.shown("a\x1b[2Jb\u202e\n") == "a\\u001b[2Jb\\u202e\\u000a"
    assert len(V.shown("x" * 10**6)) < 200


def six_thousand(draft: Draft) -> None:
    rows, dice = 6_000, random.Random(1)  # noqa: S311
    draft.plan["order"]["rows"] = rows
    truth = [int(dice.random() < 0.4) for _ in range(rows)]
    score = [min(1.0, max(0.0, dice.gauss(0.35 + 0.3 * mark, 0.2))) for mark in truth]
    columns = draft.records["effectiveness"]
    values: dict[str, list[Any]] = {
        "unit": [dice.randbytes(16) for _ in range(rows)],
        "status": [0] * rows,
        "positive": truth,
        "score": score,
        "squared_error": [(s - mark) ** 2 for s, mark in zip(score, truth, strict=True)],
        "detected": [int(s >= 0.5) for s in score],
        "group_sex": [dice.randrange(-1, 2) for _ in range(rows)],
    }
    for name, (dtype, timed, _) in columns.items():
        columns[name] = (dtype, timed, values[name])


@pytest.mark.timeout(30)
def test_six_thousand_rows_are_judged_again_in_seconds(tmp_path: Path, keys: Path) -> None:
    assert verify(make(tmp_path / "d", plan=six_thousand), keys).verified
