"""Keys and rings: who may sign from when until when, and every way to write a ring wrongly."""

from __future__ import annotations

import base64
import copy
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from pilotbase.evidence.keys import (
    ALGORITHMS,
    RING_LIMIT,
    SCHEMA,
    KeyRing,
    enlist,
    init,
    new_signing_key,
    read_ring,
    read_signing_key,
    retire,
    revoke,
)
from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import InputError, UsageError

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = START + timedelta(days=30)
# RFC 8032 section 7.1, test 2.
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)
# RFC 8410 section 4: the fixed DER before the 32 bytes of an Ed25519 public key.
SPKI = bytes.fromhex("302a300506032b6570032100")


def pem_of(private) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_the_standards_own_key_signs_as_the_standard_says():
    key = read_signing_key(pem_of(ed25519.Ed25519PrivateKey.from_private_bytes(SEED)), "x.pem")
    assert key.sign(b"\x72") == SIGNATURE
    assert key.public == SPKI + PUBLIC
    assert key.keyid == sha256(SPKI + PUBLIC)
    assert ALGORITHMS[key.algorithm](key.public, b"\x72", SIGNATURE)
    assert not ALGORITHMS[key.algorithm](key.public, b"\x73", SIGNATURE)


def test_a_private_key_survives_its_file_and_is_never_shown():
    key = new_signing_key()
    again = read_signing_key(key.to_pem(), "x.pem")
    assert again.keyid == key.keyid
    assert again.sign(b"m") == key.sign(b"m")
    assert repr(key) == f"SigningKey({key.keyid})"


def test_no_two_new_keys_are_alike():
    assert new_signing_key().keyid != new_signing_key().keyid


ENCRYPTED = ed25519.Ed25519PrivateKey.from_private_bytes(SEED).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"word")
)


@pytest.mark.parametrize(
    "pem", [b"", b"hello", ENCRYPTED, pem_of(ec.generate_private_key(ec.SECP256R1())), pem_of(
        ed25519.Ed25519PrivateKey.from_private_bytes(SEED))[:60]],
    ids=["empty", "text", "encrypted", "other algorithm", "cut short"],
)  # fmt: skip
def test_what_is_no_key_is_refused_without_showing_it(pem):
    with pytest.raises(InputError) as caught:
        read_signing_key(pem, "signing.pem")
    assert caught.value.place.file == "signing.pem"
    assert caught.value.remedy is not None
    assert "PRIVATE" not in str(caught.value)


def test_init_puts_one_new_key_on_the_ring():
    ring, key = init(KeyRing(), "Base A", START)
    listed = ring.find(key.keyid)
    assert listed is not None
    assert (listed.owner, listed.valid_from, listed.public) == ("Base A", START, key.public)
    assert (listed.retired_at, listed.revoked_at) == (None, None)
    again, other = init(ring, "Base A", LATER)
    assert [one.keyid for one in again.keys] == [key.keyid, other.keyid]


def test_enlisting_twice_changes_nothing(ring, key):
    assert enlist(ring, key, "another name", LATER) is ring


@pytest.mark.parametrize("owner", ["", " x", "x ", "a\nb", "x" * 201, "\u202e"])
def test_an_owner_is_a_plain_short_name(owner, key):
    with pytest.raises(UsageError):
        init(KeyRing(), owner, START)
    with pytest.raises(UsageError):
        enlist(KeyRing(), key, owner, START)


def test_retiring_and_revoking_leave_other_keys_alone(ring, key):
    ring, other = init(ring, "other", START)
    changed = revoke(retire(ring, key.keyid, LATER), key.keyid, LATER + timedelta(days=1))
    assert changed.keys[1] == ring.keys[1]
    assert changed.keys[1].keyid == other.keyid
    assert (changed.keys[0].retired_at, changed.keys[0].revoked_at) == (LATER, LATER + timedelta(days=1))
    assert ring.keys[0].retired_at is None  # the old ring is a value of its own


@pytest.mark.parametrize(
    "step",
    [
        lambda ring, _: retire(ring, "0" * 64, LATER),
        lambda ring, _: revoke(ring, "0" * 64, LATER),
        lambda ring, keyid: retire(retire(ring, keyid, LATER), keyid, LATER),
        lambda ring, keyid: retire(revoke(ring, keyid, LATER), keyid, LATER),
        lambda ring, keyid: retire(ring, keyid, START - timedelta(days=1)),
        lambda ring, keyid: revoke(revoke(ring, keyid, LATER), keyid, LATER),
    ],
    ids=["retire unknown", "revoke unknown", "retire twice", "retire revoked", "retire before valid", "revoke twice"],
)
def test_a_step_that_the_rules_do_not_allow_is_refused(ring, key, step):
    with pytest.raises(UsageError):
        step(ring, key.keyid)


