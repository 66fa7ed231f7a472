"""Write the conformance vectors: honest dossiers, and broken ones named for their fault.

``python docs/spec/make_vectors.py`` writes ``vectors/honest/``, ``vectors/broken/``, ``vectors/keys.json`` and
``vectors/expected.json`` (for each dossier the step that must fail, and the outcome). The data is drawn here: coins
that are sorted by weight; no person is in it. The key is made of a published seed, so that the vectors come out the
same each time: never trust it for anything else. ``tests/spec/test_vectors.py`` holds both verifiers against them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pilotbase.evidence import envelope, keys, log, statement
from pilotbase.evidence.keys import KeyRing, SigningKey
from pilotbase.foundation.chain import ORIGIN, Event
from pilotbase.foundation.clock import stamp
from pilotbase.foundation.digests import sha256
from pilotbase.foundation.text import Text
from pilotbase.pilot import dossier as paths
from pilotbase.pilot.aggregates import aggregate
from pilotbase.pilot.document import read_toml, to_bytes, to_tree
from pilotbase.pilot.dossier import Evidence, LogProof, Notice, OrderSecret, Predicate, StageRecord, make_manifest
from pilotbase.pilot.measurement import CANDIDATE, OK, Fact, StageEvidence, outcome_digest, pack, records_root
from pilotbase.pilot.measures import Items, measure_items, measure_latency
from pilotbase.pilot.plan import PAYLOAD_TYPE, Named, Order, Plan, Words, plan_stages
from pilotbase.pilot.scenario import Scenario
from pilotbase.pilot.trace import Environment, EnvironmentReport, Isolation, IsolationReport, Metering, Usage
from pilotbase.pilot.verdict import Verdict, judge

HERE = Path(__file__).parent / "vectors"
ROWS = 1100  # two Merkle leaves
PICKED = 0.4  # the scale's own threshold
BEGUN = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SECRET = OrderSecret(schema=OrderSecret.SCHEMA, seed="11" * 32, salt="22" * 32, record_salt="33" * 32)
SCENARIO_TEXT = (HERE / "scenario.toml").read_bytes()
SCENARIO = read_toml(SCENARIO_TEXT, Scenario, "scenario.toml")
CANDIDATE_TEXT = (HERE / "candidate.toml").read_bytes()
Parts = dict[str, dict[str, bytes]]


def signing_key(seed: int) -> SigningKey:
    """Return the key of a published seed: 32 times the same byte."""
    return SigningKey(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


BASE, STRANGER = signing_key(1), signing_key(2)


@dataclass(frozen=True)
class Story:
    """What is to be told: a candidate of some skill, and how the run went."""

    skill: float = 2.2
    level: str = "full"
    licence: int = 1
    silent: int = 0
    """Rows to which the candidate did not answer."""
    signer: SigningKey = BASE
    twist: Callable[[Verdict], Verdict] = lambda verdict: verdict
    """What a lying base does to a verdict before it signs."""
    sealed_late: bool = False
    other_seed: bool = False
    other_plan: bool = False
    other_salt: bool = False
    beside: tuple[str, ...] = ()
    """Further subjects of the statement; there may be none."""
    logged: bytes = b""
    """The statement whose place in the log is proved, if any."""


def make_plan() -> Plan:
    """Return the plan of the vectors."""
    commitment = sha256(bytes.fromhex(SECRET.salt) + bytes.fromhex(SECRET.seed))
    return Plan(
        schema=Plan.SCHEMA,
        pilot="01a20000-0000-7000-8000-000000000001",
        sealed_at=stamp(BEGUN),
        scenario=Named(name=SCENARIO.name, digest=sha256(SCENARIO_TEXT)),
        candidate=Named(name="coin-scale@1.0.0", digest=sha256(b"the files of coin-scale")),
        candidate_text=sha256(CANDIDATE_TEXT),
        kind="predict",
        sector=SCENARIO.sector,
        action_area=SCENARIO.action_area,
        verifies=(),
        stages=plan_stages(SCENARIO, {"sample": 2000, "diagnostic": 100, "hidden": ROWS}),
        words=Words(unit=SCENARIO.unit, positive=SCENARIO.positive, groups={"mint": ("east", "west")}),
        order=Order(commitment=commitment, rows=ROWS),
        attempt=1,
        alpha_spent=Decimal(1),
        looks=1,
        max_invalid=SCENARIO.max_invalid,
        disclosure="full",
        data_public=True,
        isolation=("full",),
        limits=SCENARIO.limits,
        batch_rows=SCENARIO.contract.batch_rows,
        valid_for=SCENARIO.valid_for,
        agreement=None,
        policies=(),
        plugins=(),
        software=Named(name="pilotbase@0.1.0", digest=sha256(b"software")),
        environment=Named(name="requirements.lock", digest=sha256(b"lock")),
        anchor="",
        signatures_wanted=("base",),
    )


def make_items(story: Story) -> Items:
    """Draw coins: false ones weigh differently, and the scale sees that as well as its skill allows."""
    rng = np.random.default_rng(7)
    false = (np.arange(ROWS) % 5 == 0).astype(np.uint8)
    pull = story.skill * false - 1.8 + rng.normal(size=ROWS)
    score = np.round(1 / (1 + np.exp(-pull)), 6)
    status = np.where(np.arange(ROWS) < story.silent, CANDIDATE, OK).astype(np.uint8)
    ids = b"".join(bytes.fromhex(sha256(str(row).encode()))[:16] for row in range(ROWS))
    return Items(
        ids=np.frombuffer(ids, dtype="V16"),
        status=status,
        positive=false,
        answers={"score": score, "decision": (score > PICKED).astype(float)},
        groups={"mint": (np.arange(ROWS) // 5 % 2).astype(np.int32)},
    )


def make_evidence(plan: Plan, story: Story) -> tuple[StageEvidence, ...]:
    """Return what the stages left."""

    def some(**values: str) -> tuple[Fact, ...]:
        return tuple(Fact(measure=name, value=value, unit="1") for name, value in values.items())

    early = {"inputs_served": "0", "licence_known": str(story.licence), "requirements_locked": "0"}
    intake = some(**early, answers_not_brought="0", pickles_unsuspicious="0")
    if not story.licence:
        why = Text(zh="前面的关口“受理”没有通过", en='the gate of the stage "Intake" before it did not open')
        rest = [StageEvidence(stage=stage.name, skipped=why) for stage in plan.stages[1:]]
        return (StageEvidence(stage="intake", facts=intake), *rest)
    shared = tuple(one for stage in plan.stages[2:4] for one in stage.criteria)
    took = np.linspace(0.001, 0.02, 320)
    return (
        StageEvidence(stage="intake", facts=intake),
        StageEvidence(stage="conformance", facts=some(replies_conform="0")),
        StageEvidence(stage="effectiveness", records=measure_items("effectiveness", shared, make_items(story))),
        StageEvidence(stage="fairness"),
        StageEvidence(
            stage="efficiency",
            records=measure_latency("efficiency", took, np.zeros(len(took), dtype=np.uint8)),
            facts=(Fact(measure="peak_memory", value="52428800", unit="byte", timed=True),),
        ),
    )


def _records(evidence: tuple[StageEvidence, ...]) -> tuple[tuple[StageRecord, ...], dict[str, bytes]]:
    """Return the stages' records as the dossier lists them, and their arrays."""
    listed, arrays = [], {}
    for one in evidence:
        files = pack(one.records) if one.records else {}
        root = records_root(files, bytes.fromhex(SECRET.record_salt)) if files else None
        listed.append(StageRecord(stage=one.stage, skipped=one.skipped, facts=one.facts, root=root))
        arrays |= {f"records/{one.stage}/{name}": data for name, data in files.items()}
    return tuple(listed), arrays


