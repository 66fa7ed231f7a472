"""Write a whole dossier as the pages of ``docs/spec`` say, with the standard library alone.

The numbers of its findings are the second verifier's own: what these dossiers test is the folder, the bytes and the
steps; the methods have their published values. ``make`` takes a change for each stage of the writing, so that a fault
can be planted before everything that is digested or signed after it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from second_verifier import V

PILOT = "01890a5d-ac96-774b-bcce-b302099a8057"
SEALED, ISSUED, UNTIL = "2026-03-01T08:00:00.000000Z", "2026-03-01T09:00:00.000000Z", "2027-03-01T09:00:00.000000Z"
SCENARIO, SCENARIO_NAME = b'id = "made"\n', "healthcare/made@1.0.0"
CANDIDATE, CANDIDATE_TEXT = "c" * 64, b'name = "made"\n'
CODES = {"<f8": "d", "<i4": "i", "|u1": "B"}
HIDDEN_ROWS = 1_100

Change = Callable[["Draft"], None]


def encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def words(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


class Signer:
    def __init__(self, seed: bytes, owner: str) -> None:
        self.key, self.owner = Ed25519PrivateKey.from_private_bytes(seed), owner
        self.spki = bytes.fromhex("302a300506032b6570032100") + self.key.public_key().public_bytes_raw()
        self.keyid = sha(self.spki)

    def listed(self, **changed: object) -> dict[str, object]:
        public = base64.b64encode(self.spki).decode()
        usual = {"algorithm": "ed25519", "keyid": self.keyid, "owner": self.owner, "public": public}
        times = {"valid_from": "2026-01-01T00:00:00.000000Z", "retired_at": None, "revoked_at": None}
        return usual | times | changed

    def sign(self, kind: str, body: bytes) -> dict[str, str]:
        signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(body), body)
        return {"alg": "ed25519", "keyid": self.keyid, "sig": base64.b64encode(self.key.sign(signed)).decode()}


BASE, OTHER = Signer(b"\x01" * 32, "base"), Signer(b"\x02" * 32, "other")


def envelope(kind: str, body: bytes, *signers: Signer) -> bytes:
    payload = base64.b64encode(body).decode()
    return encode({"payload": payload, "payloadType": kind, "signatures": [one.sign(kind, body) for one in signers]})


def keys_file(path: Path, *entries: dict[str, object]) -> Path:
    path.write_bytes(encode({"schema": "pilotbase/keys/1", "keys": list(entries)}))
    return path


def criterion(name: str, measure: str, method: str, op: str, threshold: str, **more: object) -> dict[str, object]:
    usual = {"id": name, "text": words(name), "measure": measure, "method": method, "op": op, "threshold": threshold}
    rates = {} if method == "observed/1" else {"alpha": "0.05", "beta": "0.05"}
    return usual | rates | more


def usual_plan() -> dict[str, Any]:
    digest = "d" * 64
    stages = [
        ("intake", "none", 0, [criterion("licence", "licence", "observed/1", ">=", "1")]),
        ("conformance", "sample", 8, []),
        (
            "effectiveness",
            "hidden",
            HIDDEN_ROWS,
            [
                criterion("ranks", "auroc", "logit-delong/1", ">=", "0.6", margin="0.05"),
                criterion("calibrated", "brier", "betting-iid/1", "<=", "0.4"),
            ],
        ),
        (
            "fairness",
            "none",
            0,
            [criterion("alike", "sensitivity_gap", "farrington-manning-gap/1", "<=", "0.3", group="sex")],
        ),
        (
            "efficiency",
            "sample",
            80,
            [criterion("quick", "latency", "order-statistic/1", "<=", "0.5", quantile="0.95", unit="s")],
        ),
    ]
    named = {"name": "x", "digest": digest}
    limits = {"memory": "1 GiB", "scratch": "1 GiB", "call": "1 s", "start": "10 s", "run": "10 min", "processes": 8}
    return {
        "schema": "pilotbase/plan/1",
        "pilot": PILOT,
        "sealed_at": SEALED,
        "scenario": {"name": SCENARIO_NAME, "digest": sha(SCENARIO)},
        "candidate": {"name": "made@1.0.0", "digest": CANDIDATE},
        "candidate_text": sha(CANDIDATE_TEXT),
        "kind": "predict",
        "sector": "healthcare",
        "action_area": "welfare",
        "verifies": [],
        "stages": [
            {"name": name, "split": split, "rows": rows, "criteria": criteria, "continue": False}
            for name, split, rows, criteria in stages
        ],
        "words": {"unit": words("case"), "positive": words("ill"), "groups": {"sex": ["f", "m"]}},
        "order": {"commitment": "", "rows": HIDDEN_ROWS},
        "attempt": 1,
        "alpha_spent": "1",
        "looks": 1,
        "max_invalid": "0.01",
        "disclosure": "full",
        "data_public": True,
        "isolation": ["full"],
        "limits": limits,
        "batch_rows": 512,
        "valid_for": "365 day",
        "agreement": None,
        "policies": [],
        "plugins": [],
        "software": named,
        "environment": named,
        "anchor": "",
        "signatures_wanted": ["base"],
    }


Columns = dict[str, tuple[str, bool, list[Any]]]  # name -> dtype, timed, values


def usual_records() -> dict[str, Columns]:
    rows = range(HIDDEN_ROWS)
    truth = [int(row * 7 % 10 < 4) for row in rows]
    score = [round(0.15 + 0.3 * mark + (row * 37 % 101) / 200, 6) for row, mark in zip(rows, truth, strict=True)]
    hidden = {
        "unit": ("|V16", False, [hashlib.md5(b"%d" % row, usedforsecurity=False).digest() for row in rows]),
        "status": ("|u1", False, [0] * HIDDEN_ROWS),
        "positive": ("|u1", False, truth),
        "score": ("<f8", False, score),
        "squared_error": ("<f8", False, [(s - mark) ** 2 for s, mark in zip(score, truth, strict=True)]),
        "detected": ("|u1", False, [int(s >= 0.5) for s in score]),
        "group_sex": ("<i4", False, [row % 2 if row % 50 else -1 for row in rows]),
    }
    few = [hashlib.md5(b"s%d" % row, usedforsecurity=False).digest() for row in range(80)]
    seconds = [0.01 + row / 1000 for row in range(80)]
    quick = {"unit": ("|V16", False, few), "status": ("|u1", False, [0] * 80), "seconds": ("<f8", True, seconds)}
    return {"effectiveness": hidden, "efficiency": quick}


@dataclass
class Draft:
    """A dossier in the making."""

    plan: dict[str, Any] = field(default_factory=usual_plan)
    records: dict[str, Columns] = field(default_factory=usual_records)
    order: dict[str, Any] = field(
        default_factory=lambda: {
            "schema": "pilotbase/order/1",
            "seed": "1" * 64,
            "salt": "2" * 64,
            "record_salt": "3" * 64,
        }
    )
    isolation: str = "full"
    skipped: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, Any] = field(default_factory=dict)
    verdict: dict[str, Any] = field(default_factory=dict)
    notice: dict[str, Any] = field(default_factory=dict)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    statement: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    plan_signers: tuple[Signer, ...] = (BASE,)
    signers: tuple[Signer, ...] = (BASE,)


def make(folder: Path, **changes: Change) -> Path:
    """Write a dossier; ``plan``, ``records``, ``verdict``, ``events``, ``files``, ``statement`` name the changes."""

    def change(name: str) -> None:
        changes.pop(name, lambda _: None)(draft)

    draft = Draft()
    secret = bytes.fromhex(draft.order["salt"]) + bytes.fromhex(draft.order["seed"])
    draft.plan["order"]["commitment"] = sha(secret)
    change("plan")
    _measure(draft)
    change("records")
    _judge(draft)
    change("verdict")
    plan = encode(draft.plan)
    _events(draft, plan)
    change("events")
    _files(draft, plan)
    change("files")
    _state(draft, plan)
    change("statement")
    assert not changes, f"no such stage: {sorted(changes)}"
    _write(draft, folder)
    return folder


def _measure(draft: Draft) -> None:
    stages = []
    for stage in draft.plan["stages"]:
        name = stage["name"]
        facts = [{"measure": "licence", "value": "1", "unit": "1", "timed": False}] if name == "intake" else []
        why = draft.skipped.get(name)
        root = None
        if name in draft.records and why is None:
            root = _root(draft, name)
        stages.append(
            {
                "stage": name,
                "skipped": None if why is None else words(why),
                "facts": facts if why is None else [],
                "root": root,
            }
        )
    draft.evidence = {"schema": "pilotbase/evidence/1", "stages": stages}


def header(stage: str, columns: Columns) -> bytes:
    rows = len(columns["status"][2])
    usual = {"unit": "1"}
    listed = [usual | {"name": name, "dtype": dtype, "timed": timed} for name, (dtype, timed, _) in columns.items()]
    return encode({"schema": "pilotbase/records/1", "stage": stage, "rows": rows, "columns": listed})


def pack(dtype: str, values: list[Any]) -> bytes:
    return b"".join(values) if dtype == "|V16" else struct.pack(f"<{len(values)}{CODES[dtype]}", *values)


def _root(draft: Draft, stage: str) -> str:
    columns, salt = draft.records[stage], bytes.fromhex(draft.order["record_salt"])
    leaves = []
    for block in range(max(1, math.ceil(len(columns["status"][2]) / 1024))):
        number = str(block).encode()
        text = struct.pack("<Q", 4) + b"leaf" + struct.pack("<Q", len(number)) + number
        rows = slice(block * 1024, (block + 1) * 1024)
        data = b"".join(pack(dtype, values[rows]) for dtype, _, values in columns.values())
        leaf = hmac.digest(salt, text, "sha256") + header(stage, columns) + data
        leaves.append(hashlib.sha256(b"\0" + leaf).digest())
    while len(leaves) > 1:  # pairs from the left, an odd one rises: the tree of RFC 6962
        rest = leaves[len(leaves) // 2 * 2 :]
        pairs = zip(leaves[::2], leaves[1::2], strict=False)
        leaves = [hashlib.sha256(b"\1" + one + two).digest() for one, two in pairs] + rest
    return leaves[0].hex()


def _judge(draft: Draft) -> None:
    records = {
        stage: V.Records(
            stage,
            len(columns["status"][2]),
            header(stage, columns),
            tuple(V.Column(name, dtype, timed, pack(dtype, v)) for name, (dtype, timed, v) in columns.items()),
        )
        for stage, columns in draft.records.items()
        if stage not in draft.skipped
    }
    material = V.Material(draft.plan, draft.evidence, records)
    answers = V.judge(material)
    isolated, spoilt = draft.isolation in draft.plan["isolation"], V.too_many_invalid(material)
    found = [(stage.ran, [one.answer for one in stage.answers]) for stage in answers]
    methods = [one.method for stage in answers for one in stage.answers]
    stages = [
        {
            "stage": stage.stage,
            "ran": stage.ran,
            "why": None if stage.ran else words("an earlier stage failed"),
            "findings": [_finding(stage.stage, one) for one in stage.answers],
        }
        for stage in answers
    ]
    outcome = V.outcome_of(isolated=isolated, spoilt=spoilt, stages=found)
    draft.verdict = {
        "schema": "pilotbase/verdict/1",
        "pilot": draft.plan["pilot"],
        "plan": sha(encode(draft.plan)),
        "scenario": draft.plan["scenario"]["name"],
        "candidate": draft.plan["candidate"]["name"],
        "judgement": {"outcome": outcome, "reasons": [], "grade": V.weakest_grade(methods), "stages": stages},
        "isolation": draft.isolation,
        "outcome_digest": V.outcome_digest(material),
        "data_public": draft.plan["data_public"],
        "issued_at": ISSUED,
        "valid_until": UNTIL,
    }
    draft.notice = {
        "schema": "pilotbase/notice/1",
        "pilot": draft.plan["pilot"],
        "scenario": draft.plan["scenario"]["name"],
        "candidate": draft.plan["candidate"]["name"],
        "accepted": outcome == "accepted",
        "before_hidden": stages[:2],
    }


def _finding(stage: str, answer: Any) -> dict[str, Any]:
    return {
        "criterion": answer.criterion,
        "stage": stage,
        "answer": answer.answer,
        "estimate": V.six_decimals(answer.found.bounds.estimate, round),
        "lower": V.six_decimals(answer.found.bounds.lower, math.floor),
        "upper": V.six_decimals(answer.found.bounds.upper, math.ceil),
        "op": answer.op,
        "threshold": answer.threshold,
        "unit": "1",
        "counts": answer.found.counts,
        "alpha": None,
        "beta": None,
        "method": answer.method,
        "grade": V.METHOD_GRADES[answer.method],
        "sentence": words("a sentence"),
        "parts": list(answer.found.parts),
    }


def _events(draft: Draft, plan: bytes) -> None:
    named = {"scenario": draft.plan["scenario"]["digest"], "candidate": draft.plan["candidate"]["digest"]}
    draft.events = [
        ("pilot.opened", named | {"salt": "4" * 64}),
        ("plan.sealed", {"plan": sha(plan), "commitment": draft.plan["order"]["commitment"]}),
    ]
    for trace in draft.evidence["stages"]:
        name, ran = trace["stage"], trace["skipped"] is None
        if ran:
            draft.events.append(("stage.started", {"stage": name}))
        if trace["root"]:
            draft.events.append(("batch.answered", {"stage": name, "batch": 0, "rows": 1, "digest": "5" * 64}))
        draft.events.append(("stage.done", {"stage": name, "ran": ran, "root": trace["root"]}))
    draft.events.append(("verdict.judged", {"verdict": sha(encode(draft.verdict))}))


def ledger(events: list[tuple[str, dict[str, Any]]]) -> bytes:
    raw, previous = b"", "0" * 64
    for seq, (kind, body) in enumerate(events, start=1):
        head = {"schema": "pilotbase/event/1", "pilot": PILOT, "seq": seq, "at": SEALED, "previous": previous}
        line = encode(head | {"kind": kind, "body": body})
        previous = sha(line)
        raw += line + b"\n"
    return raw


def _files(draft: Draft, plan: bytes) -> None:
    layers = {"layers": [], "kernel": "6", "bubblewrap": "0.8", "filter": "f"}
    isolation = {"schema": "pilotbase/isolation/1", "isolation": {"level": draft.isolation} | layers}
    draft.files = {
        "candidate/notice.json": encode(draft.notice),
        "public/plan.dsse.json": envelope(V.PLAN_TYPE, plan, *draft.plan_signers),
        "public/scenario.toml": SCENARIO,
        "public/candidate.toml": CANDIDATE_TEXT,
        "public/verdict.json": encode(draft.verdict),
        "public/ledger.jsonl": ledger(draft.events),
        "public/isolation.json": encode(isolation),
        "public/metering.json": encode({"schema": "pilotbase/metering/1", "stages": {}}),
        "public/report.en.html": b"<p>",
        "restricted/order.json": encode(draft.order),
        "restricted/evidence.json": encode(draft.evidence),
        "restricted/logs/effectiveness.txt": b"\xff\x1b[2J",
    }
    for stage, columns in draft.records.items():
        if stage not in draft.skipped:
            place = f"restricted/records/{stage}"
            draft.files[f"{place}/header.json"] = header(stage, columns)
            arrays = {f"{place}/{name}.bin": pack(dtype, values) for name, (dtype, _, values) in columns.items()}
            draft.files |= arrays


def _state(draft: Draft, plan: bytes) -> None:
    parts = manifests(draft.files)
    draft.files |= {f"{part}/manifest.json": raw for part, raw in parts.items()}
    head = draft.files["public/ledger.jsonl"].split(b"\n")[-2]
    draft.statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "made@1.0.0", "digest": {"sha256": CANDIDATE}}],
        "predicateType": "urn:pilotbase:verdict:1",
        "predicate": {
            "schema": "pilotbase/statement/1",
            "pilot": PILOT,
            "issued_at": ISSUED,
            "scenario": SCENARIO_NAME,
            "scenario_digest": sha(SCENARIO),
            "plan": sha(plan),
            "ledger_head": sha(head),
            "parts": {part: sha(raw) for part, raw in parts.items()},
        },
    }


def manifests(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return each part's manifest, for the files as they are."""
    found = {}
    for part in ("candidate", "public", "restricted"):
        inside = {path.removeprefix(f"{part}/"): raw for path, raw in files.items() if path.startswith(f"{part}/")}
        listed = [
            {"path": path, "size": len(raw), "sha256": sha(raw)}
            for path, raw in sorted(inside.items())
            if path != "manifest.json"
        ]
        found[part] = encode({"schema": "pilotbase/manifest/1", "salt": "6" * 64, "part": part, "files": listed})
    return found


def _write(draft: Draft, folder: Path) -> None:
    files = draft.files | {"statement.dsse.json": envelope(V.STATEMENT_TYPE, encode(draft.statement), *draft.signers)}
    for path, raw in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(raw)