def test_a_ring_survives_its_file(ring, key):
    ring, _ = init(ring, "第二把", LATER)
    ring = revoke(retire(ring, key.keyid, LATER), key.keyid, LATER)
    data = ring.to_bytes()
    assert read_ring(data, "keys.json") == ring
    assert data.startswith(b'{\n  "schema": "pilotbase/keys/1"')
    assert "第二把" in data.decode()
    assert read_ring(KeyRing().to_bytes(), "keys.json") == KeyRing()


def test_a_key_of_a_later_release_stays_on_the_ring(ring):
    tree = json.loads(ring.to_bytes())
    later = copy.deepcopy(tree["keys"][0])
    later |= {"algorithm": "sm2", "public": base64.b64encode(b"not for us").decode(), "keyid": sha256(b"not for us")}
    tree["keys"].append(later)
    read = read_ring(json.dumps(tree).encode(), "keys.json")
    assert [one.algorithm for one in read.keys] == ["ed25519", "sm2"]


def changed(**changes: object):
    def change(tree) -> None:
        tree["keys"][0].update(changes)

    return change


def doubled(tree) -> None:
    tree["keys"].append(tree["keys"][0])


def other_curve(tree) -> None:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    tree["keys"][0] |= {"public": base64.b64encode(der).decode(), "keyid": sha256(der)}


def other_der(change):
    """Write the same key in DER that is not the one form it has."""

    def alter(tree) -> None:
        der = change(base64.b64decode(tree["keys"][0]["public"]))
        tree["keys"][0] |= {"public": base64.b64encode(der).decode(), "keyid": sha256(der)}

    return alter


def padding_bit(tree) -> None:
    text = tree["keys"][0]["public"]  # 44 bytes: one "=" and two unused bits before it
    tree["keys"][0]["public"] = text[:-2] + chr(ord(text[-2]) + 1) + "="


def dropped(tree) -> None:
    del tree["keys"][0]["owner"]


FAULTS = {
    "another schema": (lambda tree: tree.update(schema="pilotbase/keys/2"), "schema"),
    "no schema": (lambda tree: tree.pop("schema"), "schema"),
    "unknown field": (lambda tree: tree.update(comment="x"), ""),
    "keys not a list": (lambda tree: tree.update(keys={}), "keys"),
    "key listed twice": (doubled, "keys"),
    "key not an object": (lambda tree: tree["keys"].append("x"), "keys[1]"),
    "field missing": (dropped, "keys[0]"),
    "keyid of another key": (changed(keyid="0" * 64), "keys[0].keyid"),
    "algorithm with odd letters": (changed(algorithm="Ed\u202e"), "keys[0].algorithm"),
    "public key not base64": (changed(public="***"), "keys[0].public"),
    "public key of another kind": (other_curve, "keys[0].public"),
    "public key cut short": (changed(public="MCow"), "keys[0].public"),
    "public key with a byte more": (other_der(lambda der: der + b"\0"), "keys[0].public"),
    "public key with a long length": (other_der(lambda der: b"\x30\x81\x2a" + der[2:]), "keys[0].public"),
    "public key with parameters": (
        other_der(lambda der: bytes.fromhex("302c300706032b65700500032100") + der[12:]),
        "keys[0].public",
    ),
    "public key with a changed padding bit": (padding_bit, "keys[0].public"),
    "owner with a line break": (changed(owner="a\nb"), "keys[0].owner"),
    "owner not text": (changed(owner=None), "keys[0].owner"),
    "no beginning": (changed(valid_from=None), "keys[0].valid_from"),
    "time in another form": (changed(valid_from="2026-01-01"), "keys[0].valid_from"),
    "time with too few digits": (changed(retired_at="2026-01-01T00:00:00.5Z"), "keys[0].retired_at"),
    "time in words": (changed(revoked_at="yesterday"), "keys[0].revoked_at"),
    "empty time": (changed(revoked_at=""), "keys[0].revoked_at"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_ring_is_refused_with_its_field(ring, fault):
    tree = json.loads(ring.to_bytes())
    change, field = FAULTS[fault]
    change(tree)
    with pytest.raises(InputError) as caught:
        read_ring(json.dumps(tree).encode(), "keys.json")
    assert caught.value.place.file == "keys.json"
    assert caught.value.place.field == field
    assert caught.value.found.isprintable()


def test_a_ring_without_end_is_refused(ring):
    with pytest.raises(InputError, match="too large"):
        read_ring(ring.to_bytes() + b" " * RING_LIMIT, "keys.json")


def test_the_schema_is_that_of_the_format():
    assert SCHEMA == "pilotbase/keys/1"