def _ledger(plan: Plan, digest: str, verdict: bytes, listed: tuple[StageRecord, ...], story: Story) -> bytes:
    """Return the chain of the pilot."""
    names = {"scenario": plan.scenario.digest, "candidate": plan.candidate.digest}
    rows: list[tuple[str, dict]] = [("pilot.opened", {"salt": "44" * 32} | names)]
    sealed = ("plan.sealed", {"plan": digest, "commitment": plan.order.commitment})
    for one in listed:
        if one.skipped is None:
            rows.append(("stage.started", {"stage": one.stage}))
        rows.append(("stage.done", {"stage": one.stage, "ran": one.skipped is None, "root": one.root}))
    rows.insert(3 if story.sealed_late else 1, sealed)
    rows.append(("verdict.judged", {"verdict": sha256(verdict)}))
    lines, previous = [], ORIGIN
    for seq, (kind, body) in enumerate(rows, start=1):
        at = stamp(BEGUN + timedelta(seconds=seq))
        event = Event(pilot=plan.pilot, seq=seq, at=at, kind=kind, body=body, previous=previous)
        previous = event.digest
        lines.append(event.to_bytes() + b"\n")
    return b"".join(lines)


def make_parts(story: Story) -> tuple[Parts, Plan, str]:
    """Return the files of every part, the plan, and its digest."""
    plan = make_plan()
    evidence = make_evidence(plan, story)
    listed, arrays = _records(evidence)
    digest = sha256(to_bytes(plan))
    issued = BEGUN + timedelta(minutes=1)
    verdict = story.twist(
        Verdict(
            schema=Verdict.SCHEMA,
            pilot=plan.pilot,
            plan=digest,
            scenario=plan.scenario.name,
            candidate=plan.candidate.name,
            judgement=judge(plan, evidence, story.level),
            isolation=story.level,
            outcome_digest=outcome_digest(evidence),
            data_public=True,
            issued_at=stamp(issued),
            valid_until=stamp(issued + timedelta(days=90)),
        )
    )
    shown = msgspec.structs.replace(plan, attempt=2) if story.other_plan else plan
    secret = msgspec.structs.replace(SECRET, seed="55" * 32) if story.other_seed else SECRET
    secret = msgspec.structs.replace(secret, record_salt="66" * 32) if story.other_salt else secret
    judged = to_bytes(verdict)
    public = {
        paths.PLAN: envelope.sign(PAYLOAD_TYPE, to_bytes(shown), [story.signer]),
        paths.VERDICT: judged,
        paths.SCENARIO: SCENARIO_TEXT,
        paths.CANDIDATE: CANDIDATE_TEXT,
        paths.LEDGER: _ledger(plan, digest, judged, listed, story),
        paths.AGGREGATES: to_bytes(aggregate(plan, evidence)),
        **_facts(story),
    }
    restricted = {
        paths.ORDER: to_bytes(secret),
        paths.EVIDENCE: to_bytes(Evidence(schema=Evidence.SCHEMA, stages=listed)),
        **arrays,
    }
    return {"candidate": {paths.NOTICE: _notice(verdict)}, "public": public, "restricted": restricted}, plan, digest


