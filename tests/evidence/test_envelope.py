"""Envelopes: the standard's own example, and every way in which one may not be accepted."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilotbase.evidence.envelope import LIMIT, MOST_SIGNATURES, Envelope, Signature, check, open_envelope, pae, sign
from pilotbase.evidence.keys import KeyRing, enlist, init, new_signing_key, retire, revoke
from pilotbase.foundation.canonical import canonical_bytes
from pilotbase.foundation.errors import FaultError, InputError

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = START + timedelta(days=30)
DAY = timedelta(days=1)
TYPE = "application/vnd.in-toto+json"
BODY = b'{"a":1}'


def test_the_encoding_is_that_of_the_standards_example():
    # DSSE protocol, appendix "Test vectors".
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("http://example.com/HelloWorld", b"hello world") == expected


@given(st.text(max_size=9), st.binary(max_size=9), st.text(max_size=9), st.binary(max_size=9))
def test_two_documents_never_share_what_is_signed(kind, body, other_kind, other_body):
    assert (pae(kind, body) == pae(other_kind, other_body)) == ((kind, body) == (other_kind, other_body))


def test_lengths_are_counted_in_bytes():
    assert pae("é", b"\n") == b"DSSEv1 2 \xc3\xa9 1 \n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300))
def test_what_was_signed_opens_and_counts(key, ring, body):
    envelope = open_envelope(sign(TYPE, body, [key]))
    assert (envelope.payload_type, envelope.body) == (TYPE, body)
    (result,) = check(envelope, ring, LATER)
    assert result.counts
    assert (result.valid, result.standing, result.keyid) == (True, "trusted", key.keyid)
    assert result.owner == "中试基地 Pilot Base"


def test_the_stored_form_is_canonical_and_names_the_algorithm(key):
    data = sign(TYPE, BODY, [key])
    tree = json.loads(data)
    assert canonical_bytes(tree) == data
    assert tree["payload"] == base64.b64encode(BODY).decode()
    assert tree["payloadType"] == TYPE
    signature = base64.b64encode(key.sign(pae(TYPE, BODY))).decode()
    assert tree["signatures"] == [{"alg": "ed25519", "keyid": key.keyid, "sig": signature}]


def test_several_signers_stand_sorted_and_each_counts(ring, key):
    keys = [key, new_signing_key(), new_signing_key()]
    for number, other in enumerate(keys[1:]):
        ring = enlist(ring, other, f"owner {number}", START)
    data = sign(TYPE, BODY, keys)
    assert data == sign(TYPE, BODY, keys[::-1])
    results = check(open_envelope(data), ring, LATER)
    assert [result.keyid for result in results] == sorted(one.keyid for one in keys)
    assert all(result.counts for result in results)


def test_signing_needs_keys_and_each_of_them_once(key):
    for keys in ([], [key, key], [new_signing_key() for _ in range(MOST_SIGNATURES + 1)]):
        with pytest.raises(FaultError):
            sign(TYPE, BODY, keys)


def test_any_changed_byte_is_noticed(ring, key):
    data = sign(TYPE, BODY, [key])
    for place in range(len(data)):
        for flip in (1, 2, 0x20, 0x80):
            changed = bytearray(data)
            changed[place] ^= flip
            try:
                results = check(open_envelope(bytes(changed)), ring, LATER)
            except InputError:
                continue
            assert not any(result.counts for result in results), (place, flip)


# 16 bytes leave four unused bits in the last digit: "==" after it. Other values of them decode alike.
PADDED = b"0123456789abcdef"


def test_a_changed_padding_bit_is_refused_though_it_decodes_alike(key):
    data = sign(TYPE, PADDED, [key])
    text = base64.b64encode(PADDED).decode()
    twin = text[:-3] + chr(ord(text[-3]) + 1) + "=="
    assert base64.b64decode(twin) == PADDED
    with pytest.raises(InputError, match="changed"):
        open_envelope(data.replace(text.encode(), twin.encode()))


def altered(key, **changes: object) -> bytes:
    tree = json.loads(sign(TYPE, BODY, [key]))
    tree.update(changes)
    return canonical_bytes({name: value for name, value in tree.items() if value is not ...})


def with_signature(key, **changes: object) -> bytes:
    one = json.loads(sign(TYPE, BODY, [key]))["signatures"][0] | changes
    return altered(key, signatures=[{name: value for name, value in one.items() if value is not ...}])


def twice(key) -> bytes:
    one = json.loads(sign(TYPE, BODY, [key]))["signatures"][0]
    return altered(key, signatures=[one, one])


def reordered(key) -> bytes:
    tree = json.loads(sign(TYPE, BODY, [key, new_signing_key()]))
    return canonical_bytes(tree | {"signatures": tree["signatures"][::-1]})


FAULTS = {
    "empty": lambda _: b"",
    "not JSON": lambda _: b"hello",
    "not an object": lambda _: b"[]",
    "not UTF-8": lambda _: b'{"payload":"\xff"}',
    "a lone surrogate": lambda key: altered(key).replace(TYPE.encode(), b"\\ud800"),
    "nested without end": lambda _: b"[" * 200_000,
    "nested deep": lambda key: altered(key, signatures=json.loads("[" * 40 + "]" * 40)),
    "too large": lambda key: altered(key) + b" " * LIMIT,
    "a blank more": lambda key: altered(key) + b"\n",
    "key twice": lambda key: altered(key).replace(b'{"payload":', b'{"payload":"","payload":', 1),
    "field missing": lambda key: altered(key, payload=...),
    "field added": lambda key: altered(key, extra=1),
    "payload not text": lambda key: altered(key, payload=1),
    "payload a float": lambda key: altered(key).replace(b'"signatures":[', b'"signatures":[1.5,'),
    "payload url-safe": lambda key: altered(key, payload="-_-_"),
    "payload with a line break": lambda key: altered(key, payload="aGVs\nbG8="),
    "payload without padding": lambda key: altered(key, payload="aGVsbG8"),
    "type empty": lambda key: altered(key, payloadType=""),
    "type with a blank": lambda key: altered(key, payloadType="a b"),
    "type too long": lambda key: altered(key, payloadType="a" * 201),
    "no signatures": lambda key: altered(key, signatures=[]),
    "signatures not a list": lambda key: altered(key, signatures={}),
    "signature not an object": lambda key: altered(key, signatures=["x"]),
    "signature empty": lambda key: with_signature(key, sig=""),
    "signature too long": lambda key: with_signature(key, sig=base64.b64encode(b"x" * 2000).decode()),
    "algorithm missing": lambda key: with_signature(key, alg=...),
    "algorithm not ASCII": lambda key: with_signature(key, alg="ed25519\u202e"),
    "keyid empty": lambda key: with_signature(key, keyid=""),
    "one signature twice": twice,
    "signatures in another order": reordered,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_no_envelope_is_refused_in_words(key, fault):
    with pytest.raises(InputError) as caught:
        open_envelope(FAULTS[fault](key), "statement.dsse.json")
    error = caught.value
    assert error.place.file == "statement.dsse.json"
    assert error.what.zh
    assert error.found.isprintable()


def test_the_untouched_envelope_passes(key):
    assert open_envelope(altered(key)).body == BODY
    assert open_envelope(with_signature(key)).body == BODY


def only(envelope: Envelope, trust: KeyRing, at: datetime):
    (result,) = check(envelope, trust, at)
    return result


def test_an_unknown_key_counts_for_nothing_and_is_named(key):
    result = only(open_envelope(sign(TYPE, BODY, [key])), KeyRing(), LATER)
    assert (result.valid, result.standing, result.owner) == (None, "unknown", "")
    assert result.keyid == key.keyid
    assert not result.counts
    assert "unknown signer" in result.words.en


def test_the_keys_time_decides(key, ring):
    envelope = open_envelope(sign(TYPE, BODY, [key]))
    retired = retire(ring, key.keyid, LATER)
    revoked = revoke(ring, key.keyid, LATER)
    told = {
        (name, at): only(envelope, trust, at)
        for name, trust in {"ring": ring, "retired": retired, "revoked": revoked}.items()
        for at in (START - DAY, START, LATER - DAY, LATER, LATER + DAY)
    }
    standings = {place: (result.standing, result.counts) for place, result in told.items()}
    assert standings == {
        ("ring", START - DAY): ("not_yet_valid", False),
        ("ring", START): ("trusted", True),
        ("ring", LATER - DAY): ("trusted", True),
        ("ring", LATER): ("trusted", True),
        ("ring", LATER + DAY): ("trusted", True),
        ("retired", START - DAY): ("not_yet_valid", False),
        ("retired", START): ("retired_after", True),
        ("retired", LATER - DAY): ("retired_after", True),
        ("retired", LATER): ("retired", False),
        ("retired", LATER + DAY): ("retired", False),
        ("revoked", START - DAY): ("revoked", False),
        ("revoked", START): ("revoked", False),
        ("revoked", LATER - DAY): ("revoked", False),
        ("revoked", LATER): ("revoked", False),
        ("revoked", LATER + DAY): ("revoked", False),
    }
    assert all(result.valid is True for result in told.values())
    assert len({result.words for result in told.values()}) == 5


def test_another_key_under_a_trusted_keyid_does_not_hold(key, ring):
    message = pae(TYPE, BODY)
    forged = Signature(keyid=key.keyid, algorithm="ed25519", value=new_signing_key().sign(message))
    result = only(Envelope(payload_type=TYPE, body=BODY, signatures=(forged,)), ring, LATER)
    assert (result.valid, result.counts) == (False, False)


@pytest.mark.parametrize("part", ["payload_type", "body"])
def test_a_signature_holds_for_its_own_type_and_body_only(key, ring, part):
    envelope = open_envelope(sign(TYPE, BODY, [key]))
    other = {"payload_type": envelope.payload_type, "body": envelope.body}
    other[part] = "text/plain" if part == "payload_type" else b"{}"
    result = only(Envelope(**other, signatures=envelope.signatures), ring, LATER)
    assert (result.valid, result.counts) == (False, False)


@pytest.mark.parametrize("length", [1, 63, 65, 1024])
def test_a_signature_of_another_length_does_not_hold(key, ring, length):
    one = Signature(keyid=key.keyid, algorithm="ed25519", value=b"x" * length)
    result = only(Envelope(payload_type=TYPE, body=BODY, signatures=(one,)), ring, LATER)
    assert (result.valid, result.counts) == (False, False)


def test_an_unknown_algorithm_is_invalid_in_words_even_with_a_good_signature(key, ring):
    result = only(open_envelope(with_signature(key, alg="sm2")), ring, LATER)
    assert (result.valid, result.standing, result.counts) == (False, "trusted", False)
    assert "sm2" in result.words.en
    assert "sm2" in result.words.zh
    assert only(open_envelope(with_signature(key, alg="sm2")), KeyRing(), LATER).valid is False


def test_a_key_listed_for_another_algorithm_does_not_vouch(key, ring):
    listed = ring.keys[0]
    other = KeyRing((type(listed)(**{**fields(listed), "algorithm": "sm2"}),))
    result = only(open_envelope(sign(TYPE, BODY, [key])), other, LATER)
    assert (result.valid, result.counts) == (False, False)
    assert "sm2" in result.words.en


def fields(listed) -> dict[str, object]:
    return {name: getattr(listed, name) for name in type(listed).__dataclass_fields__}


def test_a_stranger_beside_a_trusted_signer_takes_nothing_away(key, ring):
    results = check(open_envelope(sign(TYPE, BODY, [key, new_signing_key()])), ring, LATER)
    assert sorted(result.standing for result in results) == ["trusted", "unknown"]
    assert [result.counts for result in results].count(True) == 1


def test_a_new_key_of_the_ring_does_not_vouch_for_the_time_before_it(ring, key):
    ring, new = init(ring, "another", LATER)
    envelope = open_envelope(sign(TYPE, BODY, [key, new]))
    standing = {result.keyid: result.standing for result in check(envelope, ring, START)}
    assert standing == {key.keyid: "trusted", new.keyid: "not_yet_valid"}


def test_the_room_loads_no_database():
    code = (
        "import sys; import pilotbase.evidence.envelope, pilotbase.evidence.keyfiles, pilotbase.evidence.statement;"
        "print([name for name in sys.modules if name.split('.')[0] in {'sqlalchemy', 'sqlite3', 'msgspec', 'numpy'}"
        " or name.startswith(('pilotbase.store', 'pilotbase.pilot'))])"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert told.stdout.strip() == "[]"
