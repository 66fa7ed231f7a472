"""Verify a pilotbase dossier, written from the pages beside this file and from nothing else.

    python verifier.py DOSSIER --trust keys.json [--json]

It needs Python 3.11 and ``cryptography``. It imports nothing of pilotbase, runs nothing, fetches nothing, and takes
every byte of the dossier as hostile: sizes are capped, JSON is read strictly, and whatever is not as the pages say is
the failure of a numbered step. It reads from top to bottom in the order of the pages:

    Bytes        bytes.md     canonical JSON, digests, Merkle roots, envelopes, keys, the event chain, records
    Documents    schemas/     what each document may hold
    Methods      methods.md   from numbers to bounds, from bounds to an answer
    Measures     measures.md  which numbers a criterion reads, and what a finding counts
    Judging      dossier.md   section 3, the whole
    Steps        dossier.md   section 2, steps 1 to 12

Exit codes: 0 verified; 4 not verified, or unknown signer; 64 usage; 65 the folder or the keys cannot be read.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import hmac
import json
import math
import os
import re
import struct
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import islice, pairwise, permutations
from operator import mul
from pathlib import Path
from statistics import NormalDist
from typing import Any, NoReturn, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# Caps, our own: no page names any. A dossier beyond them is refused, never half read.
MAX_FILES = 4_096
MAX_DEPTH = 8  # folders within folders
MAX_FILE = 256 * 2**20  # bytes
MAX_TOTAL = 512 * 2**20  # bytes
MAX_DOCUMENT = 32 * 2**20  # bytes of one JSON document or of the ledger
MAX_ROWS = 1_000_000  # rows of one stage's records
MAX_SHOWN = 160  # characters of hostile text in a message

T = TypeVar("T")


class FaultError(Exception):
    """What a step found that must not be."""


class WithheldError(Exception):
    """The part that a step reads is not in this copy."""


class AbsentError(Exception):
    """An optional thing is not there."""


class RestsError(Exception):
    """A step cannot be examined, because it rests on one that failed."""


class UnreadableError(Exception):
    """The input is not a dossier folder, or not a file of keys."""


def require(holds: bool, found: str) -> None:  # noqa: FBT001
    """Fail the step with what was found, unless the condition holds."""
    if not holds:
        raise FaultError(found)


def present(value: T | None, found: str) -> T:
    """Return the value, or fail the step with what was found."""
    if value is None:
        raise FaultError(found)
    return value


def shown(value: object) -> str:
    """Return hostile text fit for a terminal: printable, and short."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text[: MAX_SHOWN + 1])
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "..."


# ======================================================================================================================
# Bytes, as on the page bytes.md
# ======================================================================================================================

# ---- 1. Canonical JSON

LARGEST = 2**53 - 1


def canonical(value: Any) -> bytes:
    """Return the one encoding of a value: RFC 8785, ASCII keys, whole numbers, no floats."""
    _admit(value)
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode("utf-8")
    except UnicodeEncodeError:
        raise FaultError("a string holds half a surrogate pair") from None