def _facts(story: Story) -> dict[str, bytes]:
    isolation = Isolation(level=story.level, layers=(), kernel="6.1", bubblewrap="0.8.0", filter=sha256(b"filter"))
    usage = Usage(wall="1.5", cpu="1.2", memory=52428800, processes=1, stderr=0)
    machine = Environment(
        system="Linux 6.1", machine="x86_64", processor="none", cores=2, python="3.11.7", packages={}, variables={}
    )
    return {
        paths.ISOLATION: to_bytes(IsolationReport(schema=IsolationReport.SCHEMA, isolation=isolation)),
        paths.METERING: to_bytes(Metering(schema=Metering.SCHEMA, stages={"effectiveness": usage})),
        paths.ENVIRONMENT: to_bytes(EnvironmentReport(schema=EnvironmentReport.SCHEMA, environment=machine)),
    }


def _notice(verdict: Verdict) -> bytes:
    early = tuple(one for one in verdict.judgement.stages if one.stage in {"intake", "conformance"})
    return to_bytes(
        Notice(
            schema=Notice.SCHEMA,
            pilot=verdict.pilot,
            scenario=verdict.scenario,
            candidate=verdict.candidate,
            accepted=verdict.outcome == "accepted",
            before_hidden=early,
        )
    )


def make_files(story: Story) -> dict[str, bytes]:
    """Return a whole dossier: path -> bytes."""
    parts, plan, digest = make_parts(story)
    manifests = {name: make_manifest(name, files, bytes([6]) * 32) for name, files in parts.items()}
    head = sha256(parts["public"][paths.LEDGER].rstrip(b"\n").rsplit(b"\n", 1)[-1])
    predicate = Predicate(
        schema=Predicate.SCHEMA,
        pilot=plan.pilot,
        issued_at=stamp(BEGUN + timedelta(minutes=1)),
        scenario=plan.scenario.name,
        scenario_digest=plan.scenario.digest,
        plan=digest,
        ledger_head=head,
        parts={name: sha256(data) for name, data in manifests.items()},
    )
    subjects = {plan.candidate.name: plan.candidate.digest} | {name: sha256(b"") for name in story.beside}
    body = statement.build(subjects, to_tree(predicate))
    files = {paths.STATEMENT: envelope.sign(statement.PAYLOAD_TYPE, body, [story.signer])}
    if story.logged:
        files[paths.LOG_PROOF] = _log_proof(files[paths.STATEMENT] if story.logged == OWN else story.logged)
    for name, listed in parts.items():
        files[f"{name}/{paths.MANIFEST}"] = manifests[name]
        files |= {f"{name}/{path}": data for path, data in listed.items()}
    return files