def _admit(value: Any) -> None:
    """Refuse what canonical JSON cannot hold. A stack, not recursion: depth is the writer's choice."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            require(all(isinstance(key, str) and key.isascii() for key in item), "a key is not ASCII")
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, int):
            require(-LARGEST <= item <= LARGEST, "a number lies beyond 2^53 - 1")
        else:
            require(item is None or isinstance(item, str), f"a {type(item).__name__} is not canonical JSON")


def parse(raw: bytes) -> Any:
    """Read JSON strictly: UTF-8, no duplicate keys, no floats, no numbers beyond 2^53 - 1."""
    require(len(raw) <= MAX_DOCUMENT, "the document is too large")
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_float=_no_float,
            parse_constant=_no_float,
            parse_int=_whole,
        )
    except UnicodeDecodeError:
        raise FaultError("not UTF-8") from None
    except json.JSONDecodeError as error:
        raise FaultError(f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise FaultError("nested too deeply") from None
    _admit(value)
    return value


def parse_canonical(raw: bytes) -> Any:
    """Read JSON that must equal its own canonical re-encoding."""
    value = parse(raw)
    try:
        again = canonical(value)
    except RecursionError:
        raise FaultError("nested too deeply") from None
    require(again == raw, "not the canonical encoding of what it holds")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        twice = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        raise FaultError(f"the key {shown(twice)!r} stands twice")
    return table


def _no_float(text: str) -> NoReturn:
    raise FaultError(f"the float {shown(text)} where only whole numbers may stand")


def _whole(text: str) -> int:
    require(len(text) <= len(str(-LARGEST)), "a number lies beyond 2^53 - 1")
    return int(text)


# ---- 2. Digests


def digest(data: bytes) -> str:
    """SHA-256, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def keyed(key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA256 over the parts, each preceded by its length (8 bytes, little-endian)."""
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        mac.update(len(part).to_bytes(8, "little"))
        mac.update(part)
    return mac.digest()


def leaf_hash(data: bytes) -> bytes:
    """RFC 6962 section 2.1: the hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 section 2.1: the hash of a node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1: the root over the leaves' data; split at the largest power of two below their number."""
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    require(bool(leaves), "a Merkle tree without leaves")
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(merkle_root(leaves[:split]), merkle_root(leaves[split:]))


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Tell whether a path leads from leaf to root: RFC 6962 section 2.1.1, checked as RFC 9162 section 2.1.3.2 says."""
    if not 0 <= index < size:
        return False
    here, last, found = index, size - 1, leaf_hash(leaf)
    for step in path:
        if last == 0:
            return False
        if here & 1 or here == last:
            found = node_hash(step, found)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            found = node_hash(found, step)
        here, last = here >> 1, last >> 1
    return last == 0 and found == root


# ---- 3. Envelopes (DSSE)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of an envelope, as written."""

    algorithm: str
    keyid: str
    bytes_: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A body, its type, and the signatures over both."""

    body: bytes
    kind: str
    signatures: tuple[Signature, ...]

    def signed(self) -> bytes:
        """Return the pre-authentication encoding: lengths in decimal ASCII, counted in bytes."""
        kind = self.kind.encode("utf-8")
        return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(self.body), self.body)


def read_envelope(raw: bytes, kind: str) -> Envelope:
    """Read an envelope whose stored bytes equal the canonical re-encoding of what it decodes to."""
    value = parse(raw)
    ENVELOPE(value, "envelope")
    require(value["payloadType"] == kind, f"the payload type is {shown(value['payloadType'])}, not {kind}")
    body = _unbase64(value["payload"])
    signatures = tuple(Signature(s["alg"], s["keyid"], _unbase64(s["sig"])) for s in value["signatures"])
    again = {
        "payload": base64.b64encode(body).decode("ascii"),
        "payloadType": value["payloadType"],
        "signatures": [
            {"alg": s.algorithm, "keyid": s.keyid, "sig": base64.b64encode(s.bytes_).decode("ascii")}
            for s in signatures
        ],
    }
    require(canonical(again) == raw, "the envelope differs from its canonical re-encoding")
    return Envelope(body, value["payloadType"], signatures)


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise FaultError("not standard base64 with padding") from None


# ---- 4. Keys

# SubjectPublicKeyInfo of Ed25519 (RFC 8410 section 4): this prefix, then the 32 bytes of the key.
SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")
ED25519_BYTES = 32


@dataclass(frozen=True, slots=True)
class Key:
    """A public key that we trust, and for which times."""

    keyid: str
    owner: str
    public: Ed25519PublicKey
    valid_from: datetime
    retired_at: datetime | None
    revoked_at: datetime | None

    def complaint(self, at: datetime) -> str | None:
        """Say why the key is not good for a signature made at a time; None if it is."""
        if self.revoked_at is not None:
            return f"key {self.keyid} is revoked"
        if at < self.valid_from:
            return f"key {self.keyid} was not yet valid at {stamp(at)}"
        if self.retired_at is not None and at >= self.retired_at:
            return f"key {self.keyid} was retired before {stamp(at)}"
        return None


def read_keys(raw: bytes) -> dict[str, Key]:
    """Read ``keys.json``; keyid -> key."""
    value = parse(raw)
    KEYS(value, "keys.json")
    keys = [_key(entry) for entry in value["keys"]]
    require(len({key.keyid for key in keys}) == len(keys), "a key is listed twice")
    return {key.keyid: key for key in keys}


def _key(entry: dict[str, Any]) -> Key:
    spki = _unbase64(entry["public"])
    keyid = entry["keyid"]
    require(len(spki) == len(SPKI_ED25519) + ED25519_BYTES and spki.startswith(SPKI_ED25519), "not an Ed25519 key")
    require(digest(spki) == keyid, f"keyid {keyid} does not match its key")
    return Key(
        keyid=keyid,
        owner=entry["owner"],
        public=Ed25519PublicKey.from_public_bytes(spki[len(SPKI_ED25519) :]),
        valid_from=moment(entry["valid_from"]),
        retired_at=None if entry["retired_at"] is None else moment(entry["retired_at"]),
        revoked_at=None if entry["revoked_at"] is None else moment(entry["revoked_at"]),
    )


@dataclass(frozen=True, slots=True)
class Signers:
    """What the signatures of one envelope are worth."""

    good: tuple[Key, ...]
    bad: tuple[str, ...]  # why
    unknown: tuple[str, ...]  # keyids that the file of keys does not list


def check_signatures(envelope: Envelope, keys: dict[str, Key], at: datetime) -> Signers:
    """Weigh each signature: good, bad, or by a key that we do not know."""
    good, bad, unknown = [], [], []
    for signature in envelope.signatures:
        key = keys.get(signature.keyid)
        if signature.algorithm != "ed25519":
            bad.append(f"unknown algorithm {shown(signature.algorithm)}")
        elif key is None:
            unknown.append(signature.keyid)
        elif (complaint := _complaint(envelope, signature, key, at)) is not None:
            bad.append(complaint)
        else:
            good.append(key)
    return Signers(tuple(good), tuple(bad), tuple(unknown))


def _complaint(envelope: Envelope, signature: Signature, key: Key, at: datetime) -> str | None:
    try:
        key.public.verify(signature.bytes_, envelope.signed())
    except InvalidSignature:
        return f"the signature of key {key.keyid} does not fit"
    return key.complaint(at)


# ---- Times and quantities

MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
DURATIONS = {"ms": 10**3, "s": 10**6, "min": 60 * 10**6, "h": 3_600 * 10**6, "day": 86_400 * 10**6}  # microseconds


def moment(text: str) -> datetime:
    """Read a time: UTC, RFC 3339, ``Z``, microseconds."""
    require(MOMENT.fullmatch(text) is not None, f"not a time in UTC with microseconds: {shown(text)}")
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        raise FaultError(f"no such time: {shown(text)}") from None


def stamp(time: datetime) -> str:
    """Write a time."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def later(start: datetime, quantity: str) -> datetime:
    """Add a duration such as ``365 day`` to a time, within the calendar."""
    number, _, unit = quantity.partition(" ")
    require(unit in DURATIONS, f"unknown unit of time: {shown(unit)}")
    try:
        return start + timedelta(microseconds=int(decimal(number) * DURATIONS[unit]))
    except OverflowError:
        raise FaultError("a time beyond the calendar") from None


def decimal(text: str) -> Fraction:
    """Read decimal text exactly."""
    require(DECIMAL_TEXT.fullmatch(text) is not None, f"not decimal text: {shown(text)}")
    return Fraction(Decimal(text))


def double(number: Fraction) -> float:
    """Return the nearest double."""
    try:
        return float(number)
    except OverflowError:
        raise FaultError("a number beyond the doubles") from None


# ---- 5. The event chain

NO_EVENT = "0" * 64


@dataclass(frozen=True, slots=True)
class Ledger:
    """The events of one pilot, and the digest of the last one's bytes."""

    events: tuple[dict[str, Any], ...]
    head: str

    def bodies(self, kind: str) -> list[dict[str, Any]]:
        """Return the bodies of all events of a kind, in order."""
        return [event["body"] for event in self.events if event["kind"] == kind]


def read_ledger(raw: bytes) -> Ledger:
    """Read ``ledger.jsonl`` and follow its chain."""
    require(len(raw) <= MAX_DOCUMENT, "the ledger is too large")
    require(raw.endswith(b"\n"), "the last event is not followed by a newline")
    events, previous = [], NO_EVENT
    for seq, line in enumerate(raw[:-1].split(b"\n"), start=1):
        event = parse_canonical(line)
        EVENT(event, f"event {seq}")
        BODIES[event["kind"]](event["body"], f"event {seq}")
        require(event["seq"] == seq, f"event {seq} bears the number {event['seq']}")
        require(event["previous"] == previous, f"event {seq} does not link to the event before")
        moment(event["at"])
        events.append(event)
        previous = digest(line)
    return Ledger(tuple(events), previous)


# ---- 6. Records

BLOCK = 1_024  # rows of one Merkle leaf
WIDTHS = {"<f8": 8, "<i4": 4, "|u1": 1, "|V16": 16}  # bytes
MEASURED, FAILED_ITEM, PLATFORM_FAULT, DATA_FAULT = range(4)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of records: its declaration and its bytes."""

    name: str
    dtype: str
    timed: bool
    data: bytes

    def values(self) -> tuple[Any, ...]:
        """Return the numbers; 16-byte values stay bytes."""
        count = len(self.data) // WIDTHS[self.dtype]
        if self.dtype == "|V16":
            return tuple(value for (value,) in struct.iter_unpack("16s", self.data))
        code = {"<f8": "d", "<i4": "i", "|u1": "B"}[self.dtype]
        return struct.unpack(f"<{count}{code}", self.data)


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one stage."""

    stage: str
    rows: int
    header: bytes
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """Return a column by name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise FaultError(f"the records of {self.stage} have no column {shown(name)}")

    def root(self, salt: bytes) -> str:
        """Return the Merkle root: one leaf per block of rows, one empty block if there are none."""
        blocks = range(max(1, math.ceil(self.rows / BLOCK)))
        return merkle_root([self._leaf(salt, block) for block in blocks]).hex()

    def _leaf(self, salt: bytes, block: int) -> bytes:
        first, end = block * BLOCK, (block + 1) * BLOCK
        parts = [column.data[first * (w := WIDTHS[column.dtype]) : end * w] for column in self.columns]
        return keyed(salt, b"leaf", str(block).encode("ascii")) + self.header + b"".join(parts)


# ======================================================================================================================
# Documents, as in the folder schemas
# ======================================================================================================================

Check = Callable[[Any, str], None]  # takes a value and its place; raises FaultError

DECIMAL_TEXT = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")


def words(pattern: str = r"(?s:.*)") -> Check:
    """Return the check of a string that matches a pattern from end to end."""
    compiled = re.compile(pattern)

    def check(value: Any, place: str) -> None:
        fits = isinstance(value, str) and compiled.fullmatch(value) is not None
        require(fits, f"{place}: found {shown(value)}, expected text like {pattern}")

    return check


def whole(low: int = -LARGEST, high: int = LARGEST) -> Check:
    """Return the check of a whole number within bounds."""

    def check(value: Any, place: str) -> None:
        fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        require(fits, f"{place}: found {shown(value)}, expected a whole number in {low} .. {high}")

    return check


def truth(value: Any, place: str) -> None:
    """Check true or false."""
    require(isinstance(value, bool), f"{place}: found {shown(value)}, expected true or false")


def one_of(*choices: str) -> Check:
    """Return the check of a word out of a few."""

    def check(value: Any, place: str) -> None:
        fits = isinstance(value, str) and value in choices
        require(fits, f"{place}: found {shown(value)}, expected one of {', '.join(choices)}")

    return check


def or_null(check: Check) -> Check:
    """Return a check that also lets null pass."""

    def either(value: Any, place: str) -> None:
        if value is not None:
            check(value, place)

    return either


def list_of(check: Check) -> Check:
    """Return the check of a list."""

    def every(value: Any, place: str) -> None:
        require(isinstance(value, list), f"{place}: found {shown(value)}, expected a list")
        for index, item in enumerate(value):
            check(item, f"{place}[{index}]")

    return every


def table_of(check: Check) -> Check:
    """Return the check of an object with free keys."""

    def every(value: Any, place: str) -> None:
        require(isinstance(value, dict), f"{place}: found {shown(value)}, expected an object")
        for key, item in value.items():
            check(item, f"{place}.{shown(key)}")

    return every


def record(fields: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    """Return the check of an object with just these fields, and perhaps the optional ones."""
    known = fields | (optional or {})

    def every(value: Any, place: str) -> None:
        require(isinstance(value, dict), f"{place}: found {shown(value)}, expected an object")
        require(set(fields) <= set(value), f"{place}: without {', '.join(sorted(set(fields) - set(value)))}")
        require(set(value) <= set(known), f"{place}: unknown {shown(', '.join(sorted(set(value) - set(known))))}")
        for key, item in value.items():
            known[key](item, f"{place}.{key}")

    return every


def document(noun: str, fields: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    """Return the check of a document, which names its schema; an unknown version is refused in words."""
    inner = record(fields | {"schema": words()}, optional)

    def every(value: Any, place: str) -> None:
        stated = value.get("schema") if isinstance(value, dict) else None
        require(stated == f"pilotbase/{noun}/1", f"{place}: the schema {shown(stated)} is not pilotbase/{noun}/1")
        inner(value, place)

    return every


TEXT = record({"zh": words(), "en": words()})
HEX = words(r"[0-9a-f]{64}")
WORD = words(r"[a-z][a-z0-9_]{0,62}")
DECIMAL = words(DECIMAL_TEXT.pattern)
QUANTITY = words(r"[0-9]{1,15}(\.[0-9]{1,15})? [A-Za-z]+")
STAGE = one_of("intake", "conformance", "effectiveness", "fairness", "efficiency")
PART = one_of("candidate", "public", "restricted")
GRADES = ("asymptotic", "finite-sample", "exact")  # from the weakest
GRADE = one_of(*GRADES, "observed")
NAMED = record({"name": words(), "digest": HEX})

ENVELOPE = record(
    {
        "payload": words(),
        "payloadType": words(),
        "signatures": list_of(record({"alg": words(), "keyid": HEX, "sig": words()})),
    }
)
KEYS = document(
    "keys",
    {
        "keys": list_of(
            record(
                {
                    "algorithm": one_of("ed25519"),
                    "keyid": HEX,
                    "owner": words(),
                    "public": words(),
                    "valid_from": words(),
                    "retired_at": or_null(words()),
                    "revoked_at": or_null(words()),
                }
            )
        )
    },
)
KEPT = {"kept": HEX}
BODIES = {
    "pilot.opened": record({"salt": HEX, "scenario": HEX, "candidate": HEX}, KEPT),
    "plan.sealed": record({"plan": HEX, "commitment": HEX}, KEPT),
    "stage.started": record({"stage": STAGE}, KEPT),
    "batch.answered": record({"stage": STAGE, "batch": whole(0), "rows": whole(0), "digest": HEX}, KEPT),
    "stage.done": record({"stage": STAGE, "ran": truth, "root": or_null(HEX)}, KEPT),
    "run.resumed": record({"stage": STAGE}, KEPT),
    "verdict.judged": record({"verdict": HEX}, KEPT),
}
EVENT = document(
    "event",
    {
        "pilot": words(),
        "seq": whole(1),
        "at": words(),
        "kind": one_of(*BODIES),
        "body": table_of(lambda _value, _place: None),  # checked by its kind
        "previous": HEX,
    },
)
STATEMENT = record(
    {
        "_type": one_of("https://in-toto.io/Statement/v1"),
        "subject": list_of(record({"name": words(), "digest": record({"sha256": HEX})})),
        "predicateType": one_of("urn:pilotbase:verdict:1"),
        "predicate": document(
            "statement",
            {
                "pilot": words(),
                "issued_at": words(),
                "scenario": words(),
                "scenario_digest": HEX,
                "plan": HEX,
                "ledger_head": HEX,
                "parts": table_of(HEX),
            },
            {"restricted_encryption": one_of("none")},
        ),
    }
)
LOG_PROOF = document("log-proof", {"index": whole(0), "size": whole(1), "root": HEX, "path": list_of(HEX)})
MANIFEST = document(
    "manifest",
    {
        "salt": HEX,
        "part": PART,
        "files": list_of(record({"path": words(), "size": whole(0), "sha256": HEX})),
    },
)
CRITERION = record(
    {
        "id": WORD,
        "text": TEXT,
        "measure": WORD,
        "method": words(),
        "op": one_of("<=", ">="),
        "threshold": DECIMAL,
    },
    {
        "alpha": or_null(DECIMAL),
        "beta": or_null(DECIMAL),
        "group": or_null(WORD),
        "margin": DECIMAL,
        "quantile": or_null(DECIMAL),
        "unit": words(),
    },
)
PLAN = document(
    "plan",
    {
        "pilot": words(),
        "sealed_at": words(),
        "scenario": NAMED,
        "candidate": NAMED,
        "candidate_text": HEX,
        "kind": one_of("predict"),
        "sector": one_of("energy", "finance", "healthcare", "manufacturing", "other", "transportation"),
        "action_area": one_of("consumption", "global", "governance", "industry", "science", "welfare"),
        "verifies": list_of(words()),
        "stages": list_of(
            record(
                {
                    "name": STAGE,
                    "split": one_of("diagnostic", "hidden", "sample", "none"),
                    "rows": whole(0),
                    "criteria": list_of(CRITERION),
                    "continue": truth,
                }
            )
        ),
        "words": record({"unit": TEXT, "positive": TEXT, "groups": table_of(list_of(words()))}),
        "order": record({"commitment": HEX, "rows": whole(0)}),
        "attempt": whole(1),
        "alpha_spent": DECIMAL,
        "looks": whole(1, 1),
        "max_invalid": DECIMAL,
        "disclosure": one_of("coarse", "full"),
        "data_public": truth,
        "isolation": list_of(one_of("full")),
        "limits": record(
            dict.fromkeys(("memory", "scratch", "call", "start", "run"), QUANTITY) | {"processes": whole(1, 512)}
        ),
        "batch_rows": whole(1),
        "valid_for": QUANTITY,
        "agreement": or_null(record({"purpose": words(), "until": words(), "digest": HEX})),
        "policies": list_of(NAMED),
        "plugins": list_of(NAMED),
        "software": NAMED,
        "environment": NAMED,
        "anchor": words(),
        "signatures_wanted": list_of(words()),
    },
)
FINDING = record(
    {
        "criterion": words(),
        "stage": STAGE,
        "answer": one_of("held", "not_shown", "refused"),
        "estimate": or_null(DECIMAL),
        "lower": or_null(DECIMAL),
        "upper": or_null(DECIMAL),
        "op": words(),
        "threshold": DECIMAL,
        "unit": words(),
        "counts": table_of(whole()),
        "alpha": or_null(words()),
        "beta": or_null(words()),
        "method": words(),
        "grade": GRADE,
        "sentence": TEXT,
    },
    {
        "needs": or_null(whole()),
        "parts": list_of(record({"word": words(), "hits": whole(0), "total": whole(0)})),
    },
)
STAGE_FINDINGS = record({"stage": STAGE, "ran": truth, "why": or_null(TEXT), "findings": list_of(FINDING)})
VERDICT = document(
    "verdict",
    {
        "pilot": words(),
        "plan": words(),
        "scenario": words(),
        "candidate": words(),
        "judgement": record(
            {
                "outcome": one_of("accepted", "rejected", "undecided"),
                "reasons": list_of(TEXT),
                "grade": or_null(GRADE),
                "stages": list_of(STAGE_FINDINGS),
            }
        ),
        "isolation": one_of("full", "none"),
        "outcome_digest": words(),
        "data_public": truth,
        "issued_at": words(),
        "valid_until": words(),
    },
)
NOTICE = document(
    "notice",
    {
        "pilot": words(),
        "scenario": words(),
        "candidate": words(),
        "accepted": truth,
        "before_hidden": list_of(STAGE_FINDINGS),
    },
)
LAYER = record({"name": words(), "present": truth, "required": truth, "detail": TEXT}, {"remedy": or_null(TEXT)})
ISOLATION = document(
    "isolation",
    {
        "isolation": record(
            {
                "level": one_of("full", "none"),
                "layers": list_of(LAYER),
                "kernel": words(),
                "bubblewrap": words(),
                "filter": words(),
            }
        )
    },
)
ORDER = document("order", {"seed": HEX, "salt": HEX, "record_salt": HEX})
FACT = record(
    {"measure": WORD, "value": words(), "unit": words()},
    {"timed": truth, "details": list_of(TEXT)},
)
EVIDENCE = document(
    "evidence",
    {
        "stages": list_of(
            record({"stage": STAGE, "skipped": or_null(TEXT), "facts": list_of(FACT), "root": or_null(HEX)})
        )
    },
)
HEADER = document(
    "records",
    {
        "stage": STAGE,
        "rows": whole(0, MAX_ROWS),
        "columns": list_of(record({"name": WORD, "dtype": one_of(*WIDTHS), "unit": words()}, {"timed": truth})),
    },
)


# ======================================================================================================================
# Methods, as on the page methods.md
# ======================================================================================================================

# ---- 1. Conventions

BILLION = 10**9
MILLION = 10**6


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a method makes of the numbers. An infinite bound stays infinite; a closed method has none."""

    estimate: float | None
    lower: float | None
    upper: float | None
    closed: bool = False


NOTHING = Bounds(None, None, None, closed=True)  # "Nothing to count"


def normal_quantile(alpha: float) -> float:
    """z(a): what a standard normal variable exceeds with probability a. Wichura's AS 241."""
    return -NormalDist().inv_cdf(alpha)


def last(holds: Callable[[int], bool]) -> int:
    """Return the largest k in 0 .. 10^9 for which the predicate is true; it turns false once, as k grows."""
    low, high = 0, BILLION + 1
    while high - low > 1:
        k = (low + high) // 2
        if holds(k):
            low = k
        else:
            high = k
    return low


def mean(values: Sequence[float]) -> float:
    """Return the correctly rounded sum of the doubles, divided by their number."""
    return math.fsum(values) / len(values)


def millionths(value: float, rounding: Callable[[Fraction], int]) -> int:
    """Round the exact value of a double: ``math.floor``, ``math.ceil`` or ``round`` (halves to even)."""
    return rounding(Fraction(value) * MILLION)


def six_decimals(value: float | None, rounding: Callable[[Fraction], int]) -> str | None:
    """Return what a finding prints; None for an absent or an infinite number."""
    if value is None or math.isinf(value):
        return None
    units = millionths(value, rounding)
    ones, rest = divmod(abs(units), MILLION)
    return f"{'-' if units < 0 else ''}{ones}.{rest:06d}"


# ---- 2. From bounds to an answer

GUARDS = {"betting-iid/1": 1e-9, "logit-delong/1": 1e-9, "farrington-manning-gap/1": 1e-9}
METHOD_GRADES = {
    "clopper-pearson/1": "exact",
    "betting-iid/1": "finite-sample",
    "betting-wor/1": "finite-sample",
    "logit-delong/1": "asymptotic",
    "farrington-manning-gap/1": "asymptotic",
    "order-statistic/1": "exact",
    "observed/1": "observed",
}


def decide(method: str, op: str, threshold: Fraction, margin: Fraction, bounds: Bounds) -> str:
    """Return ``held``, ``refused`` or ``not_shown``. Bounds are unrounded; the margin is added in decimal."""
    if bounds.closed:
        return "not_shown"
    lower = -math.inf if bounds.lower is None else bounds.lower
    upper = math.inf if bounds.upper is None else bounds.upper
    guard, bar = GUARDS.get(method, 0.0), double(threshold)
    if op == ">=":
        held, refused = lower >= bar + guard, upper < double(threshold + margin)
    else:
        held, refused = upper <= bar - guard, lower > double(threshold - margin)
    return "held" if held else "refused" if refused else "not_shown"


# ---- clopper-pearson/1

HALVINGS = 60
NEGLIGIBLE = 1e-20


def clopper_pearson(successes: int, total: int, a: float, b: float) -> Bounds:
    """Bound a rate by the binomial law."""
    if total == 0:
        return NOTHING
    lower = _rate_lower(successes, total, a)
    upper = 1.0 - _rate_lower(total - successes, total, b)
    return Bounds(successes / total, lower, upper)


def _rate_lower(successes: int, total: int, alpha: float) -> float:
    """Return the p at which so many successes or more have the chance alpha."""
    if successes == 0:
        return 0.0
    if successes == total:
        return float(alpha ** (1 / total))
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if binomial_tail(total, successes, middle) < alpha:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def binomial_tail(total: int, least: int, chance: float) -> float:
    """P(B >= least): terms summed from the largest outwards, each from its neighbour, until they no longer count."""
    if least <= 0:
        return 1.0
    if least > total:
        return 0.0
    peak = min(total, max(least, int((total + 1) * chance)))
    ways = math.lgamma(total + 1) - math.lgamma(peak + 1) - math.lgamma(total - peak + 1)
    highest = math.exp(ways + peak * math.log(chance) + (total - peak) * math.log1p(-chance))
    odds = chance / (1 - chance)
    terms, term = [highest], highest
    for i in range(peak, total):  # upwards
        term *= (total - i) / (i + 1) * odds
        terms.append(term)
        if term < NEGLIGIBLE * highest:
            break
    term = highest
    for i in range(peak, least, -1):  # downwards
        term *= i / (total - i + 1) / odds
        terms.append(term)
        if term < NEGLIGIBLE * highest:
            break
    return min(1.0, math.fsum(terms))


# ---- betting-iid/1

BETS = tuple(0.01 * 95 ** (j / 11) for j in range(12))


def betting_iid(values: Sequence[float], a: float, b: float) -> Bounds:
    """Bound the mean of values in [0, 1] by betting against it."""
    require(all(0.0 <= x <= 1.0 for x in values), "betting-iid/1: a value outside [0, 1]")  # NaN fails too
    if not values:
        return NOTHING
    lower = _mean_lower(values, a)
    upper = _mean_lower([1.0 - x for x in values], b)
    return Bounds(mean(values), lower / BILLION, (BILLION - upper) / BILLION)


def _mean_lower(values: Sequence[float], alpha: float) -> int:
    """Return the lower bound, in billionths. Equal values are counted once and weighted."""
    counted = Counter(values)
    distinct, times, bar = tuple(counted), tuple(counted.values()), -math.log(alpha)

    def reached(k: int) -> bool:
        factors = [x / (k / BILLION) for x in distinct]
        return log_wealth(factors, times) >= bar

    return last(reached)


def log_wealth(factors: Sequence[float], times: Sequence[int]) -> float:
    """L: the log of what is left of one unit, split evenly over the bets; each factor (x over m) pays so many times."""
    logs = []
    for bet in BETS:
        keep = 1 - bet
        logs.append(math.fsum(map(mul, times, [math.log(keep + bet * y) for y in factors])))
    largest = max(logs)
    return largest + math.log(math.fsum(math.exp(one - largest) for one in logs) / len(BETS))


# ---- betting-wor/1

LARGEST_SET = 9_223_372_036


def betting_wor(values: Sequence[float], population: int, a: float, b: float) -> Bounds:
    """Bound the mean of a finite set from its first values, in the order drawn."""
    require(all(0.0 <= x <= 1.0 for x in values), "betting-wor/1: a value outside [0, 1]")
    require(len(values) <= population <= LARGEST_SET, "betting-wor/1: the set is smaller than what was drawn")
    if not values:
        return NOTHING
    whole_values = [round(x * 1e9) for x in values]
    lower = _set_lower(whole_values, population, a)
    upper = _set_lower([BILLION - q for q in whole_values], population, b)
    return Bounds(mean(values), lower / BILLION, (BILLION - upper) / BILLION)


def _set_lower(values: Sequence[int], population: int, alpha: float) -> int:
    """Return the lower bound, in billionths. What is certain is settled in whole numbers."""
    before, drawn = [], 0  # S_(t-1) for each t, and S_n
    for q in values:
        before.append(drawn)
        drawn += q
    rest, once, bar = (population - len(values)) * BILLION, (1,) * len(values), -math.log(alpha)

    def reached(k: int) -> bool:
        if drawn >= population * k:
            return True
        if drawn + rest < population * k:
            return False
        pairs = enumerate(zip(values, before, strict=True))
        factors = [q * (population - t) / (population * k - s) for t, (q, s) in pairs]
        return log_wealth(factors, once) >= bar

    return last(reached)


# ---- logit-delong/1

GATE = 20 - 1e-9  # cases of the rarer class beyond the threshold


@dataclass(frozen=True, slots=True)
class Area:
    """The area under the ROC curve as wins of all comparisons (both doubled), and its standard error."""

    wins: int
    games: int
    positives: int
    negatives: int
    error: float

    @property
    def rarer(self) -> int:
        """Return the cases of the rarer class."""
        return min(self.positives, self.negatives)


def logit_delong(
    scores: Sequence[float], positive: Sequence[int], threshold: Fraction | None, a: float, b: float
) -> Bounds:
    """Bound the area under the ROC curve on the logit scale; without a threshold, without the gate."""
    require(all(math.isfinite(score) for score in scores), "logit-delong/1: a score is not finite")
    positives = sum(1 for mark in positive if mark)
    if positives in (0, len(positive)):
        return NOTHING
    area = delong(scores, positive)
    estimate = area.wins / area.games
    if threshold is not None:
        bar = double(threshold)
        if area.rarer * min(bar, 1 - bar) < GATE:
            return Bounds(estimate, None, None, closed=True)
    lower = _area_lower(area.wins, area, a)
    upper = 1.0 - _area_lower(area.games - area.wins, area, b)
    return Bounds(estimate, lower, upper)


def delong(scores: Sequence[float], positive: Sequence[int]) -> Area:
    """Return area and standard error, in whole numbers up to one rounding under the root."""
    groups: dict[float, list[int]] = {}
    for score, mark in zip(scores, positive, strict=True):
        groups.setdefault(score, [0, 0])[1 if mark else 0] += 1
    m0, m1 = (sum(group[mark] for group in groups.values()) for mark in (0, 1))
    b0 = b1 = w = q1 = q0 = 0
    for score in sorted(groups):
        c0, c1 = groups[score]
        r1, r0 = 2 * b0 + c0, 2 * (m1 - b1) - c1
        w, q1, q0 = w + c1 * r1, q1 + c1 * r1**2, q0 + c0 * r0**2
        b0, b1 = b0 + c0, b1 + c1
    d1, d0, games = m1 * q1 - w**2, m0 * q0 - w**2, 2 * m1 * m0
    if d1 == d0 == 0:
        error = 0.0
    elif min(m1, m0) == 1:
        error = math.inf
    else:
        error = math.sqrt((Fraction(d1, m1 - 1) + Fraction(d0, m0 - 1)) / games**2)
    return Area(w, games, m1, m0, error)


def _area_lower(wins: int, area: Area, alpha: float) -> float:
    """Return the lower bound for so many wins of the games, at the area's standard error."""
    losses = area.games - wins
    if math.isinf(area.error):
        return 0.0
    if area.error == 0 or wins == 0 or losses == 0:
        return float(wins / area.games * alpha ** (1 / area.rarer))
    spread = area.error * area.games**2 / (wins * losses)  # SE / (A (1 - A))
    u = math.log(wins / losses) - normal_quantile(alpha) * spread
    return 1 / (1 + math.exp(-u)) if u > 0 else math.exp(u) / (1 + math.exp(u))


# ---- farrington-manning-gap/1

ROOT_HALVINGS = 50
Counts = tuple[int, int]  # successes, total


def farrington_manning_gap(groups: Sequence[Counts], a: float, b: float) -> Bounds:
    """Bound the largest difference between the rates of groups."""
    if len(groups) < 2 or any(total == 0 for _, total in groups):  # noqa: PLR2004
        return NOTHING
    rates = [successes / total for successes, total in groups]
    pairs = sorted(set(permutations(groups, 2)))  # equal pairs have equal z
    far = -normal_quantile(b)
    ahead = normal_quantile(a / (len(groups) * (len(groups) - 1)))
    upper = _bracket(lambda k: not all(gap_score(one, two, k / BILLION) <= far for one, two in pairs)) + 1
    lower = _bracket(lambda k: any(gap_score(one, two, k / BILLION) >= ahead for one, two in pairs))
    return Bounds(max(rates) - min(rates), lower / BILLION, upper / BILLION)


def _bracket(holds: Callable[[int], bool]) -> int:
    """Halve (0, 10^9), of which 0 is taken as holding and 10^9 as failing; return the last that holds."""
    low, high = 0, BILLION
    while high - low > 1:
        k = (low + high) // 2
        if holds(k):
            low = k
        else:
            high = k
    return low


def gap_score(one: Counts, two: Counts, gap: float) -> float:
    """z: is rate 1 ahead of rate 2 by the gap? The rates under that constraint are the likeliest ones."""
    (x1, n1), (x2, n2) = one, two
    low, high = max(0.0, gap), min(1.0, 1 + gap)
    for _ in range(ROOT_HALVINGS):
        q = (low + high) / 2
        r = q - gap
        if (x1 - n1 * q) * r * (1 - r) + (x2 - n2 * r) * q * (1 - q) > 0:
            low = q
        else:
            high = q
    q = (low + high) / 2
    r = q - gap
    lead, variance = x1 / n1 - x2 / n2 - gap, q * (1 - q) / n1 + r * (1 - r) / n2
    if variance > 0:
        return lead / math.sqrt(variance)
    return 0.0 if lead == 0 else math.copysign(math.inf, lead)


# ---- order-statistic/1

TIE = 1e-12


def order_statistic(values: Sequence[float], quantile: Fraction, a: float, b: float) -> Bounds:
    """Bound a quantile by values of the data. A value that never came is infinite."""
    require(0 < quantile < 1, "order-statistic/1: the quantile does not lie between 0 and 1")
    require(not any(math.isnan(value) for value in values), "order-statistic/1: a value is not a number")
    if not values:
        return NOTHING
    total, chance = len(values), double(quantile)
    ranked = [-math.inf, *sorted(values), math.inf]
    # upper: the smallest k in 1 .. n + 1 with P(B >= k) <= b + TIE; lower: the largest k in 0 .. n with
    # P(B >= k) >= 1 - a - TIE. The tail falls as k grows, from 1 at k = 0 to 0 at k = n + 1.
    upper = _first_rank(total, lambda tail: tail <= b + TIE, chance)
    lower = _first_rank(total, lambda tail: tail < 1 - a - TIE, chance) - 1
    return Bounds(ranked[max(1, math.ceil(quantile * total))], ranked[lower], ranked[upper])


def _first_rank(total: int, fits: Callable[[float], bool], chance: float) -> int:
    """Return the smallest k in 1 .. n + 1 whose tail P(B >= k) fits; at n + 1 it always does."""
    low, high = 0, total + 1
    while high - low > 1:
        k = (low + high) // 2
        if fits(binomial_tail(total, k, chance)):
            high = k
        else:
            low = k
    return high


# ---- observed/1


def decide_observed(op: str, threshold: Fraction, fact: Fraction) -> str:
    """Compare a fact once with the threshold, both as doubles; equality passes, and there is no "not shown"."""
    value, bar = double(fact), double(threshold)
    return "held" if (value >= bar if op == ">=" else value <= bar) else "refused"


# ======================================================================================================================
# Measures, as on the page measures.md
# ======================================================================================================================


@dataclass(frozen=True, slots=True)
class Measure:
    """Which numbers of a stage's records a measure reads, and by which method it is judged."""

    method: str
    column: str
    among: int | None = None  # only rows whose ``positive`` is this; None: all rows that count


MEASURES = {
    "auroc": Measure("logit-delong/1", "score"),
    "brier": Measure("betting-iid/1", "squared_error"),
    "accuracy": Measure("clopper-pearson/1", "right"),
    "sensitivity": Measure("clopper-pearson/1", "right", among=1),
    "specificity": Measure("clopper-pearson/1", "right", among=0),
    "sensitivity_gap": Measure("farrington-manning-gap/1", "detected", among=1),
    "latency": Measure("order-statistic/1", "seconds"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """What one criterion's numbers come to."""

    bounds: Bounds
    counts: dict[str, int]
    parts: tuple[dict[str, Any], ...] = ()


def measure(criterion: dict[str, Any], groups: dict[str, list[str]], records: Records, a: float, b: float) -> Found:
    """Hand a criterion's numbers to its method, and count them."""
    place = f"criterion {criterion['id']}"
    named = present(MEASURES.get(criterion["measure"]), f"{place}: unknown measure {shown(criterion['measure'])}")
    method = criterion["method"]
    require(method == named.method, f"{place}: {criterion['measure']} is not judged by {shown(method)}")
    rows, counts = rows_that_count(records, named.among), _counts(records)
    values = _pick(records, named.column, rows)
    if method == "logit-delong/1":
        marks = _marks(records, "positive", rows)
        bounds = logit_delong(values, marks, decimal(criterion["threshold"]), a, b)
        return Found(bounds, counts | {"positives": sum(marks), "negatives": len(marks) - sum(marks)})
    if method == "farrington-manning-gap/1":
        return _gap(criterion, groups, records, rows, (a, b))
    if method == "clopper-pearson/1":
        hits = sum(_marks(records, named.column, rows))
        return Found(clopper_pearson(hits, len(rows), a, b), counts | {"hits": hits, "counted": len(rows)})
    if method == "betting-iid/1":
        return Found(betting_iid(values, a, b), counts)
    quantile = present(criterion.get("quantile"), f"{place}: without a quantile")
    return Found(order_statistic(values, decimal(quantile), a, b), counts)


def _gap(
    criterion: dict[str, Any],
    groups: dict[str, list[str]],
    records: Records,
    rows: Sequence[int],
    rates: tuple[float, float],
) -> Found:
    """Count the planned groups, all words in code order; rows with a negative code belong to none."""
    place = f"criterion {criterion['id']}"
    name = present(criterion.get("group"), f"{place}: without a group")
    planned = present(groups.get(name), f"{place}: the plan has no words for the groups of {name}")
    codes, marks = _pick(records, f"group_{name}", rows), _marks(records, "detected", rows)
    require(all(code < len(planned) for code in codes), f"{place}: a group code without a word")
    totals = Counter(codes)
    hits = Counter(code for code, mark in zip(codes, marks, strict=True) if mark)
    counted = [(hits[code], totals[code]) for code in range(len(planned))]
    parts = tuple({"word": w, "hits": x, "total": n} for w, (x, n) in zip(planned, counted, strict=True))
    without = sum(1 for code in codes if code < 0)
    counts = _counts(records) | {"positives": len(rows), "without_group": without}
    return Found(farrington_manning_gap(counted, *rates), counts, parts)


def rows_that_count(records: Records, among: int | None = None) -> list[int]:
    """Return the rows with status 0 or 1; with ``among``, only those of that truth."""
    status = records.column("status").values()
    rows = [row for row, code in enumerate(status) if code in (MEASURED, FAILED_ITEM)]
    if among is None:
        return rows
    positive = _marks(records, "positive", rows)
    return [row for row, mark in zip(rows, positive, strict=True) if mark == among]


def _pick(records: Records, name: str, rows: Sequence[int]) -> list[Any]:
    column = records.column(name)
    require(column.dtype != "|V16", f"the column {name} holds no numbers")
    values = column.values()
    return [values[row] for row in rows]


def _marks(records: Records, name: str, rows: Sequence[int]) -> list[int]:
    values = _pick(records, name, rows)
    require(all(value in (0, 1) for value in values), f"the column {name} holds other than 0 and 1")
    return [int(value) for value in values]


def _counts(records: Records) -> dict[str, int]:
    status = Counter(records.column("status").values())
    return {
        "n": status[MEASURED] + status[FAILED_ITEM],
        "candidate_failures": status[FAILED_ITEM],
        "invalid": status[PLATFORM_FAULT] + status[DATA_FAULT],
    }


WORST = {"squared_error": 1, "decision": 0, "detected": 0, "right": 0, "seconds": math.inf}


def check_failed_items(records: Records) -> None:
    """Check that each item at which the candidate failed carries the worst numbers."""
    failed = [row for row, code in enumerate(records.column("status").values()) if code == FAILED_ITEM]
    names = {column.name for column in records.columns}
    for name in WORST.keys() & names:
        kind = all(value == WORST[name] for value in _pick(records, name, failed))
        require(kind, f"{records.stage}: a failed item with a better {name} than the worst")
    if {"score", "positive"} <= names:
        scored = zip(_pick(records, "score", failed), _marks(records, "positive", failed), strict=True)
        require(all(score == 1 - mark for score, mark in scored), f"{records.stage}: a failed item with a better score")


# ======================================================================================================================
# Judging the whole: dossier.md, section 3
# ======================================================================================================================


@dataclass(frozen=True, slots=True)
class Answer:
    """One finding, as it follows from plan and numbers."""

    criterion: str
    method: str
    op: str
    threshold: str
    answer: str
    found: Found


@dataclass(frozen=True, slots=True)
class StageAnswers:
    """What one stage found."""

    stage: str
    ran: bool
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """All that judging reads."""

    plan: dict[str, Any]
    evidence: dict[str, Any]
    records: dict[str, Records]

    def records_for(self, stage: str) -> Records:
        """Return the records that a stage judges: fairness reads those of effectiveness."""
        source = "effectiveness" if stage == "fairness" else stage
        require(source in self.records, f"{stage}: no records to judge")
        return self.records[source]


def judge(material: Material) -> tuple[StageAnswers, ...]:
    """Judge every criterion of every stage that ran, in plan order."""
    left = {stage["stage"]: stage for stage in material.evidence["stages"]}
    found = []
    for stage in material.plan["stages"]:
        trace = left[stage["name"]]
        ran = trace["skipped"] is None
        answers = [judge_one(criterion, trace, material) for criterion in stage["criteria"]] if ran else []
        found.append(StageAnswers(stage["name"], ran, tuple(answers)))
    return tuple(found)


def judge_one(criterion: dict[str, Any], trace: dict[str, Any], material: Material) -> Answer:
    """Judge one criterion of a stage that ran."""
    place, method, op = f"criterion {criterion['id']}", criterion["method"], criterion["op"]
    threshold, margin = decimal(criterion["threshold"]), decimal(criterion.get("margin", "0"))
    require(margin >= 0, f"{place}: the margin is negative")
    if method == "observed/1":
        fact = _fact(criterion, trace)
        answer, found = decide_observed(op, threshold, fact), Found(Bounds(double(fact), None, None), {"n": 1})
    else:
        a, b = _rates(criterion, material.plan)
        records = material.records_for(trace["stage"])
        found = measure(criterion, material.plan["words"]["groups"], records, a, b)
        answer = decide(method, op, threshold, margin, found.bounds)
    return Answer(criterion["id"], method, op, criterion["threshold"], answer, found)


def _fact(criterion: dict[str, Any], trace: dict[str, Any]) -> Fraction:
    name, unit = criterion["measure"], criterion.get("unit", "1")
    facts = [fact for fact in trace["facts"] if fact["measure"] == name]
    require(len(facts) == 1, f"stage {trace['stage']}: {len(facts)} facts {name}, expected one")
    require(
        facts[0]["unit"] == unit, f"the fact {name} is in {shown(facts[0]['unit'])}, the criterion in {shown(unit)}"
    )
    return decimal(facts[0]["value"])


def _rates(criterion: dict[str, Any], plan: dict[str, Any]) -> tuple[float, float]:
    """Return a (of the lower bound) and b (of the upper bound): alpha as spent, and beta / m."""
    place = f"criterion {criterion['id']}"
    alpha, beta = (present(criterion.get(rate), f"{place}: without {rate}") for rate in ("alpha", "beta"))
    rated = sum(one["method"] != "observed/1" for stage in plan["stages"] for one in stage["criteria"])
    wrong_held = double(decimal(alpha) * decimal(plan["alpha_spent"]))
    wrong_refused = double(decimal(beta)) / rated
    for rate in (wrong_held, wrong_refused):
        require(0 < rate < 0.5, f"{place}: an error rate of {rate}, expected between 0 and 0.5")  # noqa: PLR2004
    return (wrong_held, wrong_refused) if criterion["op"] == ">=" else (wrong_refused, wrong_held)


def invalid_share(records: Records) -> Fraction:
    """Return the share of a stage's rows that a fault of platform or data spoilt; 1 if it has no rows."""
    return Fraction(_counts(records)["invalid"], records.rows) if records.rows else Fraction(1)


def too_many_invalid(material: Material) -> bool:
    """Apply rule 2: tell whether a stage's share of invalid items exceeds the plan's."""
    most = decimal(material.plan["max_invalid"])
    return any(invalid_share(records) > most for records in material.records.values())


def outcome_of(*, isolated: bool, spoilt: bool, stages: Sequence[tuple[bool, Sequence[str]]]) -> str:
    """Apply rules 1 to 5 to each stage's (ran, answers)."""
    answers = [answer for _, found in stages for answer in found]
    if not isolated or spoilt:  # rules 1 and 2
        return "undecided"
    if "refused" in answers:  # rule 3
        return "rejected"
    if "not_shown" in answers or not all(ran for ran, _ in stages):  # rule 4
        return "undecided"
    return "accepted"  # rule 5


def weakest_grade(methods: Sequence[str]) -> str | None:
    """Return the weakest grade of the rated findings; None if there are none."""
    ranks = [GRADES.index(METHOD_GRADES[method]) for method in methods if method != "observed/1"]
    return GRADES[min(ranks)] if ranks else None


def outcome_digest(material: Material) -> str:
    """Digest what a repetition of the run must reproduce: facts and columns that hold no times."""
    left = {stage["stage"]: stage for stage in material.evidence["stages"]}
    value = []
    for stage in material.plan["stages"]:
        trace, records = left[stage["name"]], material.records.get(stage["name"])
        facts = [[f["measure"], f["value"], f["unit"]] for f in trace["facts"] if not f.get("timed", False)]
        columns = [[c.name, digest(c.data)] for c in records.columns if not c.timed] if records else []
        value.append([stage["name"], trace["skipped"] is None, facts, columns])
    return digest(canonical(value))


def as_planned(listed: dict[str, Any], criterion: dict[str, Any]) -> None:
    """Check that a finding as listed answers the plan's criterion."""
    place = f"criterion {criterion['id']}"
    for name in ("method", "op"):
        require(listed[name] == criterion[name], f"{place}: {name} {shown(listed[name])}, planned {criterion[name]}")
    same = decimal(listed["threshold"]) == decimal(criterion["threshold"])
    require(same, f"{place}: threshold {shown(listed['threshold'])}, planned {criterion['threshold']}")
    grade = METHOD_GRADES.get(criterion["method"])
    require(listed["grade"] == grade, f"{place}: grade {listed['grade']}, {shown(criterion['method'])} has {grade}")


def as_judged(listed: dict[str, Any], again: Answer) -> None:
    """Check that a finding as listed is the one judged again."""
    place, found = f"criterion {again.criterion}", again.found
    counted = {"answer": again.answer, "counts": found.counts, "parts": list(found.parts)}
    for name, value in counted.items():
        stated = listed.get(name, [])
        require(stated == value, f"{place}: {name} {shown(stated)}, judged again {shown(value)}")
    roundings = {"estimate": round, "lower": math.floor, "upper": math.ceil}
    for name, rounding in roundings.items():
        text = six_decimals(getattr(found.bounds, name), rounding)
        require(_close(listed[name], text), f"{place}: {name} {shown(listed[name])}, judged again {text}")


def _close(listed: str | None, again: str | None) -> bool:
    """Tolerate one unit in the sixth decimal, and no more."""
    if listed is None or again is None:
        return listed is again
    return abs(decimal(listed) - decimal(again)) <= Fraction(1, MILLION)


# ======================================================================================================================
# The steps of verification: dossier.md, section 2
# ======================================================================================================================

OK, FAILED, WITHHELD, ABSENT = "ok", "failed", "withheld", "absent"
UNEXAMINED = "unexamined"  # rests on a step that failed
PARTS = ("candidate", "public", "restricted")
STATEMENT_FILE, LOG_FILE = "statement.dsse.json", "log-proof.json"
STATEMENT_TYPE = "application/vnd.in-toto+json"
PLAN_TYPE = "application/vnd.pilotbase.plan+json"


@dataclass(frozen=True, slots=True)
class Step:
    """How one step of verification ended."""

    number: int
    name: str
    status: str
    found: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of a verification."""

    steps: tuple[Step, ...]
    outcome: str | None  # as the dossier says: accepted, rejected, undecided, not accepted; None if no part says it
    unknown_signer: str | None  # keyid, if no signer of the statement is trusted
    proves: tuple[str, ...]  # and what it does not; empty if the dossier is not verified

    @property
    def verified(self) -> bool:
        """Tell whether no step failed."""
        return no_failure(self.steps)


def no_failure(steps: Sequence[Step]) -> bool:
    """Tell whether every step ended well; one that rests on a failed one did not."""
    return all(step.status in (OK, WITHHELD, ABSENT) for step in steps)


@dataclass(slots=True)
class Case:
    """A dossier under verification, and what the steps have established of it."""

    folder: Path
    keys: dict[str, Key]
    files: dict[str, int] = field(default_factory=dict)  # relative path -> size
    folders: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)  # of the folder itself
    cache: dict[str, bytes] = field(default_factory=dict)
    statement: dict[str, Any] | None = None
    plan: dict[str, Any] | None = None
    ledger: Ledger | None = None
    order: dict[str, Any] | None = None
    material: Material | None = None
    verdict: dict[str, Any] | None = None
    notice: dict[str, Any] | None = None
    unknown_signer: str | None = None
    signers: tuple[str, ...] = ()

    def read(self, path: str) -> bytes:
        """Return a file's bytes, read once; what step 5 hashed is what later steps judge."""
        require(path in self.files, f"{path} is missing")
        if path not in self.cache:
            self.cache[path] = read_file(self.folder / path)
        return self.cache[path]

    def needs(self, *parts: str) -> None:
        """End the step as withheld if a part is not in this copy."""
        missing = [part for part in parts if part not in self.folders]
        if missing:
            raise WithheldError(f"{' and '.join(missing)} not in this copy")

    def document(self, path: str, check: Check) -> dict[str, Any]:
        """Read a canonical JSON document of a part."""
        value = parse_canonical(self.read(path))
        check(value, path)
        return value


def resting_on(value: T | None, step: int) -> T:
    """Return what an earlier step established, or end this one."""
    if value is None:
        raise RestsError(f"rests on step {step}")
    return value


# ---- Reading the folder: nothing is followed, nothing is opened that is not a plain file


def read_file(path: Path) -> bytes:
    """Read a plain file, without following a link, up to the cap."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            raw = file.read(MAX_FILE + 1)
    except OSError as error:
        raise FaultError(f"{shown(path.name)} cannot be read: {error.strerror}") from None
    require(len(raw) <= MAX_FILE, f"{shown(path.name)} is too large")
    return raw


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(islice(entries, MAX_FILES + 1), key=lambda entry: entry.name)
    except OSError as error:
        raise FaultError(f"the folder {shown(folder.name)} cannot be read: {error.strerror}") from None


def survey(case: Case) -> None:
    """Walk the folder; note its plain files, its folders and every fault."""
    pending, seen = [(case.folder, "", 0)], 0
    while pending:
        folder, prefix, depth = pending.pop()
        entries = _entries(folder)
        twins = [name for name, times in Counter(entry.name.casefold() for entry in entries).items() if times > 1]
        case.faults += [f"names that differ only by case: {shown(prefix + name)}" for name in twins]
        if prefix and not entries:
            case.faults.append(f"the folder {shown(prefix)} is empty")
        for entry in entries:
            seen += 1
            require(seen <= MAX_FILES, f"more than {MAX_FILES} entries")
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                require(depth < MAX_DEPTH, f"more than {MAX_DEPTH} folders deep")
                case.folders.add(path)
                pending.append((folder / entry.name, path + "/", depth + 1))
            elif entry.is_file(follow_symlinks=False):
                case.files[path] = entry.stat(follow_symlinks=False).st_size
            else:
                case.faults.append(f"{shown(path)} is a link or a special file")
    require(all(size <= MAX_FILE for size in case.files.values()), f"a file of more than {MAX_FILE} bytes")
    require(sum(case.files.values()) <= MAX_TOTAL, f"more than {MAX_TOTAL} bytes in all")


# ---- 1. Folder


def step_folder(case: Case) -> str:
    """Check that only the entries named are there; no links, twins, special files, empty folders."""
    survey(case)
    roots = {path for path in case.files if "/" not in path} | {path for path in case.folders if "/" not in path}
    strange = roots - {STATEMENT_FILE, LOG_FILE, *PARTS}
    faults = case.faults + [f"{shown(name)} does not belong here" for name in sorted(strange)]
    faults += [f"{part} is not a folder" for part in PARTS if part in case.files]
    faults += [f"{name} is not a file" for name in (STATEMENT_FILE, LOG_FILE) if name in case.folders]
    require(not faults, "; ".join(faults[:5]))
    require(STATEMENT_FILE in case.files, f"{STATEMENT_FILE} is missing")
    there = [part for part in PARTS if part in case.folders]
    require(bool(there), "none of the parts is there")
    return ", ".join(there)


# ---- 2. Signature


def step_signature(case: Case) -> str:
    """Check that at least one signature is good and none is bad; with no trusted one the signer is unknown."""
    envelope = read_envelope(case.read(STATEMENT_FILE), STATEMENT_TYPE)
    require(bool(envelope.signatures), "nobody signed")
    if not any(signature.keyid in case.keys for signature in envelope.signatures):
        case.unknown_signer = envelope.signatures[0].keyid
        raise FaultError(f"UNKNOWN SIGNER {case.unknown_signer}")
    statement = parse(envelope.body)
    STATEMENT(statement, "statement")
    signers = check_signatures(envelope, case.keys, moment(statement["predicate"]["issued_at"]))
    case.signers = tuple(f"{key.owner} ({key.keyid})" for key in signers.good)
    return _weighed(signers)


def _weighed(signers: Signers) -> str:
    require(not signers.bad, "; ".join(signers.bad))
    require(bool(signers.good), "no signature by a trusted key")
    beside = f"; not known, not checked: {', '.join(signers.unknown)}" if signers.unknown else ""
    return shown("signed by " + ", ".join(key.owner for key in signers.good)) + beside


# ---- 3. Statement


def step_statement(case: Case) -> str:
    """Check for an in-toto Statement v1, predicate type and schema known, canonical."""
    envelope = read_envelope(case.read(STATEMENT_FILE), STATEMENT_TYPE)
    statement = parse_canonical(envelope.body)
    STATEMENT(statement, "statement")
    predicate = statement["predicate"]
    require(len(statement["subject"]) == 1, f"{len(statement['subject'])} subjects, expected one: the candidate")
    require(set(predicate["parts"]) <= set(PARTS), f"unknown parts {shown(sorted(predicate['parts']))}")
    moment(predicate["issued_at"])
    case.statement = statement
    return shown(f"pilot {predicate['pilot']} of {statement['subject'][0]['name']}, issued {predicate['issued_at']}")


def predicate_of(case: Case) -> dict[str, Any]:
    """Return the statement's predicate, or rest on step 3."""
    predicate: dict[str, Any] = resting_on(case.statement, 3)["predicate"]
    return predicate


def subject_of(case: Case) -> tuple[str, str]:
    """Return the candidate's name and digest, or rest on step 3."""
    subject = resting_on(case.statement, 3)["subject"][0]
    return subject["name"], subject["digest"]["sha256"]


# ---- 4. Parts


def step_parts(case: Case) -> str:
    """Check that the statement's digest names each part's manifest."""
    stated, there = predicate_of(case)["parts"], [part for part in PARTS if part in case.folders]
    for part in there:
        raw = case.read(f"{part}/manifest.json")
        require(part in stated, f"the statement does not name the part {part}")
        require(digest(raw) == stated[part], f"{part}/manifest.json has the digest {digest(raw)}, not {stated[part]}")
        manifest = case.document(f"{part}/manifest.json", MANIFEST)
        require(manifest["part"] == part, f"{part}/manifest.json says that it is of {manifest['part']}")
    return ", ".join(there)


# ---- 5. Files


def step_files(case: Case) -> str:
    """Check that every file is listed with size and digest, none missing, none unlisted; JSON is canonical."""
    total = 0
    for part in (part for part in PARTS if part in case.folders):
        listed = case.document(f"{part}/manifest.json", MANIFEST)["files"]
        paths = [entry["path"] for entry in listed]
        require(all(one < two for one, two in pairwise(paths)), f"{part}: files not in order")
        there = {path.removeprefix(f"{part}/") for path in case.files if path.startswith(f"{part}/")}
        there.discard("manifest.json")
        require(not set(paths) - there, f"{part}: missing {shown(sorted(set(paths) - there)[:3])}")
        require(not there - set(paths), f"{part}: unlisted {shown(sorted(there - set(paths))[:3])}")
        for entry in listed:
            _check_file(case, f"{part}/{entry['path']}", entry)
        total += len(listed)
    return f"{total} files"


def _check_file(case: Case, path: str, entry: dict[str, Any]) -> None:
    raw = case.read(path)
    require(len(raw) == entry["size"], f"{shown(path)} has {len(raw)} bytes, not {entry['size']}")
    require(digest(raw) == entry["sha256"], f"{shown(path)} has the digest {digest(raw)}, not {entry['sha256']}")
    if path.endswith(".json"):
        try:
            parse_canonical(raw)
        except FaultError as fault:
            raise FaultError(f"{shown(path)}: {fault}") from None


# ---- 6. Plan


def step_plan(case: Case) -> str:
    """Check that the plan is signed and is the one that the statement means, with scenario and candidate."""
    case.needs("public")
    predicate, (name, candidate) = predicate_of(case), subject_of(case)
    envelope = read_envelope(case.read("public/plan.dsse.json"), PLAN_TYPE)
    plan = parse_canonical(envelope.body)
    PLAN(plan, "plan")
    case.plan = plan
    found = _weighed(check_signatures(envelope, case.keys, moment(plan["sealed_at"])))
    require(digest(envelope.body) == predicate["plan"], "not the plan that the statement names")
    require(plan["pilot"] == predicate["pilot"], f"the plan is of pilot {shown(plan['pilot'])}")
    named = {"name": predicate["scenario"], "digest": predicate["scenario_digest"]}
    require(plan["scenario"] == named, "plan and statement name different scenarios")
    require(plan["candidate"] == {"name": name, "digest": candidate}, "plan and statement name different candidates")
    for text, expected in (("scenario.toml", named["digest"]), ("candidate.toml", plan["candidate_text"])):
        stored = digest(case.read(f"public/{text}"))
        require(stored == expected, f"{text} has the digest {stored}, not {expected}")
    stages = [stage["name"] for stage in plan["stages"]]
    require(len(set(stages)) == len(stages), "the plan has a stage twice")
    return found


# ---- 7. Ledger


def step_ledger(case: Case) -> str:
    """Check that the chain links up to the stated head, and that the plan was sealed before any stage began."""
    case.needs("public")
    predicate = predicate_of(case)
    ledger = read_ledger(case.read("public/ledger.jsonl"))
    case.ledger = ledger
    require(ledger.head == predicate["ledger_head"], f"the head is {ledger.head}, not {predicate['ledger_head']}")
    strangers = [event["seq"] for event in ledger.events if event["pilot"] != predicate["pilot"]]
    require(not strangers, f"event {strangers[:1]} is of another pilot")
    plan, kinds = resting_on(case.plan, 6), [event["kind"] for event in ledger.events]
    require(kinds[0] == "pilot.opened" and kinds.count("pilot.opened") == 1, "the pilot is not opened once, first")
    opened = ledger.bodies("pilot.opened")[0]
    require(opened["scenario"] == plan["scenario"]["digest"], "the pilot was opened for another scenario")
    require(opened["candidate"] == plan["candidate"]["digest"], "the pilot was opened for another candidate")
    require(kinds.count("plan.sealed") == 1, "not one plan was sealed")
    sealed = ledger.bodies("plan.sealed")[0]
    require(sealed["plan"] == predicate["plan"], "another plan was sealed")
    require(sealed["commitment"] == plan["order"]["commitment"], "another order was committed to")
    require("stage.started" not in kinds[: kinds.index("plan.sealed")], "a stage began before the plan was sealed")
    return f"{len(ledger.events)} events"


# ---- 8. Order


def step_order(case: Case) -> str:
    """Check that salt and seed open the commitment of the plan."""
    case.needs("public", "restricted")
    order = case.document("restricted/order.json", ORDER)
    case.order = order
    commitment = resting_on(case.plan, 6)["order"]["commitment"]
    found = digest(bytes.fromhex(order["salt"]) + bytes.fromhex(order["seed"]))
    require(found == commitment, f"salt and seed open {found}, the plan committed to {commitment}")
    return ""


# ---- 9. Records


def step_records(case: Case) -> str:
    """Check that each stage's Merkle root follows from its arrays; the hidden stage has its rows, each unit once."""
    case.needs("public", "restricted")
    plan = resting_on(case.plan, 6)
    evidence = case.document("restricted/evidence.json", EVIDENCE)
    stages = [stage["name"] for stage in plan["stages"]]
    require([trace["stage"] for trace in evidence["stages"]] == stages, "the evidence has other stages than the plan")
    rooted = [trace["stage"] for trace in evidence["stages"] if trace["root"] is not None]
    folders = {path.split("/")[2] for path in case.files if path.startswith("restricted/records/")}
    require(folders == set(rooted), f"records of {shown(sorted(folders))}, the evidence has those of {sorted(rooted)}")
    records = {stage: load_records(case, stage) for stage in rooted}
    case.material = Material(plan, evidence, records)
    salt = bytes.fromhex(resting_on(case.order, 8)["record_salt"])
    for trace in evidence["stages"]:
        root = records[trace["stage"]].root(salt) if trace["stage"] in records else None
        require(root == trace["root"], f"{trace['stage']}: the root is {root}, the evidence says {trace['root']}")
    _check_done(case.material, resting_on(case.ledger, 7))
    _check_hidden(case.material)
    return ", ".join(f"{stage} {one.rows}" for stage, one in records.items())


def load_records(case: Case, stage: str) -> Records:
    """Read one stage's arrays; nothing may lie beside them."""
    place = f"restricted/records/{stage}"
    header = case.document(f"{place}/header.json", HEADER)
    require(header["stage"] == stage, f"{place} holds the records of {header['stage']}")
    names = [column["name"] for column in header["columns"]]
    require(len(set(names)) == len(names), f"{place}: a column twice")
    expected = {f"{place}/header.json", *(f"{place}/{name}.bin" for name in names)}
    there = {path for path in case.files if path.startswith(f"{place}/")}
    require(there == expected, f"{place}: found {shown(sorted(there ^ expected)[:3])} beside or instead of its columns")
    columns = []
    for column in header["columns"]:
        data = case.read(f"{place}/{column['name']}.bin")
        size = header["rows"] * WIDTHS[column["dtype"]]
        require(len(data) == size, f"{place}/{column['name']}.bin has {len(data)} bytes, not {size}")
        columns.append(Column(column["name"], column["dtype"], column.get("timed", False), data))
    records = Records(stage, header["rows"], case.read(f"{place}/header.json"), tuple(columns))
    status = records.column("status").values()
    require(set(status) <= {MEASURED, FAILED_ITEM, PLATFORM_FAULT, DATA_FAULT}, f"{place}: an unknown status")
    return records


def _check_done(material: Material, ledger: Ledger) -> None:
    """Check that every stage is done once, as the evidence says."""
    done = [(body["stage"], body["ran"], body["root"]) for body in ledger.bodies("stage.done")]
    left = [(trace["stage"], trace["skipped"] is None, trace["root"]) for trace in material.evidence["stages"]]
    for stage, ran, root in left:
        require((stage, ran, root) in done, f"{stage}: the ledger's stage.done says otherwise than the evidence")
    require(len(done) == len(left), f"{len(done)} events stage.done for {len(left)} stages")


def _check_hidden(material: Material) -> None:
    """Check that the hidden stage has as many rows as the plan says, each unit once."""
    for stage in material.plan["stages"]:
        records = material.records.get(stage["name"])
        if stage["split"] == "hidden" and records is not None:
            planned = material.plan["order"]["rows"]
            require(records.rows == planned, f"{stage['name']}: {records.rows} rows, the plan says {planned}")
            units = records.column("unit").values()
            require(len(set(units)) == len(units), f"{stage['name']}: a unit twice")


# ---- 10. Judged again


def step_judged_again(case: Case) -> str:
    """Check that the judgement follows from plan and records; without records, the outcome from the findings."""
    case.needs("public")
    plan = resting_on(case.plan, 6)
    case.verdict = case.document("public/verdict.json", VERDICT)
    level = case.document("public/isolation.json", ISOLATION)["isolation"]["level"]
    judgement = case.verdict["judgement"]
    stages = [(stage["ran"], [finding["answer"] for finding in stage["findings"]]) for stage in judgement["stages"]]
    _check_listing(plan, judgement)
    isolated = level in plan["isolation"]
    if "restricted" not in case.folders:
        outcome = outcome_of(isolated=isolated, spoilt=False, stages=stages)
        doubtful = judgement["outcome"] == "undecided"  # rule 2 reads records, which are not here
        require(judgement["outcome"] == outcome or doubtful, f"the findings say {outcome}, not {judgement['outcome']}")
        return f"{judgement['outcome']}, as the findings listed say; records withheld"
    material = resting_on(case.material, 9)
    for records in material.records.values():
        check_failed_items(records)
    again = judge(material)
    for stage, found in zip(judgement["stages"], again, strict=True):
        _compare(stage, found)
    judged = [(stage.ran, [one.answer for one in stage.answers]) for stage in again]
    outcome = outcome_of(isolated=isolated, spoilt=too_many_invalid(material), stages=judged)
    require(outcome == judgement["outcome"], f"judged again {outcome}, the verdict says {judgement['outcome']}")
    stated, computed = case.verdict["outcome_digest"], outcome_digest(material)
    require(stated == computed, f"outcome_digest {shown(stated)}, computed {computed}")
    return f"{outcome}, {sum(len(stage.answers) for stage in again)} findings"


def _check_listing(plan: dict[str, Any], judgement: dict[str, Any]) -> None:
    """Check that the verdict lists the plan's stages and their criteria, and that its grade is the weakest."""
    listed = [stage["stage"] for stage in judgement["stages"]]
    require(listed == [stage["name"] for stage in plan["stages"]], "the verdict has other stages than the plan")
    for planned, stage in zip(plan["stages"], judgement["stages"], strict=True):
        criteria = planned["criteria"] if stage["ran"] else []
        ids, findings = [one["id"] for one in criteria], [one["criterion"] for one in stage["findings"]]
        require(findings == ids, f"{stage['stage']}: findings {shown(findings)}, planned {ids}")
        require(all(one["stage"] == stage["stage"] for one in stage["findings"]), "a finding under another stage")
        for finding, criterion in zip(stage["findings"], criteria, strict=True):
            as_planned(finding, criterion)
    methods = [one["method"] for stage in judgement["stages"] for one in stage["findings"]]
    grade = weakest_grade(methods)
    require(judgement["grade"] == grade, f"grade {judgement['grade']}, the weakest of the findings is {grade}")


def _compare(stage: dict[str, Any], found: StageAnswers) -> None:
    require(stage["ran"] == found.ran, f"{found.stage}: ran {stage['ran']}, the evidence says {found.ran}")
    for listed, answer in zip(stage["findings"], found.answers, strict=True):
        as_judged(listed, answer)


# ---- 11. Verdict and notice


def step_verdict(case: Case) -> str:
    """Check that verdict and notice name this pilot, that its times follow, and that they agree."""
    predicate, (candidate, _) = predicate_of(case), subject_of(case)
    named = {"pilot": predicate["pilot"], "scenario": predicate["scenario"], "candidate": candidate}
    checked = []
    if "public" in case.folders:
        _check_verdict(case, predicate, named)
        checked.append("verdict")
    if "candidate" in case.folders:
        notice = case.document("candidate/notice.json", NOTICE)
        case.notice = notice
        for name, value in named.items():
            require(notice[name] == value, f"the notice names {name} {shown(notice[name])}")
        if "public" in case.folders:
            _check_notice(notice, resting_on(case.verdict, 10))
        checked.append("notice")
    if not checked:
        raise WithheldError("candidate and public not in this copy")
    return " and ".join(checked)


def _check_verdict(case: Case, predicate: dict[str, Any], named: dict[str, str]) -> None:
    verdict = case.document("public/verdict.json", VERDICT)
    case.verdict = verdict
    for name, value in (named | {"plan": predicate["plan"], "issued_at": predicate["issued_at"]}).items():
        require(verdict[name] == value, f"the verdict's {name} is {shown(verdict[name])}, not {shown(value)}")
    judged = resting_on(case.ledger, 7).bodies("verdict.judged")
    stored = digest(case.read("public/verdict.json"))
    require([body["verdict"] for body in judged] == [stored], "the ledger's verdict.judged means another verdict")
    plan = resting_on(case.plan, 6)
    until = later(moment(predicate["issued_at"]), plan["valid_for"])
    require(moment(verdict["valid_until"]) == until, f"valid until {verdict['valid_until']}, computed {stamp(until)}")
    require(verdict["data_public"] == plan["data_public"], "verdict and plan differ in data_public")
    level = case.document("public/isolation.json", ISOLATION)["isolation"]["level"]
    require(verdict["isolation"] == level, f"isolation {verdict['isolation']}, isolation.json says {level}")


def _check_notice(notice: dict[str, Any], verdict: dict[str, Any]) -> None:
    accepted = verdict["judgement"]["outcome"] == "accepted"
    require(notice["accepted"] == accepted, f"the notice says accepted {notice['accepted']}, the verdict {accepted}")
    before = [stage for stage in verdict["judgement"]["stages"] if stage["stage"] in ("intake", "conformance")]
    require(notice["before_hidden"] == before, "the notice's findings are not those of the verdict")


# ---- 12. Log


def step_log(case: Case) -> str:
    """Check that the inclusion proof holds for this statement."""
    if LOG_FILE not in case.files:
        raise AbsentError("no log-proof.json")
    proof = case.document(LOG_FILE, LOG_PROOF)
    leaf = hashlib.sha256(case.read(STATEMENT_FILE)).digest()
    path = [bytes.fromhex(step) for step in proof["path"]]
    holds = included(leaf, proof["index"], proof["size"], path, bytes.fromhex(proof["root"]))
    require(holds, f"the path does not lead from this statement to the root {proof['root']}")
    return f"entry {proof['index']} of {proof['size']}, root {proof['root']}"


# ---- All steps, and what they prove

STEPS: tuple[tuple[str, Callable[[Case], str]], ...] = (
    ("Folder", step_folder),
    ("Signature", step_signature),
    ("Statement", step_statement),
    ("Parts", step_parts),
    ("Files", step_files),
    ("Plan", step_plan),
    ("Ledger", step_ledger),
    ("Order", step_order),
    ("Records", step_records),
    ("Judged again", step_judged_again),
    ("Verdict and notice", step_verdict),
    ("Log", step_log),
)
# Every check above says what it found. Should one be missing, these remain: the step fails, the program does not.
UNFORESEEN = (ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RecursionError, TypeError, ValueError)


def take(number: int, name: str, examine: Callable[[Case], str], case: Case) -> Step:
    """Take one step."""
    try:
        return Step(number, name, OK, examine(case))
    except FaultError as fault:
        return Step(number, name, FAILED, str(fault))
    except WithheldError as withheld:
        return Step(number, name, WITHHELD, str(withheld))
    except AbsentError as absent:
        return Step(number, name, ABSENT, str(absent))
    except RestsError as rests:
        return Step(number, name, UNEXAMINED, str(rests))
    except UNFORESEEN as error:
        return Step(number, name, FAILED, f"unforeseen: {type(error).__name__}: {shown(str(error))}")


def verify(folder: Path, trust: Path) -> Result:
    """Verify a dossier against a file of trusted keys.

    Raises UnreadableError if the folder is none or the keys cannot be read; nothing else.
    """
    try:
        with trust.open("rb") as file:
            keys = read_keys(file.read(MAX_DOCUMENT + 1))
    except (FaultError, *UNFORESEEN) as error:
        raise UnreadableError(f"{trust}: {error}") from None
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise UnreadableError(f"{folder}: {error.strerror}") from None
    case = Case(folder, keys)
    steps = tuple(take(number, name, examine, case) for number, (name, examine) in enumerate(STEPS, start=1))
    return Result(steps, _outcome(case), case.unknown_signer, _proves(case) if no_failure(steps) else ())


def _outcome(case: Case) -> str | None:
    """Return the outcome as the dossier states it."""
    if case.verdict is not None:
        return str(case.verdict["judgement"]["outcome"])
    if case.notice is not None:
        return "accepted" if case.notice["accepted"] else "not accepted"
    return None


def _proves(case: Case) -> tuple[str, ...]:
    """Say what the dossier proves, and what not; never more."""
    lines = ["order: self-asserted (no witness confirms when plan and statement were made)"]
    lines += [f"signed by: {shown(signer)}" for signer in case.signers]
    lines += [f"withheld: {part}" for part in PARTS if part not in case.folders]
    if case.verdict is not None:
        expired = moment(case.verdict["valid_until"]) < datetime.now(UTC)
        lines.append(f"{'EXPIRED: it was' if expired else 'validity:'} valid until {case.verdict['valid_until']}")
    if case.plan is not None and case.plan["data_public"]:
        lines.append("data: public; the candidate's makers may have seen the hidden rows before")
    if LOG_FILE in case.files:
        lines.append("log: inclusion under the root that log-proof.json states; nobody signed that root here")
    lines.append("not judged again: sentences, reports, pictures, metering, and that the records are what was measured")
    return tuple(lines)


# ======================================================================================================================
# The command
# ======================================================================================================================

VERIFIED, NOT_VERIFIED, USAGE, UNREADABLE = 0, 4, 64, 65


class Parser(argparse.ArgumentParser):
    """A parser whose usage errors end with 64."""

    def error(self, message: str) -> NoReturn:
        """Print usage and fault."""
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = Parser(prog="verifier.py", description="Verify a pilotbase dossier.")
    parser.add_argument("dossier", type=Path, help="the folder")
    parser.add_argument("--trust", type=Path, required=True, metavar="keys.json", help="the keys that you trust")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    try:
        result = verify(options.dossier, options.trust)
    except UnreadableError as error:
        print(shown(str(error)), file=sys.stderr)
        return UNREADABLE
    print(as_json(result) if options.json else as_text(result))
    return VERIFIED if result.verified else NOT_VERIFIED


def as_json(result: Result) -> str:
    """Write the answer for programs."""
    return json.dumps({"verified": result.verified} | asdict(result), indent=1)


def as_text(result: Result) -> str:
    """Write the answer for people."""
    lines = [f"{step.number:2} {step.name:19} {step.status:10} {step.found}".rstrip() for step in result.steps]
    if result.unknown_signer is not None:
        lines.append(f"UNKNOWN SIGNER {result.unknown_signer}")
    said = "no part says an outcome" if result.outcome is None else f"the outcome is: {result.outcome}"
    lines.append(f"VERIFIED; {said}" if result.verified else f"NOT VERIFIED; unproven: {said}")
    return "\n".join([*lines, *result.proves])


if __name__ == "__main__":
    sys.exit(main())