OWN = b"its own"


def _log_proof(logged: bytes) -> bytes:
    """Return the proof that a statement is the second of three in a log."""
    leaves = [log.statement_leaf(sha256(data)) for data in (b"one before", logged, b"one after")]
    path = tuple(one.hex() for one in log.inclusion_proof(leaves, 1))
    proof = LogProof(schema=LogProof.SCHEMA, index=1, size=3, root=log.root(leaves).hex(), path=path)
    return to_bytes(proof)


def _changed(path: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        if old not in files[path]:
            raise ValueError(f"{path} does not hold {old!r}")
        files[path] = files[path].replace(old, new, 1)

    return change


def _without(path: str) -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.pop(path) and None


def _with(path: str, data: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.update({path: data})


def _byte_of(path: str, place: int) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        data = bytearray(files[path])
        data[place] ^= 1
        files[path] = bytes(data)

    return change


def _padding(files: dict[str, bytes]) -> None:
    """Write the signature as another base64 text of the same bytes."""
    text = files[paths.STATEMENT].decode()
    end = text.index('=="}')
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = letters[letters.index(text[end - 1]) ^ 1]
    files[paths.STATEMENT] = (text[: end - 1] + twin + text[end:]).encode()


def _twist_bound(verdict: Verdict) -> Verdict:
    """Claim a better bound than the records give."""
    return _twist(verdict, "auroc", lower="0.990000")


def _twist_answer(verdict: Verdict) -> Verdict:
    """Call a refused finding held."""
    held = _twist(verdict, "auroc", answer="held")
    judgement = msgspec.structs.replace(held.judgement, outcome="accepted", reasons=())
    return msgspec.structs.replace(held, judgement=judgement)


def _twist_validity(verdict: Verdict) -> Verdict:
    """Let the verdict hold longer than the plan says."""
    return msgspec.structs.replace(verdict, valid_until="2036-11-23T08:01:00.000000Z")


def _twist_digest(verdict: Verdict) -> Verdict:
    return msgspec.structs.replace(verdict, outcome_digest=sha256(b"another run"))


def _twist(verdict: Verdict, name: str, **changes: object) -> Verdict:
    stages = tuple(
        msgspec.structs.replace(
            stage,
            findings=tuple(
                msgspec.structs.replace(one, **changes) if one.criterion == name else one for one in stage.findings
            ),
        )
        for stage in verdict.judgement.stages
    )
    return msgspec.structs.replace(verdict, judgement=msgspec.structs.replace(verdict.judgement, stages=stages))


HONEST: Mapping[str, tuple[Story, str]] = {
    "accepted": (Story(), "accepted"),
    "accepted-and-logged": (Story(logged=OWN), "accepted"),
    "accepted-with-some-silence": (Story(skill=3.0, silent=20), "accepted"),
    "rejected-on-merit": (Story(skill=0.4), "rejected"),
    "rejected-at-intake": (Story(licence=0), "rejected"),
    "undecided-for-want-of-evidence": (Story(skill=1.31), "undecided"),
    "undecided-for-want-of-isolation": (Story(level="none"), "undecided"),
}

RECORDS = "restricted/records/effectiveness"
Touch = Callable[[dict[str, bytes]], None]


def _nothing(_: dict[str, bytes]) -> None:
    """Touch nothing: the fault is in what was signed."""


BROKEN: Mapping[str, tuple[int, Story, Touch]] = {
    "stray-file-at-the-root": (1, Story(), _with("readme.txt", b"hello")),
    "statement-missing": (1, Story(), _without(paths.STATEMENT)),
    "signature-padding-bit": (2, Story(), _padding),
    "signed-by-a-stranger": (2, Story(signer=STRANGER), _nothing),
    "statement-of-another-time": (2, Story(), _changed(paths.STATEMENT, b'"payload":"', b'"payload":"A')),
    "statement-about-two-candidates": (3, Story(beside=("another@1.0.0",)), _nothing),
    "manifest-changed": (4, Story(), _changed("public/manifest.json", b'"salt":"06', b'"salt":"07')),
    "file-missing": (5, Story(), _without("public/metering.json")),
    "file-unlisted": (5, Story(), _with("public/more.json", b"{}")),
    "file-changed": (5, Story(), _changed("public/isolation.json", b"6.1", b"6.2")),
    "record-byte-changed": (5, Story(), _byte_of(f"{RECORDS}/score.bin", 4000)),
    "report-of-machine-changed": (5, Story(), _changed("public/environment.json", b"x86_64", b"x86_65")),
    "plan-exchanged": (6, Story(other_plan=True), _nothing),
    "plan-sealed-after-the-first-stage": (7, Story(sealed_late=True), _nothing),
    "order-does-not-open-the-commitment": (8, Story(other_seed=True), _nothing),
    "records-under-another-salt": (9, Story(other_salt=True), _nothing),
    "bound-better-than-the-records": (10, Story(twist=_twist_bound), _nothing),
    "refused-called-held": (10, Story(skill=0.4, twist=_twist_answer), _nothing),
    "outcome-digest-of-another-run": (10, Story(twist=_twist_digest), _nothing),
    "valid-for-longer-than-planned": (11, Story(twist=_twist_validity), _nothing),
    "log-proof-of-another-statement": (12, Story(logged=b"another"), _nothing),
}


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a dossier's files."""
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def main() -> None:
    """Write all vectors anew."""
    for kind in ("honest", "broken"):
        shutil.rmtree(HERE / kind, ignore_errors=True)
    expected: dict[str, dict[str, object]] = {}
    for name, (story, outcome) in HONEST.items():
        write(HERE / "honest" / name, make_files(story))
        expected[f"honest/{name}"] = {"fails_at": None, "outcome": outcome}
    for name, (step, story, touch) in BROKEN.items():
        files = make_files(story)
        touch(files)
        write(HERE / "broken" / name, files)
        expected[f"broken/{name}"] = {"fails_at": step, "outcome": None}
    ring = keys.enlist(KeyRing(), BASE, "vectors", BEGUN - timedelta(days=1))
    (HERE / "keys.json").write_bytes(ring.to_bytes())
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
